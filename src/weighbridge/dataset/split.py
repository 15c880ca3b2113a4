"""Splits examples into train, dev and test so that no test question is nearly a paraphrase of one in the others.

Examples are first joined into groups that no split may cut (families, shared evidence), groups with near-duplicate
questions are joined (`near_duplicates.py`), and whole groups are dealt out (`allot`). Then every test question is
compared with every question outside, by another route (`leaks.py`); pairs found there are joined too, and all groups
are dealt again.

Near-duplicates chain: in a label task with thousands of alike messages they would join most examples into one group
that cannot be divided. Where they join more than a fifth of the examples, the threshold is raised inside that group,
half of the way to 1 at a time, until its parts are smaller. The report says so, and the check uses the same thresholds.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from weighbridge.dataset.examples import infer_task
from weighbridge.dataset.leaks import Leak, find_leaks
from weighbridge.dataset.near_duplicates import (
    DistinctQuestions,
    NearDuplicatePairs,
    distinct_questions,
    find_near_duplicates,
    positions,
)
from weighbridge.errors import DataError, SettingsError
from weighbridge.results import SplitReport
from weighbridge.settings.schema import SplitSettings
from weighbridge.types import Example, Split

FEWEST = 3
"""The fewest examples that can be split: one for each of train, dev and test."""

# A group of near-duplicates above a fifth of the examples would fill a test split of a fifth alone. Few examples may
# have larger ones: a fifth of 30 is 6.
_LARGEST_SHARE = 0.2
_LARGEST_COUNT = 20
# One document behind more than a tenth of the examples says nothing about which of them are alike.
_EVIDENCE_SHARE = 0.1
_EVIDENCE_COUNT = 10
# Raising a threshold ends here: closer questions are equal but for rounding.
_EQUAL = 0.999

By = Literal["family", "evidence", "similarity"]
Embed = Callable[[Sequence[str]], NDArray[np.float32]]
"""Returns one unit row a text, shape (len(texts), dimensions)."""


@dataclass(frozen=True, slots=True)
class Splits:
    """The examples, in their order, each with its split; and how that came about."""

    examples: tuple[Example, ...]
    report: SplitReport


@dataclass(frozen=True, slots=True)
class _Ties:
    """Positions of examples that belong together before their questions are compared, and the reason."""

    by: By
    together: tuple[Sequence[int], ...]


@dataclass(frozen=True, slots=True)
class AllotmentUnit:
    """Examples that must stay together: how many, and the stratum that most of them belong to."""

    size: int
    stratum: str


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The distinct questions, their unit vectors, and the near-duplicate pairs among them."""

    questions: DistinctQuestions
    vectors: NDArray[np.float32]
    pairs: NearDuplicatePairs


@dataclass(frozen=True, slots=True)
class _Grouping:
    """The group of each example, numbered from 0, and the threshold that holds for each distinct question."""

    groups: tuple[int, ...]
    thresholds: NDArray[np.float64]


def split_examples(examples: Sequence[Example], *, settings: SplitSettings, embed: Embed) -> Splits:
    """Divide examples by family, else by shared evidence, else by question; near-duplicates stay together.

    Evidence is not used where one document, or documents cited together, would join more than a tenth of the examples.

    Raises:
        DataError: where there are too few examples, or near-duplicates straddle the result.
        SettingsError: where the shares exceed the whole, or `by` names a field that no example has.
    """
    if len(examples) < FEWEST:
        raise DataError(f"{len(examples)} examples cannot be divided; {FEWEST} are needed, and 10 to be of any use")
    shares = _shares(settings)
    ties = _find_ties(examples, settings.by)
    compared = _compare(examples, settings.similarity, embed)
    while True:
        grouping = _join(len(examples), ties, compared)
        dealt = allot(_allotment_units(examples, grouping.groups), shares, seed=settings.seed)
        splits = tuple(dealt[group] for group in grouping.groups)
        check = find_leaks(compared.questions, splits, compared.vectors, grouping.thresholds)
        if not check.leaks:
            break
        compared = _add_found_pairs(compared, grouping, check.leaks)
    divided = tuple(replace(example, split=split) for example, split in zip(examples, splits, strict=True))
    return Splits(divided, _make_report(splits, ties.by, compared, grouping, check.compared))


def _shares(settings: SplitSettings) -> dict[Split, float]:
    if (rest := 1 - settings.dev - settings.test) < -1e-9:  # noqa: PLR2004 - rounding
        raise SettingsError(
            f"weighbridge.yaml: splits.dev and splits.test add up to {settings.dev + settings.test:g}; "
            "they are shares of the whole, and what they leave is for training"
        )
    return {"train": max(rest, 0.0), "dev": settings.dev, "test": settings.test}


def _find_ties(examples: Sequence[Example], by: Literal["auto", "family", "evidence", "similarity"]) -> _Ties:
    families = positions([example.family for example in examples])
    families.pop("", None)
    kin = tuple(families.values())
    cited = _find_shared_evidence(examples)
    if (by == "family" and not kin) or (by == "evidence" and not cited):
        field = {"family": "family", "evidence": "doc_ids"}[by]
        raise SettingsError(f"weighbridge.yaml: splits.by is {by}, but no example has {field!r}; set it to auto")
    if by == "family" or (by == "auto" and kin):
        return _Ties("family", kin)
    most = max(_EVIDENCE_SHARE * len(examples), _EVIDENCE_COUNT)
    if by != "similarity" and cited and max(map(len, cited)) <= most:
        return _Ties("evidence", (*kin, *cited))
    return _Ties("similarity", kin)


def _find_shared_evidence(examples: Sequence[Example]) -> tuple[Sequence[int], ...]:
    """Return the positions of examples that share evidence, directly or through others."""
    first: dict[str, int] = {}
    edges = [
        (first.setdefault(name, place), place) for place, example in enumerate(examples) for name in example.evidence
    ]
    components = _connected_components(len(examples), np.array(edges, dtype=np.int64).reshape(-1, 2))
    joined = positions([str(number) for number in components.tolist()]).values()
    return tuple(places for places in joined if examples[places[0]].evidence)


def _compare(examples: Sequence[Example], threshold: float, embed: Embed) -> _Comparison:
    questions = distinct_questions(examples)
    texts = [question.text for question in questions.asked]
    vectors = np.ascontiguousarray(embed(texts), dtype=np.float32)
    return _Comparison(questions, vectors, find_near_duplicates(questions.asked, vectors, threshold=threshold))


def _join(count: int, ties: _Ties, compared: _Comparison) -> _Grouping:
    pairs = compared.pairs
    places = compared.questions.places
    first = np.array([same[0] for same in places], dtype=np.int64)
    tied = [(together[0], place) for together in (*ties.together, *places) for place in together[1:]]
    fixed = np.array(tied, dtype=np.int64).reshape(-1, 2)
    links = np.stack([first[pairs.left], first[pairs.right]], axis=1)
    before = np.bincount(_connected_components(count, fixed))
    thresholds = np.full(len(first), pairs.threshold)
    while True:
        groups = _connected_components(count, np.concatenate([fixed, links[_above_thresholds(pairs, thresholds)]]))
        sizes = np.bincount(groups)
        blob = sizes > max(_LARGEST_SHARE * count, _LARGEST_COUNT, before.max())
        raised = blob[groups[first]] & (thresholds < _EQUAL)
        if not raised.any():
            return _Grouping(tuple(groups.tolist()), thresholds)
        thresholds = np.where(raised, (1 + thresholds) / 2, thresholds)


def _above_thresholds(pairs: NearDuplicatePairs, thresholds: NDArray[np.float64]) -> NDArray[np.bool_]:
    return pairs.closeness >= np.maximum(thresholds[pairs.left], thresholds[pairs.right])


def _connected_components(count: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the connected component of each of `count` nodes, numbered by their first node."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(edges), dtype=np.int8), (edges[:, 0], edges[:, 1])), shape=(count, count))
    labels = connected_components(graph.tocsr(), directed=False)[1]
    return np.asarray(labels, dtype=np.int64)


def _allotment_units(examples: Sequence[Example], numbers: Sequence[int]) -> list[AllotmentUnit]:
    labelled = infer_task(examples).task == "label"
    strata: dict[int, Counter[str]] = {number: Counter() for number in range(max(numbers) + 1)}
    for example, number in zip(examples, numbers, strict=True):
        label = example.answers[0].casefold() if labelled and example.answerable else ""
        strata[number][label if example.answerable else "unanswerable"] += 1
    return [AllotmentUnit(counts.total(), counts.most_common(1)[0][0]) for counts in strata.values()]


def _add_found_pairs(compared: _Comparison, grouping: _Grouping, leaks: Sequence[Leak]) -> _Comparison:
    """Add the pairs that the check found and the search had missed: the search is sure to find pairs only by cosine.

    Raises:
        DataError: a pair across the split was known before, so the grouping itself is wrong.
    """
    pairs = compared.pairs
    kept = _above_thresholds(pairs, grouping.thresholds).tolist()
    places = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    found = {(min(leak.tested, leak.other), max(leak.tested, leak.other)): leak.closeness for leak in leaks}
    joined = {pair for pair, one in zip(places, kept, strict=True) if one}
    if wrong := [pair for pair in found if pair in joined or pair[0] == pair[1]]:
        first, other = (compared.questions.asked[place].text for place in wrong[0])
        raise DataError(
            f"{len(wrong):,} near-duplicate questions straddle the split, the first being {first!r} and {other!r}; "
            "report this as a bug of Weighbridge"
        )
    close = dict(zip(places, pairs.closeness.tolist(), strict=True)) | found
    left, right = np.array(list(close), dtype=np.int64).T
    closeness = np.array(list(close.values()), dtype=np.float64)
    return replace(compared, pairs=NearDuplicatePairs(left, right, closeness, pairs.threshold))


def _make_report(
    splits: Sequence[Split], by: By, compared: _Comparison, grouping: _Grouping, checked: int
) -> SplitReport:
    sizes = Counter(splits)
    counts = np.array([len(same) for same in compared.questions.places], dtype=np.int64)
    kept = _above_thresholds(compared.pairs, grouping.thresholds)
    between = (counts[compared.pairs.left] * counts[compared.pairs.right])[kept].sum()
    return SplitReport(
        train=sizes["train"],
        dev=sizes["dev"],
        test=sizes["test"],
        by=by,
        merged_near_duplicates=int(between + (counts * (counts - 1) // 2).sum()),
        leaks=0,
        checked_pairs=checked,
        thresholds=_describe_thresholds(compared.pairs.threshold, grouping.thresholds),
    )


def _describe_thresholds(base: float, thresholds: NDArray[np.float64]) -> str:
    words = f"cosine of embeddings >= {base:.3g}, or overlap of 5-character shingles >= {max(2 * base - 1, 0.5):.3g}"
    raised = thresholds[thresholds > base]
    if not len(raised):
        return words
    return f"{words}; raised to {raised.min():.4g} or more among {len(raised):,} questions that are all alike"


def allot(groups: Sequence[AllotmentUnit], shares: Mapping[Split, float], *, seed: int) -> tuple[Split, ...]:
    """Return the split of each group, the same for the same seed.

    Larger groups are dealt first. A split is drawn with a chance in proportion to the examples that its stratum still
    lacks there, among those that lack at least half a group, so that counts meet the shares to within the size of the
    largest groups. Then each split with a share gets one group at least, as far as there are enough.
    """
    random = Random(seed)  # noqa: S311 - reproducible, and no secret
    order = sorted(random.sample(range(len(groups)), len(groups)), key=lambda place: -groups[place].size)
    sizes: Counter[str] = Counter()
    for group in groups:
        sizes[group.stratum] += group.size
    total = {split: share * sum(sizes.values()) for split, share in shares.items()}
    lacking = {stratum: {split: share * size for split, share in shares.items()} for stratum, size in sizes.items()}
    dealt: dict[int, Split] = {}
    for place in order:
        group = groups[place]
        split = _draw(random, group.size, total, lacking[group.stratum])
        dealt[place] = split
        total[split] -= group.size
        lacking[group.stratum][split] -= group.size
    _fill_empty(dealt, groups, shares)
    return tuple(dealt[place] for place in range(len(groups)))


def _draw(random: Random, size: int, total: Mapping[Split, float], stratum: Mapping[Split, float]) -> Split:
    open_splits = [split for split, lack in total.items() if lack >= size / 2] or [max(total, key=lambda s: total[s])]
    fitting = [split for split in open_splits if stratum[split] >= size / 2] or open_splits
    weights = [max(stratum[split], 0.0) for split in fitting]
    if not any(weights):
        return max(fitting, key=lambda split: total[split])
    return random.choices(fitting, weights)[0]


def _fill_empty(dealt: dict[int, Split], groups: Sequence[AllotmentUnit], shares: Mapping[Split, float]) -> None:
    for split in sorted(shares, key=lambda split: -shares[split]):
        counts = Counter(dealt.values())
        richest, most = counts.most_common(1)[0]
        if shares[split] > 0 and not counts[split] and most > 1:
            givable = [place for place, owner in dealt.items() if owner == richest]
            dealt[min(givable, key=lambda place: groups[place].size)] = split
