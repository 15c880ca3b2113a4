"""Answers from the weights as they stand in the middle of a training, many at once."""

from collections.abc import Callable, Sequence
from typing import Any

from weighbridge.train.data.tokens import prompt_tokens
from weighbridge.train.runtime.attention import attends_to_all
from weighbridge.train.supervised.methods import has_learnt_prompt
from weighbridge.train.supervised.prefix_packing import shared_prefix_length
from weighbridge.types import Message

Say = Callable[[Sequence[tuple[Message, ...]]], tuple[str, ...]]
"""Gives each prompt its greedy answer, in order."""

Validate = Callable[[Say], float | None]
"""Scores the weights as they stand by asking them; None where nothing could be scored."""

_TOKENS_AT_ONCE = 3072
_WORTH_KEEPING = 32
"""Tokens that prompts must begin with in common for their reading to be kept."""


def say(
    network: Any, tokenizer: Any, prompts: Sequence[tuple[Message, ...]], *, maximum_tokens: int
) -> tuple[str, ...]:
    """Return the network's greedy answers of at most `maximum_tokens` tokens, in order; its mode is left as it was.

    Prompts of like length are answered together, padded on the left. Their common prefix is read once. If
    PEFT puts a learnt prompt before them, each is asked by itself: PEFT knows neither a kept prefix nor padding.
    """
    import torch

    encoded = [prompt_tokens(tokenizer, messages) for messages in prompts]
    answers = [""] * len(prompts)
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            single = has_learnt_prompt(network)
            # In a window, the padding between a kept prefix and what follows would stand in the place of its tokens.
            prefix = _prefix(encoded) if not single and attends_to_all(network) else ()
            kept = _read(network, prefix) if prefix else None
            for batch in _batches([len(one) - len(prefix) for one in encoded], single=single):
                rests = [encoded[number][len(prefix) :] for number in batch]
                said = _answer(network, tokenizer, (prefix, kept), rests, maximum_tokens)
                for number, text in zip(batch, said, strict=True):
                    answers[number] = text
    finally:
        network.train(training)
    return tuple(answers)


def _prefix(encoded: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the common prefix of all prompts, leaving each some tokens of its own; empty if it is too short."""
    if len(encoded) <= 1:
        return ()
    first = min(encoded)
    length = min(shared_prefix_length(first, max(encoded)), min(map(len, encoded)) - 1)
    return first[:length] if length >= _WORTH_KEEPING else ()


def _read(network: Any, prefix: tuple[int, ...]) -> Any:
    """Return the keys and values of every block for these tokens."""
    import torch

    tokens = torch.tensor([prefix], device=network.device)
    return network(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values


def _batches(lengths: Sequence[int], *, single: bool) -> list[list[int]]:
    """Return groups of prompt numbers of like length, or single ones, with padded tokens within bounds."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        if single or not batches or (len(batches[-1]) + 1) * lengths[number] > _TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


def _answer(
    network: Any, tokenizer: Any, begun: tuple[tuple[int, ...], Any], rests: Sequence[tuple[int, ...]], most: int
) -> list[str]:
    """Answer prompts that share a prefix with cached keys and values, and differ in the rest."""
    import torch
    from transformers import GenerationConfig

    prefix, kept = begun
    longest, stop = max(map(len, rests)), tokenizer.eos_token_id
    rows = [(*prefix, *[stop] * (longest - len(rest)), *rest) for rest in rests]
    seen = [[1] * len(prefix) + [0] * (longest - len(rest)) + [1] * len(rest) for rest in rests]
    greedy = GenerationConfig(
        max_new_tokens=most, do_sample=False, eos_token_id=stop, pad_token_id=stop, use_cache=True
    )
    made = network.generate(
        input_ids=torch.tensor(rows, device=network.device),
        attention_mask=torch.tensor(seen, device=network.device),
        generation_config=greedy,
        **({"past_key_values": _copies(kept, len(rows))} if kept is not None else {}),
    )
    said = made[:, len(prefix) + longest :]
    return [str(text).strip() for text in tokenizer.batch_decode(said, skip_special_tokens=True)]


def _copies(kept: Any, count: int) -> Any:
    from copy import deepcopy

    cache = deepcopy(kept)
    cache.batch_repeat_interleave(count)
    return cache
