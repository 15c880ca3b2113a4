"""What `ask` says beside an answer."""

import io

import pytest
from rich.console import Console as Terminal

from weighbridge.cli.console import Console
from weighbridge.types import Answer, Chunk, Citation, Passage, Prompt, Timing, Usage
from weighbridge.wiring.reporter import Reporter

NO_PROMPT = Prompt(())


def said(text: str, thinking: float = 0.0, citations: tuple[Citation, ...] = (), prompt: Prompt = NO_PROMPT) -> str:
    out = io.StringIO()
    terminal = Terminal(file=out, width=200)
    answer = Answer(
        text=text, raw=text, prompt=prompt, abstained=False, citations=citations,
        usage=Usage(input_tokens=9, output_tokens=2), timing=Timing(total=1.5, thinking=thinking),
    )  # fmt: skip
    Console(as_json=False, out=terminal, reporter=Reporter(), pause=lambda: None).answer("rag", answer)
    return out.getvalue()


def shown(passage: Passage, width: int) -> list[str]:
    out = io.StringIO()
    Console(as_json=False, out=Terminal(file=out, width=width), reporter=Reporter(), pause=lambda: None).passages(
        [passage]
    )
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_table_is_printed_as_one_within_the_width() -> None:
    text = "| Bolt M8 | 24.90 |\n| Rope [red] | 3 |\n\nUntil\nMay."
    chunk = Chunk(id="p#1", document_id="p", text=text, start=0, end=9, context=("| Item | Price in euro |",))
    assert shown(Passage(chunk, 1.0, ("copy",)), 60)[1:] == [
        "   Item         Price in euro",
        "   ──────────────────────────",
        "   Bolt M8              24.90",
        "   Rope [red]               3",
        "   Until May.",
        "   also in copy",
    ]
    assert max(map(len, shown(Passage(chunk, 1.0), 20))) <= 20


def test_a_quoted_row_is_printed_under_its_header() -> None:
    chunk = Chunk(id="p#1", document_id="p", text="| Bolt | 24.90 |", start=50, end=66, context=("| Item | Price |",))
    citation = Citation(chunk_id="p#1", document_id="p", quote="24.90", start=59, end=64, marked=True)
    lines = said("24.90", citations=(citation,), prompt=Prompt((), (Passage(chunk, 1.0),))).splitlines()
    assert [line.rstrip() for line in lines[1:5]] == [
        "  p, characters 59-64:",
        "    Item   Price",
        "    ────────────",
        "    Bolt   24.90",
    ]


@pytest.mark.parametrize(("text", "words"), [("red", "\n"), ("", "(an empty answer)\n")])
def test_an_empty_answer_is_called_one(text: str, words: str) -> None:
    assert said(text).startswith(words)


def test_thinking_is_timed_where_there_was_some() -> None:
    assert "rag: 1.50 s, 9 tokens in, 2 out" in said("red")
    assert "rag: 1.50 s (0.75 s until it had thought), 9 tokens in, 2 out" in said("red", 0.75)
