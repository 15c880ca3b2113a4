"""Turns conversations into tokens by the model's own chat template, and raw documents into rows of tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.train.data.conversations import Conversation
from weighbridge.train.runtime.base_model import turns
from weighbridge.types import PUBLIC, Document, Message

IGNORED = -100
"""The label of tokens that carry no loss, as PyTorch's cross entropy has it."""
_LEAST = 2
"""Tokens of the shortest row of raw text. The first token has no context to be predicted from."""


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


def readable(documents: Sequence[Document], groups: frozenset[str] = PUBLIC) -> tuple[Document, ...]:
    """Return the documents that somebody of these access groups may read, in order."""
    return tuple(document for document in documents if not document.groups or document.groups & groups)


def text_rows(
    documents: Sequence[Document], tokenizer: Any, *, maximum_tokens: int, groups: frozenset[str] = PUBLIC
) -> tuple[Encoded, ...]:
    """Return documents as rows of at most `maximum_tokens` tokens; the loss counts every token.

    No text is lost: a document's rows follow each other, and its last one ends with the stop token. A row is named by
    its document and the stretch of its text, like "guide.md#0-812". A word is not cut where a row could end before it.
    Documents that nobody of these access groups may read are left out; `readable` tells them apart.
    """
    return tuple(row for document in readable(documents, groups) for row in _rows(document, tokenizer, maximum_tokens))


def _rows(document: Document, tokenizer: Any, limit: int) -> list[Encoded]:
    made = tokenizer(document.text, add_special_tokens=False, return_offsets_mapping=True)
    tokens, places = [*made["input_ids"], tokenizer.eos_token_id], [start for start, _ in made["offset_mapping"]]
    if not document.text.strip():
        return []
    places.append(len(document.text))
    rows: list[Encoded] = []
    first = 0
    while first < len(tokens):
        after = _end(document.text, places, first, limit)
        start = places[first] if rows else 0
        end = places[after] if after < len(tokens) else len(document.text)
        name = f"{document.id}#{start}-{end}"
        rows.append(Encoded(example_id=name, tokens=tuple(tokens[first:after]), start=0))
        first = after
    return rows


def _end(text: str, places: Sequence[int], first: int, limit: int) -> int:
    """Return where a row that begins with token `first` ends: before a token that begins with white space, if any."""
    most = first + limit
    if most >= len(places):
        return len(places)
    most = max(first + 1, min(most, len(places) - _LEAST))
    spaces = [one for one in range(most, first + limit // 2, -1) if text[places[one] : places[one] + 1].isspace()]
    return spaces[0] if spaces else most
