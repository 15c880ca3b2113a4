"""What is exported is what was loaded: exactly in F32 order, and to rounding in each quantisation."""

from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.train.export.gguf import Quantisation, write_gguf
from weighbridge.train.runtime.base_model import BaseFiles, base_weights
from weighbridge.train.runtime.gguf_layout import permute_heads


@given(st.integers(1, 5), st.integers(1, 6), st.integers(1, 3))
def test_the_readers_order_undoes_ours(heads: int, half: int, inputs: int):
    from transformers.modeling_gguf_pytorch_utils import LlamaTensorProcessor

    matrix = np.arange(heads * 2 * half * inputs, dtype=np.float32).reshape(heads * 2 * half, inputs)
    undone = LlamaTensorProcessor()._reverse_permute_weights(permute_heads(matrix, heads), heads, heads)  # noqa: SLF001 - the reference
    assert np.array_equal(undone, matrix)


@pytest.mark.parametrize(("quantisation", "error"), [("F16", 1e-3), ("BF16", 1e-2), ("Q8_0", 1e-2), ("Q4_0", 0.2)])
def test_values_and_metadata_survive(tiny: BaseFiles, tmp_path: Path, quantisation: Quantisation, error: float):
    target = write_gguf(tiny, base_weights(tiny), tmp_path / "x.gguf", quantisation=quantisation)
    source, made = GGUFReader(tiny.source_gguf), GGUFReader(target)
    for name, field in source.fields.items():
        if not name.startswith(("GGUF.", "general.file_type")):
            assert made.fields[name].contents() == field.contents()
    assert [tensor.name for tensor in made.tensors] == [tensor.name for tensor in source.tensors]
    for ours, theirs in zip(made.tensors, source.tensors, strict=True):
        values = dequantize(ours.data, ours.tensor_type).reshape(theirs.data.shape)
        assert np.abs(values - theirs.data).max() <= error * np.abs(theirs.data).max()
        if values.ndim == 1:
            assert ours.tensor_type == GGMLQuantizationType.F32
    assert list(tmp_path.iterdir()) == [target]


def test_weights_of_another_model_are_refused(tiny: BaseFiles, tmp_path: Path):
    weights = dict(base_weights(tiny))
    del weights["model.layers.1.mlp.up_proj.weight"]
    with pytest.raises(TrainingError, match=r"blk\.1\.ffn_up\.weight"):
        write_gguf(tiny, weights, tmp_path / "x.gguf", quantisation="F16")
    weights = dict(base_weights(tiny))
    weights["model.norm.weight"] = weights["model.norm.weight"][:3]
    with pytest.raises(TrainingError, match="shape"):
        write_gguf(tiny, weights, tmp_path / "x.gguf", quantisation="F16")


def test_a_head_that_is_not_tied_is_not_dropped(tiny: BaseFiles, tmp_path: Path):
    weights = dict(base_weights(tiny))
    weights["lm_head.weight"] = weights["lm_head.weight"] + 1
    with pytest.raises(TrainingError, match=r"lm_head\.weight"):
        write_gguf(tiny, weights, tmp_path / "x.gguf", quantisation="F16")


def test_an_unwritable_folder_is_said_so(tiny: BaseFiles, tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        write_gguf(tiny, base_weights(tiny), tmp_path / "file" / "x.gguf", quantisation="F16")
