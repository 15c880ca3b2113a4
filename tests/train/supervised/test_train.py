"""Training is deterministic, learns, resumes, keeps its plan, and accumulates gradients exactly."""

import itertools
import json
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError, UnfinishedError
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.runtime.base_model import load_network, load_tokenizer
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.generate import say
from weighbridge.train.supervised.methods import prepare_network
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.train.supervised.trainer import epoch_batches
from weighbridge.types import Message, Progress


@pytest.fixture
def encoded(recipe: Recipe) -> tuple[Encoded, ...]:
    tokenizer = load_tokenizer(recipe.base)
    made = [
        Conversation(example_id=str(n), prompt=(Message("user", f"Say {word}!"),), target=word)
        for n, word in enumerate(("a", "bb", "ccc", "dd", "e", "ff"))
    ]
    return tuple(encode(tokenizer, one) for one in made)


def adapter(folder: Path) -> bytes:
    return (folder / "adapter" / "adapter_model.safetensors").read_bytes()


def test_same_seed_same_bytes_and_it_learns(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    seen: list[Progress] = []
    first = train_supervised(Job(encoded=encoded, folder=tmp_path / "a", recipe=recipe, notify=seen.append))
    train_supervised(Job(encoded=encoded, folder=tmp_path / "b", recipe=recipe))
    assert adapter(tmp_path / "a") == adapter(tmp_path / "b")
    assert first.last_loss < first.first_loss / 2
    assert first.steps == 12
    assert seen[-1].done == seen[-1].total == 12
    assert "tokens/s" in seen[-1].note
    assert not (tmp_path / "a" / "checkpoints").exists()


def test_another_seed_gives_another_adapter(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    train_supervised(Job(encoded=encoded, folder=tmp_path / "a", recipe=recipe))
    other = replace(recipe, training=recipe.training.model_copy(update={"seed": 8}))
    train_supervised(Job(encoded=encoded, folder=tmp_path / "b", recipe=other))
    assert adapter(tmp_path / "a") != adapter(tmp_path / "b")


def test_killed_training_ends_with_the_same_adapter(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    train_supervised(Job(encoded=encoded, folder=tmp_path / "whole", recipe=recipe))

    def kill(progress: Progress) -> None:
        if progress.done == 9 and progress.note:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_supervised(Job(encoded=encoded, folder=tmp_path / "cut", recipe=recipe, notify=kill))
    seen: list[Progress] = []
    resumed = train_supervised(Job(encoded=encoded, folder=tmp_path / "cut", recipe=recipe, notify=seen.append))
    assert seen[0].done == 8
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")
    assert len(resumed.epochs) == 6


def test_what_comes_afterwards_does_not_begin_a_training_anew(
    recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path
):
    def kill(progress: Progress) -> None:
        if progress.done == 9 and progress.note:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe, notify=kill))
    other = replace(recipe, training=recipe.training.model_copy(update={"learning_curve": False}))
    seen: list[Progress] = []
    train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=other, notify=seen.append))
    assert seen[0].done == 8


def test_best_epoch_is_kept(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    scores = iter((0.1, 0.9, 0.3, 0.9, 0.2, None))
    patient = replace(recipe, training=recipe.training.model_copy(update={"patience": 6}))
    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=patient, validate=lambda _: next(scores)))
    assert done.chosen_epoch == 4
    assert not done.notes
    assert [epoch.dev for epoch in done.epochs] == [0.1, 0.9, 0.3, 0.9, 0.2, None]


@pytest.mark.parametrize("best", [1, 2, 4])
def test_the_weights_of_the_best_epoch_are_kept(
    recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path, best: int
):
    """Scored by a script, so that the best epoch is known, and is not always the last."""
    four = replace(recipe, training=recipe.training.model_copy(update={"epochs": 4, "patience": 4}))
    seen: list[bytes] = []

    def validate(_: object) -> float:
        last = max((tmp_path / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
        seen.append((last / "adapter_model.safetensors").read_bytes())
        return 0.9 if len(seen) == best else 0.1 / len(seen)

    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=four, validate=validate))
    assert done.chosen_epoch == best
    assert len(set(seen)) == 4
    assert seen.index(adapter(tmp_path)) + 1 == best


def test_it_ends_early_where_nothing_is_gained(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    scores = iter((0.1, 0.9, 0.3, 0.9))
    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe, validate=lambda _: next(scores)))
    assert len(done.epochs) == 4
    assert done.steps == 8
    assert done.tokens == 4 * sum(len(one.tokens) for one in encoded)
    assert done.notes == ("ended after 4 of 6 epochs, because the dev score had not become better",)


def test_validation_hears_the_current_weights(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    said: list[tuple[str, ...]] = []

    def validate(say) -> float:
        said.append(say([(Message("user", "Say bb!"),), (Message("user", "Say ccc! No, really, say it."),)]))
        return float(len(said))

    train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe, validate=validate))
    assert len(said) == 6
    assert said[0] != said[-1]


@pytest.mark.parametrize("method", ["lora", "prompt-tuning"])
def test_answers_do_not_depend_on_who_is_asked_beside(recipe: Recipe, method: str):
    import torch

    how = recipe.training.model_copy(update={"method": method})
    tokenizer = load_tokenizer(recipe.base)
    system = Message("system", "Answer in a few words, and never in rhyme. Say what you know.")
    words = ["a", "bb", "ccc! No, really, say it, and do not make me ask again"]
    prompts = [(system, Message("user", f"Say {word}!")) for word in words]
    with quiet():
        network = prepare_network(recipe.base, how, torch.float32)
        alone = [say(network, tokenizer, [prompt], maximum_tokens=8)[0] for prompt in prompts]
        assert list(say(network, tokenizer, prompts, maximum_tokens=8)) == alone
    assert len(set(alone)) > 1
    assert network.training


def with_limit(recipe: Recipe, seconds: float | None) -> Recipe:
    return replace(recipe, training=recipe.training.model_copy(update={"seconds": seconds}))


def test_a_busy_machine_changes_nothing(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    """A clock on which every look takes an hour, and one that stands still."""
    hours = (3600.0 * hour for hour in itertools.count())
    job = Job(encoded=encoded, folder=tmp_path / "slow", recipe=recipe, validate=lambda _: 0.5)
    slow = train_supervised(replace(job, clock=lambda: next(hours)))
    fast = train_supervised(replace(job, folder=tmp_path / "fast", clock=lambda: 0.0))
    assert adapter(tmp_path / "slow") == adapter(tmp_path / "fast")
    assert replace(slow, seconds=0.0) == replace(fast, seconds=0.0)


def test_a_time_limit_stops_a_training_which_goes_on_to_the_same_adapter(
    recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path
):
    whole = train_supervised(Job(encoded=encoded, folder=tmp_path / "whole", recipe=recipe))
    stops: list[str] = []
    seconds: list[float | None] = [1e-6] * 5 + [3600.0]  # five runs of a step each, and one with time enough
    for limit in seconds[:-1]:
        with pytest.raises(UnfinishedError, match="go on from there") as stop:
            train_supervised(Job(encoded=encoded, folder=tmp_path / "cut", recipe=with_limit(recipe, limit)))
        stops.append(str(stop.value).partition(",")[0])
        assert not (tmp_path / "cut" / "adapter").exists()
    done = train_supervised(Job(encoded=encoded, folder=tmp_path / "cut", recipe=with_limit(recipe, seconds[-1])))
    assert stops == [f"training stopped at step {step} of 12" for step in range(1, 6)]
    assert adapter(tmp_path / "cut") == adapter(tmp_path / "whole")
    assert replace(done, seconds=0.0) == replace(whole, seconds=0.0)


def test_a_training_whose_rows_were_halved_goes_on_with_them(recipe: Recipe, encoded, tmp_path: Path):
    def kill(progress: Progress) -> None:
        if progress.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe, notify=kill))
    record = tmp_path / "checkpoints" / "checkpoints.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "at_once": 64, "halved": "halved"}))
    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe))
    assert done.notes == ("halved",)
    assert done.steps == 12


def test_checkpoints_of_an_earlier_version_are_told_of_and_not_used(recipe: Recipe, encoded, tmp_path: Path):
    (tmp_path / "checkpoints" / "checkpoint-2").mkdir(parents=True)
    (tmp_path / "checkpoints" / "epochs.json").write_text('{"fingerprint": "a"}')
    seen: list[Progress] = []
    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe, notify=seen.append))
    assert seen[0].note.endswith("training starts again")
    assert done.steps == 12
    assert not (tmp_path / "checkpoints").exists()


def test_a_loss_that_is_no_number_stops(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    wild = replace(recipe, training=recipe.training.model_copy(update={"learning_rate": 1e30}))
    with pytest.raises(TrainingError, match=r"lower training\.learning_rate"):
        train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=wild))


def mean_loss(recipe: Recipe, encoded) -> float:
    """The base model's loss per answer token, by transformers itself, in float32."""
    import torch

    network = load_network(recipe.base, precision=torch.float32)
    total = count = 0.0
    for one in encoded:
        loss = network(input_ids=torch.tensor([one.tokens]), labels=torch.tensor([one.labels])).loss
        total += loss.item() * (len(one.tokens) - one.start)
        count += len(one.tokens) - one.start
    return total / count


def test_the_loss_is_the_one_transformers_computes(recipe: Recipe, encoded: tuple[Encoded, ...], tmp_path: Path):
    done = train_supervised(Job(encoded=encoded, folder=tmp_path, recipe=recipe))
    first = epoch_batches(len(encoded), recipe.training.batch_size, recipe.training.seed)[0]
    assert done.first_loss == pytest.approx(mean_loss(recipe, [encoded[number] for number in first]), rel=0.01)


def test_the_loss_does_not_depend_on_how_rows_are_cut(recipe: Recipe, tmp_path: Path):
    tokenizer = load_tokenizer(recipe.base)
    longer = replace(recipe, model=recipe.model.model_copy(update={"context": 2048}))
    for size in (20, 900):
        made = [
            Conversation(example_id=str(n), prompt=(Message("user", word * size),), target=word * (n + 1))
            for n, word in enumerate("abcd")
        ]
        tokens = [encode(tokenizer, one) for one in made]
        done = train_supervised(Job(encoded=tokens, folder=tmp_path / str(size), recipe=longer))
        assert done.first_loss == pytest.approx(mean_loss(recipe, tokens), rel=0.01)
