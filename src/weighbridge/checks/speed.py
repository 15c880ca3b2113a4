"""How fast is an adapter served beside the base weights, against both merged into one? Same engine, same prompts.

Beside the base weights one copy of them serves several adapters; merged is one model more in memory, and no slower than
the base. Limits: it does not measure many questions at once, or a machine that runs something else as well.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter

from weighbridge.adapters import Guard
from weighbridge.checks.before_after import Opener
from weighbridge.errors import ModelError
from weighbridge.evaluate.statistics import quantile_interval
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.generate.transformers import Transformers
from weighbridge.protocols import Model
from weighbridge.results import Estimate
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.export.lora_gguf import ADDED_WHILE_RUNNING, write_lora_gguf
from weighbridge.train.preference.trainer_setup import move_to_gpu
from weighbridge.train.runtime.adapter_weights import load_tuned, merged_network, method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer
from weighbridge.train.supervised.methods import precision
from weighbridge.types import Message

Prompts = Sequence[tuple[Message, ...]]
_PROMPTS = 6
"""Timed prompts at most; the first is asked once more before, untimed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """One answer: seconds to its first token and to its last, and tokens a second in between, where there were any."""

    first_token: float
    total: float
    rate: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forms:
    """The two ways of serving one adapter, and the engine that both were opened by."""

    engine: str
    adapter: Opener
    merged: Opener


def time_forms(forms: Forms, prompts: Prompts) -> Guard:
    """Ask both forms the same prompts in turn, each first every other time, and compare the medians.

    Both are in memory at once. Nothing is required of the result. A prompt that either cannot answer is left out.
    """
    with ExitStack() as stack:
        adapter, merged = (stack.enter_context(closing(opener())) for opener in (forms.adapter, forms.merged))
        rows = []
        for number, messages in enumerate([*prompts[:1], *prompts[:_PROMPTS]]):
            pair = _both(adapter, merged, messages, adapter_first=bool(number % 2))
            rows.extend([pair] if pair and number else [])
    return serving_speed([row[0] for row in rows], [row[1] for row in rows], engine=forms.engine)


def serving_speed(adapter: Sequence[Pace], merged: Sequence[Pace], *, engine: str) -> Guard:
    """Compare the paces of the two forms over the same prompts, by medians."""
    if not adapter:
        return speed_not_compared("no prompt was answered by both forms")
    figures = {
        "adapter seconds": _median([pace.total for pace in adapter]),
        "merged seconds": _median([pace.total for pace in merged]),
        "adapter seconds to first token": _median([pace.first_token for pace in adapter]),
        "merged seconds to first token": _median([pace.first_token for pace in merged]),
        **_rates("adapter", adapter),
        **_rates("merged", merged),
        "ratio": _median([one.total / other.total for one, other in zip(adapter, merged, strict=True)]),
    }
    return Guard(name="serving speed", passed=None, summary=_sentence(figures, engine), figures=figures)


def speed_not_compared(reason: str) -> Guard:
    """Return the guard of an adapter that has but one form."""
    return Guard(name="serving speed", passed=None, summary=f"Serving speed was not compared: {reason}", figures={})


def forms_of(
    adapter: Path, base: BaseFiles, ggufs: tuple[Path, Path], settings: ModelSettings, scratch: Path
) -> Forms | None:
    """Return the two forms of an adapter folder; None where it cannot be merged, or is a whole model by itself.

    `ggufs` are the base model's file and the merged one. Where llama.cpp cannot add the adapter to the base while it
    runs, or does not serve, both forms run on PyTorch.
    """
    method = method_of(adapter)
    if method in {"full", "prompt-tuning"}:
        return None
    if method not in ADDED_WHILE_RUNNING or settings.engine == "transformers":
        return Forms(
            engine="transformers",
            adapter=lambda: _network(load_tuned(base, adapter, precision=precision()), base, settings),
            merged=lambda: _network(merged_network(base, adapter).to(precision()), base, settings),
        )
    lora = write_lora_gguf(adapter, base, scratch / "adapter.gguf")
    opened = partial(open_llamacpp, settings=settings, name="timed")
    return Forms(
        engine="llama.cpp",
        adapter=lambda: opened(ggufs[0], adapter=lora),
        merged=lambda: opened(ggufs[1]),
    )


def _network(network: object, base: BaseFiles, settings: ModelSettings) -> Transformers:
    return Transformers(
        name="timed",
        settings=settings,
        fingerprint="timed",
        network=move_to_gpu(network),
        tokenizer=load_tokenizer(base),
    )


def _both(
    adapter: Model, merged: Model, messages: tuple[Message, ...], *, adapter_first: bool
) -> tuple[Pace, Pace] | None:
    try:
        if adapter_first:
            return _pace(adapter, messages), _pace(merged, messages)
        later = _pace(merged, messages)
        return _pace(adapter, messages), later
    except ModelError:
        return None


def _pace(model: Model, messages: tuple[Message, ...]) -> Pace:
    start = perf_counter()
    first = 0.0

    def note(_text: str) -> None:
        nonlocal first
        first = first or perf_counter()

    completion = model.generate(messages, emit=note)
    end = perf_counter()
    tokens, between = completion.usage.output_tokens - 1, end - (first or end)
    return Pace(
        first_token=(first or end) - start,
        total=end - start,
        rate=tokens / between if tokens > 0 and between > 0 else None,
    )


def _median(values: Sequence[float]) -> Estimate:
    return quantile_interval(values, 0.5)


def _rates(name: str, paces: Sequence[Pace]) -> Mapping[str, Estimate]:
    known = [pace.rate for pace in paces if pace.rate is not None]
    return {f"{name} tokens per second": _median(known)} if known else {}


def _sentence(figures: Mapping[str, Estimate], engine: str) -> str:
    adapter, merged, ratio = figures["adapter seconds"], figures["merged seconds"], figures["ratio"]
    return (
        f"Beside the base weights the adapter takes {adapter.value:.2f} s for an answer, merged into them "
        f"{merged.value:.2f} s: {ratio.value:.2f} times as long ({ratio.low:.2f} to {ratio.high:.2f}; medians over "
        f"{adapter.scored} prompts on {engine}, the ratio taken prompt by prompt)"
    )
