"""What is kept when there is more than wanted."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import Span
from weighbridge.dataset.synthesise.filters import UNANSWERABLE, limit_count, limit_unanswerable
from weighbridge.dataset.synthesise.nouns import SyntheticExample, apply_filters


def made(document: int, family: int, turn: int, *, answerable: bool = True) -> SyntheticExample:
    name = f"{document}-{family}-{int(answerable)}"
    return SyntheticExample(
        id=name if turn == 0 else f"{name}-{turn}", question=f"{name}-{turn}?", answers=("x",) if answerable else (),
        spans=(Span(f"d{document}", 0, 1),), made_by="rule", family=name, answerable=answerable,
    )  # fmt: skip


def kept(ones: list[SyntheticExample], count: int, seed: int = 7) -> list[SyntheticExample]:
    return list(apply_filters(ones, [limit_unanswerable(count, seed), limit_count(count, seed)]).kept)


def test_every_document_has_its_turn_before_any_has_a_second():
    ones = [made(document, family, 0) for document in range(3) for family in range(4)]
    assert Counter(one.spans[0].document_id for one in kept(ones, 6)) == {"d0": 2, "d1": 2, "d2": 2}


def test_questions_come_before_their_other_wordings():
    ones = [made(0, family, turn) for turn in (2, 1, 0) for family in range(5)]
    assert all(one.id == one.family for one in kept(ones, 5))
    assert len(kept(ones, 7)) == 7


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), unique=True, max_size=40),
    st.integers(1, 50),
)
def test_never_more_than_wanted_nor_too_many_without_an_answer(cases, count):
    ones = [made(document, family, 0, answerable=answerable) for document, family, answerable in cases]
    left = kept(ones, count)
    absent = sum(not one.answerable for one in left)
    answered = sum(answerable for *_, answerable in cases)
    assert len(left) <= count
    assert absent <= UNANSWERABLE * len(left) + 1
    assert len(left) - absent == min(answered, count - absent)
    assert left == kept(ones, count)
