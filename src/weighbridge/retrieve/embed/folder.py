"""Reads an embedder's folder: its settings, its tokenizer and its weights. Loads no engine."""

import hashlib
import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from weighbridge.errors import WorkspaceError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = "model.safetensors"
_TYPES: dict[str, Any] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
ROBERTAS = frozenset({"roberta", "xlm-roberta", "camembert"})
"""BERTs whose positions begin after that of the padding token."""
_PREFIX = re.compile("^(bert|roberta)[.]")
_WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"


@dataclass(frozen=True, slots=True)
class Bert:
    """The numbers of a BERT, RoBERTa or XLM-R encoder, which differ in their positions alone.

    Weights are called as in the file, without a leading `bert.` or `roberta.`, and are all float32.
    """

    weights: Mapping[str, "NDArray[np.float32]"]
    layers: int
    heads: int
    epsilon: float
    first_position: int = 0
    """RoBERTa and XLM-R number positions from the padding token's on."""


def read_settings(file: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        WorkspaceError: the file is missing or not JSON.
    """
    try:
        settings: dict[str, Any] = json.loads(read_model_file(file))
    except json.JSONDecodeError as error:
        raise WorkspaceError(f"{file}: not valid JSON ({error}); fetch the embedder again") from error
    return settings


def read_tokenizer(folder: Path) -> Any:
    """Open the folder's tokenizer. It pads nothing, and cuts nothing until it is told to."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(read_model_file(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return tokenizer


def replace_surrogates(text: str) -> str:
    """Return the text with a question mark for each lone surrogate, as encoders want it; offsets stay the same."""
    return text.encode("utf-8", "replace").decode("utf-8")


def file_sha256(file: Path) -> str:
    """Return the SHA-256 of a file of the folder."""
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(file, error) from error


def read_model_file(file: Path) -> str:
    """Read a file of the folder.

    Raises:
        WorkspaceError: the file cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise _unreadable(file, error) from error


def unused_positions(settings: Mapping[str, Any]) -> int:
    """Return how many positions come before that of the first token."""
    return int(settings.get("pad_token_id") or 0) + 1 if settings.get("model_type") in ROBERTAS else 0


def is_bert(folder: Path) -> bool:
    """Tell whether `read_bert` can read it: absolute positions, the exact GELU, weights in 32 or 16 bit floats."""
    settings = read_settings(folder / "config.json")
    if settings.get("model_type") != "bert" and settings.get("model_type") not in ROBERTAS:
        return False
    kind = (settings.get("hidden_act"), settings.get("position_embedding_type", "absolute"))
    types = {entry["dtype"] for entry in _read_header(folder)[0].values()}
    return kind == ("gelu", "absolute") and types <= {*_TYPES, "I64"}


def read_bert(folder: Path) -> Bert:
    """Read the weights of a folder that `is_bert`; float32 ones stay on disk until they are used."""
    settings, (layout, start) = read_settings(folder / "config.json"), _read_header(folder)
    # Copy on write: OpenVINO shares only arrays that could be written, and writes to none.
    stored = np.memmap(folder / WEIGHTS, np.uint8, "c", offset=start)
    used = {_PREFIX.sub("", name): entry for name, entry in layout.items() if entry["dtype"] in _TYPES}
    weights: dict[str, NDArray[np.float32]] = {}
    for name, entry in used.items():
        begin, end = entry["data_offsets"]
        numbers = stored[begin:end].view(_TYPES[entry["dtype"]]).astype(np.float32, copy=False)
        weights[name] = numbers.reshape(entry["shape"])
    if _WORD_EMBEDDINGS not in weights:
        raise WorkspaceError(f"{folder / WEIGHTS}: has no {_WORD_EMBEDDINGS}; fetch the embedder again")
    return Bert(
        weights,
        int(settings["num_hidden_layers"]),
        int(settings["num_attention_heads"]),
        float(settings.get("layer_norm_eps", 1e-12)),
        unused_positions(settings),
    )


def _read_header(folder: Path) -> tuple[dict[str, Any], int]:
    """Return the header of a safetensors file, and the offset of its first number."""
    try:
        with (folder / WEIGHTS).open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            header: dict[str, Any] = json.loads(opened.read(length))
    except OSError as error:
        raise _unreadable(folder / WEIGHTS, error) from error
    except (struct.error, ValueError) as error:
        raise WorkspaceError(f"{folder / WEIGHTS}: not in the safetensors format; fetch the embedder again") from error
    header.pop("__metadata__", None)
    return header, 8 + length


def _unreadable(file: Path, error: OSError) -> WorkspaceError:
    return WorkspaceError(
        f"{file}: cannot be read ({error.strerror}); "
        f"retrieval.embedder must name a folder with config.json, tokenizer.json and {WEIGHTS}"
    )
