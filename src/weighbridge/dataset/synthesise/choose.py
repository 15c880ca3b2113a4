"""Which of the good ones to keep when there are more than wanted: spread over documents, questions before wordings."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import chain, zip_longest
from random import Random

from weighbridge.dataset.synthesise.nouns import Filter, SyntheticExample

UNANSWERABLE = 0.15
"""The largest share of questions without an answer: too many teach to decline everything."""


def limit_unanswerable(count: int, seed: int) -> Filter:
    """Keep only a small share without an answer, of `count` or of as many as there are: one where it would be less."""

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        absent = [at for at, one in enumerate(made) if not one.answerable]
        whole = min(count, (len(made) - len(absent)) / (1 - UNANSWERABLE))
        few = min(max(int(UNANSWERABLE * whole), 1), count - 1)
        return set(absent) - set(_order_by_document(made, absent, seed)[:few])

    return Filter("too many without an answer", places)


def limit_count(count: int, seed: int) -> Filter:
    """Keep `count` at most, taken in turn from every document; those without an answer are all kept.

    A second wording of a question is only taken when every question has its first.
    """

    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        answered = [at for at, one in enumerate(made) if one.answerable]
        return set(answered) - set(
            _order_by_document(made, answered, seed)[: max(count - len(made) + len(answered), 0)]
        )

    return Filter("more than were asked for", places)


def _order_by_document(made: Sequence[SyntheticExample], places: Sequence[int], seed: int) -> list[int]:
    """Return positions: the first wordings one document after the other, then the second ones, and so on."""
    random = Random(seed)  # noqa: S311 - reproducible, and no secret
    shuffled = random.sample(list(places), len(places))
    rounds: dict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    asked: dict[str, int] = defaultdict(int)
    for at in sorted(shuffled, key=lambda at: made[at].id != made[at].family):
        document = made[at].spans[0].document_id if made[at].spans else made[at].family
        rounds[asked[made[at].family]][document].append(at)
        asked[made[at].family] += 1
    order: list[int] = []
    for _, documents in sorted(rounds.items()):
        order += [at for at in chain.from_iterable(zip_longest(*documents.values())) if at is not None]
    return order
