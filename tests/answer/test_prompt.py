"""Every prompt of every arm and task, word for word. After a wanted change: pytest --update-golden."""

import hashlib
from pathlib import Path

import pytest

from weighbridge.answer import composed
from weighbridge.answer.build import SHAPES
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import LAYOUT, build_prompt, instructions_for
from weighbridge.generate.scripted import Scripted
from weighbridge.types import Chunk, Completion, Example, Message, Passage, Question, Timing, Usage

CHOICES = {"answer": (), "label": ("billing", "outage"), "json": ("medicine", "dose_mg")}
ANSWERS = {"answer": "14 days", "label": "billing", "json": '{"medicine":"Velotrin","dose_mg":20}'}
QUESTION = Question(
    "How long is the notice period?", history=(Message("user", "Hello"), Message("assistant", "Hello."))
)

EARLIER = (Message("user", "Is there a notice period?"), Message("assistant", "Yes."))
"""The conversation before a demonstration's question."""
GOLDEN = Path(__file__).parents[1] / "golden"
WORDS_OF_LAYOUT = {
    "prompts": {
        1: "540806e41c8a21761d457b71b34ac6ea83cf2bf3005ec1bccc4ead008e6ad5a9",
        2: "93646756478db5485f5d28f02a4e13a8e2bde61d6717b93ad11d93e1e52c1946",
        3: "530c641b6a179bf7a1b7920d827f96f90326566a3c331c139856a523f7914f5f",
    },
    "quoting": {
        1: "b6abf31fe5171b21dd2d83875bff98a7a2dc7f519a67156aaa55160a471c8daf",
        2: "584a37bd1d76988cf73470db8857038b5b88f1ca21f98f0aa7e368c86e352ff2",
        3: "584a37bd1d76988cf73470db8857038b5b88f1ca21f98f0aa7e368c86e352ff2",
    },
}
"""The SHA-256 of all golden prompts, by the `LAYOUT` that gives them. New words need a new number."""
READ = (
    "14 days [1]", "14 days", "5 [2]", "Unknown.", "I don't know. [1]", "Not stated", '{"unknown": null}', "", "[2]",
    "I'm sorry, but the passages do not mention it.", "I can't say it often enough: reception", "Das weiß ich nicht.",
    "<think>It is 14 days [1], or 15?</think>14 days [1]", "<think>It is 14 days [1]",
)  # fmt: skip
"""What models say, for the golden file of how it is read."""
QUOTED = (
    '"It is 14 days." [1] Answer: 14 days', '"It is 15 days." [1] Answer: 15 days',
    '"It is 14 days." [2] Answer: 14 days', '"It is 14 days." [1] Answer: I don\'t know.',
    "It is 14 days. [1] Answer: 14 days", '"It is 14 da',
)  # fmt: skip


def passages():
    chunks = [
        Chunk(id="notice#0", document_id="notice", text="# Notice\n\nIt is 14 days.", start=0, end=24, title="Notice"),
        Chunk(id="notice#1", document_id="notice", text="In writing.", start=26, end=37, title="Notice"),
    ]
    return [Passage(chunk, 1.0) for chunk in chunks]


def demonstrations(task):
    return (
        Example(id="a", question=Question("How long?", EARLIER), answers=(ANSWERS[task],), split="train"),
        Example(id="b", question=Question("Who?"), answers=(), answerable=False, split="train"),
    )


def as_text(prompt):
    return "\n".join(f"--- {message.role}\n{message.content}" for message in prompt.messages) + "\n"


def as_read(strategy, prompt, raws):
    lines = []
    for raw in raws:
        said = strategy.read_completion(prompt, Completion(text=raw, usage=Usage()), Timing())
        cited = [citation.chunk_id for citation in said.citations]
        lines.append(f"{raw!r}: text {said.text!r}, abstained {said.abstained}, cited {cited}\n")
    return "".join(lines)


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


def test_a_table_is_read_by_rows_under_its_header(golden):
    header = "| Item | Price in euro |"
    rest = {"title": "Prices", "start": 0, "end": 9}
    chunks = [
        Chunk(id="0", document_id="p", text=f"# Prices\n\nOf 2026:\n\n{header}\n|---|---|\n| Nut | 2.50 |", **rest),
        Chunk(id="1", document_id="p", text="| Bolt | 24.90 |\n| Ring | 3 |", context=("Prices", header), **rest),
        Chunk(id="2", document_id="p", text="| Rope | 9 |\n\nUntil\nMay.", context=("Prices", header), **rest),
    ]
    prompt = build_prompt(
        instructions_for("answer", reads=True), QUESTION, passages=[Passage(chunk, 1.0) for chunk in chunks]
    )
    golden(Path("prompts") / "tables.txt", as_text(prompt))


@pytest.mark.parametrize("task", ["answer", "label", "json"])
def test_answers_are_read_as_they_were(task, golden):
    strategy = Composed(name="rag", model=Scripted(), instructions=instructions_for(task, reads=True))
    prompt = build_prompt(strategy.instructions, QUESTION, passages=passages())
    golden(Path("prompts") / f"{task}-read.txt", as_read(strategy, prompt, READ))


def test_a_reader_that_quotes_is_prompted_and_read_as_it_was(golden):
    quoting = instructions_for("answer", reads=True, about="You help staff.", quotes=True)
    prompt = build_prompt(quoting, QUESTION, passages=passages())
    golden(Path("quoting") / "answer-raft.txt", as_text(prompt))
    strategy = Composed(name="raft", model=Scripted(), instructions=quoting)
    golden(Path("quoting") / "answer-read.txt", as_read(strategy, prompt, (*QUOTED, *READ)))


@pytest.mark.parametrize("folder", WORDS_OF_LAYOUT)
def test_other_prompts_have_another_layout(folder):
    digest = hashlib.sha256()
    for file in sorted((GOLDEN / folder).iterdir()):
        digest.update(f"{file.name}\n{file.read_text(encoding='utf-8')}".encode())
    assert WORDS_OF_LAYOUT[folder][LAYOUT] == digest.hexdigest(), (
        "raise LAYOUT in answer/prompt.py and note the digest here"
    )


def test_the_layout_is_part_of_a_strategys_fingerprint(monkeypatch):
    strategy = Composed(name="prompt", model=Scripted(), instructions=instructions_for("answer", reads=False))
    before = strategy.fingerprint
    assert strategy.fingerprint == before
    monkeypatch.setattr(composed, "LAYOUT", LAYOUT + 1)
    assert strategy.fingerprint != before


def test_what_is_constant_comes_first():
    for shape in SHAPES.values():
        instructions = instructions_for("answer", reads=shape.reads)
        one, two = (build_prompt(instructions, Question(text)) for text in ("A?", "B?"))
        assert one.messages[0] == two.messages[0]
        assert one.messages[0].role == "system"


SYSTEM, GREETED, ASKED, SAID = (
    Message("system", "Be kind."),
    Message("assistant", "Welcome!"),
    Message("user", "One?"),
    Message("assistant", "1."),
)
FOLDED = [
    ((), [("user", "Two?")]),
    ((SYSTEM, ASKED, SAID), [("user", "Be kind.\n\nOne?"), ("assistant", "1."), ("user", "Two?")]),
    ((GREETED, ASKED, SAID), [("user", "Welcome!\n\nOne?"), ("assistant", "1."), ("user", "Two?")]),
    ((SYSTEM, GREETED), [("user", "Be kind.\n\nWelcome!\n\nTwo?")]),
    ((ASKED, SAID, SYSTEM), [("user", "One?"), ("assistant", "1."), ("user", "Be kind.\n\nTwo?")]),
    ((ASKED,), [("user", "One?\n\nTwo?")]),
    ((ASKED, SAID, GREETED), [("user", "One?"), ("assistant", "1.\n\nWelcome!"), ("user", "Two?")]),
    ((ASKED, SYSTEM, SAID), [("user", "One?"), ("assistant", "1."), ("user", "Be kind.\n\nTwo?")]),
]


@pytest.mark.parametrize(("history", "shown"), FOLDED)
def test_user_and_assistant_take_turns_and_all_is_said_once(
    history: tuple[Message, ...], shown: list[tuple[str, str]]
) -> None:
    instructions = instructions_for("answer", reads=False)
    system, *turns = build_prompt(instructions, Question("Two?", history)).messages
    assert system.role == "system"
    assert [(turn.role, turn.content) for turn in turns] == shown
