from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.dataset.leaks import LeakCheck, find_leaks
from weighbridge.dataset.near_duplicates import distinct_questions
from weighbridge.dataset.split import Embed
from weighbridge.types import Example, Question, Split

DOSE = "What is the dose of ibuprofen for an adult dog with a fever?"
REWORDED = "what's the dose of ibuprofen for an adult dog with fever"
FERRY = "When does the last ferry leave the harbour in winter?"


def asking(*texts: str, answers: Sequence[str] = ()) -> list[Example]:
    given_answers = answers or [str(number) for number in range(len(texts))]
    return [
        Example(id=f"e{number}", question=Question(text), answers=(answer,))
        for number, (text, answer) in enumerate(zip(texts, given_answers, strict=True))
    ]


def unlike(texts: Sequence[str]) -> NDArray[np.float32]:
    """Embed texts so that none is like another."""
    return np.eye(len(texts), dtype=np.float32)


def alike(texts: Sequence[str]) -> NDArray[np.float32]:
    return np.ones((len(texts), 1), dtype=np.float32)


def check(examples: Sequence[Example], splits: Sequence[Split], embed: Embed, threshold: float = 0.9) -> LeakCheck:
    questions = distinct_questions(examples)
    vectors = embed([question.text for question in questions.asked])
    return find_leaks(questions, splits, vectors, np.full(len(vectors), threshold))


def found(checked: LeakCheck) -> list[tuple[int, int]]:
    return [(leak.tested, leak.other) for leak in checked.leaks]


@pytest.mark.parametrize("other", ["train", "dev"])
@pytest.mark.parametrize("embed", [unlike, alike])
def test_a_paraphrase_across_the_split_is_found_by_its_words_and_by_its_vector(embed: Embed, other: Split) -> None:
    checked = check(asking(FERRY, DOSE, REWORDED, answers=("a", "b", "b")), (other, other, "test"), embed, 0.85)
    assert found(checked) == [(2, 1)]
    assert checked.compared == 2
    assert checked.leaks[0].closeness == 1 if embed is alike else 0.85 < checked.leaks[0].closeness < 1


def test_a_paraphrase_on_one_side_is_no_leak() -> None:
    examples = asking(DOSE, REWORDED, FERRY, answers=("a", "a", "b"))
    assert check(examples, ("test", "test", "train"), unlike) == LeakCheck((), 2)
    assert check(examples, ("train", "dev", "test"), unlike) == LeakCheck((), 2)
    assert check(examples, ("test", "test", "test"), unlike) == LeakCheck((), 0)


@pytest.mark.parametrize("embed", [unlike, alike])
def test_the_same_question_on_both_sides_is_found_whatever_its_spelling_and_answers(embed: Embed) -> None:
    assert found(check(asking("Open in 2025?", "OPEN in 2025"), ("test", "train"), embed)) == [(0, 0)]


@pytest.mark.parametrize("other", [DOSE.replace("ibuprofen", "amoxicillin"), f"{DOSE} 12"])
def test_close_questions_about_different_things_are_no_leak(other: str) -> None:
    assert not check(asking(DOSE, other), ("test", "train"), alike).leaks
    assert check(asking(DOSE, other, answers=("same", "same")), ("test", "train"), alike).leaks


@pytest.mark.parametrize(("others", "leaks"), [(2, False), (3, True)])
def test_a_word_names_something_while_at_most_three_questions_hold_it(others: int, leaks: bool) -> None:  # noqa: FBT001 - given by parametrize
    more = ["ibuprofen at night", "ibuprofen at noon", "ibuprofen at dawn"][:others]
    asked = asking("dose of ibuprofen", "dose of amoxicillin", *more)
    assert ((0, 1) in found(check(asked, ("test", "train", *["test"] * others), alike))) is leaks


@pytest.mark.parametrize(
    ("text", "leaks"), [("ferry Skerrow", False), ("Ferry Skerrow", True), ("ferry skerrow", True)]
)
def test_a_capital_names_something_unless_most_words_have_one(text: str, leaks: bool) -> None:  # noqa: FBT001 - see above
    """Skerrow is in too many of the questions to be a name for being rare."""
    asked = asking(text, "ferry Tarrow", *(f"Skerrow {other}" for other in ("bus", "tram", "train", "taxi")))
    assert ((0, 1) in found(check(asked, ("test", "train", *["test"] * 4), alike))) is leaks


def test_the_higher_threshold_holds_for_a_pair() -> None:
    questions = distinct_questions(asking(FERRY, DOSE, answers=("a", "a")))
    vectors = np.array([[1, 0], [0.95, np.sqrt(1 - 0.95**2)]], dtype=np.float32)
    thresholds = np.array([0.9, 0.9])
    assert find_leaks(questions, ("test", "train"), vectors, thresholds).leaks
    for higher in (0, 1):
        raised = thresholds.copy()
        raised[higher] = 0.96
        assert not find_leaks(questions, ("test", "train"), vectors, raised).leaks


def test_more_questions_than_a_block_are_all_compared() -> None:
    random = np.random.default_rng(5)
    vectors = random.normal(size=(2600, 24)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[[1300, 2599]] = vectors[[0, 1]]
    examples = [replace(one, answers=("same",)) for one in asking(*(f"{n * 7919 % 2609}" for n in range(2600)))]
    splits: list[Split] = ["test" if n < 1300 else "train" for n in range(2600)]
    checked = check(examples, splits, lambda _: vectors, 0.99)
    assert found(checked) == [(0, 1300), (1, 2599)]
    assert checked.compared == 1300 * 1300


SPLITS = st.sampled_from(["train", "dev", "test"])
WORDS = st.lists(st.sampled_from(("ferry", "harbour", "ticket", "7", "Skerrow", "pension")), min_size=1, max_size=6)


@dataclass(frozen=True)
class Spoken:
    """What a question of `WORDS` is compared by, told from the rule's description: no word is a form of another."""

    words: frozenset[str]
    named: frozenset[str]
    pieces: frozenset[str]
    answers: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, text: str) -> "Spoken":
        first, *others = text.split()
        shouted = 2 * [first, *others].count("Skerrow") > 1 + len(others)
        padded = f" {text.lower()} "
        return cls(
            words=frozenset(text.lower().split()),
            named=frozenset({"skerrow"} if "Skerrow" in others and not shouted else ()),
            pieces=frozenset(map("".join, zip(*(padded[n:] for n in range(5)), strict=False))) or frozenset({padded}),
        )

    def names_beyond(self, other: "Spoken", rare: set[str]) -> bool:
        return bool((self.named | self.words & rare) - other.words - {"7"})

    def differs(self, other: "Spoken", rare: set[str]) -> bool:
        if self.answers & other.answers:
            return False
        one_has_a_number = ("7" in self.words) != ("7" in other.words)
        return one_has_a_number or (self.names_beyond(other, rare) and other.names_beyond(self, rare))

    def overlap(self, other: "Spoken") -> float:
        shared = len(self.pieces & other.pieces) / len(self.pieces | other.pieces)
        return (1 + shared) / 2 if shared >= 0.5 else 0.0


@given(
    asked=st.lists(st.tuples(WORDS.map(" ".join), st.sampled_from("abc"), SPLITS), min_size=1, max_size=14),
    threshold=st.floats(0.6, 1),
)
def test_it_finds_what_comparing_each_pair_finds(
    embed: Embed, asked: list[tuple[str, str, Split]], threshold: float
) -> None:
    spoken: dict[str, Spoken] = {}
    sides: dict[str, set[Split]] = {}
    for text, answer, split in asked:
        spoken.setdefault(text.lower(), Spoken.of(text)).answers.add(answer)
        sides.setdefault(text.lower(), set()).add(split)
    distinct = list(spoken.values())
    rare = {word for one in distinct for word in one.words if sum(word in other.words for other in distinct) <= 3}
    tested = [place for place, split in enumerate(sides.values()) if "test" in split]
    others = [place for place, split in enumerate(sides.values()) if split - {"test"}]
    first = {text.lower(): text for text, _, _ in reversed(asked)}
    vectors = embed([first[text] for text in spoken])

    def leaks(left: int, right: int) -> bool:
        one, other = distinct[left], distinct[right]
        close = max(float(vectors[left] @ vectors[right]), one.overlap(other)) >= threshold + 1e-5
        return left == right or (close and not one.differs(other, rare))

    examples = asking(*(text for text, _, _ in asked), answers=[answer for _, answer, _ in asked])
    checked = check(examples, [split for _, _, split in asked], embed, threshold)
    assert found(checked) == [(left, right) for left in tested for right in others if leaks(left, right)]
    assert checked.compared == len(tested) * len(others)
