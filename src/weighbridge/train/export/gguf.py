"""Weights become a GGUF file, and a tuned model becomes weights.

A GGUF is written after a template, the GGUF of the base model: the same metadata and the same tensors, with new values
in the order that the template has them in (`gguf_layout.py`).
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.train.runtime.adapter_weights import merged_network
from weighbridge.train.runtime.base_model import BaseFiles, layout
from weighbridge.train.runtime.gguf_layout import GgufLayout, Weights, is_tied, read_gguf, tensor_shape

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

Quantisation = Literal["Q8_0", "Q4_0", "F16", "BF16"]
_OWN = (
    "GGUF.",
    "split.",
    "general.alignment",
    "general.architecture",
    "general.file_type",
    "general.quantization_version",
)
"""Prefixes of the metadata that the writer sets itself."""
_BLOCK = 32


def merged_weights(base: BaseFiles, adapter: Path) -> Weights:
    """Return the weights of the tuned model, float32: those of a full fine-tuning, or the base model's with all added.

    Raises:
        TrainingError: the adapter's method cannot be merged, or its folder is not whole.
    """
    return dict(merged_network(base, adapter).state_dict())


def write_gguf(base: BaseFiles, weights: Weights, target: Path, *, quantisation: Quantisation) -> Path:
    """Write weights as a GGUF file, whole or not at all, and return its path.

    Matrices are stored in the quantisation, vectors in float32. As in llama.cpp, a matrix with rows that do not divide
    into blocks of 32 is stored as F16, and embeddings are Q8_0 where the rest is Q4_0.

    Raises:
        TrainingError: the base model has no GGUF, or the weights are not of its shapes.
        WorkspaceError: the file cannot be written.
    """
    return write_like(layout(base), weights, target, quantisation=quantisation)


def write_like(template: GgufLayout, weights: Weights, target: Path, *, quantisation: Quantisation) -> Path:
    """Write a GGUF like `write_gguf`, with a template already read. Reading a large vocabulary takes seconds."""
    named = _values_by_tensor(template, weights)
    with written_beside(target) as beside:
        _write(template, named, beside, quantisation)
    return target


@contextmanager
def written_beside(target: Path) -> Iterator[Path]:
    """Give a path to write a file to, and put it in the place of `target` once the block has ended well.

    Raises:
        WorkspaceError: the file cannot be written.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield beside
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{target}: cannot be written ({error}); free some disk, then run again") from error


def faults(template: GgufLayout, gguf: Path, *, quantisation: Quantisation) -> tuple[str, ...]:
    """Return the differences of a file from our own export: metadata, tensors, and the type of each.

    Raises:
        TrainingError: the file is not a GGUF.
    """
    source = template.reader
    try:
        made = read_gguf(gguf)
    except (ValueError, OSError, IndexError, KeyError) as error:
        raise TrainingError(f"{gguf}: cannot be read as a GGUF ({error}); export it again") from error
    found = [
        f"its {name} is not the base model's"
        for name, said in source.fields.items()
        if not name.startswith(_OWN) and (name not in made.fields or not _same(said, made.fields[name]))
    ]
    stored = {tensor.name: tensor for tensor in made.tensors}
    for tensor in source.tensors:
        constant = not template.tensors[tensor.name].key
        wanted = tensor.tensor_type.name if constant else _kind(tensor.name, tensor_shape(tensor), quantisation).name
        if (there := stored.get(tensor.name)) is None:
            found.append(f"{tensor.name} is missing")
        elif there.tensor_type.name != wanted or tensor_shape(there) != tensor_shape(tensor):
            found.append(f"{tensor.name} is stored as {there.tensor_type.name} {tensor_shape(there)}, not as {wanted}")
    return tuple(found)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two fields hold the same bytes."""
    return b"".join(part.tobytes() for part in one.parts) == b"".join(part.tobytes() for part in other.parts)


def _values_by_tensor(template: GgufLayout, weights: Weights) -> dict[str, "Array"]:
    """Return the new values of every tensor of the template but its constants, by its GGUF name and in its order."""
    kept = {stored.key for stored in template.tensors.values()} | ({"lm_head.weight"} if is_tied(weights) else set())
    if strange := sorted(weights.keys() - kept):
        raise TrainingError(f"{template.path}: weights and template differ in {', '.join(strange[:3])}")
    shapes = {tensor.name: tensor_shape(tensor) for tensor in template.reader.tensors}
    made: dict[str, Array] = {}
    for name, stored in template.tensors.items():
        if not stored.key:
            continue
        if stored.key not in weights:
            raise TrainingError(f"{template.path}: weights and template differ in {name}")
        made[name] = stored.convert(weights[stored.key].detach().float().cpu().numpy())
        if made[name].shape != shapes[name]:
            raise TrainingError(f"{name}: has shape {made[name].shape}, the template has {shapes[name]}")
    return made


def _write(template: GgufLayout, named: Mapping[str, "Array"], target: Path, quantisation: Quantisation) -> None:
    from gguf import GGUFWriter, LlamaFileType
    from gguf.constants import GGML_QUANT_VERSION, GGUFValueType
    from gguf.quants import quantize

    writer = GGUFWriter(target, template.architecture)
    for name, said in template.reader.fields.items():
        if not name.startswith(_OWN):
            inner = said.types[-1] if said.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, said.contents(), said.types[0], inner)
    writer.add_file_type(LlamaFileType[f"MOSTLY_{quantisation}"])
    writer.add_quantization_version(GGML_QUANT_VERSION)
    for tensor in template.reader.tensors:
        if (values := named.get(tensor.name)) is None:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
            continue
        kind = _kind(tensor.name, values.shape, quantisation)
        writer.add_tensor(tensor.name, quantize(values, kind), raw_dtype=kind)
    try:
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def _kind(name: str, shape: tuple[int, ...], quantisation: Quantisation) -> Any:
    from gguf import GGMLQuantizationType as Kind

    if len(shape) == 1:
        return Kind.F32
    if quantisation in {"F16", "BF16"}:
        return Kind[quantisation]
    if shape[-1] % _BLOCK:
        return Kind.F16
    return Kind.Q8_0 if name in {"token_embd.weight", "output.weight"} else Kind[quantisation]
