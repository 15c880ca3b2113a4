"""Answers several prompts together with a transformers network, with the texts that each of them gets alone.

Prompts that wait at the same time are padded on the left and decoded in one batch. The sums of a batch are taken in
another order than those of one prompt, so its logits differ a little. Where the two likeliest tokens of a step are
further apart than `NEAR`, the same one wins. An answer with a closer step is not used, and its prompt is answered
alone: so a text does not depend on what else was asked. This needs float32: the rounding of bfloat16 is as large as the
lead of many tokens (docs/adr/0036).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Lock
from typing import Any

NEAR = 0.01
"""Logits: 200 times what padding and the company of other prompts changed in float32 (docs/adr/0036)."""
_FILLED = 0.5
"""The least share of the longest prompt that another must have to be padded to its length."""

Tokens = Sequence[int]
Decode = Callable[[Sequence[Tokens]], Sequence[Tokens | None]]
"""Returns the answer to each prompt, or None where it must be answered alone."""


class BatchQueue:
    """Collects the prompts of several threads. The first that comes decodes those of similar length that wait."""

    def __init__(self, decode: Decode, most: int, lock: Lock) -> None:
        """`lock` is held while the network computes; `most` prompts are decoded together."""
        self._decode, self._most, self._network_lock = decode, most, lock
        self._list_lock = Lock()
        self.waiting: list[_Waiting] = []

    def ask(self, prompt: Tokens) -> Tokens | None:
        """Return the tokens of the answer; None if the prompt must be answered alone."""
        mine = _Waiting(prompt)
        with self._list_lock:
            self.waiting.append(mine)
        with self._network_lock:
            if mine in self.waiting:
                self._answer(self._take(mine))
        return mine.answer

    def _take(self, mine: "_Waiting") -> "list[_Waiting]":
        """Take a prompt from the list, with those that are nearest to it in length."""
        with self._list_lock:
            near = sorted(self.waiting, key=lambda other: (other is not mine, abs(other.length - mine.length)))
            batch = [other for other in near[: self._most] if _similar(other.length, mine.length)]
            self.waiting = [other for other in self.waiting if other not in batch]
        return batch

    def _answer(self, batch: "list[_Waiting]") -> None:
        answers: Sequence[Tokens | None] = [None] * len(batch)
        if len(batch) > 1:
            # A batch takes more memory than one prompt, which may still be answered; so may all but the one of them
            # that has a token or a place the network does not know.
            with suppress(RuntimeError, IndexError):
                answers = self._decode([waiting.prompt for waiting in batch])
        for waiting, answer in zip(batch, answers, strict=True):
            waiting.answer = answer


class _Waiting:
    """A prompt, and its answer when it has come."""

    def __init__(self, prompt: Tokens) -> None:
        self.prompt, self.length = prompt, len(prompt)
        self.answer: Tokens | None = None


def _similar(one: int, other: int) -> bool:
    return min(one, other) >= _FILLED * max(one, other)


def decode_together(
    network: Any, prompts: Sequence[Tokens], config: Any, *, near: float = NEAR
) -> Sequence[Tokens | None]:
    """Return the greedy answer to each prompt with its end token; None where two tokens were `near` at some step."""
    import torch
    from transformers import LogitsProcessorList

    width = max(map(len, prompts))
    ids = torch.full((len(prompts), width), config.pad_token_id)
    mask = torch.zeros_like(ids)
    for row, prompt in enumerate(prompts):
        ids[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    leads: list[Any] = []

    def note_lead(_: Any, scores: Any) -> Any:
        best, second = scores.topk(2).values.T
        leads.append(best - second)
        return scores

    written = network.generate(
        input_ids=ids.to(network.device),
        attention_mask=mask.to(network.device),
        generation_config=config,
        logits_processor=LogitsProcessorList([note_lead]),
    )
    least = torch.stack(leads).cpu()
    answers: list[Tokens | None] = []
    for row in range(len(prompts)):
        answer = written[row, width:].tolist()
        ends = [place for place, token in enumerate(answer) if token in config.eos_token_id]
        answer = answer[: ends[0] + 1] if ends else answer
        answers.append(answer if float(least[: len(answer), row].min()) > near else None)
    return answers
