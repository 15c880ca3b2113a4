"""How likely a network finds answers that were given already: teacher forcing, each prompt read once."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.train.runtime.attention import attends_to_all

Answer = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TokenReading:
    """A network's distribution at one place of an answer."""

    best: int
    """The token it would choose."""
    lead: float
    """The lead of that token over the second, in nats."""
    known: Mapping[int, float]
    """Log-probabilities, in nats, of the tokens that were asked for."""


@dataclass(frozen=True, slots=True)
class AnswerTokens:
    """An answer to a prompt, and the tokens to report at each of its places."""

    prompt: int
    answer: Answer
    tokens: tuple[Collection[int], ...]


Readings = Mapping[tuple[int, Answer], tuple[TokenReading, ...]]
"""By the number of the prompt and the answer: a reading for each of the answer's tokens."""


def read(network: Any, prompts: Sequence[Answer], wanted: Sequence[AnswerTokens]) -> Readings:
    """Return the distributions of a network (a transformers causal language model) along answers to prompts."""
    import torch

    made: dict[tuple[int, Answer], tuple[TokenReading, ...]] = {}
    with torch.inference_mode():
        for number, prompt in enumerate(prompts):
            ours = [one for one in wanted if one.prompt == number and one.answer]
            scored = places(network, prompt, [one.answer for one in ours])
            for one, scores in zip(ours, scored, strict=True):
                made[number, one.answer] = tuple(_readings(scores, one))
    return made


def places(network: Any, prompt: Answer, answers: Sequence[Answer]) -> Iterator[Any]:
    """Yield log-probabilities before each token of each answer; shape (its tokens, or 1 for none; vocabulary).

    The prompt is read once, and taken from the cache of keys and values from then on, unless a window of attention
    lets the cache forget what it would have to give back. Call it in inference mode.
    """
    import torch

    if not attends_to_all(network):
        yield from (_read_whole(network, prompt, answer) for answer in answers)
        return
    kept = None
    if len(prompt) > 1 and answers:
        ids = torch.tensor([prompt[:-1]], device=network.device)
        kept = network(input_ids=ids, use_cache=True, logits_to_keep=1).past_key_values
    for answer in answers:
        tail = [prompt[-1], *answer[:-1]]
        ids = torch.tensor([tail], device=network.device)
        scores = network(input_ids=ids, past_key_values=kept, use_cache=True).logits[0].float().log_softmax(-1)
        if kept is not None:
            kept.crop(-len(tail))
        yield scores


def _read_whole(network: Any, prompt: Answer, answer: Answer) -> Any:
    import torch

    ids = torch.tensor([[*prompt, *answer[:-1]]], device=network.device)
    kept = max(len(answer), 1)
    return network(input_ids=ids, use_cache=False, logits_to_keep=kept).logits[0].float().log_softmax(-1)


def _readings(scores: Any, one: AnswerTokens) -> Iterator[TokenReading]:
    best = scores.topk(2, dim=-1)
    leads = (best.values[:, 0] - best.values[:, 1]).tolist()
    for row, token, lead, asked in zip(scores, best.indices[:, 0].tolist(), leads, one.tokens, strict=True):
        ids = sorted({token, *asked})
        yield TokenReading(best=token, lead=lead, known=dict(zip(ids, row[ids].tolist(), strict=True)))
