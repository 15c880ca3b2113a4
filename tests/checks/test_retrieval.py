"""The verdict: kept only with confidence, on families and not on questions, and never without enough of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.checks.retrieval import FEWEST, Found, decide_retrieval, judge_retrieval, measure_search
from weighbridge.types import Chunk, Example, Passage, Question


@dataclass(frozen=True)
class Fixed:
    """A search that has its answers ready."""

    found: Mapping[str, Sequence[str]]
    fingerprint: str = "fixed"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        names = self.found[question.text][:limit]
        chunks = [Chunk(id=f"{name}#{n}", document_id=name, text="", start=0, end=0) for n, name in enumerate(names)]
        return [Passage(chunk, 1.0) for chunk in chunks]


def asked(number: int, family: str = "") -> Example:
    return Example(id=f"e{number}", question=Question(f"q{number}"), answers=("a",), evidence=("right",), family=family)


def searches(ranks: Sequence[int]) -> Fixed:
    """Return a search whose right document stands at a rank of its own for each question, from 1."""
    return Fixed({f"q{n}": [*(f"wrong {r}" for r in range(1, rank)), "right"] for n, rank in enumerate(ranks)})


def test_better_with_confidence_is_kept_with_the_numbers() -> None:
    examples = [asked(n) for n in range(30)]
    verdict = judge_retrieval(searches([3] * 30), searches([1] * 25 + [3] * 5), examples, k=2, seed=7)
    assert verdict.kept
    assert verdict.before
    assert verdict.before.value == pytest.approx(0.5)
    assert verdict.difference
    assert verdict.difference.low > 0
    assert verdict.hits_before
    assert verdict.hits_before.value == 0
    assert verdict.hits_after
    assert verdict.hits_after.value == pytest.approx(25 / 30)
    assert verdict.sentence.startswith("Kept: the search is better (nDCG@10 0.500 before and 0.917 after, a difference")
    assert verdict.sentence.endswith("first 2 passages 0% before and 83% after; 30 questions)")


def test_a_little_better_or_worse_is_reverted() -> None:
    examples = [asked(n) for n in range(30)]
    little = judge_retrieval(searches([2] * 30), searches([1, 1, 3, *[2] * 27]), examples, k=1, seed=7)
    assert not little.kept
    assert little.sentence.startswith("Reverted: it is not better with confidence (")
    worse = judge_retrieval(searches([1] * 30), searches([3] * 25 + [1] * 5), examples, k=1, seed=7)
    assert not worse.kept
    assert worse.sentence.startswith("Reverted: it is worse (")


def test_a_few_questions_that_moved_are_not_enough() -> None:
    before, after, examples = searches([2] * 4 + [1] * 53), searches([1] * 57), [asked(n) for n in range(57)]
    verdict = judge_retrieval(before, after, examples, k=1, seed=7)
    assert verdict.difference
    assert verdict.difference.low < 0 < verdict.difference.value
    assert verdict.p_value == 0.125
    assert not verdict.kept


def test_paraphrases_count_once() -> None:
    examples = [asked(n, family=f"f{n % 10}") for n in range(30)]
    verdict = judge_retrieval(searches([3] * 30), searches([1] * 29 + [2]), examples, k=1, seed=7)
    assert not verdict.kept
    assert verdict.difference
    assert verdict.difference.scored == 10
    assert verdict.sentence.startswith("Reverted: 10 families of questions cannot decide it, 20 are needed (")
    assert "30 questions of 10 families" in verdict.sentence


def test_without_evidence_nothing_is_decided() -> None:
    bare = Example(id="e", question=Question("q0"), answers=("a",))
    hopeless = Example(id="f", question=Question("q1"), answers=(), evidence=("right",), answerable=False)
    verdict = judge_retrieval(searches([1, 1]), searches([1, 1]), [bare, hopeless], k=1, seed=7)
    assert not verdict.kept
    assert verdict.difference is None
    assert "no question names its evidence" in verdict.sentence


def test_a_document_stands_where_its_best_passage_does() -> None:
    found = measure_search(Fixed({"q0": ["wrong 1", "wrong 1", "right"]}), [asked(0)], k=2)
    assert found.ndcg["example e0"] == pytest.approx(1 / 1.5849625)
    assert found.hits["example e0"] == 0


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=40), st.integers(0, 3))
def test_nothing_is_kept_that_is_not_better(pairs: list[tuple[float, float]], seed: int) -> None:
    before, after = ({f"{n}": pair[side] for n, pair in enumerate(pairs)} for side in (0, 1))
    verdict = decide_retrieval(Found(before, before), Found(after, after), questions=len(pairs), k=3, seed=seed)
    assert verdict.difference is not None
    assert verdict.p_value is not None
    assert verdict.kept == (len(pairs) >= FEWEST and verdict.difference.low > 0 and verdict.p_value < 0.05)
    if verdict.kept:
        assert sum(after.values()) > sum(before.values())
    assert verdict.sentence.startswith("Kept" if verdict.kept else "Reverted")
