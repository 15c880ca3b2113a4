"""Twenty steps on the tiny Llama lose what plain TRL loses at the same recipe, and what they have always lost."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.base_model import load_network, load_tokenizer
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, read_losses, train_supervised
from weighbridge.train.supervised.trainer import epoch_batches, rate_share

STEPS = 20
GOLDEN = (
    12.5689, 11.7800, 12.7746, 12.2270, 10.6271,
    10.0854, 7.8935, 8.1168, 8.6917, 9.5579,
    6.6749, 7.8541, 7.4315, 6.3045, 6.2927,
    6.7799, 5.4388, 7.1861, 7.1167, 5.0326,
)  # fmt: skip
"""Nats per token that is learnt, float32; a change of these numbers is a change of the recipe."""


@pytest.fixture(scope="module")
def texts() -> tuple[Encoded, ...]:
    """Forty prompts: half with one long beginning in common, half with nothing in common; of many lengths."""
    random = np.random.default_rng(11)

    def words(fewest: int, most: int) -> tuple[int, ...]:
        return tuple(int(token) for token in random.integers(3, 261, random.integers(fewest, most)))

    system = words(60, 61)
    prompts = [(system if number % 2 else words(20, 90)) + words(3, 30) for number in range(40)]
    return tuple(
        Encoded(example_id=str(number), tokens=(*prompt, *words(1, 6), 2), start=len(prompt))
        for number, prompt in enumerate(prompts)
    )


@pytest.fixture(scope="module")
def golden_recipe(recipe: Recipe) -> Recipe:
    how = {"epochs": 4, "batch_size": 8, "learning_rate": 5e-3, "patience": 9}
    return replace(recipe, training=recipe.training.model_copy(update=how))


@pytest.fixture(scope="module")
def ours(golden_recipe: Recipe, texts: Sequence[Encoded], tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    folder = tmp_path_factory.mktemp("ours")
    train_supervised(Job(encoded=texts, folder=folder, recipe=golden_recipe, exact=True))
    return list(read_losses(folder))


def theirs(texts: Sequence[Encoded], recipe: Recipe, folder: Path) -> list[float]:
    """Train by plain TRL: only its settings are ours, the order of the examples and the schedule of the rate."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed
    from trl import SFTConfig, SFTTrainer

    how = recipe.training
    order = [n for e in range(how.epochs) for batch in epoch_batches(len(texts), 8, how.seed + e) for n in batch]
    rows = [{"input_ids": list(texts[n].tokens), "labels": list(texts[n].labels)} for n in order]
    set_seed(how.seed)
    lora = LoraConfig(r=how.rank, lora_alpha=how.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    network = get_peft_model(load_network(recipe.base, precision=torch.float32), lora)
    adam = torch.optim.AdamW([w for w in network.parameters() if w.requires_grad], lr=how.learning_rate, weight_decay=0)
    schedule = torch.optim.lr_scheduler.LambdaLR(adam, lambda step: rate_share(step, STEPS))
    trainer = SFTTrainer(
        model=network,
        args=SFTConfig(
            output_dir=str(folder),
            max_steps=STEPS,
            per_device_train_batch_size=8,
            train_sampling_strategy="sequential",
            activation_checkpointing=False,
            max_length=None,
            bf16=False,
            use_cpu=True,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=load_tokenizer(recipe.base),
        optimizers=(adam, schedule),
    )
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def test_losses_are_those_of_trl(ours: list[float], golden_recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path):
    with quiet():
        plain = theirs(texts, golden_recipe, tmp_path)
    assert len(ours) == len(plain) == STEPS
    assert ours == pytest.approx(plain, abs=1e-4)


def test_losses_are_what_they_have_always_been(ours: list[float]):
    assert ours == pytest.approx(GOLDEN, abs=1e-3)
