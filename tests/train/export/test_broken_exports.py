"""Every way of breaking an export that we can think of is caught, for LoRA, DoRA and full fine-tuning."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import quantize

from weighbridge.adapters import Parity
from weighbridge.errors import TrainingError
from weighbridge.train.export.gguf import Quantisation, merged_weights, write_gguf
from weighbridge.train.parity.forms import check_forms
from weighbridge.train.parity.judge import judge
from weighbridge.train.runtime.adapter_weights import load_tuned
from weighbridge.train.runtime.base_model import BaseFiles, base_weights
from weighbridge.train.runtime.gguf_layout import permute_heads

from ..tuned import PROMPTS, SETTINGS, parity_of_file, save_tuned

HEADS = {"q_proj": 4, "k_proj": 2}
HALF = 0.5


@pytest.fixture(scope="module", params=["lora", "dora", "full"])
def adapter(request, tiny: BaseFiles, tmp_path_factory) -> Path:
    return save_tuned(tiny, request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def merged(tiny: BaseFiles, adapter: Path):
    return merged_weights(tiny, adapter)


@pytest.fixture
def check(tiny: BaseFiles, adapter: Path, tmp_path: Path) -> Callable[..., Parity]:
    def check(weights, quantisation: Quantisation = "F16", *, template: Path = tiny.source_gguf) -> Parity:
        gguf = write_gguf(
            replace(tiny, source_gguf=template), weights, tmp_path / "model.gguf", quantisation=quantisation
        )
        settings = SETTINGS.model_copy(update={"quantisation": quantisation})
        return parity_of_file(adapter, tiny, gguf, PROMPTS, settings=settings)

    return check


def test_a_good_export_passes_in_every_form(tiny: BaseFiles, adapter: Path, merged, tmp_path: Path):
    served = write_gguf(tiny, merged, tmp_path / "model.gguf", quantisation="F16")
    forms = check_forms(adapter, tiny, PROMPTS, settings=SETTINGS, served=served)
    assert {form.form: form.reasons for form in forms} == {form.form: () for form in forms}


def test_another_chat_template(check, merged, other_template: Path):
    parity = check(merged, template=other_template)
    assert not parity.ok
    assert any("tokenizer.chat_template" in reason for reason in parity.reasons)
    assert any("reads prompt 1" in reason for reason in parity.reasons)


@pytest.mark.parametrize("scale", [0.0, HALF, 2.0])
@pytest.mark.parametrize("quantisation", ["F16", "Q8_0"])
def test_another_scale(check, tiny: BaseFiles, merged, scale: float, quantisation: Quantisation):
    base = base_weights(tiny)
    parity = check({name: base[name] + scale * (merged[name] - base[name]) for name in base}, quantisation)
    assert not parity.ok
    assert any("nats away from the adapter" in reason for reason in parity.reasons)


@pytest.mark.parametrize("projection", list(HEADS))
def test_rows_that_are_permuted_twice(check, merged, projection: str):
    assert not check(_each(merged, projection, lambda rows: permute_heads(rows, HEADS[projection]))).ok


@pytest.mark.parametrize("projection", list(HEADS))
def test_rows_that_are_not_permuted(check, merged, projection: str):
    def undone(rows):
        heads = HEADS[projection]
        pairs = rows.reshape(heads, rows.shape[0] // heads // 2, 2, rows.shape[1])
        return pairs.swapaxes(1, 2).reshape(rows.shape)

    assert not check(_each(merged, projection, undone)).ok


def test_a_layer_that_was_left_out(check, tiny: BaseFiles, merged):
    base = base_weights(tiny)
    parity = check({name: base[name] if ".layers.1." in name else values for name, values in merged.items()})
    assert not parity.ok
    assert "of its answer to prompt" in " ".join(parity.reasons)


def test_one_tensor_in_another_quantisation(tiny: BaseFiles, adapter: Path, merged, tmp_path: Path):
    whole = write_gguf(tiny, merged, tmp_path / "whole.gguf", quantisation="F16")
    broken = _rewritten(whole, tmp_path / "broken.gguf", coarse="blk.1.ffn_up.weight")
    parity = parity_of_file(adapter, tiny, broken, PROMPTS, settings=SETTINGS)
    assert not parity.ok
    assert "blk.1.ffn_up.weight is stored as Q4_0 (96, 64), not as F16" in parity.reasons


def test_a_truncated_tokenizer(tiny: BaseFiles, adapter: Path, merged, tmp_path: Path):
    whole = write_gguf(tiny, merged, tmp_path / "whole.gguf", quantisation="F16")
    broken = _rewritten(whole, tmp_path / "broken.gguf", tokens=200)
    forms = check_forms(adapter, tiny, PROMPTS, settings=SETTINGS, served=broken)
    assert not forms[0].ok
    assert any("tokenizer.ggml.tokens" in reason for reason in forms[0].reasons)
    assert not forms[1].ok, "the endpoint serves the same file"
    assert all(form.ok for form in forms[2:]), "the others are written anew"


def test_a_file_that_was_cut_off(tiny: BaseFiles, adapter: Path, merged, tmp_path: Path):
    gguf = write_gguf(tiny, merged, tmp_path / "whole.gguf", quantisation="F16")
    gguf.write_bytes(gguf.read_bytes()[:-4096])
    parity = parity_of_file(adapter, tiny, gguf, PROMPTS, settings=SETTINGS)
    assert not parity.ok
    assert parity.prompts == 0


def test_an_adapter_that_lacks_a_layer(tiny: BaseFiles, tmp_path: Path):
    import torch
    from safetensors.torch import load_file, save_file

    path = save_tuned(tiny, "lora", tmp_path / "adapter") / "adapter_model.safetensors"
    save_file({name: values for name, values in load_file(path).items() if ".layers.1." not in name}, path)
    with pytest.raises(TrainingError, match=r"14 tensors are missing, such as base_model.*layers\.1\."):
        load_tuned(tiny, path.parent, precision=torch.float32)


def test_nothing_compared_is_not_agreement():
    from weighbridge.train.parity.tolerance import TOLERANCES

    assert not judge([], tolerance=TOLERANCES["F16"]).ok


def _each(merged, projection: str, change):
    import torch

    return {
        name: torch.from_numpy(change(values.numpy()).copy()) if projection in name else values
        for name, values in merged.items()
    }


def _rewritten(gguf: Path, target: Path, *, coarse: str = "", tokens: int | None = None) -> Path:
    """Write a GGUF again, with one tensor rounded to four bits, or with some of its tokens only."""
    from gguf.constants import GGUFValueType

    reader = GGUFReader(gguf)
    writer = GGUFWriter(target, "llama")
    for name, field in reader.fields.items():
        if not name.startswith(("GGUF.", "general.architecture")):
            kept = tokens if name.startswith("tokenizer.ggml.token") else None
            value = field.contents()[:kept] if kept else field.contents()
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(name, value, field.types[0], inner)
    for tensor in reader.tensors:
        if tensor.name == coarse:
            kind = GGMLQuantizationType.Q4_0
            writer.add_tensor(tensor.name, quantize(tensor.data.astype(np.float32), kind), raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return target
