"""Supervised fine-tuning: one LoRA recipe, on TRL and PEFT.

LoRA without dropout on all linear layers of the blocks, AdamW, a cosine schedule
with warm-up, gradients clipped at 1, and the loss on the answers alone. Weights are bfloat16 where the processor
multiplies bfloat16 natively (twice as fast there as float32, docs/adr/0004), adapters always float32.
"""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.train.base import load_network, load_tokenizer
from weighbridge.train.card import Training
from weighbridge.train.epochs import Epochs
from weighbridge.train.memory import release, trim
from weighbridge.train.plan import (
    Plan,
    epoch_batches,
    examples_at_once,
    rate_share,
    read_plan,
    save_plan,
    within_budget,
)
from weighbridge.train.quiet import quiet
from weighbridge.train.recipe import Recipe
from weighbridge.train.say import Validate, say
from weighbridge.train.tokens import IGNORED, Encoded
from weighbridge.types import Progress

_CLIP = 1.0


def train_adapter(
    encoded: Sequence[Encoded],
    folder: Path,
    *,
    recipe: Recipe,
    validate: Validate | None = None,
    notify: Notify = silent,
) -> Training:
    """Train an adapter on tokenised conversations, write it to `folder/adapter`, and say how it went.

    The same conversations, recipe and machine give the same bytes. The plan is saved before the first step and the
    state after each epoch; a training that was killed goes on from there and ends with the same adapter. `validate`
    is asked after each epoch and the best epoch is kept (of equals, the one with the lower loss).

    Raises:
        TrainingError: the loss is not a number, or the libraries fail.
        WorkspaceError: the folder cannot be written.
    """
    with quiet():
        try:
            return _train(encoded, folder, recipe, validate, notify)
        except OSError as error:
            raise WorkspaceError(f"{folder}: cannot be written ({error}); free some disk, then run again") from error
        except RuntimeError as error:
            raise TrainingError(f"{folder}: training failed: {error}; free memory or disk, then run again") from error
        finally:
            release()


def precision() -> Any:
    """Return the torch type of the frozen weights: bfloat16 where the device computes in it natively, else float32."""
    import torch

    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    able: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def _train(
    encoded: Sequence[Encoded], folder: Path, recipe: Recipe, validate: Validate | None, notify: Notify
) -> Training:
    start = perf_counter()
    network, tokenizer = _with_adapter(recipe), load_tokenizer(recipe.base)
    key = fingerprint(recipe.base.fingerprint, recipe.training.model_dump(), [(e.tokens, e.start) for e in encoded])
    plan = read_plan(folder, key) or _new_plan(key, encoded, network, recipe)
    save_plan(plan, folder)
    release()
    lengths = [len(one.tokens) for one in encoded]
    epochs = Epochs(folder / "checkpoints", plan, lengths=lengths, validate=validate).open(notify)
    trainer = _trainer(network, tokenizer, encoded, plan, epochs=epochs, recipe=recipe)
    notify(Progress(task="training", done=epochs.done_steps, total=plan.steps, unit="steps"))
    trainer.train(resume_from_checkpoint=epochs.latest)
    best = epochs.keep_best(folder / "adapter")
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return Training(
        epochs=epochs.scores,
        chosen_epoch=best.epoch,
        examples=len(encoded),
        tokens=plan.tokens(lengths),
        steps=plan.steps,
        seconds=epochs.earlier_seconds + perf_counter() - start,
        first_loss=losses[0],
        last_loss=losses[-1],
        precision=str(precision()).removeprefix("torch."),
    )


def answer_loss(model: Any, inputs: Any) -> Any:
    """Return the summed cross entropy, in nats, of the labelled tokens; the vocabulary is read at their places only."""
    import torch

    labels = inputs["labels"][:, 1:]
    places = (labels != IGNORED).any(0).nonzero().squeeze(1)
    read = {name: inputs[name] for name in ("input_ids", "attention_mask")}
    logits = model(**read, logits_to_keep=places, use_cache=False).logits.float()
    wanted = labels[:, places].flatten()
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted, ignore_index=IGNORED, reduction="sum")


def _with_adapter(recipe: Recipe) -> Any:
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    set_seed(recipe.training.seed)
    network = load_network(recipe.base, precision=precision())
    lora = LoraConfig(
        r=recipe.training.rank,
        lora_alpha=recipe.training.alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(network, lora)


def _ask(trainer: Any, prompts: Any, recipe: Recipe) -> tuple[str, ...]:
    import torch

    device = trainer.model.device.type
    with torch.autocast(device, dtype=torch.bfloat16, enabled=precision() == torch.bfloat16):
        tokenizer = trainer.processing_class
        return say(trainer.model, tokenizer, prompts, maximum_tokens=recipe.model.maximum_tokens)


def _new_plan(key: str, encoded: Sequence[Encoded], network: Any, recipe: Recipe) -> Plan:
    lengths, how = [len(one.tokens) for one in encoded], recipe.training
    epochs = [epoch_batches(lengths, how.batch_size, how.seed + number) for number in range(how.epochs)]
    at_once = examples_at_once(lengths, how.batch_size)
    rate = _seconds_per_token([encoded[number] for number in epochs[0][0][:at_once]], network)
    kept = within_budget(epochs, lengths, rate=rate, seconds=how.seconds)
    return Plan(fingerprint=key, batches=kept, at_once=at_once, seconds_per_token=rate)


def _seconds_per_token(rows: Sequence[Encoded], network: Any) -> float:
    """Measure passes forward and back, after one that warms up: the fastest, which a busy moment does not spoil.

    Leaves no trace in the network.
    """
    import torch

    rates = []
    for one in (rows[0], *rows):
        start = perf_counter()
        tokens = torch.tensor([one.tokens], device=network.device)
        with torch.autocast(network.device.type, dtype=torch.bfloat16, enabled=precision() == torch.bfloat16):
            network(input_ids=tokens, logits_to_keep=1).logits.float().logsumexp(-1).sum().backward()
        rates.append((perf_counter() - start) / len(one.tokens))
    network.zero_grad(set_to_none=True)
    return min(rates[1:])


def _trainer(
    network: Any, tokenizer: Any, encoded: Sequence[Encoded], plan: Plan, *, epochs: Epochs, recipe: Recipe
) -> Any:
    """Return a TRL trainer that takes the plan's steps, and tells `epochs` of each."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTTrainer

    class AnswersOnly(SFTTrainer):  # type: ignore[misc] # trl is untyped
        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,  # noqa: FBT001, FBT002 - the library's signature
            num_items_in_batch: Any = None,
        ) -> Any:
            return answer_loss(model, inputs) / num_items_in_batch

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, lambda step: rate_share(step, num_training_steps)
            )
            return self.lr_scheduler

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            epochs.report(self.state)
            self.control.should_save = epochs.ends_at(self.state.global_step)

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            super()._save_checkpoint(model, trial)
            trim()
            epochs.end(self.state, lambda asked: _ask(self, asked, recipe))

    order = [encoded[number] for epoch in plan.batches for batch in epoch for number in batch]
    rows = [{"input_ids": list(one.tokens), "labels": list(one.labels)} for one in order]
    trainer = AnswersOnly(
        model=network,
        args=_arguments(plan, epochs.folder, recipe),
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(plan: Plan, folder: Path, recipe: Recipe) -> Any:
    import torch
    from trl import SFTConfig

    how = recipe.training
    return SFTConfig(
        output_dir=str(folder),
        max_steps=plan.steps,
        per_device_train_batch_size=plan.at_once,
        gradient_accumulation_steps=len(plan.batches[0][0]) // plan.at_once,
        train_sampling_strategy="sequential",
        learning_rate=how.learning_rate,
        max_grad_norm=_CLIP,
        optim="adamw_torch",
        bf16=precision() == torch.bfloat16,
        use_cpu=not torch.cuda.is_available(),
        gradient_checkpointing=False,
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=how.seed,
    )
