"""Conversations become tokens, by the model's own chat template."""

from dataclasses import dataclass
from typing import Any

from weighbridge.train.data.conversations import Conversation
from weighbridge.train.runtime.base_model import turns
from weighbridge.types import Message

IGNORED = -100
"""The label of tokens that carry no loss, as PyTorch's cross entropy has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """The tokens of one conversation; those from `start` on are the answer, and carry the loss."""

    example_id: str
    tokens: tuple[int, ...]
    start: int

    @property
    def labels(self) -> tuple[int, ...]:
        """The tokens again, with `IGNORED` for the prompt's."""
        return (IGNORED,) * self.start + self.tokens[self.start :]


def prompt_tokens(tokenizer: Any, messages: tuple[Message, ...]) -> tuple[int, ...]:
    """Return the tokens an engine reads for these messages, up to where the answer begins."""
    made = tokenizer.apply_chat_template(turns(messages), add_generation_prompt=True, return_dict=True)
    return tuple(made["input_ids"])


def encode(tokenizer: Any, conversation: Conversation) -> Encoded:
    """Return a conversation's tokens up to the answer's stop token.

    Tokens that the template puts behind the stop token are never generated, so they are not learnt. If the template
    does not continue the prompt, `start` is the first difference, and `lint` reports it.
    """
    prompt = prompt_tokens(tokenizer, conversation.prompt)
    said = (*conversation.prompt, Message("assistant", conversation.target))
    whole = tuple(tokenizer.apply_chat_template(turns(said), return_dict=True)["input_ids"])
    start = next((n for n, pair in enumerate(zip(prompt, whole, strict=False)) if pair[0] != pair[1]), len(prompt))
    stops = [n for n, token in enumerate(whole) if n >= start and token == tokenizer.eos_token_id]
    end = stops[0] + 1 if stops else len(whole)
    return Encoded(example_id=conversation.example_id, tokens=whole[:end], start=min(start, len(whole)))
