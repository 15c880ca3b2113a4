"""The local embedder against plain transformers, and the tokenizer's offsets."""

import subprocess
import sys
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.embed import native_precision, open_embedder, open_tokenizer

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
def test_half_precision_is_for_documents_only_and_close(minilm: Path) -> None:
    exact = open_embedder(minilm, precision="float32")
    halved = open_embedder(minilm, precision="bfloat16")
    documents = halved.embed(TEXTS, kind="document")
    reference = exact.embed(TEXTS, kind="document")
    assert (documents * reference).sum(1).min() >= 0.999
    assert not np.array_equal(documents, reference)
    np.testing.assert_allclose(halved.embed(TEXTS, kind="query"), exact.embed(TEXTS, kind="query"), atol=1e-6)
    assert halved.fingerprint != exact.fingerprint


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
def test_tokenizer_loads_no_torch(minilm: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from weighbridge.retrieve.embed import open_embedder, open_tokenizer;"
        "folder = Path(sys.argv[1]); open_tokenizer(folder)('a text'); open_embedder(folder);"
        "sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"
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


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("flags : fpu avx2 avx512f", "float32"),
        ("flags : fpu avx512_bf16", "bfloat16"),
        ("Features : fp asimd bf16", "bfloat16"),
    ],
)
def test_precision_follows_the_processor(tmp_path: Path, flags: str, precision: str) -> None:
    (tmp_path / "cpuinfo").write_text(flags)
    assert native_precision(tmp_path / "cpuinfo") == precision
    assert native_precision(tmp_path / "absent") == "float32"
