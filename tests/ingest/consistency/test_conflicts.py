import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.consistency import conflicts
from weighbridge.ingest.consistency.conflicts import (
    Conflict,
    StatedValue,
    conflict_lines,
    documents_by_value,
    find_conflicts,
)
from weighbridge.ingest.consistency.contradictions import Budget, Difference, StatementCorpus
from weighbridge.types import Document

EXAMPLES = Path(__file__).parents[3] / "examples"
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
        "  (in versions that agree on 4 of 5 values; another figure)",
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
    rows = "\n".join(f"Key {chr(97 + n)}: {n}" for n in range(5))
    documents = [
        Document(id=name, text=f"{DESK}\n\n{rows.replace(': ', f': {name}')}", title="Desk") for name in ("1", "2")
    ]
    found = find_conflicts(documents)
    assert len(found) == 5
    assert find_conflicts(documents, limit=3) == found[:3]
    assert find_conflicts(documents[::-1]) == found


@given(st.permutations(range(8)))
@settings(max_examples=10)
def test_the_order_of_the_documents_changes_nothing(order: list[int]) -> None:
    chosen = random.Random(3)
    reports = [report for name in ("Quern", "Pell") for report in quarterly_reports(chosen, name, quarters=3)]
    desks = [Document(id=name, text=DESK.replace("4402", name), title="Desk") for name in ("4402 old", "4410 new")]
    every = [*reports, *desks]
    assert find_conflicts([every[at] for at in order]) == find_conflicts(every)


def test_texts_without_words_are_no_trouble() -> None:
    texts = {"a": "", "b": "Not. Not!", "c": "|"}
    assert not find_conflicts([Document(id=name, text=text) for name, text in texts.items()])


DAYS = ("March 31", "June 30", "September 30", "December 31")
QUARTERS = [(year, f"Q{at + 1}", day) for year in (2024, 2025) for at, day in enumerate(DAYS)]
FIXED = """The Company was incorporated in Delaware on May 4, 1998 with 1,200 shares.
Restricted stock units vest over four years from the date of the grant.
Options must be exercised within 90 days after an employee leaves the Company.
All invoices to customers are payable within 45 days of delivery of the goods.
On March 17, 2020, the Company acquired the Ropewalk mill from its founders for $98 million in cash.
The lease of the mill can be extended from ten to fifteen years at the option of the tenant.
The pension plan covers every person who has been employed for at least 18 months."""


def quarterly_reports(chosen: random.Random, company: str, *, quarters: int) -> list[Document]:
    """Reports of one company on quarters in a row: the same words, other figures, and rules that stay."""
    reports = []
    for year, quarter, day in QUARTERS[:quarters]:
        figures = iter([f"{chosen.randrange(100, 99_999):,}" for _ in range(40)])
        page = chosen.randrange(3, 9)
        text = f"""# {company}

Form 10-Q for the quarterly period ended {day}, {year}

| Item | Page |
|---|---|
| Item 1. Statements | {page} |
| Item 2. Discussion | {page + 9} |

## Statements

Net sales for the three months ended {day}, {year} were ${next(figures)} million, against ${next(figures)} million.
As of {day}, {year}, the Company had {next(figures)} employees in {chosen.randrange(9, 30)} countries.
The effective tax rate was {chosen.randrange(120, 300) / 10}% and is told in Note {page}, page {page + 11}.
The Company operated {next(figures)} stores with {next(figures)} square feet at the end of the quarter.

| In millions | Three months | Change |
|---|---|---|
| Net sales | {next(figures)} | {chosen.randrange(9)}% |
| Gross margin | {next(figures)} | {chosen.randrange(9)}% |
| Net income | {next(figures)} | {chosen.randrange(9)}% |

Extension: {chosen.randrange(1000, 9999)}

## Policies

{FIXED}
"""
        reports.append(Document(id=f"{company} {year}{quarter}", text=text, title=company))
    return reports


@given(st.integers(0, 999), st.integers(2, 8))
@settings(max_examples=15)
def test_reports_of_other_periods_and_companies_contradict_each_other_in_nothing(seed: int, quarters: int) -> None:
    chosen = random.Random(seed)
    reports = [report for name in ("Quern", "Pell") for report in quarterly_reports(chosen, name, quarters=quarters)]
    assert not find_conflicts(reports)
    unnamed = [replace(one, id=f"{at}", title="Form 10-Q") for at, one in enumerate(reports)]
    assert not find_conflicts(unnamed)


@given(
    st.integers(0, 999),
    st.sampled_from(
        [
            ("over four years", "over three years"),
            ("within 90 days", "within 60 days"),
            ("within 45 days", "within 30 days"),
            ("for $98 million", "for $89 million"),
            ("ten to fifteen years", "ten to twenty years"),
            ("at least 18 months", "at least 12 months"),
        ]
    ),
)
@settings(max_examples=20)
def test_a_rule_or_a_dated_fact_that_one_report_changes_is_found(seed: int, edit: tuple[str, str]) -> None:
    reports = quarterly_reports(random.Random(seed), "Pell", quarters=5)
    at = seed % len(reports)
    reports[at] = replace(reports[at], text=reports[at].text.replace(*edit))
    (conflict,) = find_conflicts(reports)
    values = documents_by_value(conflict)
    assert len(values) == 2
    assert min(values.values(), key=len) == (reports[at].id,)
    assert {each for ids in values.values() for each in ids} == {report.id for report in reports}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("see section 4 and", "see section 5 and"),
        ("pages 12 and 14 of", "pages 12 and 15 of"),
        ("opened (2) in", "opened (3) in"),
        ("3. The oyster", "4. The oyster"),
        ("of 4.50 baskets", "of 4.5 baskets"),
        ("3,000", "3000"),
        ("In 2025 it yielded 40", "In 2026 it yielded 55"),
        ("| Item 2. Rules | 12 |", "| Item 2. Rules | 14 |"),
        ("| Tides .......... | 7 |", "| Tides .......... | 9 |"),
    ],
)
def test_where_something_stands_is_no_fact(old: str, new: str) -> None:
    text = f"""{DESK}
Of the beds see section 4 and pages 12 and 14 of the atlas. A second bed was opened (2) in the north of the bay.
In 2025 it yielded 40 tonnes of 3,000 shells and of 4.50 baskets each.

3. The oyster beds of Pell are closed in winter.

| Contents | Page |
|---|---|
| Item 2. Rules | 12 |
| Tides .......... | 7 |
"""
    assert old in text
    versions = [
        Document(id="old", text=text, title="Beds"),
        Document(id="new", text=text.replace(old, new), title="Beds"),
    ]
    assert not find_conflicts(versions)


def test_what_is_filled_into_a_form_is_not_compared() -> None:
    form = "# Lease\n\n" + "".join(f"Clause of {word} applies to {{}} of the property. " for word in "abcdefghijkl")
    leases = [
        Document(id=f"lease of {name}", text=form.format(*range(start, start + 12)), title="Lease")
        for name, start in (("Salt", 100), ("Lunn", 300))
    ]
    assert not find_conflicts(leases)


def test_rules_and_versions_by_name_come_first() -> None:
    old = Document(id="desk", text=DESK, title="Desk")
    text = DESK.replace("Peregrine Salt", "Ada Lunn").replace("07:30", "08:00").replace("4402", "4410")
    by_name = find_conflicts([old, Document(id="desk (new)", text=text, title="Desk")])
    unnamed = find_conflicts([old, Document(id="counter", text=text, title="Desk")])
    assert [one.subject.split()[0] for one in by_name] == ["It", "Extension", "Its"]
    assert [one.score for one in by_name] == sorted((one.score for one in by_name), reverse=True)
    assert max(one.score for one in unnamed) < min(one.score for one in by_name)
    desks = [Document(id=name, text=DESK.replace("Peregrine Salt", name), title="Desk") for name in ("Ada", "Ben")]
    fee = "A seat on the Ropewalk ferry costs {} for those who live in Pell."
    ferries = [Document(id=name, text=fee.format(f"{len(name)}"), title="Ferry") for name in ("ferry (draft)", "ferry")]
    first, *_ = find_conflicts([*desks, *ferries])
    assert first.subject == "A seat on the Ropewalk ferry costs \u2026 for those who live in Pell."
    assert first.reasons == ("in versions, by their names", "a rule, limit or price")


def test_one_document_against_many_gives_a_rule_otherwise() -> None:
    rule = "Records of every visit are kept in the cellar for {} years and then burnt."
    desks = [Document(id=name, text=f"# {name}\n\n{rule.format('seven')}", title=name) for name in "abcdef"]
    assert not find_conflicts(desks)
    other = Document(id="z", text=f"# z\n\n{rule.format('two')}", title="z")
    (conflict,) = find_conflicts([*desks, other])
    assert documents_by_value(conflict) == {"seven": tuple("abcdef"), "two": ("z",)}
    assert conflict.reasons[0] == "one document against 6"
    assert not find_conflicts([*desks[:4], other])


def test_a_value_that_comes_back_is_surer_than_one_that_was_changed() -> None:
    reports = quarterly_reports(random.Random(1), "Pell", quarters=5)
    otherwise = [replace(one, text=one.text.replace("four years", "three years")) for one in reports]
    (changed,) = find_conflicts([*reports[:3], *otherwise[3:]])
    (came_back,) = find_conflicts([*reports[:2], otherwise[2], *reports[3:]])
    assert came_back.score > changed.score
    assert came_back.reasons[-1] == "the same before and after"


def test_a_thousand_copies_are_compared_once_and_shown_in_a_line() -> None:
    copies = [Document(id=f"copy {at:04}", text=DESK, title="Desk") for at in range(1000)]
    other = Document(id="z", text=DESK.replace("07:30", "08:00"), title="Desk")
    found = find_conflicts([*copies, other])
    assert list(conflict_lines(found, width=60)) == [
        "It is open from \u2026 to 16:15 on weekdays.",
        "  07:30: copy 0000, copy 0001, copy 0002 and 997 more",
        "  08:00: z",
        "  (in versions that agree on 4 of 5 values; another figure)",
    ]


def test_many_versions_of_one_document_take_time_in_proportion(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[int, int]] = []
    whole = conflicts.differences

    def count(corpus: StatementCorpus, one: int, other: int, budget: Budget) -> Iterator[Difference]:
        compared.append((one, other))
        return whole(corpus, one, other, budget)

    monkeypatch.setattr(conflicts, "differences", count)
    find_conflicts([Document(id=f"{at:03}", text=f"{DESK} Number {at}.", title="Desk") for at in range(120)])
    assert len(compared) <= 120 * 8


@given(st.text(st.sampled_from("ab \u2026"), max_size=60), st.integers(12, 60))
@settings(max_examples=40)
def test_no_line_is_wider_than_asked(text: str, width: int) -> None:
    readings = tuple(
        StatedValue(document_id=text + name * 20, start=0, end=0, quote="", value=text + name)
        for name in ("x", "y", "z")
    )
    shown = list(conflict_lines([Conflict(text, readings, 0.9, (text, text))], width=width))
    assert all(len(line) <= width for line in shown)


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


@pytest.mark.parametrize(
    ("name", "count", "found"),
    [("contract {}", 3, 3), ("contract {}", 4, 0), ("contract {}", 6, 0), ("draft {}", 4, 4)],
)
def test_a_value_that_each_of_several_documents_has_of_its_own_is_theirs(name: str, count: int, found: int) -> None:
    same = [
        f"The {what} of the yard is kept by the office in room {room} of the main house and is open to all."
        for room, what in enumerate(("ledger", "map", "log", "register", "calendar", "archive"), start=1)
    ]
    contracts = [
        Document(
            id=name.format("abcdef"[number] if "contract" in name else number),
            title="Contract",
            text="\n\n".join([*same, f"The notice period for both of the parties is {3 + number} weeks."]),
        )
        for number in range(count)
    ]
    assert sum(len(one.readings) for one in find_conflicts(contracts)) == found
