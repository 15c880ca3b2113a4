"""How a GGUF stores the weights of a model: which tensor of transformers each of its tensors is, and in what order.

Converters rename tensors, and change some: llama.cpp keeps the rows of the query and key projections of Llama models
with the pairs of a rotation side by side, not half a head apart, and the norms of Gemma with one added. There is no
table of architectures here. The changes that are known are tried on each tensor until the base model's own weights
give the values in its GGUF; a tensor that none of them gives cannot be written, and the reason is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

Weights = Mapping[str, Any]
"""Tensors (torch, any float type) by the names transformers gives them."""

_CONSTANTS = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
"""Tensors that follow from the configuration: no weight is in them."""
_SAMPLED_ROWS = 256
"""Rows compared at each end of an embedding of many rows, which is never reordered; of all else every value is."""
_MANY_ROWS = 16_384
_ROUNDING = 2e-3
"""Relative difference that a norm may have once one is added: the sum is rounded to the precision of its file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """How one tensor of a GGUF is made of one of transformers."""

    key: str = ""
    """The tensor's name in transformers; empty for a constant, which is copied from the template."""
    heads: int = 0
    """The heads whose rows lie with the pairs of a rotation side by side; 0 where no row is moved."""
    added: float = 0.0
    """What is added to each value."""
    transposed: bool = False

    def convert(self, values: "Array") -> "Array":
        """Return the values of transformers as the GGUF stores them."""
        if self.transposed:
            values = values.T
        if self.heads:
            values = permute_heads(values, self.heads)
        return values + values.dtype.type(self.added) if self.added else values


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufLayout:
    """A GGUF as the template of others, and how it names and orders its tensors."""

    path: Path
    architecture: str
    reader: Any = field(repr=False)
    tensors: Mapping[str, StoredTensor] = field(repr=False)
    """By the names in the GGUF, in its order."""

    def name_of(self, key: str) -> str:
        """Return the GGUF's name of a tensor of transformers; the key itself where the GGUF has none for it."""
        return next((name for name, stored in self.tensors.items() if stored.key == key), key)


def read_gguf(path: Path) -> Any:
    """Return a reader of a GGUF file, as the `gguf` library reads it but five times as fast.

    The library slices a `numpy.memmap` for each of some 150,000 parts of a tokenizer, 4.5 s for SmolLM2 135M. A plain
    array over the same memory takes 0.9 s.

    Raises:
        ValueError, OSError, IndexError, KeyError: the file is not a GGUF.
    """
    import numpy as np
    from gguf import GGUFReader

    class Reader(GGUFReader):  # type: ignore[misc]  # the library has no types
        """Keeps the file's bytes as a plain array."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, np.asarray(value) if name == "data" else value)

    return Reader(path)


def architecture_of(reader: Any) -> str:
    """Return the architecture that a GGUF names."""
    return str(reader.fields["general.architecture"].contents())


def match_tensors(path: Path, weights: Weights) -> dict[str, StoredTensor]:
    """Return how a GGUF stores the base model's weights, by its tensors' names and in their order.

    Raises:
        TrainingError: a tensor of the one is not in the other, or is stored in a way that is not known here.
    """
    reader = read_gguf(path)
    keys = keys_by_name(path, reader, weights)
    made: dict[str, StoredTensor] = {}
    # The weight of a projection before its bias: a bias of nothing but zeros does not show how it is ordered.
    for tensor in sorted(reader.tensors, key=lambda one: one.name.endswith(".bias")):
        if tensor.name in _CONSTANTS:
            made[tensor.name] = StoredTensor()
            continue
        weight = made.get(f"{tensor.name.removesuffix('.bias')}.weight")
        stored = _match(reader, tensor, keys.get(tensor.name, ""), weights, weight)
        if stored is None:
            raise TrainingError(
                f"{path}: {tensor.name} cannot be written: none of the known ways gives it from the weights that "
                f"transformers reads of this {architecture_of(reader)!r} model; set model.engine to transformers"
            )
        made[tensor.name] = stored
    _require_all(path, made, weights)
    return {tensor.name: made[tensor.name] for tensor in reader.tensors}


def tensor_shape(tensor: Any) -> tuple[int, ...]:
    """Return the shape of a GGUF's tensor in the order of numpy, rows first."""
    return tuple(int(size) for size in reversed(tensor.shape))


def permute_heads(matrix: "Array", heads: int) -> "Array":
    """Return a projection's rows in llama.cpp's order; shape (heads * size, ...), size even."""
    pairs = matrix.reshape(heads, 2, matrix.shape[0] // heads // 2, *matrix.shape[1:])
    return pairs.swapaxes(1, 2).reshape(matrix.shape)


def restore_heads(matrix: "Array", heads: int) -> "Array":
    """Return rows in the order of transformers: undo `permute_heads`."""
    pairs = matrix.reshape(heads, matrix.shape[0] // heads // 2, 2, *matrix.shape[1:])
    return pairs.swapaxes(1, 2).reshape(matrix.shape)


def keys_by_name(path: Path, reader: Any, weights: Weights) -> dict[str, str]:
    """Return the names in transformers by those in the GGUF."""
    from gguf import MODEL_ARCH_NAMES, get_tensor_name_map

    architecture = architecture_of(reader)
    known = {name: arch for arch, name in MODEL_ARCH_NAMES.items()}
    if architecture not in known:
        raise TrainingError(
            f"{path}: the names of the tensors of {architecture!r} models are not known here; set model.engine to "
            "transformers"
        )
    names = get_tensor_name_map(known[architecture], int(reader.fields[f"{architecture}.block_count"].contents()))
    found: dict[str, str] = {}
    for key in weights:
        if name := names.get_name(key, try_suffixes=(".weight", ".bias")):
            found[name] = key
    return found


def _match(
    reader: Any, tensor: Any, key: str, weights: Weights, projection: StoredTensor | None
) -> StoredTensor | None:
    """Return how a tensor is stored; None if it is in no way that is known."""
    import numpy as np

    if key not in weights:
        return None
    values: Array = weights[key].detach().float().cpu().numpy()
    shape, rows = tensor_shape(tensor), slice(None)
    if len(shape) > 1 and shape[0] > _MANY_ROWS and values.shape == shape:
        ends = np.r_[:_SAMPLED_ROWS, -_SAMPLED_ROWS:0]
        return StoredTensor(key=key) if np.array_equal(stored_values(tensor, ends), values[ends]) else None
    wanted = stored_values(tensor, rows)
    for stored in _ways(reader, tensor.name, key, values, projection):
        made = stored.convert(values)
        if made.shape != shape:
            continue
        if np.allclose(made, wanted, rtol=_ROUNDING, atol=0) if stored.added else np.array_equal(made, wanted):
            return stored
    return None


def _ways(reader: Any, name: str, key: str, values: "Array", projection: StoredTensor | None) -> Iterator[StoredTensor]:
    """Yield the ways to store a tensor that are known, the likeliest first."""
    if projection and projection.heads:
        yield StoredTensor(key=key, heads=projection.heads)
    yield StoredTensor(key=key)
    if ".attn_q." in name or ".attn_k." in name:
        for heads in _head_counts(reader, name):
            if heads and values.shape[0] % (2 * heads) == 0:
                yield StoredTensor(key=key, heads=heads)
    if values.ndim == 1:
        yield StoredTensor(key=key, added=1.0)
    if values.ndim == len(("rows", "columns")):
        yield StoredTensor(key=key, transposed=True)


def _head_counts(reader: Any, name: str) -> Iterator[int]:
    """Yield the numbers of heads that a block may have: those of queries, and those of keys."""
    for count in ("head_count", "head_count_kv"):
        found = reader.fields.get(f"{architecture_of(reader)}.attention.{count}")
        if found is not None:
            said = found.contents()
            yield int(said[int(name.split(".")[1])]) if isinstance(said, list) else int(said)


def stored_values(tensor: Any, rows: Any) -> "Array":
    """Return the values of some rows of a GGUF's tensor."""
    from gguf.quants import dequantize

    shape = tensor_shape(tensor)
    data = tensor.data.reshape(shape[0], -1) if len(shape) > 1 else tensor.data
    made: Array = dequantize(data[rows], tensor.tensor_type)
    return made.reshape(-1, *shape[1:])


def _require_all(path: Path, made: Mapping[str, StoredTensor], weights: Weights) -> None:
    """Refuse a GGUF that lacks a weight. A head that is the embedding over again is not stored twice."""
    stored = {tensor.key for tensor in made.values()}
    tied = {"lm_head.weight"} if is_tied(weights) else set()
    if lacking := sorted(key for key in weights if key not in stored | tied):
        raise TrainingError(f"{path}: weights and template differ in {', '.join(lacking[:3])}")


def is_tied(weights: Weights) -> bool:
    """Tell whether the head is the embedding over again."""
    import torch

    head = weights.get("lm_head.weight")
    embedding = next((values for key, values in weights.items() if key.endswith("embed_tokens.weight")), None)
    return head is None or (embedding is not None and torch.equal(head, embedding))
