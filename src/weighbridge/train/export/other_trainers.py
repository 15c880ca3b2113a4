"""The recipe and the data of a tuning, for those who train elsewhere: Axolotl and LLaMA-Factory.

Their settings are named as in Axolotl's configuration schema (`axolotl/utils/schemas`) and in LLaMA-Factory's
arguments (`llamafactory/hparams`, `data/README.md`), and train what we train: the same base model, adapter, optimiser
and schedule, and the loss on the last answer alone. The chat template is that of the base model's own tokenizer.
"""

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.adapters import AdapterCard
from weighbridge.errors import UserError
from weighbridge.settings.training import Method, TrainingSettings
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.hosted.files import chat_lines
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.workspace import load_json, write_json, write_text

DATA = "train.jsonl"
_BASE = "base"
_NAME = "weighbridge"
_LEARNT = "training"
"""The key of a turn in Axolotl's data that says whether it is learnt."""
_WARM_UP = 0.06
"""Share of the steps over which the learning rate rises, as `plan.rate_share` has it."""

_AXOLOTL: Mapping[Method, Mapping[str, Any]] = {
    "lora": {"adapter": "lora"},
    "rslora": {"adapter": "lora", "peft_use_rslora": True},
    "dora": {"adapter": "lora", "peft_use_dora": True},
    "qlora": {"adapter": "qlora", "load_in_4bit": True},
    "full": {},
}
_FACTORY: Mapping[Method, Mapping[str, Any]] = {
    "lora": {"finetuning_type": "lora"},
    "rslora": {"finetuning_type": "lora", "use_rslora": True},
    "dora": {"finetuning_type": "lora", "use_dora": True},
    "qlora": {"finetuning_type": "lora", "quantization_bit": 4, "quantization_method": "bnb"},
    "full": {"finetuning_type": "full"},
}


def write_axolotl(base: BaseFiles, card: AdapterCard, made: Sequence[Conversation], folder: Path) -> None:
    """Write `axolotl.yaml`, the data and the base model into a folder; run there: `axolotl train axolotl.yaml`.

    Raises:
        UserError: Axolotl cannot train this recipe.
    """
    how = _supervised_recipe(card, "Axolotl", _AXOLOTL)
    config = {
        "base_model": f"./{_BASE}",
        "datasets": [
            {
                "path": DATA,
                "ds_type": "json",
                "type": "chat_template",
                "field_messages": "messages",
                "message_field_training": _LEARNT,  # of which turns; a null elsewhere would not be seen
                "train_on_eos": "turn",
            }
        ],
        **_AXOLOTL[how.method],
        **_axolotl_weights(how, base),
        "micro_batch_size": 1,
        "gradient_accumulation_steps": how.batch_size,
        "num_epochs": how.epochs,
        "learning_rate": how.rate,
        "lr_scheduler": "cosine",
        "warmup_ratio": _WARM_UP,
        "optimizer": "adamw_torch_fused",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "sequence_len": _longest(base),
        "sample_packing": False,
        "bf16": "auto",
        "seed": how.seed,
        "output_dir": "./out",
    }
    _write(base, _mark_trained_turns(made), folder)
    write_text(folder / "axolotl.yaml", _yaml(config))


def write_llama_factory(base: BaseFiles, card: AdapterCard, made: Sequence[Conversation], folder: Path) -> None:
    """Write `llama-factory.yaml`, `dataset_info.json`, the data and the base model into a folder.

    Run there: `llamafactory-cli train llama-factory.yaml`.

    Raises:
        UserError: LLaMA-Factory cannot train this recipe.
    """
    how = _supervised_recipe(card, "LLaMA-Factory", _FACTORY)
    config = {
        "model_name_or_path": f"./{_BASE}",
        "stage": "sft",
        "do_train": True,
        **_FACTORY[how.method],
        **_factory_weights(how),
        "dataset": _NAME,
        "dataset_dir": ".",
        "mask_history": True,
        "cutoff_len": _longest(base),
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": how.batch_size,
        "num_train_epochs": float(how.epochs),
        "learning_rate": how.rate,
        "lr_scheduler_type": "cosine",
        "warmup_ratio": _WARM_UP,
        "optim": "adamw_torch_fused",
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "bf16": card.training.precision == "bfloat16",
        "seed": how.seed,
        "output_dir": "./out",
    }
    _write(base, chat_lines(made), folder)
    write_json(folder / "dataset_info.json", {_NAME: _dataset_description()})
    write_text(folder / "llama-factory.yaml", _yaml(config))


def _supervised_recipe(card: AdapterCard, product: str, known: Mapping[Method, object]) -> TrainingSettings:
    """Return the recipe; `UserError` where the product cannot follow it."""
    how = TrainingSettings.model_validate(card.recipe)
    if how.method not in known:
        able = ", ".join(known)
        raise UserError(f"{card.id}: {product} does not train training.method: {how.method}; it trains {able}")
    if how.on != "answers":
        raise UserError(f"{card.id}: it was trained on {how.on}, and only answers can be exported for {product}")
    if card.parent:
        raise UserError(
            f"{card.id}: it goes on from {card.parent} by {how.preference.method}, and only supervised training can be "
            f"exported for {product}; export {card.parent}"
        )
    return how


def _axolotl_weights(how: TrainingSettings, base: BaseFiles) -> dict[str, Any]:
    blocks = int(_config(base)["num_hidden_layers"])
    upper = list(range(blocks - how.layers, blocks)) if how.layers else []  # the blocks that learn; empty means all
    if how.method == "full":
        names = [f"^model.layers.{number}." for number in upper]  # axolotl itself makes each dot a literal one
        return {"unfrozen_parameters": [*names, "^model.norm."]} if upper else {}
    made = {"lora_r": how.rank, "lora_alpha": how.alpha, "lora_dropout": 0.0, "lora_target_linear": True}
    return {**made, "peft_layers_to_transform": upper} if upper else made


def _factory_weights(how: TrainingSettings) -> dict[str, Any]:
    if how.method == "full":  # the last norm stays frozen there: by its name all norms below would learn too
        return {"finetuning_type": "freeze", "freeze_trainable_layers": how.layers} if how.layers else {}
    if how.layers:
        raise UserError(
            f"training.layers: {how.layers} has no counterpart in LLaMA-Factory for training.method: {how.method}; "
            "export for Axolotl"
        )
    return {"lora_rank": how.rank, "lora_alpha": how.alpha, "lora_dropout": 0.0, "lora_target": "all"}


def _longest(base: BaseFiles) -> int:
    """Return the tokens that the base model can read, so that no answer is cut."""
    return int(_config(base)["max_position_embeddings"])


def _config(base: BaseFiles) -> Mapping[str, Any]:
    said = load_json(base.hf / "config.json")
    if not isinstance(said, dict):
        raise UserError(f"{base.hf}: the base model has no config.json; delete this folder, and run again")
    return said


def _dataset_description() -> dict[str, Any]:
    """Return how LLaMA-Factory is to read the data: it calls OpenAI's format a kind of sharegpt."""
    return {
        "file_name": DATA,
        "formatting": "sharegpt",
        "columns": {"messages": "messages"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    }


def _mark_trained_turns(made: Sequence[Conversation]) -> str:
    """Return conversations in the chat format, where each turn says whether it is learnt: the last one alone."""
    rows = [json.loads(line) for line in chat_lines(made).splitlines()]
    for row in rows:
        for turn in row["messages"]:
            turn[_LEARNT] = turn is row["messages"][-1]
    return "".join(json.dumps(row) + "\n" for row in rows)


def _write(base: BaseFiles, lines: str, folder: Path) -> None:
    write_text(folder / DATA, lines)
    shutil.copytree(base.hf, folder / _BASE, ignore=shutil.ignore_patterns("manifest.json", "*.gguf"))


def _yaml(config: Mapping[str, Any]) -> str:
    from ruamel.yaml import YAML

    text, yaml = io.StringIO(), YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(dict(config), text)
    return text.getvalue()
