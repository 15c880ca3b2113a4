"""Macro F1 of a label task: no mean over answers, so it is taken over all (wanted, given) pairs at once."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from weighbridge.evaluate.metrics.marking import has_abstained
from weighbridge.evaluate.statistics import RESAMPLES, Floats
from weighbridge.intervals import CONFIDENCE
from weighbridge.results import Estimate
from weighbridge.scoring.labels import find_label, normalise_label, same_label
from weighbridge.types import Answer, Example

Pair = tuple[str, str]
"""The label wanted and the label given, both normalised; an abstention gives the empty label."""


def label_pairs(attempts: Iterable[tuple[Example, Answer]]) -> tuple[Pair, ...]:
    """Return the pairs of the answerable examples; of several accepted labels, the one given is the one wanted.

    A sentence that names one label of the examples, and no other, gives that label.
    """
    scored = [(example, answer) for example, answer in attempts if example.answerable and example.answers]
    labels = tuple(dict.fromkeys(label for example, _ in scored for label in example.answers))
    pairs = []
    for example, answer in scored:
        given = ""
        if not has_abstained("label", example, answer):
            given = normalise_label(find_label(answer.text, labels) or answer.text)
        wanted = given if same_label(given, example.answers) else normalise_label(example.answers[0])
        pairs.append((wanted, given))
    return tuple(pairs)


def macro_f1(pairs: Sequence[Pair], seed: int, unscored: int = 0) -> Estimate | None:
    """Return the mean over the wanted labels of each label's F1, with its 95 % percentile bootstrap interval.

    A label that is given but never wanted counts against the wanted one and has no F1 of its own. Resampling the
    pairs is drawing how often each distinct pair occurs, so it costs the number of distinct pairs. A resample without
    a wanted label leaves that label out. None where there is no pair.
    """
    if not pairs:
        return None
    counted = Counter(pairs)
    distinct = sorted(counted)
    counts = np.array([counted[pair] for pair in distinct], dtype=np.float64)
    labels = sorted({wanted for wanted, _ in distinct})
    drawn = np.random.default_rng(seed).multinomial(len(pairs), counts / counts.sum(), size=RESAMPLES)
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(_mean_f1(drawn.astype(np.float64), distinct, labels), (tail, 1 - tail))
    value = float(_mean_f1(counts[None, :], distinct, labels)[0])
    low, high = min(float(low), value), max(float(high), value)
    return Estimate(value=value, low=low, high=high, scored=len(pairs), unscored=unscored)


def _mean_f1(counts: Floats, distinct: Sequence[Pair], labels: Sequence[str]) -> Floats:
    """Return macro F1 per row of counts, shape (rows, distinct pairs)."""
    wanted = np.array([[pair[0] == label for label in labels] for pair in distinct], dtype=np.float64)
    given = np.array([[pair[1] == label for label in labels] for pair in distinct], dtype=np.float64)
    support, asserted, both = counts @ wanted, counts @ given, counts @ (wanted * given)
    f1 = 2 * both / np.maximum(support + asserted, 1)
    present = support > 0
    mean: Floats = (f1 * present).sum(axis=1) / present.sum(axis=1)
    return mean
