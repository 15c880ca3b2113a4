"""How good rankings are, and whether one is better than another: ir-measures' figures, and tests over queries.

A query counts if something is judged relevant to it (above 0); one that got no answer scores 0. Documents stand in the
order the engine gave them: where two have one score, trec_eval would put them in order of their names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ir_measures
from ir_measures import RR, R, nDCG

from weighbridge.evaluate.statistics import compare_pairs, holm

Run = Mapping[str, Mapping[str, float]]
Judgements = Mapping[str, Mapping[str, int]]

SEED = 17
NDCG = str(nDCG @ 10)
_EXPONENTIAL = "nDCG(2^rel-1)@10"
_GRADES = "test_graded.tsv"


@dataclass(frozen=True, slots=True)
class Judged:
    """What is relevant, for the measures to be taken with it: `name` is what reports say, by the measure itself."""

    judgements: Judgements
    measures: Mapping[str, ir_measures.Measure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beaten:
    """Our value less theirs, with its 95 % interval, and the p-value of a sign-flip test corrected by Holm."""

    difference: float
    low: float
    high: float
    p_value: float


def read_judged(folder: Path) -> Sequence[Judged]:
    """Return what a folder in BEIR's layout knows: nDCG with linear gain, recall and MRR by qrels/test.tsv.

    Where qrels/test_graded.tsv has grades, nDCG with the gain 2^rel-1 (Burges et al. 2005) too, by those.
    """
    plain = Judged(_judgements(folder / "qrels" / "test.tsv"), {NDCG: nDCG @ 10, "recall@100": R @ 100, "MRR": RR})
    if not (graded := folder / "qrels" / _GRADES).exists():
        return (plain,)
    judgements = _judgements(graded)
    grades = {grade for documents in judgements.values() for grade in documents.values() if grade > 0}
    gains = {grade: 2**grade - 1 for grade in sorted(grades)}
    return (plain, Judged(judgements, {_EXPONENTIAL: nDCG(gains=gains) @ 10}))


def score(run: Run, judged: Sequence[Judged]) -> dict[str, dict[str, float]]:
    """Return the value of every query by id, by the name of the measure."""
    placed = {query: {id_: -float(place) for place, id_ in enumerate(answer)} for query, answer in run.items()}
    found: dict[str, dict[str, float]] = {}
    for one in judged:
        for name, measure in one.measures.items():
            values = dict.fromkeys(one.judgements, 0.0)
            values |= {v.query_id: v.value for v in ir_measures.iter_calc([measure], one.judgements, placed)}
            found[name] = values
    return found


def compare(ours: Mapping[str, float], theirs: Sequence[Mapping[str, float]]) -> list[Beaten]:
    """Return how ours stands against each of theirs over the same queries, all of them tested together."""
    queries = sorted(ours)
    pairs = [compare_pairs([ours[q] for q in queries], [other[q] for q in queries], SEED) for other in theirs]
    corrected = holm([pair.p_value for pair in pairs])
    return [
        Beaten(
            difference=pair.difference.value,
            low=pair.difference.low,
            high=pair.difference.high,
            p_value=p_value,
        )
        for pair, p_value in zip(pairs, corrected, strict=True)
    ]


def _judgements(file: Path) -> Judgements:
    found: dict[str, dict[str, int]] = {}
    for line in file.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        found.setdefault(query, {})[document] = int(grade)
    return {query: grades for query, grades in found.items() if any(grade > 0 for grade in grades.values())}
