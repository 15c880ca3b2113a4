"""Writes a LoRA adapter as a GGUF of its own; llama.cpp adds it to a base model at run time.

The layout is that of llama.cpp's `convert_lora_to_gguf.py`: of each matrix W that is adapted there are `W.lora_a`,
shape (rank, inputs), and `W.lora_b`, shape (outputs, rank), and llama.cpp computes W + alpha / rank * B A. Where the
exporter reorders the rows of W, those of B are reordered likewise. Matrices are stored in float32.
"""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import TrainingError
from weighbridge.train.export.gguf import written_beside
from weighbridge.train.runtime.adapter_weights import WEIGHTS, adapter_config, method_of
from weighbridge.train.runtime.base_model import BaseFiles, layout
from weighbridge.train.runtime.gguf_layout import GgufLayout, permute_heads, tensor_shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

ADDED_WHILE_RUNNING = frozenset({"lora", "rslora"})
"""llama.cpp can add adapters of these methods to a base model."""
_WHY_NOT = {
    "dora": "DoRA also changes the length of each row, which no LoRA file can say",
    "ia3": "IA3 multiplies activations, and llama.cpp only adds matrices",
    "prompt-tuning": "prompt tuning learns tokens, and llama.cpp only adds matrices",
    "full": "full fine-tuning leaves no adapter",
}
_KEY = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True, slots=True)
class _Pair:
    """The update of one matrix: `scale * b @ a`."""

    a: "Array"
    b: "Array"
    scale: float


def write_lora_gguf(adapter: Path, base: BaseFiles, target: Path) -> Path:
    """Write a LoRA folder of PEFT as a LoRA GGUF for the base model's GGUFs, whole or not at all; return its path.

    A GGUF has one alpha for all of its matrices. It is the one that gives the first matrix PEFT's scaling (alpha / r,
    or alpha / sqrt(r) where it is rank-stabilised); where others have another scaling, their B makes up for it.

    Raises:
        TrainingError: the method is none that llama.cpp can add while it runs, or the adapter is not the base model's.
        WorkspaceError: the file cannot be written.
    """
    method = method_of(adapter)
    if method not in ADDED_WHILE_RUNNING:
        raise TrainingError(f"{adapter}: {_WHY_NOT[method]}; export the merged model as a GGUF instead")
    return write_lora_like(adapter, layout(base), target)


def write_lora_like(adapter: Path, template: GgufLayout, target: Path) -> Path:
    """Write a LoRA like `write_lora_gguf`, with a GGUF of the base model already read."""
    pairs = dict(_pairs_by_tensor(template, _pairs(adapter)))
    first = next(iter(pairs.values()))
    alpha = first.scale * first.a.shape[0]
    with written_beside(target) as beside:
        _write(beside, template.architecture, pairs, alpha)
    return target


def _pairs(adapter: Path) -> dict[str, _Pair]:
    """Return the update of each module, by its name in transformers."""
    from safetensors.numpy import load_file

    config = adapter_config(adapter)
    if config.get("bias", "none") != "none" or config.get("modules_to_save"):
        raise TrainingError(f"{adapter}: it changes more than LoRA's matrices; export the merged model as a GGUF")
    sides: dict[str, dict[str, Array]] = {}
    for key, values in load_file(adapter / WEIGHTS).items():
        if not (found := _KEY.fullmatch(key)):
            raise TrainingError(f"{adapter}: {key} is not a matrix of LoRA; export the merged model as a GGUF")
        sides.setdefault(found["module"], {})[found["side"]] = values.astype("float32")
    if incomplete := [module for module, pair in sides.items() if len(pair) != len("AB")]:
        raise TrainingError(f"{adapter}: {incomplete[0]} has one of its two matrices only; train it again")
    if not sides:
        raise TrainingError(f"{adapter}: there is no matrix in it; train it again")
    return {name: _Pair(pair["A"], pair["B"], _scale(config, name, len(pair["A"]))) for name, pair in sides.items()}


def _scale(config: Mapping[str, Any], module: str, rank: int) -> float:
    """Return PEFT's scaling of one module. A pattern of its name may set its alpha."""
    patterns: Mapping[str, float] = config.get("alpha_pattern") or {}
    own = [alpha for pattern, alpha in patterns.items() if re.fullmatch(rf"(.*\.)?({pattern})", module)]
    alpha = float(own[0] if own else config["lora_alpha"])
    return alpha / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _pairs_by_tensor(template: GgufLayout, pairs: Mapping[str, _Pair]) -> Iterator[tuple[str, _Pair]]:
    """Yield the update of each tensor of the base model by its GGUF name, in the order of the base model."""
    found = {template.name_of(f"{module}.weight"): pair for module, pair in pairs.items()}
    known = {tensor.name: tensor_shape(tensor) for tensor in template.reader.tensors}
    for name, pair in found.items():
        if known.get(name) != (pair.b.shape[0], pair.a.shape[1]):
            raise TrainingError(f"{template.path}: {name} is not of the shape that the adapter was trained on")
    for name in (name for name in known if name in found):
        pair, heads = found[name], template.tensors[name].heads
        yield name, _Pair(pair.a, permute_heads(pair.b, heads) if heads else pair.b, pair.scale)


def _write(path: Path, architecture: str, pairs: Mapping[str, _Pair], alpha: float) -> None:
    from gguf import GGUFType, GGUFWriter, Keys, LlamaFileType

    writer = GGUFWriter(path, architecture)
    writer.add_type(GGUFType.ADAPTER)
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_string(Keys.Adapter.TYPE, "lora")
    writer.add_float32(Keys.Adapter.LORA_ALPHA, alpha)
    for name, pair in pairs.items():
        rank = pair.a.shape[0]
        writer.add_tensor(f"{name}.lora_a", pair.a)
        writer.add_tensor(f"{name}.lora_b", pair.b * (pair.scale * rank / alpha if alpha else 1.0))
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()
