"""Weights become a GGUF file, and a tuned model becomes weights.

A GGUF is written after a template, the GGUF the base model came from: the same metadata and the same tensors, with
new values. llama.cpp stores the rows of the query and key projections of Llama models in another order than
transformers does (pairs of a rotary rotation side by side, not half a head apart), so they are permuted here as
`convert_hf_to_gguf.py` of llama.cpp does. Reading a GGUF undoes it.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.train.runtime.adapter_weights import merged_network
from weighbridge.train.runtime.base_model import BaseFiles, load_network, read_gguf
from weighbridge.train.runtime.quiet import quiet

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

Quantisation = Literal["Q8_0", "Q4_0", "F16", "BF16"]
Weights = Mapping[str, Any]
"""Tensors (torch, any float type) by the names transformers gives them."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufLayout:
    """How a GGUF names and orders its tensors."""

    path: Path
    architecture: str
    reader: Any = field(repr=False)
    names: Any = field(repr=False)

    def name_of(self, key: str) -> str:
        """Return the GGUF's name of a tensor of transformers; the key itself where the GGUF has no name for it."""
        return self.names.get_name(key, try_suffixes=(".weight", ".bias")) or key

    def to_gguf_order(self, name: str, rows: "Array") -> "Array":
        """Return the rows of the tensor of this name (the GGUF's) in the GGUF's order; shape (rows, ...)."""
        return _ORDERS[self.architecture](self.reader, name, rows)


def layout(template: Path) -> GgufLayout:
    """Return how a GGUF is laid out; `TrainingError` where its architecture cannot be exported."""
    from gguf import MODEL_ARCH, MODEL_ARCH_NAMES, get_tensor_name_map

    reader = read_gguf(template)
    architecture = str(reader.fields["general.architecture"].contents())
    if architecture not in _ORDERS:
        raise TrainingError(
            f"{template}: models of the {architecture!r} architecture cannot be exported; "
            f"choose a base model of {' or '.join(_ORDERS)}"
        )
    arch = next(arch for arch in MODEL_ARCH if MODEL_ARCH_NAMES[arch] == architecture)
    names = get_tensor_name_map(arch, int(reader.fields[f"{architecture}.block_count"].contents()))
    return GgufLayout(path=template, architecture=architecture, reader=reader, names=names)


def base_weights(base: BaseFiles) -> Weights:
    """Return the weights of a base model, float32."""
    import torch

    with quiet():
        return dict(load_network(base, precision=torch.float32).state_dict())


def merged_weights(base: BaseFiles, adapter: Path) -> Weights:
    """Return the weights of the tuned model, float32: those of a full fine-tuning, or the base model's with all added.

    Raises:
        TrainingError: the adapter's method cannot be merged, or its folder is not whole.
    """
    return dict(merged_network(base, adapter).state_dict())


def write_gguf(template: Path, weights: Weights, target: Path, *, quantisation: Quantisation) -> Path:
    """Write weights as a GGUF file, whole or not at all, and return its path.

    Matrices are stored in the quantisation, vectors in float32. As in llama.cpp, a matrix with rows that do not divide
    into blocks of 32 is stored as F16, and embeddings are Q8_0 where the rest is Q4_0.

    Raises:
        TrainingError: the weights are not the template's, or its architecture cannot be exported.
        WorkspaceError: the file cannot be written.
    """
    return write_like(layout(template), weights, target, quantisation=quantisation)


def write_like(template: GgufLayout, weights: Weights, target: Path, *, quantisation: Quantisation) -> Path:
    """Write a GGUF like `write_gguf`, with a template already read. Reading a large vocabulary takes seconds."""
    named = _values_by_tensor(template, weights)
    with written_beside(target) as beside:
        _write(template.reader, named, beside, quantisation)
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
        wanted = _kind(tensor.name, _shape(tensor), quantisation).name
        if (there := stored.get(tensor.name)) is None:
            found.append(f"{tensor.name} is missing")
        elif there.tensor_type.name != wanted or _shape(there) != _shape(tensor):
            found.append(f"{tensor.name} is stored as {there.tensor_type.name} {_shape(there)}, not as {wanted}")
    return tuple(found)


def _same(one: Any, other: Any) -> bool:
    """Tell whether two fields hold the same bytes."""
    return b"".join(part.tobytes() for part in one.parts) == b"".join(part.tobytes() for part in other.parts)


def permute_heads(matrix: "Array", heads: int) -> "Array":
    """Return a projection's rows in llama.cpp's order; shape (heads * size, inputs), size even."""
    pairs = matrix.reshape(heads, 2, matrix.shape[0] // heads // 2, *matrix.shape[1:])
    return pairs.swapaxes(1, 2).reshape(matrix.shape)


def _llama_order(reader: Any, name: str, values: "Array") -> "Array":
    if ".attn_q." in name:
        return permute_heads(values, int(reader.fields["llama.attention.head_count"].contents()))
    if ".attn_k." in name:
        key = "llama.attention.head_count"
        grouped = reader.fields.get(f"{key}_kv", reader.fields[key])
        return permute_heads(values, int(grouped.contents()))
    return values


_ORDERS: Mapping[str, Callable[[Any, str, "Array"], "Array"]] = {"llama": _llama_order}
"""How each architecture we export lays out its matrices in a GGUF; one is added together with a test of its parity."""


def _values_by_tensor(template: GgufLayout, weights: Weights) -> dict[str, "Array"]:
    """Return the new values of every tensor of the template, by its GGUF name, in the template's order."""
    found = {template.name_of(key): key for key in weights}
    wanted = {tensor.name: _shape(tensor) for tensor in template.reader.tensors}
    tied = {"output.weight"} if "output.weight" not in wanted and _is_tied(weights) else set()
    if strange := sorted(name for name in found.keys() ^ wanted.keys() if name not in tied):
        raise TrainingError(f"{template.path}: weights and template differ in {', '.join(strange[:3])}")
    values = {name: weights[found[name]].detach().float().cpu().numpy() for name in wanted}
    for name, shape in wanted.items():
        if values[name].shape != shape:
            raise TrainingError(f"{name}: has shape {values[name].shape}, the template has {shape}")
    return {name: template.to_gguf_order(name, array) for name, array in values.items()}


def _shape(tensor: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in reversed(tensor.shape))


def _is_tied(weights: Weights) -> bool:
    import torch

    head, embedding = weights.get("lm_head.weight"), weights.get("model.embed_tokens.weight")
    return head is None or (embedding is not None and torch.equal(head, embedding))


def _write(reader: Any, named: Mapping[str, "Array"], target: Path, quantisation: Quantisation) -> None:
    from gguf import GGUFWriter, LlamaFileType
    from gguf.constants import GGML_QUANT_VERSION, GGUFValueType
    from gguf.quants import quantize

    writer = GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    for name, said in reader.fields.items():
        if not name.startswith(_OWN):
            inner = said.types[-1] if said.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, said.contents(), said.types[0], inner)
    writer.add_file_type(LlamaFileType[f"MOSTLY_{quantisation}"])
    writer.add_quantization_version(GGML_QUANT_VERSION)
    for name, values in named.items():
        kind = _kind(name, values.shape, quantisation)
        writer.add_tensor(name, quantize(values, kind), raw_dtype=kind)
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
