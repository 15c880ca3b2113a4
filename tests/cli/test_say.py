"""What `ask` says beside an answer."""

import io

import pytest
from rich.console import Console as Terminal

from weighbridge.cli.say import Console
from weighbridge.types import Answer, Prompt, Timing, Usage
from weighbridge.workflow.voice import Voice


def said(text: str, thinking: float = 0.0) -> str:
    out = io.StringIO()
    terminal = Terminal(file=out, width=200)
    answer = Answer(
        text=text, raw=text, prompt=Prompt(()), abstained=False, citations=(),
        usage=Usage(input_tokens=9, output_tokens=2), timing=Timing(total=1.5, thinking=thinking),
    )  # fmt: skip
    Console(as_json=False, out=terminal, voice=Voice(), pause=lambda: None).answer("rag", answer)
    return out.getvalue()


@pytest.mark.parametrize(("text", "words"), [("red", "\n"), ("", "(an empty answer)\n")])
def test_an_empty_answer_is_called_one(text: str, words: str) -> None:
    assert said(text).startswith(words)


def test_thinking_is_timed_where_there_was_some() -> None:
    assert "rag: 1.50 s, 9 tokens in, 2 out" in said("red")
    assert "rag: 1.50 s (0.75 s until it had thought), 9 tokens in, 2 out" in said("red", 0.75)
