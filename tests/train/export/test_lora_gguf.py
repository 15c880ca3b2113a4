"""A LoRA beside the base model in llama.cpp says what PEFT says; what cannot be said as a LoRA is refused."""

import json
from pathlib import Path

import pytest
from gguf import GGUFReader

from weighbridge.adapters import Parity
from weighbridge.errors import TrainingError, UserError
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.train.export.gguf import write_gguf
from weighbridge.train.export.lora_gguf import write_lora_gguf
from weighbridge.train.parity.judge import Form, compare_form
from weighbridge.train.parity.replies import ask_file
from weighbridge.train.parity.tolerance import TOLERANCES
from weighbridge.train.runtime.base_model import BaseFiles, base_weights

from ..tuned import PROMPTS, SETTINGS, save_tuned


@pytest.fixture(scope="module")
def model(tiny: BaseFiles, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("base") / "base.gguf"
    return write_gguf(tiny, base_weights(tiny), target, quantisation="F16")


@pytest.fixture(scope="module")
def lora(tiny: BaseFiles, tmp_path_factory) -> Path:
    return save_tuned(tiny, "lora", tmp_path_factory.mktemp("lora"))


def check(tiny: BaseFiles, adapter: Path, model: Path, gguf: Path) -> Parity:
    replies = ask_file(model, PROMPTS, settings=SETTINGS, adapter=gguf)
    form = Form(name="adapter F16", tolerance=TOLERANCES["F16"], replies=replies)
    return compare_form((form,), adapter, tiny, PROMPTS)[0]


def test_it_says_what_the_adapter_says(tiny: BaseFiles, lora: Path, model: Path, tmp_path: Path):
    gguf = write_lora_gguf(lora, tiny, tmp_path / "adapter.gguf")
    parity = check(tiny, lora, model, gguf)
    assert parity.ok, parity.reasons
    assert parity.changed
    fields = GGUFReader(gguf).fields
    assert fields["general.type"].contents() == "adapter"
    assert fields["adapter.type"].contents() == "lora"
    assert fields["adapter.lora.alpha"].contents() == 16.0
    assert list(tmp_path.iterdir()) == [gguf]


def test_rank_stabilised_scaling(tiny: BaseFiles, model: Path, tmp_path: Path):
    adapter = save_tuned(tiny, "rslora", tmp_path / "rslora")
    gguf = write_lora_gguf(adapter, tiny, tmp_path / "adapter.gguf")
    assert check(tiny, adapter, model, gguf).ok
    assert GGUFReader(gguf).fields["adapter.lora.alpha"].contents() == pytest.approx(16 * 8**0.5)


def test_a_module_with_an_alpha_of_its_own(tiny: BaseFiles, lora: Path, model: Path, tmp_path: Path):
    adapter = _changed(lora, tmp_path / "adapter", alpha_pattern={"down_proj": 20, r"layers\.0\.self_attn\.q_proj": 12})
    assert check(tiny, adapter, model, write_lora_gguf(adapter, tiny, tmp_path / "adapter.gguf")).ok


@pytest.mark.parametrize("alpha", [8, 32])
def test_another_alpha_is_caught(tiny: BaseFiles, lora: Path, model: Path, tmp_path: Path, alpha: int):
    wrong = _changed(lora, tmp_path / "wrong", lora_alpha=alpha)
    parity = check(tiny, lora, model, write_lora_gguf(wrong, tiny, tmp_path / "adapter.gguf"))
    assert not parity.ok


def test_a_layer_that_was_left_out_is_caught(tiny: BaseFiles, lora: Path, model: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    partial = _changed(lora, tmp_path / "partial")
    path = partial / "adapter_model.safetensors"
    save_file({name: values for name, values in load_file(path).items() if ".layers.1." not in name}, path)
    assert not check(tiny, lora, model, write_lora_gguf(partial, tiny, tmp_path / "adapter.gguf")).ok


def test_rows_in_another_order_are_caught(tiny: BaseFiles, lora: Path, model: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    wrong = _changed(lora, tmp_path / "wrong")
    path = wrong / "adapter_model.safetensors"
    told = load_file(path)
    swapped = {name: values.flip(0).contiguous() for name, values in told.items() if "q_proj.lora_B" in name}
    save_file({**told, **swapped}, path)
    assert not check(tiny, lora, model, write_lora_gguf(wrong, tiny, tmp_path / "adapter.gguf")).ok


@pytest.mark.parametrize(
    ("method", "reason"), [("dora", "length of each row"), ("ia3", "only adds matrices"), ("full", "leaves no adapter")]
)
def test_what_is_no_sum_of_matrices_is_refused(tiny: BaseFiles, tmp_path: Path, method: str, reason: str):
    adapter = save_tuned(tiny, method, tmp_path / "adapter", steps=0)
    with pytest.raises(TrainingError, match=reason):
        write_lora_gguf(adapter, tiny, tmp_path / "x.gguf")


def test_an_adapter_is_part_of_the_models_fingerprint(tiny: BaseFiles, lora: Path, model: Path, tmp_path: Path):
    gguf = write_lora_gguf(lora, tiny, tmp_path / "adapter.gguf")
    with (
        open_llamacpp(model, settings=SETTINGS, name="m") as plain,
        open_llamacpp(model, settings=SETTINGS, name="m", adapter=gguf) as tuned,
    ):
        assert plain.fingerprint != tuned.fingerprint
        assert plain.generate(PROMPTS[0]).text != tuned.generate(PROMPTS[0]).text


def test_an_adapter_that_is_none_is_said_so(model: Path, tmp_path: Path):
    with pytest.raises(UserError, match=r"gone\.gguf: there is no such"):
        open_llamacpp(model, settings=SETTINGS, name="m", adapter=tmp_path / "gone.gguf")
    with pytest.raises(UserError, match="as its adapter"):
        open_llamacpp(model, settings=SETTINGS, name="m", adapter=model)


def _changed(adapter: Path, target: Path, **said) -> Path:
    import shutil

    shutil.copytree(adapter, target)
    path = target / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **said}))
    return target
