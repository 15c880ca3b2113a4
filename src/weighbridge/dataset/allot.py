"""Whole groups are dealt out to the splits: at random, by their shares, and alike in every stratum."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from weighbridge.types import Split


@dataclass(frozen=True, slots=True)
class AllotmentUnit:
    """Examples that must stay together: how many, and the stratum that most of them belong to."""

    size: int
    stratum: str


def allot(groups: Sequence[AllotmentUnit], shares: Mapping[Split, float], *, seed: int) -> tuple[Split, ...]:
    """Return the split of each group, the same for the same seed.

    Larger groups are dealt first. A split is drawn with a chance in proportion to what its stratum still lacks there,
    among those that lack at least half a group, so that counts meet the shares to within the size of the largest
    groups. Then each split with a share gets one group at least, as far as there are enough.
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
