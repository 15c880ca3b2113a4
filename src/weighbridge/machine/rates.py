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
_LARGEST, _CLOSE = 127 / 128, 0.05
"""The largest number that int8 holds here. A processor without VNNI adds two products in 16 bits, and returns half."""

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
    rows = np.full((_ROWS, _CHANNELS), _LARGEST, np.float32)

    def request(floats: str, *, whole: bool) -> Any:
        settings = {"INFERENCE_PRECISION_HINT": floats, "NUM_STREAMS": 1, "INFERENCE_NUM_THREADS": 1}
        compiled = core.compile_model(_graph(whole=whole), "CPU", {**settings, "ENABLE_CPU_PINNING": False})
        return compiled.create_infer_request()

    def product(request: Any) -> Product:
        return lambda: request.infer([rows], share_inputs=True)

    variants = {"float32": product(request("f32", whole=False))}
    if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        variants["bfloat16"] = product(request("bf16", whole=False))
    in_int8 = request("f32", whole=True)
    in_int8.infer([rows])
    # Each product of the graph leaves the largest number as it is, unless 16 bits are too few for a sum of two.
    if np.abs(in_int8.get_output_tensor(0).data - _LARGEST).max() < _CLOSE:
        variants["int8"] = product(in_int8)
    return _rates(variants, products=_LAYERS)


def _graph(*, whole: bool) -> Any:
    """Return a graph of some products in a row, in floats or in 8-bit whole numbers."""
    import openvino
    from openvino import opset15 as op

    states = rows = op.parameter([-1, _CHANNELS], np.float32)
    numbers, step = np.full((_CHANNELS, _CHANNELS), 127, np.int8), np.float32(1 / 127 / _CHANNELS)
    steps = op.constant(np.full((_CHANNELS, 1), step, np.float32))
    for _ in range(_LAYERS):
        weights = op.constant(numbers.astype(np.float32) * step)
        if whole:
            low, high = op.constant(np.float32(-1)), op.constant(np.float32(_LARGEST))
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
