"""The engine for models that we do not draw ourselves, against the one for those that we do."""

import json
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.embed.torch import TorchEngine

pytestmark = pytest.mark.models
TEXTS = ["The harbour opens at six.", "", "Boats are blue. " * 30]


def test_both_engines_agree(minilm: Path) -> None:
    embedder = open_embedder(minilm, precision="float32")
    engine = TorchEngine(minilm, halved=False, threads=2)
    tokens = embedder.tokens(TEXTS)
    np.testing.assert_allclose(engine.vectors(tokens, "query"), embedder.embed(TEXTS, kind="query"), atol=1e-5)
    ours = embedder.token_vectors(TEXTS, kind="query")
    for theirs, rows in zip(engine.states(tokens, "query"), ours, strict=True):
        np.testing.assert_allclose(theirs[1:-1], rows, atol=1e-5)


def test_other_architectures_are_run_by_torch(minilm: Path, tmp_path: Path) -> None:
    folder = copytree(minilm, tmp_path / "embedder")
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, "hidden_act": "gelu_new"}))
    with pytest.raises(WorkspaceError, match="only BERT"):
        open_embedder(folder, precision="int8")
    other = open_embedder(folder, precision="bfloat16").embed(TEXTS, kind="document")
    exact = open_embedder(minilm, precision="float32").embed(TEXTS, kind="document")
    assert (other * exact).sum(1).min() > 0.999
