"""Answers from the weights as they stand in the middle of a training, many at once."""

from collections.abc import Callable, Sequence
from typing import Any

from weighbridge.train.tokens import prompt_tokens
from weighbridge.types import Message

Say = Callable[[Sequence[tuple[Message, ...]]], tuple[str, ...]]
"""Gives each prompt its greedy answer, in order."""

Validate = Callable[[Say], float | None]
"""Scores the weights as they stand by asking them; None where nothing could be scored."""

_TOKENS_AT_ONCE = 3072


def say(
    network: Any, tokenizer: Any, prompts: Sequence[tuple[Message, ...]], *, maximum_tokens: int
) -> tuple[str, ...]:
    """Return the network's greedy answers of at most `maximum_tokens` tokens, in order; its mode is left as it was.

    Prompts of like length are answered together, padded on the left.
    """
    import torch

    encoded = [prompt_tokens(tokenizer, messages) for messages in prompts]
    answers = [""] * len(prompts)
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            for batch in _batches([len(one) for one in encoded]):
                said = _answer(network, tokenizer, [encoded[number] for number in batch], maximum_tokens)
                for number, text in zip(batch, said, strict=True):
                    answers[number] = text
    finally:
        network.train(training)
    return tuple(answers)


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Return groups of prompt numbers of like length, whose padded tokens stay within bounds."""
    batches: list[list[int]] = []
    for number in sorted(range(len(lengths)), key=lambda number: lengths[number]):
        if not batches or (len(batches[-1]) + 1) * lengths[number] > _TOKENS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


def _answer(network: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], maximum_tokens: int) -> list[str]:
    import torch
    from transformers import GenerationConfig

    longest, stop = max(map(len, prompts)), tokenizer.eos_token_id
    tokens = torch.tensor([[stop] * (longest - len(one)) + list(one) for one in prompts], device=network.device)
    mask = torch.tensor([[0] * (longest - len(one)) + [1] * len(one) for one in prompts], device=network.device)
    greedy = GenerationConfig(
        max_new_tokens=maximum_tokens, do_sample=False, eos_token_id=stop, pad_token_id=stop, use_cache=True
    )
    made = network.generate(input_ids=tokens, attention_mask=mask, generation_config=greedy)
    return [str(text).strip() for text in tokenizer.batch_decode(made[:, longest:], skip_special_tokens=True)]
