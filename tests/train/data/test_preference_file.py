"""The user's pairs and thumbs: every kind of bad row is told with its line; test questions stay out."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import Span
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions
from weighbridge.errors import DataError, TrainingError
from weighbridge.train.data.preference_file import Forbidden, read_preferences
from weighbridge.types import Chunk, Example, Message, Passage, Progress, Question

TESTS = (Example(id="e", question=Question("When does the travel desk open on Monday?"), answers=("8",)),)


@pytest.fixture
def strategy(no_model) -> Composed:
    return Composed(name="fine-tuned", model=no_model, instructions=Instructions(system="Be short."))


def said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def written(folder: Path, *rows: object) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_pairs_and_thumbs_are_read_as_the_strategy_asks(strategy: Composed, tmp_path: Path):
    path = written(
        tmp_path,
        {"question": "Who?", "chosen": "Ada", "rejected": "Bob", "by": "someone"},
        "",
        {"question": "Who?", "answer": " Eve ", "thumb": "Down"},
        {"prompt": "Say hi", "chosen": "hi", "rejected": "ho"},
        {"prompt": [said("system", "S"), said("user", "U")], "answer": "a", "thumb": "up"},
    )
    seen: list[Progress] = []
    read = read_preferences(path, strategy, TESTS, notify=seen.append)
    assert [one.done for one in seen] == [1, 2, 3, 4]
    asked = (Message("system", "Be short."), Message("user", "Who?"))
    assert [(one.prompt, one.chosen, one.rejected) for one in read.told.pairs] == [
        (asked, "Ada", "Bob"),
        ((Message("user", "Say hi"),), "hi", "ho"),
    ]
    assert [(one.prompt, one.answer, one.up) for one in read.told.thumbs] == [
        (asked, "Eve", False),
        ((Message("system", "S"), Message("user", "U")), "a", True),
    ]
    assert read.told.pairs[0].example_id == read.told.thumbs[0].example_id
    assert read.sentence == "2 pairs and 2 thumbs read"


def test_test_questions_repeats_and_contradictions_are_left_out(strategy: Composed, tmp_path: Path):
    path = written(
        tmp_path,
        {"question": "WHEN does the travel desk open, on monday", "chosen": "8", "rejected": "9"},
        {"question": "When does the travel desk open on a Monday?", "answer": "8", "thumb": "up"},
        {"prompt": [said("user", TESTS[0].question.text)], "answer": "8", "thumb": "up"},
        {"question": "When does the library open?", "chosen": "8", "rejected": "9"},
        {"question": "When does the library open?", "chosen": "8", "rejected": "9"},
        {"question": "Who?", "chosen": "Ada", "rejected": "Bob"},
        {"question": "Who?", "chosen": "Bob", "rejected": "Ada"},
        {"question": "Who?", "answer": "Bob", "thumb": "up"},
        {"question": "Who?", "answer": "Bob", "thumb": "down"},
    )
    read = read_preferences(path, strategy, TESTS)
    assert [one.prompt[-1].content for one in read.told.pairs] == ["When does the library open?"]
    assert read.told.thumbs == ()
    assert (read.tested, read.repeated, read.contradicted) == (3, 1, 4)
    assert read.sentence == (
        "1 pairs and 0 thumbs read; left out: 3 ask a dev or test question, 1 repeat another, 4 contradict another"
    )


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "is not valid JSON"),
        ("[1]", "must be a JSON object"),
        ({"chosen": "a", "rejected": "b"}, "has no 'question'; it has 'chosen', 'rejected'"),
        ({"question": "q", "prompt": "p", "chosen": "a", "rejected": "b"}, "has both 'question' and 'prompt'"),
        ({"question": " ", "chosen": "a", "rejected": "b"}, "'question' is empty"),
        ({"question": 3, "chosen": "a", "rejected": "b"}, "'question' must be a text, not a number"),
        ({"question": "q"}, "neither a comparison nor a thumb; each line is"),
        ({"question": "q", "chosen": "a", "thumb": "up"}, "both a thumb and a comparison"),
        ({"question": "q", "chosen": "a"}, "has no 'rejected'"),
        ({"question": "q", "chosen": "a", "rejected": ""}, "'rejected' is empty"),
        ({"question": "q", "chosen": "a", "rejected": "a "}, "'chosen' and 'rejected' are the same"),
        ({"question": "q", "answer": "a", "thumb": "sideways"}, 'must be "up" or "down", not \'sideways\''),
        ({"question": "q", "answer": "a", "thumb": True}, 'must be "up" or "down", not true or false'),
        ({"question": "q", "thumb": "up"}, "has no 'answer'"),
        ({"prompt": [], "answer": "a", "thumb": "up"}, "'prompt' must be a text, or a list of messages"),
        ({"prompt": [{"role": "tool", "content": "c"}], "answer": "a", "thumb": "up"}, "with the roles system, user"),
        ({"prompt": [{"role": "user"}], "answer": "a", "thumb": "up"}, "'prompt' must be a text, or a list"),
        ({"prompt": ["hi"], "answer": "a", "thumb": "up"}, "'prompt' must be a text, or a list"),
        ({"prompt": [{"role": "assistant", "content": "c"}], "answer": "a", "thumb": "up"}, "must be the user's"),
    ],
)
def test_bad_rows_are_told_with_their_line(strategy: Composed, tmp_path: Path, row: object, told: str):
    path = written(tmp_path, {"question": "q0", "chosen": "a", "rejected": "b"}, row)
    with pytest.raises(DataError) as caught:
        read_preferences(path, strategy, TESTS)
    assert str(caught.value).startswith(f"{path}:2: ")
    assert told in str(caught.value)


def test_a_file_that_cannot_be_used_is_refused(strategy: Composed, tmp_path: Path):
    with pytest.raises(DataError, match="cannot be read"):
        read_preferences(tmp_path / "none.jsonl", strategy, TESTS)
    with pytest.raises(DataError, match="holds nothing to learn: 1 rows ask a dev or test question"):
        read_preferences(
            written(tmp_path, {"question": TESTS[0].question.text, "chosen": "a", "rejected": "b"}), strategy, TESTS
        )
    with pytest.raises(DataError, match="holds nothing to learn"):
        read_preferences(written(tmp_path), strategy, TESTS)
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "\xe9"}')
    with pytest.raises(DataError, match=r"latin\.jsonl:1: is not UTF-8"):
        read_preferences(tmp_path / "latin.jsonl", strategy, TESTS)


class Secretive:
    """Finds a passage that not everybody may read."""

    fingerprint = "secretive"

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        chunk = Chunk(id="c", document_id="payroll", text="£1", start=0, end=2, groups=frozenset({"hr"}))
        return (Passage(chunk, 1.0),)


def test_what_not_everybody_may_read_is_not_learnt(strategy: Composed, tmp_path: Path):
    path = written(tmp_path, {"question": "What is paid?", "chosen": "£1", "rejected": "£2"})
    with pytest.raises(TrainingError, match=r"pairs\.jsonl:1: its prompt holds a passage of payroll"):
        read_preferences(path, replace(strategy, retriever=Secretive()), TESTS)


words = st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=8)


@given(st.lists(words, max_size=6), words)
def test_near_questions_are_found_as_by_comparing_with_all(asked: list[list[str]], wanted: list[str]):
    tests = [Example(id=str(n), question=Question(" ".join(one)), answers=("x",)) for n, one in enumerate(asked)]
    shared = [len({*one} & {*wanted}) / len({*one} | {*wanted}) for one in asked]
    assert Forbidden(tests).asks(" ".join(wanted)) == any(share >= 0.8 for share in shared)


def test_a_held_out_question_inside_a_longer_prompt_is_found(strategy: Composed, tmp_path: Path):
    asked = (
        "Answer briefly.\n\nPassage: the desk is on the quay.\n\nQuestion: when does the travel desk open on Monday?"
    )
    path = written(
        tmp_path,
        {"prompt": asked, "chosen": "8", "rejected": "9"},
        {"prompt": "Answer briefly. When does the travel desk close?", "chosen": "8", "rejected": "9"},
        {
            "prompt": [
                said("user", "Good morning to you, and how are things?"),
                said("assistant", "Fine."),
                said("user", "When does the travel desk open on a Monday?"),
            ],
            "chosen": "8",
            "rejected": "9",
        },
    )
    read = read_preferences(path, strategy, TESTS)
    assert [one.prompt[0].content for one in read.told.pairs] == ["Answer briefly. When does the travel desk close?"]
    assert read.tested == 2


def test_what_a_restricted_asker_was_told_is_not_learnt_by_an_adapter_for_everybody(strategy: Composed, tmp_path: Path):
    path = written(
        tmp_path,
        {"question": "What is the bonus?", "chosen": "900", "rejected": "9", "groups": ["board"]},
        {"question": "Who?", "chosen": "Ada", "rejected": "Bob", "groups": []},
    )
    read = read_preferences(path, strategy, TESTS)
    assert [one.chosen for one in read.told.pairs] == ["Ada"]
    assert read.sentence == "1 pairs and 0 thumbs read; left out: 1 are of askers with access groups"


class Open:
    """Finds a passage that everybody may read."""

    fingerprint = "open"

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        return (Passage(Chunk(id="c", document_id="desk", text="Ada", start=4, end=7, version="v1"), 1.0),)


def test_what_is_preferred_is_told_with_the_place_of_its_passages(strategy: Composed, tmp_path: Path):
    path = written(
        tmp_path,
        {"question": "Who?", "chosen": "Ada", "rejected": "Bob"},
        {"question": "Whom?", "answer": "Eve", "thumb": "up"},
        {"question": "Whose?", "answer": "Eve's", "thumb": "down"},
    )
    lessons = read_preferences(path, replace(strategy, retriever=Open()), TESTS).lessons
    assert [(one.target, one.spans) for one in lessons] == [
        ("Ada", (Span("desk", 4, 7, "v1"),)),
        ("Eve", (Span("desk", 4, 7, "v1"),)),
    ]


class Knowing:
    """Finds the passages that whoever asks may read."""

    fingerprint = "knowing"

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        chunks = (
            Chunk(id=name, document_id=name, text=name, start=0, end=3, groups=frozenset(groups))
            for name, groups in (("desk", ()), ("payroll", ("hr", "board")), ("bonus", ("hr",)))
        )
        return tuple(Passage(c, 1.0) for c in chunks if not c.groups or c.groups & question.groups)


def test_what_restricted_askers_prefer_is_learnt_and_labelled_where_their_groups_are_named(
    strategy: Composed, tmp_path: Path
):
    path = written(
        tmp_path,
        {"question": "What is paid?", "answer": "9", "thumb": "down", "groups": ["board"]},
        {"prompt": "What is the bonus?", "chosen": "900", "rejected": "9", "groups": ["hr"]},
        {"question": "Who?", "chosen": "Ada", "rejected": "Bob"},
    )
    knowing = replace(strategy, retriever=Knowing())
    for groups, access, restricted in (
        ((), (), 2),
        (("board",), (frozenset({"board"}),), 1),
        (("hr", "board"), (frozenset({"board"}), frozenset({"hr"})), 0),
    ):
        read = read_preferences(path, knowing, TESTS, groups=frozenset(groups))
        assert read.access == access
        assert read.restricted == restricted
        assert len(read.told.thumbs) == ("board" in groups)
    assert [one.access for one in read.lessons] == [(frozenset({"hr"}),), ()]


def test_one_answer_that_several_askers_prefer_needs_the_groups_of_all(strategy: Composed, tmp_path: Path):
    row = {"question": "Who?", "chosen": "Ada", "rejected": "Bob"}
    path = written(tmp_path, row, {**row, "groups": ["hr"]})
    read = read_preferences(path, strategy, TESTS, groups=frozenset({"hr"}))
    assert read.repeated == 1
    assert read.access == (frozenset({"hr"}),)
