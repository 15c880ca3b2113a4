"""Turns raw documents into rows of tokens for continued pre-training, as far as access groups allow."""

from collections.abc import Sequence
from typing import Any

from weighbridge.train.data.tokens import Encoded
from weighbridge.types import PUBLIC, Document

_LEAST = 2
"""Tokens of the shortest row. The first token has no context to be predicted from."""


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
