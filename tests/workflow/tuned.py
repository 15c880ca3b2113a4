"""A tuned embedder's card, for the tests of what follows from one that is in force."""

from pathlib import Path

from weighbridge.checks.retrieval import revert_undecided
from weighbridge.models import file_fingerprint
from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.wiring.tuned_retrievers import RetrieverCard


def tuned(reference: str, base: Path) -> RetrieverCard:
    """Return the card of an embedder in the folder `tuned`, kept by hand, that started from `base`."""
    return RetrieverCard(
        id="0123456789ab",
        which="embedder",
        fingerprint="0123456789abcdef",
        made_at="2026-11-20T12:00:00+00:00",
        base_reference=reference,
        base_fingerprint=file_fingerprint(base / WEIGHTS),
        replaces="",
        division="",
        pairs={},
        negatives={},
        attrition={},
        training=None,
        agreement=None,
        verdict=revert_undecided("it was not asked", 3),
        seconds=1.0,
        model="tuned",
    )
