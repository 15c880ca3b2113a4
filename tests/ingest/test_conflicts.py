import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.ingest.conflicts import Conflict, conflict_lines, find_conflicts
from weighbridge.types import Document

EXAMPLES = Path(__file__).parents[2] / "examples"
DESK = """# The travel desk

The desk books trains and hotels for staff on business. It is open from 07:30 to 16:15 on weekdays. Its head is
Peregrine Salt. A dog is allowed in the waiting room, and visitors are asked to sign the book at the counter.

Extension: 4402

| To | First | Last |
|---|---|---|
| Quern | 06:25 | 19:50 |
| Pell | 08:40 |  |
"""


def pair(old: str, new: str, title: str = "The travel desk") -> tuple[Conflict, ...]:
    assert old in DESK
    first = Document(id="first", text=DESK, title="The travel desk")
    return find_conflicts([Document(id="second", text=DESK.replace(old, new), title=title), first])


@pytest.mark.parametrize(
    ("old", "new", "subject", "values"),
    [
        ("07:30 to 16:15", "8:10 to 17:00", "It is open from \u2026 on weekdays.", ("07:30 to 16:15", "8:10 to 17:00")),
        ("Peregrine Salt", "Ada Lunn", "Its head is \u2026.", ("Peregrine Salt", "Ada Lunn")),
        ("06:25 | 19:50", "06:25 | 20:35", "Quern \u203a Last", ("19:50", "20:35")),
        ("Extension: 4402", "Extension: 4410", "Extension", ("4402", "4410")),
    ],
)
def test_an_edited_fact_is_a_conflict(old: str, new: str, subject: str, values: tuple[str, ...]) -> None:
    (conflict,) = pair(old, new)
    assert conflict.subject == subject
    assert tuple(reading.value for reading in conflict.readings) == values
    for reading, text in zip(conflict.readings, (DESK, DESK.replace(old, new)), strict=True):
        assert reading.quote == text[reading.start : reading.end]
        assert reading.value in reading.quote


def test_a_meaning_turned_round_is_a_conflict() -> None:
    (conflict,) = pair("A dog is allowed", "A dog is not allowed")
    assert [reading.value for reading in conflict.readings] == ["allowed", "not allowed"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("trains and hotels", "trains, and hotels"),
        ("07:30 to 16:15", "07:30-16:15"),
        ("visitors are asked to sign", "visitors have to sign"),
        ("for staff", "for our staff"),
        ("Its head is\nPeregrine Salt. ", ""),
        ("| Quern | 06:25 |", "|Quern|06:25|"),
        ("Extension: 4402", "Extension: 4,402"),
        ("Extension: 4402", "Last updated: 4 May 2026"),
        ("| Pell | 08:40 |  |", "| Pell | 08:40 | 9:10 |"),
    ],
)
def test_other_words_for_the_same_are_none(old: str, new: str) -> None:
    assert not pair(old, new)


def test_documents_of_other_things_are_no_versions() -> None:
    assert pair("4402", "4410", title="Old travel desk")
    assert not pair("4402", "4410", title="The freight desk")
    budgets = [Document(id=year, text=DESK.replace("4402", year), title=f"Budget {year}") for year in ("2026", "2027")]
    assert not find_conflicts(budgets)


def test_readings_of_several_documents_are_one_conflict() -> None:
    texts = {"a": DESK, "b": DESK, "c": DESK.replace("16:15", "17:00"), "d": DESK.replace("16:15", "18:00")}
    found = find_conflicts([Document(id=name, text=text, title="Desk") for name, text in texts.items()])
    assert list(conflict_lines(found)) == [
        "It is open from 07:30 to \u2026 on weekdays.",
        "  16:15: a, b",
        "  17:00: c",
        "  18:00: d",
    ]


def test_a_sentence_that_names_something_rare_is_compared_everywhere() -> None:
    fact = "The Ropewalk canteen serves breakfast to the crew from {}."
    one = Document(id="1", text=f"Nothing else is alike. {fact.format('06:40')}", title="Canteen")
    other = Document(id="2", text=f"Some unrelated words. {fact.format('07:10')} And more.", title="Crew")
    (conflict,) = find_conflicts([one, other])
    assert [reading.value for reading in conflict.readings] == ["06:40", "07:10"]


def test_sentences_that_need_their_document_are_not() -> None:
    texts = {
        "1": "It serves breakfast to the Ropewalk crew from 06:40.",
        "2": "It serves breakfast to the Ropewalk crew from 07:10.",
        "3": "In room 4 the lantern committee meets on quiet terms.",
        "4": "In room 5 the lantern committee meets on quiet terms.",
        "5": "In 2025 the oyster beds of Pell yielded 40 baskets.",
        "6": "In 2026 the oyster beds of Pell yielded 55 baskets.",
        **{f"form {n}": f"The applicant named hereunder holds permit {n}{n}." for n in range(3)},
    }
    assert not find_conflicts([Document(id=name, text=text) for name, text in texts.items()])


def test_no_more_than_the_limit_are_given_and_order_does_not_matter() -> None:
    rows = "\n".join(f"Key {chr(97 + n)}: {n}" for n in range(9))
    documents = [
        Document(id=name, text=f"{DESK}\n\n{rows.replace(': ', f': {name}')}", title="Desk") for name in ("1", "2")
    ]
    assert len(find_conflicts(documents)) == 9
    assert len(find_conflicts(documents, limit=4)) == 4
    assert find_conflicts(documents[::-1]) == find_conflicts(documents)


def test_texts_without_words_are_no_trouble() -> None:
    texts = {"a": "", "b": "Not. Not!", "c": "|"}
    assert not find_conflicts([Document(id=name, text=text) for name, text in texts.items()])


def handbook() -> list[Document]:
    found = []
    for file in sorted((EXAMPLES / "handbook" / "documents").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        found.append(Document(id=file.stem, text=text, title=text.split("# ", 1)[1].split("\n", 1)[0]))
    return found


def formulary() -> list[Document]:
    lines = (EXAMPLES / "formulary" / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return [Document(**json.loads(line)) for line in lines]


@pytest.mark.parametrize(("name", "read"), [("handbook", handbook), ("formulary", formulary)])
def test_every_edit_of_the_example_workloads_is_found_and_nothing_else(name: str, read) -> None:
    now = {one.id: one for one in read()}
    assert not find_conflicts(list(now.values()))
    for file in sorted((EXAMPLES / name / "edits").glob("*.jsonl")):
        edits = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        before = dict(now)
        for edit in edits:
            one = now[edit["doc_id"]]
            now[one.id] = replace(one, text=one.text.replace(edit["old"], edit["new"]))
        newer = [replace(now[one], id=f"{one} (new)") for one in {edit["doc_id"] for edit in edits}]
        found = find_conflicts([*before.values(), *newer])
        for edit in edits:
            at = before[edit["doc_id"]].text.index(edit["old"])
            readings = [one for conflict in found for one in conflict.readings if one.document_id == edit["doc_id"]]
            assert any(one.start < at + len(edit["old"]) and at < one.end for one in readings), edit["id"]
        assert len(found) <= len(edits)


def test_misspellings_and_added_words_are_no_conflicts() -> None:
    chosen = random.Random(2)
    prose, copies = [one for one in handbook() if "|" not in one.text], []
    for one in prose:
        words = one.text.split(" ")
        for at in chosen.sample(range(1, len(words)), 4):
            if words[at].isalpha() and words[at].islower() and len(words[at]) > 5:
                words[at] = words[at][:3] + words[at][4:]
            else:
                words[at] += " indeed"
        copies.append(replace(one, id=f"{one.id} (copy)", text=" ".join(words)))
    assert not find_conflicts([*prose, *copies])
