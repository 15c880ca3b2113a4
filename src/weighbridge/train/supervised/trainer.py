"""The loop of a supervised training: a transformers trainer that takes planned steps, row by row."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.checkpoints import CheckpointStore
from weighbridge.train.runtime.recorded_trainer import one_device, record_into, shared_arguments
from weighbridge.train.supervised.methods import read_row
from weighbridge.train.supervised.prefix_packing import PackedRow, labels, pack

Steps = Sequence[Sequence[Encoded]]
"""The examples of each step."""

_WARM_UP = 0.06
"""Share of the steps with a rising learning rate."""


def epoch_batches(examples: int, batch: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Return one epoch: every example once, shuffled by the seed, in batches; the last one may be smaller."""
    import numpy as np

    order = [int(number) for number in np.random.default_rng(seed).permutation(examples)]
    return tuple(tuple(order[start : start + batch]) for start in range(0, examples, batch))


def rate_share(step: int, steps: int) -> float:
    """Return the share of the learning rate to take a step with, counted from 0: a linear rise, then half a cosine."""
    rise = max(1, round(_WARM_UP * steps))
    if step < rise:
        return (step + 1) / rise
    return 0.5 + 0.5 * math.cos(math.pi * (step - rise + 1) / (steps - rise + 1))


def row_loss(network: Any, row: PackedRow, kind: Any) -> Any:
    """Return the summed cross entropy, in nats, of a row's targets; matrices multiply in the torch type `kind`."""
    import torch

    with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
        logits = read_row(network, row)
    targets = torch.from_numpy(row.targets).to(logits.device)
    return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")


def make_trainer(
    network: Any,
    kind: Any,
    steps: Steps,
    *,
    store: CheckpointStore,
    how: TrainingSettings,
    score: Callable[[], float | None],
) -> Any:
    """Return a trainer that takes all steps, and reports each to the store.

    One step is one batch: its rows are read forward and back one after another, and the loss is the mean over all
    tokens that the batch teaches, so neither memory nor result depends on how rows are cut. `score` gives
    the dev score of the network as it is.
    """
    from transformers import TrainingArguments

    before, began = len(store.losses), store.limit.clock()

    def note(logs: Mapping[str, float]) -> str:
        seconds = store.limit.clock() - began
        read = sum(len(one.tokens) for batch in steps[before : int(logs["step"])] for one in batch)
        return f"loss {logs['loss']:.3f}, {read / seconds if seconds else 0.0:.0f} tokens/s"

    arguments = TrainingArguments(
        **shared_arguments(store, how.seed),
        max_steps=len(steps),
        per_device_train_batch_size=1,
        gradient_accumulation_steps=1,
        ignore_data_skip=True,
        learning_rate=how.rate,
        optim="adamw_torch_fused",
    )
    trainer = record_into(store, _packed_rows(network, kind, steps, store), note=note, score=score)
    return trainer(
        model=network,
        args=one_device(arguments),
        train_dataset=list(range(len(steps))),
        data_collator=_numbers,
    )


def _packed_rows(network: Any, kind: Any, steps: Steps, store: CheckpointStore) -> Any:
    """Return the class of such a trainer; a class of its own for each, because transformers is imported late."""
    import torch
    from transformers import Trainer

    class PackedRows(Trainer):  # type: ignore[misc] # transformers is untyped
        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            model.train()
            batch = steps[self.state.global_step]
            taught = max(1, labels(batch))
            return sum(self._read_back(row, taught) for row in pack(batch, limit=store.at_once))

        def _read_back(self, row: PackedRow, taught: int) -> Any:
            loss = row_loss(network, row, kind) / taught
            self.accelerator.backward(loss)
            return loss.detach()

        def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
            self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
                optimizer or self.optimizer, lambda step: rate_share(step, num_training_steps)
            )
            return self.lr_scheduler

        def floating_point_ops(self, inputs: Any) -> int:
            return 0

    return PackedRows


def _numbers(steps: Sequence[int]) -> dict[str, Any]:
    """Collate nothing but the step number: the trainer takes its batch by its own count."""
    import torch

    return {"steps": torch.tensor(steps)}
