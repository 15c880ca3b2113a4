"""Divides questions into three sets: to train a model of the search, to choose its epoch, and to decide on it.

The dev questions decide. If they are few, some train questions are held back and decide with them. Other held-back
train questions choose the epoch, so that no question both chooses and decides. Test questions do neither.
Near-duplicates stay in one set, as in the split of the workload. Examples made from documents are only trained on:
questions from people decide.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from weighbridge.adapters import Span
from weighbridge.checks.retrieval import FEWEST, family, judgeable_examples
from weighbridge.dataset.split import FEWEST as DIVISIBLE
from weighbridge.dataset.split import split_examples
from weighbridge.dataset.synthesise.nouns import SyntheticExample
from weighbridge.dataset.synthesise.repeats import cache_vectors, drop_near_held_out
from weighbridge.protocols import Embedder, Index
from weighbridge.settings.schema import SplitSettings
from weighbridge.train.retriever.pairs import RetrievalPairs, labelled_pairs, made_pairs, unusable
from weighbridge.types import PUBLIC, Example

ENOUGH = 40
"""With so many families of dev questions, no train question is held back to decide."""
MOST_PAIRS = 500
"""More pairs are sampled down, to limit the time of a tuning without a clock (docs/adr/0017)."""
_HELD = 1 / 3
"""The largest share of the train families to hold back for the decision: most are needed to learn from."""
_CHOOSING = 0.1
"""The share of the train families that chooses the epoch."""
_CHOOSING_FROM = 30
"""With fewer train families, none chooses the epoch: a tenth of them is at most two."""
_MOST_DOCUMENTS = 2000
"""Rules make pairs from so many documents at most. More are sampled down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """Examples by their use. `taught` is empty if pairs are made from the documents."""

    taught: tuple[Example, ...]
    choosing: tuple[Example, ...]
    deciding: tuple[Example, ...]

    @property
    def decidable(self) -> bool:
        return _families(self.deciding) >= FEWEST

    @property
    def sentence(self) -> str:
        """The division as a sentence."""
        held = sum(example.split != "dev" for example in self.deciding)
        learnt = f"{len(self.taught):,} train questions are learnt" if self.taught else (
            "too few train questions name their evidence, so pairs made from the documents are learnt"
        )  # fmt: skip
        dev = f"{len(self.deciding) - held:,} dev questions"
        decide = f"{dev} and {held:,} train questions that are not learnt decide" if held else f"{dev} decide"
        choose = f"{len(self.choosing):,} others choose the epoch" if self.choosing else "the last epoch is taken"
        return f"{learnt}; {decide}; {choose}"


def divide_examples(examples: Sequence[Example], embedder: Embedder, *, similarity: float, seed: int) -> Division:
    """Divide the train and dev examples with known evidence.

    Args:
        examples: All examples of the workload. Those of the test split are not used.
        embedder: Finds near-duplicates.
        similarity: The smallest cosine of near-duplicates.
        seed: The seed of the draw.
    """
    dev = judgeable_examples([example for example in examples if example.split == "dev"])
    train = tuple(example for example in examples if example.split == "train" and not unusable(example))
    families, missing = _families(train), max(ENOUGH - _families(dev), 0)
    if len(train) < DIVISIBLE or _families(dev) + int(families * _HELD) < FEWEST:
        return Division(taught=(), choosing=(), deciding=(*dev, *train))
    deciding = min(_HELD, missing / families)
    choosing = _CHOOSING if families >= _CHOOSING_FROM else 0.0
    if not deciding + choosing:
        return Division(taught=train, choosing=(), deciding=dev)
    shares = SplitSettings(dev=choosing if deciding else 0, test=deciding or choosing, similarity=similarity, seed=seed)
    embed = lambda texts: embedder.embed(list(texts), kind="query")  # noqa: E731 - as the workload is split
    dealt = split_examples(train, settings=shares, embed=embed).examples
    sides = {split: tuple(e for e in dealt if e.split == split) for split in ("train", "dev", "test")}
    if deciding:
        return Division(taught=sides["train"], choosing=sides["dev"], deciding=(*dev, *sides["test"]))
    return Division(taught=sides["train"], choosing=sides["test"], deciding=dev)


def with_made(division: Division, made: Sequence[Example], embedder: Embedder, *, similarity: float) -> Division:
    """Add examples made from documents to the taught ones, except those close to a choosing or deciding example."""
    usable = [example for example in made if not unusable(example)]
    embed = cache_vectors(lambda texts: embedder.embed(list(texts), kind="query"))
    near = drop_near_held_out((*division.choosing, *division.deciding), embed, similarity).positions(
        list(map(_from_example, usable))
    )
    return replace(division, taught=(*division.taught, *(e for at, e in enumerate(usable) if at not in near)))


def _from_example(example: Example) -> SyntheticExample:
    return SyntheticExample(
        id=example.id,
        question=example.question.text,
        answers=example.answers,
        spans=tuple(Span(name, 0, 0) for name in example.evidence),
        made_by="",
        family=example.family,
    )


def pairs_of(division: Division, index: Index, embedder: Embedder, *, seed: int) -> RetrievalPairs:
    """Return training pairs from the taught questions; without any, pairs made from public documents."""
    if division.taught:
        return labelled_pairs(division.taught, index, embedder, most=MOST_PAIRS, seed=seed)
    names = sorted(index.documents())
    beyond = max(0, len(names) - _MOST_DOCUMENTS)
    if beyond:
        names = Random(seed).sample(names, _MOST_DOCUMENTS)  # noqa: S311 - a sample, not a secret
    chunks = [chunk for name in names for chunk in index.chunks_of(name, groups=PUBLIC)]
    made = made_pairs(chunks, most=MOST_PAIRS, seed=seed)
    unread = {f"a document beyond the {_MOST_DOCUMENTS:,} that pairs are made from": beyond} if beyond else {}
    return replace(made, attrition={**made.attrition, **unread})


def _families(examples: Sequence[Example]) -> int:
    return len({family(example) for example in examples})
