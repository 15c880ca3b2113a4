"""Everything that settings cap in a comparison: each is a warning with the setting that lifts it, and never silent."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from weighbridge.answer.build import shape_of
from weighbridge.results import AppliedCap
from weighbridge.retrieve.embed.folder import read_maximum_tokens
from weighbridge.settings.schema import Settings
from weighbridge.types import Example
from weighbridge.wiring.documents import COMPARED_DOCUMENTS


def applied_caps(
    settings: Settings, examples: Sequence[Example], *, documents: int, embedder: Path
) -> tuple[AppliedCap, ...]:
    """Return the caps that leave something out, given the split examples and the folder of the embedder."""
    return tuple(cap for cap in _caps(settings, examples, documents, embedder) if cap.used < cap.available)


def _caps(settings: Settings, examples: Sequence[Example], documents: int, embedder: Path) -> Iterator[AppliedCap]:
    training, measure = settings.training, settings.measure
    sides = [example.split for example in examples]
    yield _cap("test questions are asked", measure.questions, sides.count("test"), "measure.questions")
    if any(shape_of(arm).tuned for arm in settings.strategies):
        allowed = [one.split for one in examples if one.question.groups <= training.learnable_groups]
        most = training.maximum_examples
        yield _cap("training examples are learnt", most, allowed.count("train"), "training.maximum_examples")
        dev = training.dev_examples
        yield _cap("dev examples choose the checkpoint", dev, allowed.count("dev"), "training.dev_examples")
    if documents:
        read = read_maximum_tokens(embedder) - _FRAME
        wanted = settings.chunks.tokens
        yield AppliedCap(
            what="tokens of the longest chunk are read by the embedder",
            used=min(wanted, read),
            available=wanted,
            remedy=f"set chunks.tokens to {read}, or choose an embedder that reads more",
        )
        if documents > COMPARED_DOCUMENTS:
            yield AppliedCap(
                what="documents are compared for contradictions",
                used=0,
                available=documents,
                remedy=f"more than {COMPARED_DOCUMENTS:,} take too long; index a part of them to compare that",
            )


_FRAME = 2
"""The tokens that an encoder puts before and after a text."""


def _cap(what: str, most: int, available: int, setting: str) -> AppliedCap:
    return AppliedCap(
        what=what,
        used=min(most, available),
        available=available,
        remedy=f"set {setting} to {available} for all of them",
    )
