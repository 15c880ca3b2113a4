import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.dataset import near_duplicates as likeness
from weighbridge.dataset.near_duplicates import (
    NearDuplicatePairs,
    comparable_text,
    distinct_questions,
    find_near_duplicates,
    make_comparable,
    normalise_question,
    positions,
)
from weighbridge.dataset.split import Embed
from weighbridge.types import Example, Message, Question


def same(*texts: str, answers: tuple[str, ...] = ()) -> bool:
    """Tell whether two questions are near-duplicates as far as an embedding that finds everything alike can tell."""
    given_answers = answers or tuple(map(str, range(len(texts))))
    asked = [make_comparable(text, frozenset({answer})) for text, answer in zip(texts, given_answers, strict=True)]
    alike: NDArray[np.float32] = np.ones((len(texts), 1), dtype=np.float32)
    return len(find_near_duplicates(asked, alike, threshold=0.9).left) > 0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("What is the dose of ibuprofen?", "What is the dose of aspirin?"),
        ("Who runs the Harbour Office?", "Who runs the Engine Office?"),
        ("What was the budget in 2025?", "What was the budget in 2026?"),
        ("Is room 1.14 open?", "Is room 1.15 open?"),
        ("How much is a ticket to Skerrow?", "How much is a ticket to Lundey?"),
        ("the dose of prednisone for cats", "the dose of amoxicillin for cats"),
    ],
)
def test_questions_that_name_different_things_differ_unless_their_answers_agree(left: str, right: str) -> None:
    assert not same(left, right)
    assert same(left, right, answers=("One.", "one"))
    assert same(left, right, answers=("May 1963", "in May 1963"))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("What is the dose of ibuprofen?", "what's the dose of Ibuprofen"),
        ("When does the travel desk open?", "When does the travel desk open on weekdays?"),
        ("Can I transfer 1,000 at once?", "Could I transfer 1000 at once, please?"),
        ("Where do I report an accident?", "Where do I report accidents?"),
        ("Where is my passport kept?", "Where is my pasport kept?"),
        ("WHERE IS THE OFFICE", "Where is the office?"),
    ],
)
def test_questions_that_name_the_same_are_near_duplicates(left: str, right: str) -> None:
    assert same(left, right)


@given(
    thing=st.from_regex(r"[a-z]{7}", fullmatch=True),
    others=st.lists(st.from_regex(r"[A-Z]{9}", fullmatch=True).map(str.lower), min_size=1, max_size=4, unique=True),
    form=st.sampled_from(["what is the dose of {}?", "Where do I find {} in the store, please", "{} opening hours"]),
)
def test_a_name_put_for_another_makes_another_question(thing: str, others: list[str], form: str) -> None:
    assert not same(form.format(thing), *(form.format(f"qz{other}") for other in others[:1]))


@given(left=st.integers(0, 10**6), right=st.integers(0, 10**6))
def test_a_number_put_for_another_makes_another_question(left: int, right: int) -> None:
    assert same(f"What happened in {left}?", f"what happened in {right:,}") == (left == right)


TEXTS = st.lists(
    st.text(st.sampled_from("ab C1?."), max_size=12), min_size=1, max_size=12, unique_by=normalise_question
)


@given(texts=TEXTS.filter(lambda texts: all(map(str.strip, texts))), threshold=st.floats(0.5, 1))
def test_pairs_are_ordered_close_enough_and_the_same_every_time(
    embed: Embed, texts: list[str], threshold: float
) -> None:
    asked = [make_comparable(text, frozenset()) for text in texts]
    pairs = find_near_duplicates(asked, embed(texts), threshold=threshold)
    again = find_near_duplicates(asked, embed(texts), threshold=threshold)
    assert (pairs.left < pairs.right).all()
    assert (pairs.closeness >= threshold - 1e-4).all()
    assert pairs.threshold == threshold
    assert (pairs.left.tolist(), pairs.right.tolist()) == (again.left.tolist(), again.right.tolist())


def test_the_blocks_find_what_one_product_finds() -> None:
    random = np.random.default_rng(3)
    centres = np.repeat(random.normal(size=(600, 8)), 4, axis=0)
    vectors = (centres + 0.2 * random.normal(size=centres.shape)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    asked = [make_comparable(f"{n}", frozenset({"same"})) for n in range(len(vectors))]
    pairs = find_near_duplicates(asked, vectors, threshold=0.95)
    left, right = np.nonzero(np.triu(vectors @ vectors.T, 1) >= 0.95 + 1e-5)
    found = set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert found >= set(zip(left.tolist(), right.tolist(), strict=True))
    assert len(left) > 1000


def test_a_template_of_thousands_raises_the_threshold_instead_of_filling_memory() -> None:
    count = 900
    angles = np.linspace(0, 0.4, count)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    asked = [make_comparable(f"{n * 7919 % 1009}", frozenset({"same"})) for n in range(count)]
    assert count * (count - 1) // 2 > likeness.MOST_PAIRS
    pairs = find_near_duplicates(asked, vectors, threshold=0.9)
    assert 0.9 < pairs.threshold < 1
    assert 0 < len(pairs.left) <= likeness.MOST_PAIRS


def test_one_spelling_of_equal_questions() -> None:
    assert (
        normalise_question("  Where's THE  office?! ")
        == normalise_question("where's the office")
        == "where's the office"
    )
    assert normalise_question(" ?! ") == "?!"
    assert positions(["a", "b", "a"]) == {"a": [0, 2], "b": [1]}


def test_what_was_asked_before_belongs_to_the_question() -> None:
    history = (Message("user", "The ferry?"), Message("assistant", "Yes."))
    example = Example(id="e", question=Question("And back?", history), answers=("x",))
    assert comparable_text(example) == "The ferry? And back?"


def test_questions_that_share_less_than_half_of_their_letters_are_unlike_however_low_the_threshold() -> None:
    texts = ("the ferry to the isle of Skerrow", "the ferry to the quay of Lundey")
    asked = [make_comparable(text, frozenset({"same"})) for text in texts]
    one, other = (likeness.shingles(question.plain) for question in asked)
    assert 0.2 < len(one & other) / len(one | other) < 0.5
    assert not len(find_near_duplicates(asked, np.eye(2, dtype=np.float32), threshold=0.6).left)


def test_no_questions_have_no_pairs() -> None:
    pairs = find_near_duplicates([], np.zeros((0, 3), dtype=np.float32), threshold=0.9)
    assert isinstance(pairs, NearDuplicatePairs)
    assert len(pairs.left) == len(pairs.closeness) == 0


def test_what_all_are_told_makes_no_questions_alike() -> None:
    told = "You answer the staff of the harbour office.\nFollow the handbook of conduct with care, always.\nShift {}."
    asked = [f"{how} {what}?" for how in ("Who pays for", "Where is") for what in ("the quay", "a crane", "the lock")]
    examples = [
        Example(id=text, question=Question(text, (Message("system", told.format(number)),)), answers=("same",))
        for number, text in enumerate(asked)
    ]
    plainly = [Example(id=text, question=Question(text), answers=("same",)) for text in asked]
    texts = [question.text for question in distinct_questions(examples).asked]
    assert texts == [f"Shift {number}.\n{text}" for number, text in enumerate(asked)]
    vectors = np.eye(len(asked), dtype=np.float32)
    pairs, without = (
        find_near_duplicates(distinct_questions(some).asked, vectors, threshold=0.8) for some in (examples, plainly)
    )
    assert len(pairs.left) == len(without.left) == 0


def test_a_line_that_few_are_told_belongs_to_the_question() -> None:
    for many, told in ((3, "The fee is 4.\nWhy?"), (4, "Why?")):
        history = (Message("system", "The fee is 4."),)
        examples = [Example(id=f"{n}", question=Question("Why?", history), answers=("x",)) for n in range(many)]
        assert [question.text for question in distinct_questions(examples).asked] == [told]
