"""What every `Demonstrations` owes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from weighbridge.answer.demonstrations import nearest
from weighbridge.protocols import NONE, Demonstrations
from weighbridge.types import Example, Message, Question

from .toy_embedder import VOCABULARY, ToyEmbedder

CREW = frozenset({"crew"})
BOARD = frozenset({"board", "crew"})
TRAIN = tuple(
    Example(
        id=f"{number:02}",
        question=Question(
            f"What of the {word}" + " and the ferry" * (number % 2) + "?",
            groups=(frozenset(), CREW, BOARD)[number % 3],
        ),
        answers=(f"answer {number}",),
        split="train",
    )
    for number, word in enumerate(VOCABULARY * 3)
)
"""Several are equally near to any question."""
ASKED = [
    Question(text, history, groups)
    for text in ("What of the ferry?", "the mast and the ferry", "", "nothing of that", "\ud800")
    for history in ((), (Message("user", "About the crew"), Message("assistant", "Yes?")))
    for groups in (frozenset[str](), CREW, BOARD, frozenset({"people"}))
]
COUNTS = (0, 1, 3, 100)

Make = Callable[[tuple[Example, ...]], Demonstrations]
"""Makes the demonstrations under test from training examples."""


def make_none(examples: tuple[Example, ...]) -> Demonstrations:
    return NONE


def make_nearest(count: int) -> Make:
    return lambda examples: nearest(examples, ToyEmbedder(), count=count)


MOST = {make_none: 0, **{make_nearest(count): count for count in COUNTS}}
"""How many examples each shows at most."""


@pytest.fixture(params=MOST, ids=["none", *(f"nearest {count}" for count in COUNTS)])
def make(request: pytest.FixtureRequest) -> Make:
    return request.param


def test_it_shows_distinct_training_examples_up_to_its_count(make: Make) -> None:
    demonstrations = make(TRAIN)
    for question in ASKED:
        shown = demonstrations.choose(question)
        assert len(shown) <= MOST[make]
        assert len({example.id for example in shown}) == len(shown)
        assert all(example in TRAIN and example.split == "train" for example in shown)


def test_an_asker_is_shown_what_an_asker_with_the_same_groups_asked(make: Make) -> None:
    demonstrations = make(TRAIN)
    for question in ASKED:
        for example in demonstrations.choose(question):
            assert example.question.groups <= question.groups


def test_what_is_hidden_from_an_asker_makes_no_difference(make: Make) -> None:
    public = tuple(example for example in TRAIN if not example.question.groups)
    for question in ASKED:
        if not question.groups:
            assert list(make(TRAIN).choose(question)) == list(make(public).choose(question))


def test_the_same_question_is_shown_the_same_in_any_thread(make: Make) -> None:
    demonstrations = make(TRAIN)
    alone = [list(demonstrations.choose(question)) for question in ASKED]
    with ThreadPoolExecutor(4) as pool:
        together = [list(shown) for shown in pool.map(demonstrations.choose, ASKED[::-1])]
    assert together[::-1] == alone


def test_the_order_of_the_training_examples_makes_no_difference(make: Make) -> None:
    for question in ASKED:
        assert list(make(TRAIN).choose(question)) == list(make(TRAIN[::-1]).choose(question))


def test_the_fingerprint_stands_for_all_that_is_shown(make: Make) -> None:
    assert make(TRAIN).fingerprint == make(TRAIN).fingerprint
    first = TRAIN[0]
    others = (
        replace(first, answers=("another answer",)),
        replace(first, question=replace(first.question, text="What of the keel?")),
        replace(first, question=replace(first.question, groups=BOARD)),
        replace(first, question=replace(first.question, history=(Message("user", "About the crew"),))),
    )
    prints = {make((other, *TRAIN[1:])).fingerprint for other in (first, *others)}
    assert len(prints) == (1 if make is make_none else 1 + len(others))


def test_every_kind_has_a_fingerprint_of_its_own() -> None:
    assert len({make(TRAIN).fingerprint for make in MOST}) == len(MOST)


def test_the_nearest_of_few_are_the_last_of_many() -> None:
    for question in ASKED:
        many = list(make_nearest(100)(TRAIN).choose(question))
        assert list(make_nearest(3)(TRAIN).choose(question)) == many[-3:]
        assert len(many) == sum(example.question.groups <= question.groups for example in TRAIN)


@pytest.mark.parametrize("word", VOCABULARY)
def test_the_most_alike_is_shown_last(word: str) -> None:
    shown = make_nearest(4)(TRAIN).choose(Question(f"What of the {word}?", groups=BOARD))
    assert word in shown[-1].question.text


@pytest.mark.parametrize("split", ["dev", "test"])
def test_examples_to_measure_by_are_refused(split: str) -> None:
    with pytest.raises(ValueError, match=f"example '00' is in split '{split}'"):
        nearest([replace(TRAIN[0], split=split), *TRAIN[1:]], ToyEmbedder(), count=1)
