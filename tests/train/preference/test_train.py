"""Preference training moves its own measure, leaves one adapter of the same shape, and refuses the rest."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError, UnfinishedError
from weighbridge.train.data.preferences import PreferencePair, Preferences
from weighbridge.train.export.gguf import merged_weights
from weighbridge.train.preference.train import margins, train_preference
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Message, Progress

WORDS = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op")


def pair(number: int, word: str) -> PreferencePair:
    return PreferencePair(
        example_id=str(number), prompt=(Message("user", f"Say {word}!"),), chosen=word, rejected=word[::-1]
    )


PAIRS = tuple(pair(number, word) for number, word in enumerate(WORDS))
TOLD = Preferences(pairs=PAIRS)


def preferring(recipe: Recipe, method: str, **how: object) -> Recipe:
    preference = recipe.training.preference.model_copy(
        update={"method": method, "epochs": 6, "learning_rate": 1e-2, **how}
    )
    return replace(recipe, training=recipe.training.model_copy(update={"preference": preference}))


def adapted(recipe: Recipe, folder: Path, **how: object) -> Path:
    """A LoRA adapter of the tiny Llama that has learnt nothing yet, but is not zero."""
    from peft import LoraConfig, get_peft_model
    from torch import manual_seed

    from weighbridge.train.runtime.base_model import load_network
    from weighbridge.train.runtime.quiet import quiet
    from weighbridge.train.supervised.methods import precision

    with quiet():
        manual_seed(0)
        lora = LoraConfig(
            r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False, **how
        )
        get_peft_model(load_network(recipe.base, precision=precision()), lora).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def start(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return adapted(recipe, tmp_path_factory.mktemp("start"))


def shapes(folder: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    from safetensors.torch import load_file

    tensors = load_file(folder / "adapter_model.safetensors")
    return {name: (tuple(tensor.shape), str(tensor.dtype)) for name, tensor in tensors.items()}


@pytest.mark.parametrize("method", ["dpo", "kto", "orpo"])
def test_better_answers_become_likelier(method: str, recipe: Recipe, start: Path, tmp_path: Path):
    seen: list[Progress] = []
    lessons = TOLD.as_thumbs() if method == "kto" else TOLD.as_pairs()
    done = train_preference(start, lessons, tmp_path, recipe=preferring(recipe, method), notify=seen.append)
    before, after = (margins(folder, PAIRS, base=recipe.base) for folder in (start, tmp_path / "adapter"))
    assert sum(after) > sum(before) + 4
    assert done.steps == (24 if method == "kto" else 12)
    assert done.examples == len(lessons)
    assert len(done.epochs) == 6
    assert (seen[-1].task, seen[-1].done) == (method.upper(), done.steps)
    assert "margin" in seen[-1].note
    assert not (tmp_path / "checkpoints").exists()
    assert shapes(tmp_path / "adapter") == shapes(start)
    assert {file.name for file in (tmp_path / "adapter").iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
    }
    assert merged_weights(recipe.base, tmp_path / "adapter")


def test_dora_is_gone_on_from_too(recipe: Recipe, tmp_path: Path):
    start = adapted(recipe, tmp_path / "start", use_dora=True)
    train_preference(start, PAIRS, tmp_path, recipe=preferring(recipe, "dpo", epochs=1))
    before, after = (margins(folder, PAIRS, base=recipe.base) for folder in (start, tmp_path / "adapter"))
    assert sum(after) > sum(before)
    assert shapes(tmp_path / "adapter") == shapes(start)


def test_a_checkpoint_of_another_training_is_not_used(recipe: Recipe, start: Path, tmp_path: Path):
    def kill(progress: Progress) -> None:
        if progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_preference(start, PAIRS, tmp_path, recipe=preferring(recipe, "dpo"), notify=kill)
    seen: list[Progress] = []
    train_preference(start, PAIRS[:4], tmp_path, recipe=preferring(recipe, "dpo", epochs=1), notify=seen.append)
    assert seen[0].done == 1


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_a_time_limit_stops_it_and_it_goes_on_to_the_same_adapter(
    method: str, recipe: Recipe, start: Path, tmp_path: Path
):
    lessons = TOLD.as_thumbs() if method == "kto" else PAIRS
    how = preferring(recipe, method, epochs=2)
    whole = train_preference(start, lessons, tmp_path / "whole", recipe=how)
    hasty = replace(how, training=how.training.model_copy(update={"seconds": 1e-6}))
    for step in (1, 2):
        with pytest.raises(UnfinishedError, match=f"{method.upper()} stopped at step {step} of {whole.steps}"):
            train_preference(start, lessons, tmp_path / "cut", recipe=hasty)
    assert not (tmp_path / "cut" / "adapter").exists()
    done = train_preference(start, lessons, tmp_path / "cut", recipe=how)
    files = [tmp_path / name / "adapter" / "adapter_model.safetensors" for name in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert replace(done, seconds=0.0) == replace(whole, seconds=0.0)


def test_a_loss_that_is_no_number_stops(recipe: Recipe, start: Path, tmp_path: Path):
    with pytest.raises(TrainingError, match=r"lower training\.preference\.learning_rate"):
        train_preference(start, PAIRS, tmp_path, recipe=preferring(recipe, "dpo", learning_rate=1e30))


def test_only_lora_goes_on(recipe: Recipe, tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "IA3"}))
    with pytest.raises(TrainingError, match=r"this one was trained by ia3; set training\.method to one of lora"):
        train_preference(tmp_path, PAIRS, tmp_path / "out", recipe=preferring(recipe, "dpo"))
    with pytest.raises(TrainingError, match="no adapter"):
        train_preference(tmp_path / "nowhere", PAIRS, tmp_path / "out", recipe=preferring(recipe, "dpo"))


def test_what_cannot_be_learnt_from_is_refused(recipe: Recipe, start: Path, tmp_path: Path):
    thumbs = TOLD.as_thumbs()
    liked = tuple(thumb for thumb in thumbs if thumb.up)
    cases: list[tuple[str, tuple, str]] = [
        ("none", PAIRS, "none does not learn from preferences"),
        ("grpo", PAIRS, "grpo does not learn from preferences"),
        ("dpo", (), "there is none"),
        ("dpo", thumbs, "dpo learns from pairs, and it was given a thumb for 0"),
        ("kto", PAIRS, "kto learns from thumbs"),
        ("kto", liked, "all 8 answers are liked"),
    ]
    for method, lessons, told in cases:
        with pytest.raises(TrainingError, match=told):
            train_preference(start, lessons, tmp_path, recipe=preferring(recipe, method))
    endless = PreferencePair(example_id="long", prompt=(Message("user", "x" * 600),), chosen="a", rejected="b")
    with pytest.raises(TrainingError, match=r"long: a prompt with its answer has 6\d\d tokens"):
        train_preference(start, (endless,), tmp_path, recipe=preferring(recipe, "dpo"))


def test_margins_are_what_transformers_computes(recipe: Recipe):
    import torch

    from weighbridge.train.data.conversations import Conversation
    from weighbridge.train.data.tokens import encode
    from weighbridge.train.runtime.base_model import load_network, load_tokenizer
    from weighbridge.train.supervised.methods import precision

    network, tokenizer = load_network(recipe.base, precision=precision()), load_tokenizer(recipe.base)
    one, likelihoods = PAIRS[0], []
    for text in (one.chosen, one.rejected):
        made = encode(tokenizer, Conversation(example_id="0", prompt=one.prompt, target=text))
        loss = network(input_ids=torch.tensor([made.tokens]), labels=torch.tensor([made.labels])).loss
        likelihoods.append(-loss.item() * (len(made.tokens) - made.start))
    assert margins(None, [one], base=recipe.base)[0] == pytest.approx(likelihoods[0] - likelihoods[1], abs=0.05)
