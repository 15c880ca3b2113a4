"""A finished adapter's card, for the tests of what is exported."""

from weighbridge.adapters import AdapterCard, EpochScore, Guard, Learnt, Parity, Training
from weighbridge.results import Estimate
from weighbridge.settings.schema import SMOLLM2
from weighbridge.settings.training import TrainingSettings

SCORE = Estimate(value=0.625, low=0.5, high=0.75, scored=24)


def parity(form: str, *reasons: str) -> Parity:
    """Return how a form agrees: well, or not for these reasons."""
    return Parity(
        form=form,
        ok=not reasons,
        reasons=reasons,
        changed=True,
        prompts=4,
        identical=1.0,
        agreement=1.0,
        common_prefix=5.75,
        divergence=0.0003,
        divergence_from_base=4.2,
    )


def card(how: TrainingSettings, *, parent: str = "", forms: tuple[Parity, ...] = (), hosted: str = "") -> AdapterCard:
    """Return the card of an adapter in the folder `adapter`, with a GGUF in Q8_0."""
    return AdapterCard(
        id="3f2a9c41d0e7",
        strategy="fine-tuned",
        fingerprint="3f2a9c41d0e7b655",
        made_at="2026-11-20T11:30:00+00:00",
        base_reference=SMOLLM2,
        base_fingerprint="ab" * 32,
        licence="Apache-2.0",
        recipe=how.model_dump(mode="json"),
        learnt=Learnt(fingerprint="f00d", split="beef", examples=4, documents={"harbour.md": "1", "fees.md": "2"}),
        training=Training(
            epochs=(EpochScore(epoch=1, loss=1.0, dev=0.5), EpochScore(epoch=2, loss=0.1, dev=0.625)),
            chosen_epoch=2,
            examples=4,
            tokens=120,
            steps=2,
            seconds=3.0,
            first_loss=2.0,
            last_loss=0.1,
            precision="bfloat16",
        ),
        dev=SCORE,
        parity=forms or (parity("GGUF Q8_0"),),
        seconds=5.0,
        quantisation="Q8_0",
        warnings=("a warning of the training",),
        guards=(Guard(name="refusals", passed=True, summary="It still refuses.", figures={"tuned": SCORE}),),
        parent=parent,
        hosted=hosted,
    )
