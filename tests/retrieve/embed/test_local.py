"""The local embedder against plain transformers, and the tokenizer's offsets."""

import json
import struct
import subprocess
import sys
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from weighbridge.errors import WorkspaceError
from weighbridge.machine.hardware import this_hardware
from weighbridge.retrieve.embed.batches import Kind
from weighbridge.retrieve.embed.local import Precision, open_embedder, open_tokenizer

NATIVE = {"int8": {"avx512_vnni", "avx_vnni", "amx_int8"}, "bfloat16": {"avx512_bf16", "amx_bf16", "bf16"}}
TEXTS = [
    "The harbour opens at six.",
    "Boats are blue, and the lighthouse was built in 1854 by a company of stonemasons from the north.",
    "",
    "naïve café 😀",
    "tides " * 400,
]


@pytest.mark.models
def test_equals_mean_pooling_by_transformers(minilm: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(minilm)
    model = AutoModel.from_pretrained(minilm).eval()
    rows = []
    for text in TEXTS:
        inputs = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        with torch.inference_mode():
            mean = model(**inputs).last_hidden_state[0].mean(0)
        rows.append((mean / mean.norm()).numpy())
    ours = open_embedder(minilm, precision="float32").embed(TEXTS, kind="document")
    np.testing.assert_allclose(ours, np.stack(rows), atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize(
    ("precision", "least", "elsewhere"),
    [("bfloat16", 0.999, 0.999), ("int8", 0.95, 0.9)],
)
def test_less_precision_is_for_documents_only_and_close(
    minilm: Path, precision: Precision, least: float, elsewhere: float
) -> None:
    """A processor without a precision may compute in float32, or saturate sums of int8: `elsewhere`."""
    native = bool(NATIVE[precision] & {*this_hardware().flags})
    exact = open_embedder(minilm, precision="float32")
    rounded = open_embedder(minilm, precision=precision)
    documents = rounded.embed(TEXTS, kind="document")
    reference = exact.embed(TEXTS, kind="document")
    assert (documents * reference).sum(1).min() >= (least if native else elsewhere)
    assert not native or not np.array_equal(documents, reference)
    np.testing.assert_allclose(rounded.embed(TEXTS, kind="query"), exact.embed(TEXTS, kind="query"), atol=1e-6)
    assert rounded.fingerprint != exact.fingerprint


@pytest.mark.models
def test_many_texts_come_in_order(minilm: Path) -> None:
    embedder = open_embedder(minilm, precision="float32")
    texts = [f"{number} boats" for number in range(2100)]
    some = [0, 7, 2047, 2048, 2099]
    rows = embedder.embed(texts, kind="document")[some]
    np.testing.assert_allclose(rows, embedder.embed([texts[i] for i in some], kind="document"), atol=1e-5)


@pytest.mark.models
@pytest.mark.parametrize("kind", ["query", "document"])
def test_token_vectors_are_unit_rows_without_special_tokens(minilm: Path, kind: Kind) -> None:
    embedder = open_embedder(minilm)
    rows = embedder.token_vectors(["harbour boats", "", "tides " * 400], kind=kind)
    assert [len(found) for found in rows] == [2, 0, 254]
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(rows), axis=1), 1, atol=1e-3)


@pytest.mark.models
def test_each_word_alone_is_that_word(minilm: Path, tmp_path: Path) -> None:
    embedder = open_embedder(_first_words(minilm, tmp_path / "model", 2_100), precision="float32")
    number = embedder.tokens(["time"])[0][1]
    alone = embedder.embed(["time"], kind="document")[0]
    words = embedder.word_vectors()
    assert len(words) == 2_100
    np.testing.assert_allclose(words[number], alone, atol=1e-5)


def _first_words(minilm: Path, folder: Path, count: int) -> Path:
    """Write a copy of the model that knows only the first words of its vocabulary: all 30,522 take a minute."""
    copytree(minilm, folder)
    tensors = load_file(folder / "model.safetensors")
    name = next(key for key in tensors if key.endswith("word_embeddings.weight"))
    save_file({**tensors, name: tensors[name][:count].copy()}, folder / "model.safetensors", metadata={"format": "pt"})
    for file, change in (("config.json", _fewer_words), ("tokenizer.json", _shorter_vocabulary)):
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        change(content, count)
        (folder / file).write_text(json.dumps(content), encoding="utf-8")
    return folder


def _fewer_words(config: dict[str, Any], count: int) -> None:
    config["vocab_size"] = count


def _shorter_vocabulary(tokenizer: dict[str, Any], count: int) -> None:
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {word: number for word, number in vocabulary.items() if number < count}


@pytest.mark.models
def test_offsets_cover_every_word_however_long_the_text(minilm: Path) -> None:
    offsets = open_tokenizer(minilm)
    text = "The café opened. " * 300 + "\ud800 end"
    places = list(offsets(text))
    assert len(places) > 512
    assert text[slice(*places[1])] == "café"
    assert text[places[-1][0] :] == "end"
    assert offsets("") == []


@pytest.mark.models
def test_neither_torch_nor_telemetry_is_loaded(minilm: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from weighbridge.retrieve.embed.local import open_embedder, open_tokenizer;"
        "folder = Path(sys.argv[1]); open_tokenizer(folder)('a text'); embedder = open_embedder(folder);"
        "assert 'openvino' not in sys.modules; embedder.embed(['a text'], kind='query');"
        "sys.exit(any(sys.modules.get(name) for name in ('torch', 'transformers', 'openvino_telemetry')))"
    )
    subprocess.run([sys.executable, "-c", code, str(minilm)], check=True)


@pytest.mark.models
@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(minilm: Path, tmp_path: Path, missing: str) -> None:
    folder = copytree(minilm, tmp_path / "embedder")
    (folder / missing).unlink()
    with pytest.raises(WorkspaceError, match=missing):
        open_embedder(folder)


def test_broken_settings_are_reported(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(WorkspaceError, match="not valid JSON"):
        open_embedder(tmp_path)


@pytest.mark.models
def test_weights_without_words_are_reported(minilm: Path, tmp_path: Path) -> None:
    folder = copytree(minilm, tmp_path / "embedder")
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", 2) + b"{} ")
    with pytest.raises(WorkspaceError, match="word_embeddings"):
        open_embedder(folder).embed(["a text"], kind="query")


@pytest.mark.models
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_the_choice_of_the_machine_is_the_precision(
    minilm: Path, precision: Precision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_EMBEDDING_PRECISION", precision)
    assert open_embedder(minilm).fingerprint == open_embedder(minilm, precision=precision).fingerprint
