"""The loop itself: a transformers trainer that takes a plan's steps, each as packed rows, one row at a time."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.settings_training import TrainingSettings
from weighbridge.train.epochs import Epochs
from weighbridge.train.memory import trim
from weighbridge.train.methods import Recipient
from weighbridge.train.packing import Row, labels, pack
from weighbridge.train.plan import Plan, rate_share
from weighbridge.train.say import Say, Validate
from weighbridge.train.tokens import Encoded

_CLIP = 1.0


def row_loss(recipient: Recipient, row: Row) -> Any:
    """Return the summed cross entropy, in nats, of a row's targets, added up in float32."""
    import torch

    network, kind = recipient.network, recipient.precision
    with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
        logits = recipient.read(network, row)
    targets = torch.from_numpy(row.targets).to(logits.device)
    return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")


def make_trainer(
    recipient: Recipient, encoded: Sequence[Encoded], plan: Plan, *, epochs: Epochs, how: TrainingSettings
) -> Any:
    """Return a trainer that takes the plan's steps, and tells `epochs` of each.

    One step is one batch of the plan: its rows are read forward and back one after another, and the loss is the mean
    over all tokens that the batch teaches, so neither memory nor result depends on how rows are cut.
    """
    from transformers import PrinterCallback

    trainer = _packed_rows(recipient, encoded, plan, epochs)(
        model=recipient.network,
        args=_arguments(plan, epochs.folder, how),
        train_dataset=list(range(plan.steps)),
        data_collator=_numbers,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _packed_rows(recipient: Recipient, encoded: Sequence[Encoded], plan: Plan, epochs: Epochs) -> Any:
    """Return the class of such a trainer; a class of its own for each, because transformers is imported late."""
    import torch
    from transformers import Trainer

    order = plan.order

    class PackedRows(Trainer):  # type: ignore[misc] # transformers is untyped
        say: Say
        validate: Validate | None = None

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            model.train()
            batch = order[self.state.global_step]
            count = max(1, labels([encoded[number] for number in batch]))
            return sum(self._back(row, count) for row in pack(encoded, among=batch, limit=plan.row_tokens))

        def _back(self, row: Row, count: int) -> Any:
            loss = row_loss(recipient, row) / count
            self.accelerator.backward(loss)
            return loss.detach()

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, lambda step: rate_share(step, num_training_steps)
            )
            return self.lr_scheduler

        def floating_point_ops(self, inputs: Any) -> int:
            return 0

        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            if "loss" in logs:
                epochs.report(logs["loss"])
                self.control.should_save = epochs.due()

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            start = perf_counter()
            super()._save_checkpoint(model, trial)
            trim()
            epochs.saved(perf_counter() - start, self.validate, self.say)
            self.control.should_training_stop = epochs.finished

    return PackedRows


def _numbers(steps: Sequence[int]) -> dict[str, Any]:
    """Be the collator of a trainer that knows by its own count which step it is at."""
    import torch

    return {"steps": torch.tensor(steps)}


def _arguments(plan: Plan, folder: Path, how: TrainingSettings) -> Any:
    import torch
    from transformers import TrainingArguments

    return TrainingArguments(
        output_dir=str(folder),
        max_steps=plan.steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        ignore_data_skip=True,
        learning_rate=how.learning_rate,
        max_grad_norm=_CLIP,
        optim="adamw_torch_fused",
        use_cpu=not torch.cuda.is_available(),
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=how.seed,
    )
