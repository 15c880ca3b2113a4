"""The loop of a supervised training: a transformers trainer that takes planned steps, row by row."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.attention import attention_window
from weighbridge.train.runtime.checkpoints import CheckpointStore
from weighbridge.train.runtime.recorded_trainer import one_device, record_into, shared_arguments
from weighbridge.train.supervised.methods import has_learnt_prompt, inputs_of, read_row
from weighbridge.train.supervised.prefix_packing import PackedRow, labels, pack

Steps = Sequence[Sequence[Encoded]]
"""The examples of each step."""

_WARM_UP = 0.06
"""Share of the steps with a rising learning rate."""
_PROBE_TOKENS = 1 << 20
_ROUNDING = 0.05
"""Relative difference of two losses that bfloat16 may make; reading another example's answer changes more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a network reads the rows of a training."""

    kind: Any
    """The torch type to multiply matrices in."""
    window: int | None = None
    """The longest example that shares a row with others (`packing_window`)."""


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


_LOGITS = 1 << 26
"""Logits computed at once, at most: 268 MB in float32, and about three times that while their gradients are computed.
A vocabulary of 151,936 tokens would need 1.9 GB for a row of 1,024 labels."""


def row_loss(network: Any, row: PackedRow, kind: Any) -> Any:
    """Return the summed cross entropy, in nats, of a row's targets; matrices multiply in the torch type `kind`."""
    import torch

    with torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16):
        logits = read_row(network, row)
    targets = torch.from_numpy(row.targets).to(logits.device)
    return torch.nn.functional.cross_entropy(logits.float(), targets, reduction="sum")


def read_back(network: Any, row: PackedRow, kind: Any, taught: int, backward: Callable[[Any], None]) -> Any:
    """Return a row's share of the loss of a step that teaches `taught` tokens, once its gradients have been added.

    Where a row has more labels than fit with a long vocabulary, the blocks are read once, and the head and its
    gradients some labels at a time. The gradients are the same but for rounding.
    """
    at_once = max(1, _LOGITS // network.config.get_text_config().vocab_size)
    if len(row.targets) <= at_once or has_learnt_prompt(network):
        loss = row_loss(network, row, kind) / taught
        backward(loss)
        return loss.detach()
    return _read_back_in_parts(network, row, kind, (taught, at_once), backward)


def _read_back_in_parts(
    network: Any, row: PackedRow, kind: Any, sizes: tuple[int, int], backward: Callable[[Any], None]
) -> Any:
    import torch

    taught, at_once = sizes
    inputs = inputs_of(network, row)
    places = inputs.pop("logits_to_keep")
    targets = torch.from_numpy(row.targets).to(network.device)
    decoder = network.get_decoder()
    mixed = torch.autocast(network.device.type, dtype=kind, enabled=kind == torch.bfloat16)
    with mixed:
        states = decoder(**inputs, use_cache=False).last_hidden_state[:, places]
    leaf = states.detach().requires_grad_()
    total = torch.zeros((), device=network.device)
    for start in range(0, len(targets), at_once):
        with mixed:
            logits = _head(network, decoder, leaf[:, start : start + at_once])
        part = targets[start : start + at_once]
        loss = torch.nn.functional.cross_entropy(logits.float(), part, reduction="sum") / taught
        backward(loss)
        total += loss.detach()
    torch.autograd.backward(states, leaf.grad)
    return total


def _head(network: Any, decoder: Any, states: Any) -> Any:
    """Return the logits of a decoder's states, by the network's own head with whatever it does to them."""
    import torch
    from transformers.modeling_outputs import BaseModelOutputWithPast

    decoder.forward = lambda *_, **__: BaseModelOutputWithPast(last_hidden_state=states)
    try:
        unread = torch.zeros(states.shape[:2], dtype=torch.long, device=states.device)
        return network(input_ids=unread, use_cache=False).logits[0]
    finally:
        del decoder.forward


def packing_window(network: Any, examples: Sequence[Encoded], kind: Any) -> tuple[int | None, str]:
    """Return the window that rows must keep to, and why no two examples share a row; empty where they may.

    Two examples are read in one row and each by itself. Where that is not the same but for rounding, the attention of
    this network does not follow the mask of a row.
    """
    import torch

    window = attention_window(network)
    if window == 0:
        return 0, "a block of this model keeps a state of all it has read"
    short = sorted(examples, key=lambda one: len(one.tokens))[:2]
    if len(short) < len(("one", "another")) or (window and len(short[-1].tokens) > window) or not labels(short):
        return window, ""
    mode = network.training
    network.eval()
    with torch.no_grad():
        together = sum(float(row_loss(network, row, kind)) for row in pack(short, limit=_PROBE_TOKENS))
        alone = sum(float(row_loss(network, row, kind)) for one in short for row in pack([one]))
    network.train(mode)
    if abs(together - alone) > _ROUNDING * abs(alone):
        return 0, "this model does not read examples alike in one row and by themselves"
    return window, ""


def make_trainer(
    network: Any,
    reading: Reading,
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
    trainer = record_into(store, _packed_rows(network, reading, steps, store), note=note, score=score)
    return trainer(
        model=network,
        args=one_device(arguments),
        train_dataset=list(range(len(steps))),
        data_collator=_numbers,
    )


def _packed_rows(network: Any, reading: Reading, steps: Steps, store: CheckpointStore) -> Any:
    """Return the class of such a trainer; a class of its own for each, because transformers is imported late."""
    import torch
    from transformers import Trainer

    class PackedRows(Trainer):  # type: ignore[misc] # transformers is untyped
        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
            model.train()
            batch = steps[self.state.global_step]
            taught = max(1, labels(batch))
            return sum(
                read_back(network, row, reading.kind, taught, self.accelerator.backward)
                for row in pack(batch, limit=store.at_once, window=reading.window)
            )

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
