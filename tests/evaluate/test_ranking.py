"""Ranking metrics agree with ir-measures, whatever the ranking and the judgements."""

from collections.abc import Mapping

import ir_measures
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import RR, R, nDCG

from weighbridge.evaluate.ranking import ndcg, recall, reciprocal_rank

names = st.integers(0, 150).map(lambda number: f"d{number}")
rankings = st.lists(names, unique=True, max_size=120)
judgements = st.dictionaries(names, st.integers(0, 3), min_size=1, max_size=40)


@settings(max_examples=150)
@given(ranking=rankings, relevance=judgements)
def test_agrees_with_the_reference(ranking: list[str], relevance: Mapping[str, int]) -> None:
    judged = [ir_measures.Qrel("q", name, grade) for name, grade in relevance.items()]
    run = [ir_measures.ScoredDoc("q", name, -float(rank)) for rank, name in enumerate(ranking)]
    reference = ir_measures.calc_aggregate([nDCG @ 10, R @ 100, RR @ 10], judged, run) if run else {}
    assert ndcg(ranking, relevance) == pytest.approx(reference.get(nDCG @ 10, 0.0), abs=1e-6)
    assert recall(ranking, relevance) == pytest.approx(reference.get(R @ 100, 0.0), abs=1e-6)
    assert reciprocal_rank(ranking, relevance) == pytest.approx(reference.get(RR @ 10, 0.0), abs=1e-6)


def test_the_best_ranking_is_one_and_no_ranking_is_nothing() -> None:
    relevance = {"a": 2, "b": 1, "c": 0, "d": -1}
    assert ndcg(["a", "b", "c"], relevance) == 1.0
    assert ndcg(["b", "a"], relevance) == pytest.approx((1 + 2 / 1.5849625) / (2 + 1 / 1.5849625))
    assert (ndcg([], relevance), recall([], relevance), reciprocal_rank([], relevance)) == (0.0, 0.0, 0.0)
    assert reciprocal_rank(["x", "b"], relevance) == 0.5


def test_nothing_relevant_scores_nothing() -> None:
    assert (ndcg(["a"], {"a": 0}), recall(["a"], {"a": 0}), reciprocal_rank(["a"], {"a": 0})) == (0.0, 0.0, 0.0)
