"""Every prompt of every arm and task, word for word. After a wanted change: pytest --update-golden."""

from pathlib import Path

import pytest

from weighbridge.answer.build import SHAPES
from weighbridge.answer.prompt import build_prompt, instructions_for
from weighbridge.types import Chunk, Example, Message, Passage, Question

CHOICES = {"answer": (), "label": ("billing", "outage"), "json": ("medicine", "dose_mg")}
ANSWERS = {"answer": "14 days", "label": "billing", "json": '{"medicine":"Velotrin","dose_mg":20}'}
QUESTION = Question(
    "How long is the notice period?", history=(Message("user", "Hello"), Message("assistant", "Hello."))
)


def passages():
    chunks = [
        Chunk(id="notice#0", document_id="notice", text="# Notice\n\nIt is 14 days.", start=0, end=24, title="Notice"),
        Chunk(id="notice#1", document_id="notice", text="In writing.", start=26, end=37, title="Notice"),
    ]
    return [Passage(chunk, 1.0) for chunk in chunks]


def demonstrations(task):
    return (
        Example(id="a", question=Question("How long?"), answers=(ANSWERS[task],), split="train"),
        Example(id="b", question=Question("Who?"), answers=(), answerable=False, split="train"),
    )


def as_text(prompt):
    return "\n".join(f"--- {message.role}\n{message.content}" for message in prompt.messages) + "\n"


@pytest.mark.parametrize("task", ["answer", "label", "json"])
@pytest.mark.parametrize("arm", SHAPES)
def test_prompts_are_what_they_were(arm, task, golden):
    shape = SHAPES[arm]
    prompt = build_prompt(
        instructions_for(
            task, reads=shape.reads, illustrated=arm == "rag", about="You help staff.", choices=CHOICES[task]
        ),
        QUESTION,
        demonstrations=demonstrations(task) if shape.shows else (),
        passages=passages() if shape.reads else (),
    )
    golden(Path("prompts") / f"{task}-{arm}.txt", as_text(prompt))


def test_a_search_without_hits_is_still_a_prompt_with_passages(golden):
    golden(Path("prompts") / "no-hits.txt", as_text(build_prompt(instructions_for("answer", reads=True), QUESTION)))


def test_what_is_constant_comes_first():
    for shape in SHAPES.values():
        instructions = instructions_for("answer", reads=shape.reads)
        one, two = (build_prompt(instructions, Question(text)) for text in ("A?", "B?"))
        assert one.messages[0] == two.messages[0]
        assert one.messages[0].role == "system"
