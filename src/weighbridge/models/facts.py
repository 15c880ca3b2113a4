"""Reads what a base model is from its files, without loading it: context, parameters, memory of a token.

A GGUF begins with its metadata. The `gguf` library reads them too, but takes 24 s for a model of 0.5 billion parameters
with 152,000 tokens, because it makes an array of each token; skipping the tokens takes 1.9 s.
"""

import json
import math
import mmap
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.errors import UserError
from weighbridge.models import find_local, find_model
from weighbridge.settings.fit import ModelFacts

_ENDPOINT_CONTEXT = 8192
"""Tokens: the least that models at an endpoint of 2026 read. An endpoint does not tell."""
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The value types of GGUF, as letters of `struct`."""
_STRING, _ARRAY = 8, 9
_CACHE_BYTES = 2
"""Bytes of a number in the cache of keys and values: llama.cpp's default is F16."""


def read_model_facts(path: Path, name: str) -> ModelFacts:
    """Return the facts of a GGUF file, or of a transformers folder.

    Raises:
        UserError: it is neither.
    """
    try:
        if path.is_dir():
            return _folder_facts(path, name)
        return _gguf_facts(path, name)
    except (OSError, ValueError, KeyError, struct.error, IndexError) as error:
        raise UserError(
            f"{path}: is neither a GGUF nor a folder with a config.json of a language model ({error}); "
            "name another base model"
        ) from error


def facts_without_download(reference: str) -> ModelFacts | None:
    """Return the facts of a model whose files are on this machine, or that is known; None where they are not.

    Raises:
        UserError: the reference names files that are none of a language model.
    """
    if reference.startswith("openai:"):
        return ModelFacts(name=reference.removeprefix("openai:"), context=_ENDPOINT_CONTEXT)
    if path := find_local(reference):
        return read_model_facts(path, path.name)
    known = find_model(reference)
    if known is None or known.kind != "generator":
        return None
    return ModelFacts(name=known.name, context=known.context, parameters=round(known.parameters * 1e6))


def config_facts(config: Mapping[str, Any], name: str, *, parameters: int) -> ModelFacts:
    """Return the facts in a transformers config.json; a model that reads images too keeps them under text_config."""
    text = config.get("text_config", config)
    heads = int(text["num_attention_heads"])
    size = int(text.get("head_dim") or int(text["hidden_size"]) // heads)
    groups = int(text.get("num_key_value_heads") or heads)
    return ModelFacts(
        name=name,
        context=int(text["max_position_embeddings"]),
        parameters=parameters,
        cache_bytes=2 * int(text["num_hidden_layers"]) * groups * size * _CACHE_BYTES,
    )


def _folder_facts(folder: Path, name: str) -> ModelFacts:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    parameters = sum(_safetensors_size(file) for file in sorted(folder.glob("*.safetensors")))
    return config_facts(config, name, parameters=parameters)


def _safetensors_size(file: Path) -> int:
    """Return the numbers in a safetensors file, by its header: 8 bytes of length, then JSON."""
    with file.open("rb") as opened:
        (length,) = struct.unpack("<Q", opened.read(8))
        header = json.loads(opened.read(length))
    return sum(math.prod(tensor["shape"]) for key, tensor in header.items() if key != "__metadata__")


def _gguf_facts(path: Path, name: str) -> ModelFacts:
    with path.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
        reader = _GgufHeader(data)
        metadata, parameters = reader.metadata(), reader.parameters()
    kind = metadata["general.architecture"]

    def value(key: str) -> int:
        found = metadata.get(f"{kind}.{key}", 0)
        return int(max(found) if isinstance(found, list) else found)  # some models list a value for each block

    heads = value("attention.head_count") or 1
    size = value("attention.key_length") or value("embedding_length") // heads
    groups = value("attention.head_count_kv") or heads
    return ModelFacts(
        name=name,
        context=int(metadata[f"{kind}.context_length"]),
        parameters=parameters,
        cache_bytes=2 * value("block_count") * groups * size * _CACHE_BYTES,
    )


class _GgufHeader:
    """Reads the head of a GGUF from its start: key-value pairs, then the shapes of the tensors."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.place = data, 4
        if data[:4] != b"GGUF":
            raise ValueError("it does not begin with GGUF")
        version, self.tensors, self.pairs = self._number("I"), self._number("Q"), self._number("Q")
        if version not in (2, 3):
            raise ValueError(f"GGUF version {version} is unknown")

    def metadata(self) -> dict[str, Any]:
        """Read the pairs. Long arrays, such as the tokens, are skipped."""
        return {self._text(): self._value(self._number("I")) for _ in range(self.pairs)}

    def parameters(self) -> int:
        """Read the shapes of all tensors, and return how many numbers they hold. Call it after `metadata`."""
        total = 0
        for _ in range(self.tensors):
            self._text()
            total += math.prod([self._number("Q") for _ in range(self._number("I"))])
            self.place += 4 + 8  # its type and its place in the file
        return total

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._text()
        if kind != _ARRAY:
            return self._number(_SCALARS[kind])
        inner, length = self._number("I"), self._number("Q")
        if inner in _SCALARS and length <= 1024:  # noqa: PLR2004 - a value for each block, and no list of tokens
            return [self._number(_SCALARS[inner]) for _ in range(length)]
        if inner in _SCALARS:
            self.place += length * struct.calcsize(_SCALARS[inner])
        else:
            for _ in range(length):
                self._value(inner)
        return None

    def _text(self) -> str:
        start = self.place + 8
        self.place = start + struct.unpack_from("<Q", self.data, self.place)[0]
        return self.data[start : self.place].decode("utf-8", "replace")

    def _number(self, letter: str) -> Any:
        value = struct.unpack_from(f"<{letter}", self.data, self.place)[0]
        self.place += struct.calcsize(f"<{letter}")
        return value
