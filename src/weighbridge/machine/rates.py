"""Measures how fast this machine multiplies matrices in each precision.

The features that a processor names do not tell: bfloat16 ran at 1.8 times the rate of float32 on an AMD EPYC, at half
of it on one Intel Xeon that names avx512_bf16, and at 10 times on another with AMX.

All precisions take turns on one thread, processor time is measured instead of time, and the fastest turn counts: so
other work on the machine changes the rates little, and their ratios less.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from time import process_time
from typing import Any

import numpy as np

_ROWS, _CHANNELS, _TURNS = 512, 1024, 7
"""Batches of tokens by the width of a small language model: large enough that the products dominate, and 10 ms each."""
_LAYERS = 4
"""Products in a row of the graph for OpenVINO, so that reading the input and writing the output matter little."""
_SLOW = 0.4
"""Seconds of the first product after which a precision is emulated, and needs no further turn."""

Product = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductRates:
    """Billions of multiplications and additions a second, on one core; 0 where a precision cannot be had."""

    float32: float
    bfloat16: float = 0.0
    int8: float = 0.0


def measure_training_rates() -> ProductRates:
    """Measure torch, which trains; numpy where torch is not installed."""
    if find_spec("torch") is None:
        left, right = np.ones((_ROWS, _CHANNELS), np.float32), np.ones((_CHANNELS, _CHANNELS), np.float32)
        return _rates({"float32": lambda: left @ right}, products=1)
    import torch

    def product(kind: Any) -> Product:
        left, right = torch.ones(_ROWS, _CHANNELS, dtype=kind), torch.ones(_CHANNELS, _CHANNELS, dtype=kind)
        return lambda: torch.nn.functional.linear(left, right)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            return _rates(
                {"float32": product(torch.float32), "bfloat16": product(torch.bfloat16)},
                products=1,
            )
    finally:
        torch.set_num_threads(threads)


def measure_embedding_rates() -> ProductRates | None:
    """Measure OpenVINO, which embeds; None where it is not installed."""
    if find_spec("openvino") is None:
        return None
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # it would report the import
    import openvino

    core = openvino.Core()
    rows = np.ones((_ROWS, _CHANNELS), np.float32) / 2

    def product(floats: str, *, whole: bool) -> Product:
        settings = {"INFERENCE_PRECISION_HINT": floats, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
        compiled = core.compile_model(_graph(whole=whole), "CPU", {**settings, "ENABLE_CPU_PINNING": False})
        request = compiled.create_infer_request()
        return lambda: request.infer([rows], share_inputs=True)

    return _rates(
        {
            "float32": product("f32", whole=False),
            "bfloat16": product("bf16", whole=False),
            "int8": product("f32", whole=True),
        },
        products=_LAYERS,
    )


def _graph(*, whole: bool) -> Any:
    """Return a graph of some products in a row, in floats or in 8-bit whole numbers."""
    import openvino
    from openvino import opset15 as op

    states = rows = op.parameter([-1, _CHANNELS], np.float32)
    numbers = np.ones((_CHANNELS, _CHANNELS), np.int8)
    steps = op.constant(np.full((_CHANNELS, 1), 1 / _CHANNELS, np.float32))
    for _ in range(_LAYERS):
        weights = op.constant(numbers.astype(np.float32) / _CHANNELS)
        if whole:
            low, high = op.constant(np.float32(-1)), op.constant(np.float32(127 / 128))
            states = op.fake_quantize(states, low, high, low, high, 256)
            weights = op.multiply(op.convert(op.constant(numbers), "f32"), steps)
        states = op.matmul(states, weights, False, True)  # noqa: FBT003 - positional in the library
    return openvino.Model([op.result(states)], [rows], "rates")


def _rates(variants: Mapping[str, Product], *, products: int) -> ProductRates:
    best = dict.fromkeys(variants, float("inf"))
    for turn in range(_TURNS):
        for name, product in variants.items():
            if turn and best[name] > _SLOW:
                continue
            start = process_time()
            product()
            best[name] = min(best[name], process_time() - start)
    work = 2e-9 * products * _ROWS * _CHANNELS * _CHANNELS
    return ProductRates(**{name: round(work / max(seconds, 1e-6), 1) for name, seconds in best.items()})
