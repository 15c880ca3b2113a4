"""The loop itself: a transformers trainer that takes a plan's steps, each as packed rows, one row at a time."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.devices import one_device
from weighbridge.train.runtime.memory import trim
from weighbridge.train.supervised.checkpoints import Epochs
from weighbridge.train.supervised.generate import Say, Validate
from weighbridge.train.supervised.methods import Recipient
from weighbridge.train.supervised.plan import rate_share
from weighbridge.train.supervised.prefix_packing import Row
from weighbridge.train.supervised.shards import Take, Work

_CLIP = 1.0


def row_loss(recipient: Recipient, row: Row) -> Any:
    """Return the summed cross entropy, in nats, of a row's targets, added up in float32."""
    import torch

    network, kind = recipient.network, recipient.precision
    with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
        logits = recipient.read(network, row)
    targets = torch.from_numpy(row.targets).to(logits.device)
    return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")


def make_trainer(recipient: Recipient, work: Work, take: Take, *, epochs: Epochs, how: TrainingSettings) -> Any:
    """Return a trainer that takes all steps, and tells `epochs` of each.

    One step is one batch: its rows are read forward and back one after another, and the loss is the mean over all
    tokens that the batch teaches, so neither memory nor result depends on how rows are cut, or on who reads them.
    """
    from transformers import PrinterCallback

    steps = len(work.order)
    trainer = _packed_rows(recipient, work, take, epochs)(
        model=recipient.network,
        args=_arguments(steps, epochs.folder, how),
        train_dataset=list(range(steps)),
        data_collator=_numbers,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _packed_rows(recipient: Recipient, work: Work, take: Take, epochs: Epochs) -> Any:
    """Return the class of such a trainer; a class of its own for each, because transformers is imported late."""
    import torch
    from transformers import Trainer

    class PackedRows(Trainer):  # type: ignore[misc] # transformers is untyped
        say: Say
        validate: Validate | None = None

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            model.train()
            step = self.state.global_step
            count = work.labels(step)
            return take(step, lambda rows: sum(self._back(row, count) for row in rows))

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
            self.control.should_training_stop = epochs.finished or epochs.late

    return PackedRows


def _numbers(steps: Sequence[int]) -> dict[str, Any]:
    """Be the collator of a trainer that knows by its own count which step it is at."""
    import torch

    return {"steps": torch.tensor(steps)}


def _arguments(steps: int, folder: Path, how: TrainingSettings) -> Any:
    import torch
    from transformers import TrainingArguments

    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        ignore_data_skip=True,
        learning_rate=how.rate,
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
    return one_device(arguments)
