"""The tiny Llama in all its variants, for training."""

from pathlib import Path

import pytest

from weighbridge.train.runtime.recipe import Recipe

from ..tiny_llama import (
    TEMPLATE,
    examples,
    no_model,
    one_thread,
    recipe,
    tiny,
    write_tiny_gguf,
)

__all__ = ["examples", "no_model", "one_thread", "recipe", "tiny"]


@pytest.fixture(scope="session")
def other_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama again, with a chat template that begins otherwise."""
    return write_tiny_gguf(tmp_path_factory.mktemp("other") / "tiny.gguf", template="Well, " + TEMPLATE)


@pytest.fixture(scope="session")
def no_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny Llama again, with no chat template to speak of."""
    return write_tiny_gguf(tmp_path_factory.mktemp("bare") / "tiny.gguf", template="")


@pytest.fixture(scope="session")
def start(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter of the tiny Llama that has learnt nothing yet, but is not zero."""
    from peft import LoraConfig, get_peft_model
    from torch import manual_seed

    from weighbridge.train.runtime.base_model import load_network
    from weighbridge.train.runtime.quiet import quiet
    from weighbridge.train.supervised.methods import precision

    folder = tmp_path_factory.mktemp("start")
    with quiet():
        manual_seed(0)
        how = LoraConfig(
            r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
        )
        get_peft_model(load_network(recipe.base, precision=precision()), how).save_pretrained(folder)
    return folder
