"""Invariants of reciprocal rank fusion."""

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.retrieve.search.fusion import fuse
from weighbridge.types import Chunk, Passage


def passage(number: int) -> Passage:
    return Passage(Chunk(id=f"{number:02d}", document_id="d", text="t", start=0, end=1), 0.0)


rankings = st.lists(st.lists(st.integers(0, 20), unique=True).map(lambda ids: [passage(i) for i in ids]), max_size=4)


@given(rankings)
def test_holds_every_passage_once_best_first(given_rankings: list[list[Passage]]) -> None:
    fused = fuse(given_rankings)
    assert {p.chunk.id for p in fused} == {p.chunk.id for ranking in given_rankings for p in ranking}
    assert len({p.chunk.id for p in fused}) == len(fused)
    keys = [(-p.score, p.chunk.id) for p in fused]
    assert keys == sorted(keys)


@given(rankings, st.randoms(use_true_random=False))
def test_does_not_depend_on_the_order_of_rankings(given_rankings: list[list[Passage]], random) -> None:
    shuffled = list(given_rankings)
    random.shuffle(shuffled)
    assert fuse(shuffled) == fuse(given_rankings)


@given(st.lists(st.integers(0, 20), unique=True), st.integers(1, 3))
def test_rankings_that_agree_stay_as_they_are(ids: list[int], times: int) -> None:
    ranking = [passage(i) for i in ids]
    assert [p.chunk.id for p in fuse([ranking] * times)] == [p.chunk.id for p in ranking]


@given(rankings, st.integers(0, 20), st.integers(0, 20))
def test_a_passage_ahead_everywhere_is_ahead(given_rankings: list[list[Passage]], left: int, right: int) -> None:
    both = [[p for p in ranking if p.chunk.id not in {f"{left:02d}", f"{right:02d}"}] for ranking in given_rankings]
    if left == right or not both:
        return
    fused = [p.chunk.id for p in fuse([[passage(left), *ranking, passage(right)] for ranking in both])]
    assert fused.index(f"{left:02d}") < fused.index(f"{right:02d}")


@given(st.lists(st.integers(0, 5)))
def test_a_repeated_passage_counts_once(ids: list[int]) -> None:
    assert fuse([[passage(i) for i in ids]]) == fuse([[passage(i) for i in dict.fromkeys(ids)]])
