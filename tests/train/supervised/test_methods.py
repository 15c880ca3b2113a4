"""Every method learns, leaves what its name says, can be gone on from, and resumes to the same weights."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.runtime.base_model import load_network, load_tokenizer
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import precision, prepare_network
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.types import Message, Progress

RATES = {"lora": 2e-2, "rslora": 1e-2, "dora": 2e-2, "qlora": 2e-2, "ia3": 1e-1, "prompt-tuning": 3e-1, "full": 5e-3}
KINDS = {
    "lora": ("LORA", "lora_A"),
    "rslora": ("LORA", "lora_A"),
    "dora": ("LORA", "lora_magnitude_vector"),
    "qlora": ("LORA", "lora_A"),
    "ia3": ("IA3", "ia3_l"),
    "prompt-tuning": ("PROMPT_TUNING", "prompt_embeddings"),
}


@pytest.fixture(scope="module")
def texts(recipe: Recipe) -> tuple[Encoded, ...]:
    tokenizer = load_tokenizer(recipe.base)
    made = [
        Conversation(example_id=str(n), prompt=(Message("user", f"Say {word}!"),), target=word)
        for n, word in enumerate(("a", "bb", "ccc", "dd", "e", "ff"))
    ]
    return tuple(encode(tokenizer, one) for one in made)


def by(recipe: Recipe, method: str, **changes: object) -> Recipe:
    how = {"method": method, "learning_rate": RATES.get(method, 1e-2), "patience": 9, **changes}
    return replace(recipe, training=recipe.training.model_copy(update=how))


def written(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (folder / "adapter").iterdir()}


@pytest.mark.parametrize("method", RATES)
def test_it_learns_and_resumes(recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path, method: str):
    job = Job(encoded=texts, folder=tmp_path / "whole", recipe=by(recipe, method, epochs=4))
    done = train_supervised(job)
    assert done.last_loss < 0.9 * done.first_loss

    def kill(progress: Progress) -> None:
        if progress.note and progress.done == 5:
            raise KeyboardInterrupt

    cut = replace(job, folder=tmp_path / "cut", checkpoint_seconds=0.0, validate=lambda say: float(bool(say(PROMPTS))))
    with pytest.raises(KeyboardInterrupt):
        train_supervised(replace(cut, notify=kill))
    train_supervised(cut)
    assert written(tmp_path / "cut").keys() == written(tmp_path / "whole").keys()
    same = "model.safetensors" if method == "full" else "adapter_model.safetensors"
    assert written(tmp_path / "cut")[same] == written(tmp_path / "whole")[same]


PROMPTS = [(Message("user", "Say bb!"),), (Message("user", "Say ccc! No, really, say it."),)]


@pytest.mark.parametrize("method", KINDS)
def test_what_is_left_is_what_peft_names_so(recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path, method: str):
    from safetensors import safe_open

    train_supervised(Job(encoded=texts, folder=tmp_path, recipe=by(recipe, method, epochs=1)))
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    kind, part = KINDS[method]
    assert config["peft_type"] == kind
    assert config.get("use_rslora", False) == (method == "rslora")
    assert config.get("use_dora", False) == (method == "dora")
    with safe_open(tmp_path / "adapter" / "adapter_model.safetensors", "pt") as stored:
        assert any(part in name for name in stored.keys())  # noqa: SIM118 - not a mapping
        assert {stored.get_slice(name).get_dtype() for name in stored.keys()} == {"F32"}  # noqa: SIM118


def test_full_leaves_a_whole_model(recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path):
    import torch
    from transformers import AutoModelForCausalLM

    train_supervised(Job(encoded=texts, folder=tmp_path, recipe=by(recipe, "full", epochs=1)))
    with quiet():
        tuned = AutoModelForCausalLM.from_pretrained(tmp_path / "adapter", local_files_only=True)
        base = load_network(recipe.base, precision=torch.float32)
    assert tuned.dtype == torch.float32
    assert tuned.state_dict().keys() == base.state_dict().keys()
    assert not torch.equal(tuned.state_dict()["model.norm.weight"], base.state_dict()["model.norm.weight"])


@pytest.mark.parametrize("method", ["lora", "dora", "ia3", "full"])
def test_only_the_upper_blocks_learn(recipe: Recipe, method: str):
    with quiet():
        network = prepare_network(recipe.base, by(recipe, method, layers=1).training, precision())
    learning = [name for name, weight in network.named_parameters() if weight.requires_grad]
    assert learning
    assert all("layers.1." in name or name == "model.norm.weight" for name in learning)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_more_blocks_than_there_are_are_refused(recipe: Recipe, method: str):
    with quiet(), pytest.raises(TrainingError, match="more than the 2 blocks"):
        prepare_network(recipe.base, by(recipe, method, layers=3).training, precision())


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_a_rank_above_the_width_is_refused(recipe: Recipe, method: str):
    with quiet(), pytest.raises(TrainingError, match=r"training.rank: 4,096 is more than the base model's width"):
        prepare_network(recipe.base, by(recipe, method, rank=4096).training, precision())


def test_a_learnt_prompt_has_no_upper_blocks(recipe: Recipe):
    with quiet(), pytest.raises(TrainingError, match="below all blocks"):
        prepare_network(recipe.base, by(recipe, "prompt-tuning", layers=1).training, precision())
