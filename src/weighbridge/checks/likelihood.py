"""How likely a network finds given answers: one pass for many answers to one prompt.

The answers to a prompt stand behind it in one row, and none of them sees another: each token attends to the prompt and
to its own answer only, at the position it would have there alone. So a prompt is read once for all of its answers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.train.runtime.attention import attends_to_all

_TOKENS_AT_ONCE = 1024
"""Padded tokens of one batch, to bound the memory of its logits."""


@dataclass(frozen=True, slots=True)
class Branches:
    """A prompt as tokens, and one or several answers to it, each of at least one token."""

    prompt: tuple[int, ...]
    answers: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        """Return the tokens it takes, the prompt's counted once."""
        return len(self.prompt) + sum(map(len, self.answers))


def log_likelihoods(network: Any, asked: Sequence[Branches]) -> tuple[tuple[float, ...], ...]:
    """Return the mean log-likelihood in nats per token of each answer, in the order asked; always below 0 or 0.

    The network is a transformers causal language model, or a PEFT model of one; it is left in evaluation mode. With
    an adapter that puts virtual tokens before the prompt, it reads each answer in a row of its own.
    """
    import torch

    network.eval()
    # A prompt-tuned network counts positions from its virtual tokens, and a window counts places in the row and not in
    # the answer, so answers cannot share a row.
    prompted = bool(getattr(getattr(network, "active_peft_config", None), "is_prompt_learning", False))
    alone = prompted or not attends_to_all(network)
    rows: list[tuple[int, Branches]] = []
    for place, whole in enumerate(asked):
        apart = [Branches(whole.prompt, (answer,)) for answer in whole.answers] if alone else [whole]
        rows += [(place, one) for one in apart]
    found: list[list[float]] = [[] for _ in asked]
    scored: dict[int, tuple[float, ...]] = {}
    with torch.inference_mode():
        for batch in _batches([len(row) for _, row in rows]):
            scored |= zip(batch, _score(network, [rows[number][1] for number in batch]), strict=True)
    for number, (place, _) in enumerate(rows):
        found[place].extend(scored[number])
    return tuple(map(tuple, found))


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return groups of row numbers of like length, the shortest first."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        if not batches or (len(batches[-1]) + 1) * lengths[number] > _TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


def _score(network: Any, rows: Sequence[Branches]) -> Iterator[tuple[float, ...]]:
    import torch

    width = max(map(len, rows))
    tokens = torch.zeros((len(rows), width), dtype=torch.long)
    for number, row in enumerate(rows):
        tokens[number, : len(row)] = torch.tensor([*row.prompt, *(token for answer in row.answers for token in answer)])
    places = [[place for answer in _places(row) for place in answer] for row in rows]
    kept = sorted({place for own in places for place in own})
    read = {"input_ids": tokens, **_attention(rows, width, network.dtype)}
    ends = torch.tensor([place - width for place in kept])  # from the end: virtual tokens may come before the row
    on_device = {name: value.to(network.device) for name, value in read.items()}
    logits = network(**on_device, logits_to_keep=ends.to(network.device), use_cache=False).logits
    for row, own, said in zip(rows, places, logits, strict=True):
        log = said[[kept.index(place) for place in own]].float().log_softmax(-1).cpu()
        yield tuple(_means(row, log))


def _places(row: Branches) -> Iterator[list[int]]:
    """Yield, answer by answer, the places in the row that predict its tokens."""
    start = len(row.prompt)
    for answer in row.answers:
        yield [len(row.prompt) - 1, *range(start, start + len(answer) - 1)]
        start += len(answer)


def _means(row: Branches, log: Any) -> Iterator[float]:
    start = 0
    for answer in row.answers:
        picked = [float(log[start + number, token]) for number, token in enumerate(answer)]
        yield sum(picked) / len(picked)
        start += len(answer)


def _attention(rows: Sequence[Branches], width: int, precision: Any) -> dict[str, Any]:
    """Return the attention mask: by padding where no prompt has several answers, else token by token."""
    import torch

    if all(len(row.answers) == 1 for row in rows):
        lengths = torch.tensor([len(row) for row in rows])
        return {"attention_mask": (torch.arange(width) < lengths[:, None]).long()}
    groups = torch.full((len(rows), width), -1)
    positions = torch.zeros((len(rows), width), dtype=torch.long)
    for number, row in enumerate(rows):
        sizes = [len(answer) for answer in row.answers]
        owner = [0] * len(row.prompt) + [n for n, size in enumerate(sizes, start=1) for _ in range(size)]
        groups[number, : len(row)] = torch.tensor(owner)
        steps = [*range(len(row.prompt)), *(len(row.prompt) + step for size in sizes for step in range(size))]
        positions[number, : len(row)] = torch.tensor(steps)
    seen = (groups[:, None, :] == groups[:, :, None]) | (groups[:, None, :] == 0)
    seen &= torch.ones((width, width), dtype=torch.bool).tril()
    mask = torch.zeros(seen.shape, dtype=precision).masked_fill(~seen, torch.finfo(precision).min)
    return {"attention_mask": mask[:, None], "position_ids": positions}
