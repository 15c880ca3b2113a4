"""The outcomes of strategies question by question: in pairs, and jointly."""

from collections import Counter
from collections.abc import Mapping, Sequence

from weighbridge.results import JointOutcomes, OutcomeRow, PairedDifference, Record


def paired_differences(left: Sequence[Record], right: Sequence[Record]) -> tuple[PairedDifference, ...]:
    """Return how often the points of two strategies differ by how much, over the questions put to both.

    A failed attempt earns no points, as if it were wrong, so that no strategy gains by failing where others are
    wrong; the figures leave it out. A question that either strategy has no score for is left out here. Where the
    hallucination of no answer is known, accuracy stands alone.
    """
    judged = bool(scored_values("hallucination", left)) and bool(scored_values("hallucination", right))
    lefts, rights = (_earned_points(records, judged=judged) for records in (left, right))
    seen = Counter(
        (lefts[example][0] - rights[example][0], lefts[example][1] - rights[example][1])
        for example in lefts.keys() & rights.keys()
    )
    return tuple(
        PairedDifference(accuracy=accuracy, hallucination=hallucination, questions=seen[accuracy, hallucination])
        for accuracy, hallucination in sorted(seen)
    )


def joint_outcomes(attempts: Mapping[str, Sequence[Record]]) -> JointOutcomes:
    """Return the outcomes of all strategies, question by question, without the questions."""
    earned = []
    for records in attempts.values():
        judged = bool(scored_values("hallucination", records))
        points = _earned_points(records, judged=judged)
        earned.append({example: (right, wrong if judged else None) for example, (right, wrong) in points.items()})
    examples = {example for points in earned for example in points}
    seen = Counter(tuple(points.get(example, (None, None)) for points in earned) for example in examples)
    rows = [
        OutcomeRow(
            accuracy=tuple(right for right, _ in row), hallucination=tuple(wrong for _, wrong in row), questions=count
        )
        for row, count in sorted(seen.items(), key=lambda item: str(item[0]))
    ]
    return JointOutcomes(strategies=tuple(attempts), rows=tuple(rows))


def _earned_points(records: Sequence[Record], *, judged: bool) -> dict[str, tuple[float, float]]:
    """Return the accuracy and the hallucination of each attempt, those of a wrong answer where it failed."""
    accuracy, hallucination = scored_values("accuracy", records), scored_values("hallucination", records)
    earned = {}
    for record in records:
        example = record.example_id
        if record.answer is None:
            earned[example] = (0.0, float(judged))
        elif example in accuracy and (example in hallucination or not judged):
            earned[example] = (accuracy[example], hallucination[example] if judged else 0.0)
    return earned


def scored_values(figure: str, records: Sequence[Record]) -> dict[str, float]:
    """Return a figure's value for each example that was answered and could be scored."""
    return {
        record.example_id: score.value
        for record in records
        if record.answer is not None
        for score in record.scores
        if score.metric == figure and score.value is not None
    }
