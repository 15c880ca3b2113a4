"""The account from made to kept adds up, whatever the filters."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import Span
from weighbridge.dataset.synthesise.nouns import (
    Attrition,
    Dropped,
    Filter,
    SyntheticExample,
    apply_filters,
    describe_attrition,
    synthetic_id,
)
from weighbridge.types import Question


def made(question: str, *, answers: tuple[str, ...] = ("x",)) -> SyntheticExample:
    spans = (Span("a", 0, 5), Span("a", 9, 12), Span("b", 0, 1))
    return SyntheticExample(
        id=question, question=question, answers=answers, spans=spans, made_by="rule: x", family=question,
        answerable=bool(answers),
    )  # fmt: skip


def test_an_example_is_for_training_and_names_its_documents_once():
    example = made("q").example
    assert (example.split, example.question, example.evidence) == ("train", Question("q"), ("a", "b"))
    assert made("q", answers=()).example.evidence == ()


@given(st.lists(st.integers(0, 50)), st.lists(st.integers(1, 7), max_size=4), st.integers(0, 3))
def test_made_is_kept_and_dropped_together_in_order(numbers, divisors, unparsed):
    def divisible(divisor: int) -> Filter:
        def places(left: Sequence[SyntheticExample]) -> set[int]:
            return {at for at, one in enumerate(left) if int(one.question) % divisor == 0}

        return Filter(f"by {divisor}", places)

    sifted = apply_filters(
        [made(str(number)) for number in numbers], [divisible(one) for one in divisors], unparsed=unparsed
    )
    account = sifted.attrition
    assert account.made == len(numbers) + unparsed == account.kept + sum(one.count for one in account.dropped)
    assert account.kept == len(sifted.kept)
    left = [number for number in numbers if all(number % one for one in divisors)]
    assert [int(one.question) for one in sifted.kept] == left


def test_the_account_is_a_table_of_what_was_lost():
    account = Attrition(24, (Dropped("nearly another", 18, "Who is it?"), Dropped("too long", 0)), 6)
    assert list(describe_attrition(account)) == [
        "made                                              24",
        "  - nearly another                                18   Who is it?",
        "kept                                               6   25%",
    ]
    assert list(describe_attrition(Attrition(0, (), 0)))[-1].split() == ["kept", "0"]


def test_an_id_depends_on_question_place_and_way():
    spans = (Span("a", 0, 5),)
    ids = {
        synthetic_id("q", spans, "r"),
        synthetic_id("q", spans, "s"),
        synthetic_id("p", spans, "r"),
        synthetic_id("q", (), "r"),
    }
    assert len(ids) == 4
    assert synthetic_id("q", spans, "r") in ids
