"""Copies of a passage take one place, nothing that is said is lost, and nobody loses what only they may see."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.answer.cite import cited_reference
from weighbridge.answer.prompt import instructions_for
from weighbridge.checks.retrieval import measure_search
from weighbridge.evaluate.metrics.marking import evidence_found
from weighbridge.retrieve.search.copies import Distinct, merge_copies
from weighbridge.types import PUBLIC, Answer, Chunk, Example, Passage, Prompt, Question, Timing, Usage

TEXT = (
    "A parking permit for staff is issued by the gate office. It costs 40 euro, is valid for one year, and is renewed."
)


def passage(document: str, text: str = TEXT, groups: frozenset[str] = PUBLIC, **more: object) -> Passage:
    chunk = Chunk(id=f"{document}#0", document_id=document, text=text, start=0, end=len(text), groups=groups)
    return Passage(replace(chunk, **more), 1.0)  # type: ignore[arg-type]


@dataclass
class Ranked:
    """A retriever of one fixed ranking, filtered by groups as every index does it."""

    ranking: Sequence[Passage]
    fingerprint: str = "ranked"
    asked: list[int] = field(default_factory=list)

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        self.asked.append(limit)
        visible = [one for one in self.ranking if not one.chunk.groups or one.chunk.groups & question.groups]
        return visible[:limit]


def found(ranking: Sequence[Passage], limit: int, *groups: str) -> list[tuple[str, tuple[str, ...]]]:
    passages = Distinct(retriever=Ranked(ranking)).search(Question("?", groups=frozenset(groups)), limit=limit)
    return [(one.chunk.document_id, one.copies) for one in passages]


WORDS = TEXT.split()
SAME = [
    TEXT.upper(),
    TEXT.replace(" ", "\n"),
    TEXT.replace(".", "").replace(",", ";"),
    TEXT.replace("A parking permit", "**A** _parking permit_"),
    TEXT.removesuffix(" renewed."),
]
OTHER = [
    TEXT.replace("40", "41"),
    TEXT.replace("40", "-40"),
    TEXT.replace("40", "(40)"),
    TEXT.replace("40", "4.0"),
    TEXT.replace("40 euro", "40 % euro"),
    TEXT.replace("40 euro", "~~40~~ euro"),
    TEXT.replace("is issued", "is not issued"),
    TEXT.replace("gate", "harbour"),
    TEXT + " It is not given to visitors.",
    " ".join(WORDS[: len(WORDS) // 2]),
]


@pytest.mark.parametrize("text", SAME)
def test_the_same_words_are_one_passage(text: str) -> None:
    assert found([passage("a"), passage("b", text), passage("c")], 3) == [("a", ("b", "c"))]


@pytest.mark.parametrize("text", OTHER)
def test_other_words_and_figures_are_another_passage(text: str) -> None:
    assert [name for name, _ in found([passage("a"), passage("b", text)], 3)] == ["a", "b"]


def test_nothing_more_is_looked_for_where_nothing_more_was_found() -> None:
    retriever = Ranked([passage(f"d{n}") for n in range(5)])
    assert len(Distinct(retriever=retriever).search(Question("?"), limit=5)) == 1
    assert len(retriever.asked) == 1


def test_a_document_that_repeats_itself_is_no_copy_of_itself() -> None:
    again = passage("a", id="a#1", start=200, end=200 + len(TEXT))
    assert found([passage("a"), again, passage("b"), again], 5) == [("a", ("b",))]


@pytest.mark.parametrize(
    ("one", "other"),
    [("✓", "✗"), ("☐ yes ☒ no", "☒ yes ☐ no"), ("5 €", "5 $"), ("5 %", "5 ‰"), ("5 %", "5"), ("x ≤ y", "x ≥ y"),
     ("C++", "C#"), ("C#", "C"), ("A-", "A"), ("~~gone~~", "gone")],
)  # fmt: skip
def test_signs_that_say_something_make_another_passage(one: str, other: str) -> None:
    texts = [f"{TEXT} What holds: {sign}" for sign in (one, other)]
    assert found([passage("a", texts[0]), passage("b", texts[1])], 5) == [("a", ()), ("b", ())]
    assert found([passage("a", texts[0]), passage("b", texts[0].replace("A parking", "**A** parking"))], 5) == [
        ("a", ("b",))
    ]


def test_every_word_and_figure_that_changes_makes_another_passage() -> None:
    for place in range(len(WORDS)):
        changed = " ".join([*WORDS[:place], "nine", *WORDS[place + 1 :]])
        assert len(merge_copies([passage("a"), passage("b", changed)])) == 2, changed


def test_the_same_words_under_another_heading_are_about_something_else() -> None:
    berlin, paris = passage("a", "| fee | 40 |", context=("Berlin",)), passage("b", "| fee | 40 |", context=("Paris",))
    assert len(merge_copies([berlin, paris, passage("c", "| fee | 40 |", title="Rome")])) == 3
    assert len(merge_copies([passage("src/x.py", title="x.py"), passage("src/y.py", title="y.py")])) == 1


ALPHABET = st.sampled_from([TEXT, *SAME, *OTHER])
GROUPS = st.sampled_from([PUBLIC, frozenset({"hr"}), frozenset({"hr", "finance"}), frozenset({"finance"})])


@given(rows=st.lists(st.tuples(ALPHABET, GROUPS), max_size=12), groups=GROUPS, limit=st.integers(0, 6))
def test_nothing_an_asker_may_see_is_lost_and_nothing_else_is_named(
    rows: list[tuple[str, frozenset[str]]], groups: frozenset[str], limit: int
) -> None:
    ranking = [passage(f"d{n}", text, readers) for n, (text, readers) in enumerate(rows)]
    visible = [one for one in ranking if not one.chunk.groups or one.chunk.groups & groups]
    whole = found(ranking, 99, *groups)
    named = [name for first, copies in whole for name in (first, *copies)]
    assert sorted(named) == sorted(one.chunk.document_id for one in visible)
    assert found(ranking, limit, *groups) == whole[:limit]
    order = [one.chunk.document_id for one in visible]
    assert [first for first, _ in whole] == sorted((first for first, _ in whole), key=order.index)
    assert all(order.index(first) < min(map(order.index, copies)) for first, copies in whole if copies)


@pytest.mark.parametrize("copies", [3, 50, 500])
def test_the_places_of_copies_are_filled_with_the_next_best(copies: int) -> None:
    ranking = [passage(f"copy{n}") for n in range(copies)] + [passage(f"d{n}", f"other {n}") for n in range(3)]
    assert [name for name, _ in found(ranking, 3)] == ["copy0", "d0", "d1"]


def test_without_copies_a_search_is_done_once_and_is_what_it_was() -> None:
    ranked = Ranked([passage(f"d{n}", f"number {n}") for n in range(90)])
    assert list(Distinct(retriever=ranked).search(Question("?"), limit=7)) == ranked.ranking[:7]
    assert ranked.asked == [20]


def test_a_document_whose_copy_is_shown_is_found_evidence() -> None:
    example = Example(id="e", question=Question("?"), answers=("40 euro",), evidence=("b",))
    shown = tuple(merge_copies([passage("a"), passage("b"), passage("c", "Else.")]))
    answer = Answer(
        text="40 euro", raw="40 euro", prompt=Prompt((), shown), abstained=False, citations=(), usage=Usage(),
        timing=Timing(),
    )  # fmt: skip
    assert evidence_found(example, answer) == 1
    assert cited_reference(instructions_for("answer", reads=True), example, answer.prompt) == "40 euro [1]"
    judged = measure_search(Distinct(retriever=Ranked([passage("a"), passage("b")])), [example], k=1)
    assert list(judged.hits.values()) == [1.0]
    assert next(iter(judged.ndcg.values())) > 0
