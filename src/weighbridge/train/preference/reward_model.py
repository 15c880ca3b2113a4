"""Trains a reward model on preferred answers: the base model with a head of one number.

Trained by TRL's RewardTrainer on pairs (Bradley and Terry, 1952): LoRA on the base model, and the head whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.preferences import PreferencePair, held_out, require_both_sides
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.preference.rewards import Judge
from weighbridge.train.preference.trainer_setup import (
    checkpoint_marks,
    halve_rows,
    move_to_gpu,
    rows_at_once,
    trainer_in,
    usual,
    weights_key,
)
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer
from weighbridge.train.runtime.checkpoints import CheckpointStore, TimeLimit, epoch_ends
from weighbridge.train.runtime.out_of_memory import raise_clear_errors, with_less_memory
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.runtime.recorded_trainer import one_device, run_trainer
from weighbridge.train.supervised.methods import precision
from weighbridge.types import Message
from weighbridge.workspace import load_json, write_json

_SHARE = 0.2
"""Share of the examples held out to measure the reward model."""
_FINISHED = "reward.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardModel:
    """How the training of a reward model went."""

    trained: int
    """Pairs learnt from."""
    margins: tuple[float, ...]
    """Reward of the better answer less that of the worse one, of each pair of the examples kept back."""
    kept_back: tuple[str, ...]
    """The example of each of these pairs."""
    first_loss: float
    last_loss: float
    steps: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def right(self) -> tuple[float, ...]:
        """The share of rightly ordered pairs of each held-out example.

        By example, because the pairs of one question are not independent of each other.
        """
        grouped: dict[str, list[float]] = {}
        for name, margin in zip(self.kept_back, self.margins, strict=True):
            grouped.setdefault(name, []).append(float(margin > 0))
        return tuple(sum(own) / len(own) for own in grouped.values())

    @property
    def accuracy(self) -> float | None:
        """The mean of `right`; None where all examples were needed to learn."""
        return sum(self.right) / len(self.right) if self.right else None


def train_reward_model(
    pairs: Sequence[PreferencePair], folder: Path, *, recipe: Recipe, notify: Notify = silent
) -> RewardModel:
    """Train a reward model on pairs, write it to `folder/adapter`, and say how well it orders pairs it has not seen.

    It is trained like an adapter, with `training.learning_rate`, `epochs`, `rank`, `batch_size` and `seed`. A fifth of
    the examples is kept back, with all their pairs. The same pairs, recipe and machine give the same bytes; a training
    that was killed goes on from its last checkpoint. Where memory does not suffice, half the rows are read at a time,
    once, in the same steps. A finished one is not trained again.

    Raises:
        TrainingError: there is no pair, one is longer than the context, the loss is not a number, or the libraries
            fail.
        UnfinishedError: `training.seconds` are over, and steps are left.
        WorkspaceError: the folder cannot be written.
    """
    require_both_sides(pairs, "a reward model")
    kept_back = held_out([pair.example_id for pair in pairs], _SHARE, recipe.training.seed)
    learnt = [pair for pair in pairs if pair.example_id not in kept_back]
    asked = [pair for pair in pairs if pair.example_id in kept_back]
    with raise_clear_errors(folder):
        rows = [_row(load_tokenizer(recipe.base), pair, recipe) for pair in learnt]
        store, batch = _store(rows, folder, recipe, notify)
    key = fingerprint(store.fingerprint, [asdict(pair) for pair in asked])
    if (finished := _read(folder, key)) is not None:
        return finished
    (folder / _FINISHED).unlink(missing_ok=True)
    with_less_memory(
        folder,
        lambda: _train(rows, recipe, store, batch),
        lambda failure: halve_rows(store, failure, batch=batch),
    )
    score = open_reward_model(folder, recipe.base)
    with raise_clear_errors(folder):
        margins = tuple(score(pair.prompt, pair.chosen) - score(pair.prompt, pair.rejected) for pair in asked)
    made = RewardModel(
        trained=len(learnt),
        margins=margins,
        kept_back=tuple(pair.example_id for pair in asked),
        first_loss=store.losses[0],
        last_loss=store.losses[-1],
        steps=len(store.losses),
        seconds=store.seconds,
        notes=(store.halved,) if store.halved else (),
    )
    write_json(folder / _FINISHED, {"fingerprint": key, "model": asdict(made)})
    return made


def _read(folder: Path, key: str) -> RewardModel | None:
    """Return how the training of a folder's reward model went; None where it is of other pairs, or not finished."""
    found = load_json(folder / _FINISHED)
    if not found or found["fingerprint"] != key or not (folder / "adapter" / "adapter_model.safetensors").is_file():
        return None
    lists = {name: tuple(found["model"][name]) for name in ("margins", "kept_back", "notes")}
    return RewardModel(**{**found["model"], **lists})


def open_reward_model(folder: Path, base: BaseFiles) -> Judge:
    """Return the reward model that `train_reward_model` left in `folder`.

    Raises:
        TrainingError: there is none.
    """
    from peft import PeftModel

    adapter = folder / "adapter"
    if not (adapter / "adapter_model.safetensors").is_file():
        raise TrainingError(f"{folder}: there is no reward model; train it again")
    with raise_clear_errors(folder):
        tokenizer = load_tokenizer(base)
        return _scorer(PeftModel.from_pretrained(_network(base, tokenizer, precision()), str(adapter)), tokenizer)


def reward_key(folder: Path) -> str:
    """Return the fingerprint of the reward model in `folder`."""
    return fingerprint(weights_key(folder / "adapter"))


def _scorer(network: Any, tokenizer: Any) -> Judge:
    move_to_gpu(network).eval()

    def score(prompt: tuple[Message, ...], answer: str) -> float:
        import torch

        encoded = _encode_answer(tokenizer, "", prompt, answer)
        with torch.inference_mode():
            tokens = torch.tensor([encoded.tokens], device=network.device)
            return float(network(input_ids=tokens, use_cache=False).logits[0, 0])

    return score


def _encode_answer(tokenizer: Any, name: str, prompt: tuple[Message, ...], answer: str) -> Encoded:
    return encode(tokenizer, Conversation(example_id=name, prompt=prompt, target=answer))


def _network(base: BaseFiles, tokenizer: Any, kind: Any) -> Any:
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(
        base.hf, num_labels=1, dtype=kind, local_files_only=True
    )
    network.config.pad_token_id = tokenizer.pad_token_id if tokenizer.pad_token else tokenizer.eos_token_id
    return network


def _store(
    rows: Sequence[Mapping[str, Any]], folder: Path, recipe: Recipe, notify: Notify
) -> tuple[CheckpointStore, int]:
    """Return the store of this training, and how many pairs each step learns from."""
    how = recipe.training
    lengths = [len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in rows]
    batch = min(how.batch_size, len(rows))
    ends = epoch_ends(len(rows), batch, how.epochs)
    store = CheckpointStore(
        folder=folder / "checkpoints",
        fingerprint=fingerprint("reward model", recipe.base.fingerprint, how.without_time_limit, rows),
        ends=ends,
        marks=checkpoint_marks(ends[-1]),
        at_once=rows_at_once(lengths, batch),
        limit=TimeLimit(how.seconds),
        notify=notify,
        task="reward model",
    )
    return store, batch


def _train(rows: Sequence[Mapping[str, Any]], recipe: Recipe, store: CheckpointStore, batch: int) -> None:
    from datasets import Dataset
    from transformers import set_seed
    from trl import RewardConfig, RewardTrainer

    store.open()
    how, tokenizer = recipe.training, load_tokenizer(recipe.base)
    set_seed(how.seed)
    trainer = trainer_in(RewardTrainer, store)(
        model=_with_lora(_network(recipe.base, tokenizer, precision(recipe.training.precision)), recipe),
        args=one_device(RewardConfig(max_length=None, **usual(recipe, store, batch=batch, rate=how.rate))),
        train_dataset=Dataset.from_list(list(rows)),
        processing_class=tokenizer,
    )
    run_trainer(trainer, store)
    store.keep_best(store.folder.with_name("adapter"))


def _with_lora(network: Any, recipe: Recipe) -> Any:
    """Put LoRA on all linear layers of the blocks. The new head is trained in full and in float32."""
    import torch
    from peft import LoraConfig, get_peft_model

    how = recipe.training
    lora = LoraConfig(
        r=how.rank,
        lora_alpha=how.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        modules_to_save=["score"],
        task_type="SEQ_CLS",
    )
    adapted = get_peft_model(network, lora)
    for weight in adapted.parameters():
        if weight.requires_grad:
            weight.data = weight.data.to(torch.float32)
    return adapted


def _row(tokenizer: Any, pair: PreferencePair, recipe: Recipe) -> dict[str, Any]:
    made = {
        name: list(_encode_answer(tokenizer, pair.example_id, pair.prompt, text).tokens)
        for name, text in (("chosen_ids", pair.chosen), ("rejected_ids", pair.rejected))
    }
    if (longest := max(map(len, made.values()))) > recipe.model.context:
        raise TrainingError(
            f"{pair.example_id}: a prompt with its answer has {longest:,} tokens, and model.context holds "
            f"{recipe.model.context:,}; raise it, or leave this pair out"
        )
    return made
