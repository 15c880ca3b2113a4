"""The recipe in other programs' words. Their keys are those that both document; neither is installed here."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from weighbridge.errors import UserError
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.export.other_trainers import write_axolotl, write_llama_factory
from weighbridge.train.runtime.base_model import BaseFiles, load_network
from weighbridge.train.supervised.trainer import rate_share

from ..cards import card
from ..tuned import LEARNT

AXOLOTL = {
    *("base_model", "datasets", "adapter", "lora_r", "lora_alpha", "lora_dropout", "lora_target_linear"),
    *("load_in_4bit", "peft_use_dora", "peft_use_rslora", "peft_layers_to_transform", "unfrozen_parameters"),
    *("micro_batch_size", "gradient_accumulation_steps", "num_epochs", "learning_rate", "lr_scheduler", "warmup_ratio"),
    *("optimizer", "weight_decay", "max_grad_norm", "sequence_len", "sample_packing", "bf16", "seed", "output_dir"),
}
FACTORY = {
    *("model_name_or_path", "stage", "do_train", "finetuning_type", "lora_rank", "lora_alpha", "lora_dropout"),
    *("lora_target", "use_rslora", "use_dora", "quantization_bit", "quantization_method", "freeze_trainable_layers"),
    *("dataset", "dataset_dir", "mask_history", "cutoff_len", "per_device_train_batch_size", "num_train_epochs"),
    *("gradient_accumulation_steps", "learning_rate", "lr_scheduler_type", "warmup_ratio", "optim", "weight_decay"),
    *("max_grad_norm", "bf16", "seed", "output_dir"),
}


def axolotl(tiny: BaseFiles, folder: Path, how: TrainingSettings) -> dict[str, Any]:
    write_axolotl(tiny, card(how), LEARNT, folder)
    return YAML(typ="safe").load(folder / "axolotl.yaml")


def factory(tiny: BaseFiles, folder: Path, how: TrainingSettings) -> dict[str, Any]:
    write_llama_factory(tiny, card(how), LEARNT, folder)
    return YAML(typ="safe").load(folder / "llama-factory.yaml")


@pytest.mark.parametrize("layers", [0, 1])
@pytest.mark.parametrize("method", ["lora", "rslora", "dora", "qlora", "full"])
def test_axolotls_keys(tiny: BaseFiles, tmp_path: Path, method: Any, layers: int):
    said = axolotl(tiny, tmp_path, TrainingSettings(method=method, layers=layers, rank=4, alpha=12, batch_size=6))
    assert said.keys() <= AXOLOTL
    assert said["micro_batch_size"] * said["gradient_accumulation_steps"] == 6
    assert said.get("adapter") == {"full": None, "qlora": "qlora"}.get(method, "lora")
    assert (said.get("lora_r"), said.get("lora_alpha")) == ((None, None) if method == "full" else (4, 12))
    assert said.get("peft_use_rslora", False) == (method == "rslora")
    assert said.get("peft_use_dora", False) == (method == "dora")
    upper = "unfrozen_parameters" if method == "full" else "peft_layers_to_transform"
    assert (upper in said) == bool(layers)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["axolotl.yaml", "base", "train.jsonl"]


@pytest.mark.parametrize("method", ["lora", "rslora", "dora", "qlora", "full"])
def test_llama_factorys_keys(tiny: BaseFiles, tmp_path: Path, method: Any):
    said = factory(tiny, tmp_path, TrainingSettings(method=method, rank=4, alpha=12, epochs=3))
    assert said.keys() <= FACTORY
    assert said["finetuning_type"] == ("full" if method == "full" else "lora")
    assert (said.get("lora_rank"), said.get("lora_alpha")) == ((None, None) if method == "full" else (4, 12))
    assert said.get("use_rslora", False) == (method == "rslora")
    assert said.get("use_dora", False) == (method == "dora")
    assert said["num_train_epochs"] == 3.0
    assert len((tmp_path / "llama-factory.yaml").read_text().splitlines()) == len(said), "a line each, to be changed"
    info = json.loads((tmp_path / "dataset_info.json").read_text())[said["dataset"]]
    row = json.loads((tmp_path / info["file_name"]).read_text().splitlines()[0])
    turns = row[info["columns"]["messages"]]
    assert turns[-1] == {info["tags"]["role_tag"]: "assistant", info["tags"]["content_tag"]: "ALPHA"}


def test_axolotl_unfreezes_what_we_train(tiny: BaseFiles, tmp_path: Path):
    """Its `LayerNamePattern` takes each dot of a pattern for a literal one, and matches from the beginning."""
    import torch

    said = axolotl(tiny, tmp_path, TrainingSettings(method="full", layers=1))
    patterns = [re.compile(re.sub(r"\.(?!\+)", r"\\.", pattern)) for pattern in said["unfrozen_parameters"]]
    names = [name for name, _ in load_network(tiny, precision=torch.float32).named_parameters()]
    learnt = {name for name in names if any(pattern.match(name) for pattern in patterns)}
    assert learnt == {name for name in names if name.startswith(("model.layers.1.", "model.norm."))}


def test_the_upper_layers_of_a_whole_model_are_its_frozen_training(tiny: BaseFiles, tmp_path: Path):
    said = factory(tiny, tmp_path, TrainingSettings(method="full", layers=1))
    assert (said["finetuning_type"], said["freeze_trainable_layers"]) == ("freeze", 1)


def test_the_base_model_lies_beside_and_loads(tiny: BaseFiles, tmp_path: Path):
    from transformers import AutoConfig, AutoTokenizer

    said = axolotl(tiny, tmp_path, TrainingSettings())
    base = tmp_path / said["base_model"]
    assert AutoConfig.from_pretrained(base, local_files_only=True).num_hidden_layers == 2
    assert AutoTokenizer.from_pretrained(base, local_files_only=True).chat_template


def test_ggufs_beside_the_base_model_are_left_there(tiny: BaseFiles, tmp_path: Path):
    shutil.copytree(tiny.hf, tmp_path / "base")
    (tmp_path / "base" / "base-Q8_0.gguf").write_bytes(b"GGUF")
    axolotl(replace(tiny, hf=tmp_path / "base"), tmp_path / "out", TrainingSettings())
    assert not list((tmp_path / "out").rglob("*.gguf"))


def test_only_the_last_answer_is_learnt(tiny: BaseFiles, tmp_path: Path):
    data = axolotl(tiny, tmp_path / "a", TrainingSettings())["datasets"][0]
    assert data["type"] == "chat_template"
    assert None not in data.values(), "axolotl drops what is null, and takes its defaults"
    for line in (tmp_path / "a" / data["path"]).read_text().splitlines():
        marks = [turn[data["message_field_training"]] for turn in json.loads(line)["messages"]]
        assert marks == [False] * (len(marks) - 1) + [True]
    assert factory(tiny, tmp_path / "f", TrainingSettings())["mask_history"]


def test_the_schedule_is_ours(tiny: BaseFiles, tmp_path: Path):
    rise = next(step for step in range(1000) if rate_share(step, 1000) == 1.0) + 1
    assert axolotl(tiny, tmp_path / "a", TrainingSettings())["warmup_ratio"] == rise / 1000
    assert factory(tiny, tmp_path / "f", TrainingSettings())["warmup_ratio"] == rise / 1000


@pytest.mark.parametrize("method", ["ia3", "prompt-tuning"])
def test_methods_that_they_do_not_have_are_refused(tiny: BaseFiles, tmp_path: Path, method: Any):
    for write in (axolotl, factory):
        with pytest.raises(UserError, match=f"does not train training.method: {method}"):
            write(tiny, tmp_path, TrainingSettings(method=method))


def test_what_cannot_be_said_is_refused(tiny: BaseFiles, tmp_path: Path):
    with pytest.raises(UserError, match=r"training\.layers: 1 has no counterpart"):
        factory(tiny, tmp_path, TrainingSettings(layers=1))
    with pytest.raises(UserError, match="only answers can be exported"):
        axolotl(tiny, tmp_path, TrainingSettings(on="documents"))
    dpo = TrainingSettings.model_validate({"preference": {"method": "dpo"}})
    with pytest.raises(UserError, match="goes on from 77aa by dpo"):
        write_axolotl(tiny, card(dpo, parent="77aa"), LEARNT, tmp_path)
    assert not list(tmp_path.iterdir())
