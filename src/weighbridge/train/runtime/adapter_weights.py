"""Reads an `adapter/` folder and applies it to a base model.

A PEFT folder holds the update of the base model. Full fine-tuning leaves a transformers folder, a model by itself:
nothing can be switched off in it, so a comparison with the base model loads both.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.settings.training import Method
from weighbridge.train.runtime.base_model import BaseFiles, load_network
from weighbridge.train.runtime.quiet import quiet
from weighbridge.workspace import load_json

CONFIG = "adapter_config.json"
"""The file that describes a PEFT folder."""
_FULL = "config.json"
WEIGHTS = "adapter_model.safetensors"
"""The tensors of a PEFT folder."""


def method_of(adapter: Path) -> Method:
    """Return how an adapter folder was trained. QLoRA leaves a LoRA: its four bits were the base model's.

    Raises:
        TrainingError: the folder is neither of PEFT nor of transformers, or of a method that is not ours.
    """
    if not (adapter / CONFIG).is_file() and isinstance(load_json(adapter / _FULL), dict):
        return "full"
    return _peft_method(adapter, adapter_config(adapter))


def adapter_config(adapter: Path) -> Mapping[str, Any]:
    """Return the configuration of a PEFT folder; `TrainingError` if there is none."""
    said = load_json(adapter / CONFIG)
    if not isinstance(said, dict):
        raise TrainingError(f"{adapter}: neither {CONFIG} nor {_FULL} is in it, so this is no adapter; train it again")
    return said


def load_tuned(base: BaseFiles, adapter: Path, *, precision: Any) -> Any:
    """Return the tuned network, with weights of this torch dtype, in evaluation mode.

    For PEFT folders it is a `PeftModel`; its `disable_adapter()` gives the base model back.

    Raises:
        TrainingError: the folder is no adapter of ours, or some of its tensors are missing.
    """
    with quiet():
        if method_of(adapter) == "full":
            from transformers import AutoModelForCausalLM

            return AutoModelForCausalLM.from_pretrained(adapter, dtype=precision, local_files_only=True).eval()
        from peft import PeftModel

        network = PeftModel.from_pretrained(load_network(base, precision=precision), str(adapter)).eval()
    _require_whole(network, adapter)
    return network


def merged_network(base: BaseFiles, adapter: Path) -> Any:
    """Return the tuned network as one set of float32 weights, without a trace of PEFT.

    Raises:
        TrainingError: the method cannot be merged, or the folder is not whole.
    """
    import torch

    method = method_of(adapter)
    if method == "prompt-tuning":
        raise TrainingError(
            f"{adapter}: prompt tuning learns tokens put before the prompt, which cannot be merged into the weights; "
            "set model.engine: transformers in weighbridge.yaml, or another training.method"
        )
    network = load_tuned(base, adapter, precision=torch.float32)
    if method == "full":
        return network
    with quiet():
        return network.merge_and_unload(safe_merge=True).eval()


def _peft_method(adapter: Path, said: Mapping[str, Any]) -> Method:
    match said.get("peft_type"):
        case "LORA" if said.get("use_dora"):
            return "dora"
        case "LORA" if said.get("use_rslora"):
            return "rslora"
        case "LORA":
            return "lora"
        case "IA3":
            return "ia3"
        case "PROMPT_TUNING":
            return "prompt-tuning"
        case other:
            raise TrainingError(f"{adapter}: adapters of type {other!r} are not known here; train it again")


def _require_whole(network: Any, adapter: Path) -> None:
    """Refuse a folder that lacks tensors: PEFT puts fresh ones in their place, and only warns."""
    from peft import get_peft_model_state_dict
    from safetensors import safe_open

    path = adapter / WEIGHTS
    if not path.is_file():
        raise TrainingError(f"{path}: there is no such file; train it again")
    with safe_open(path, "numpy") as file:
        stored = frozenset(file.keys())
    wanted = get_peft_model_state_dict(network, save_embedding_layers=False)
    if gone := sorted(wanted.keys() - stored):
        raise TrainingError(f"{path}: {len(gone)} tensors are missing, such as {gone[0]}; train it again")
