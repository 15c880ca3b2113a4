"""The file that made examples are kept in, and how they join the examples that are trained on.

A row is a row of an examples file (`question`, `answers`, `doc_ids`, ...) with `spans` and `made_by` besides, so it can
be read as one.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from weighbridge.adapters import Span
from weighbridge.dataset.layouts import from_question
from weighbridge.dataset.split import Embed
from weighbridge.dataset.synthesise.duplicates import near_held_out, remembering
from weighbridge.dataset.synthesise.filters import grounding
from weighbridge.dataset.synthesise.nouns import Attrition, Filter, Made, sift
from weighbridge.errors import DataError
from weighbridge.ingest.files.rows import Row, read_jsonl
from weighbridge.types import Document, Example
from weighbridge.workspace import write_text


def write_made(path: Path, made: Sequence[Made]) -> None:
    """Write one a line, whole or not at all; `WorkspaceError` where that cannot be done."""
    write_text(path, "".join(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in made))


def _row(made: Made) -> dict[str, Any]:
    return {
        "id": made.id,
        "question": made.question,
        "answers": list(made.answers),
        "doc_ids": list(made.evidence),
        "answerable": made.answerable,
        "family": made.family,
        "made_by": made.made_by,
        "spans": [asdict(span) for span in made.spans],
    }


def read_made(path: Path) -> tuple[Made, ...]:
    """Read a file of made examples, edited by hand or not.

    Raises:
        DataError: with file and line, where a row is no example, is not for everybody, or has spans that are no places
            in documents.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file; run weighbridge make-examples, or correct training.made")
    found = tuple(map(_read, read_jsonl(path)))
    if not found:
        raise DataError(f"{path}: holds no examples; run weighbridge make-examples, or remove training.made")
    return found


def _read(row: Row) -> Made:
    example = from_question(row)
    if example.question.groups:
        raise DataError(
            f"{row.place}: has 'groups', and what is made is learnt by an adapter that speaks to everybody; take the "
            "line out"
        )
    spans = row.values.get("spans") or []
    if not isinstance(spans, list):
        raise DataError(f"{row.place}: 'spans' must be a list")
    return Made(
        id=example.id,
        question=example.question.text,
        answers=example.answers,
        spans=tuple(_span(row, span) for span in spans),
        made_by=row.optional_text("made_by"),
        family=example.family or example.id,
        answerable=example.answerable,
    )


def _span(row: Row, value: object) -> Span:
    match value:
        case {"document_id": str(name), "start": int(start), "end": int(end), **rest} if 0 <= start <= end:
            return Span(name, start, end, str(rest.get("version", "")))
        case _:
            raise DataError(f"{row.place}: a span needs a 'document_id', a 'start' and an 'end' that is not before it")


@dataclass(frozen=True, slots=True)
class Joining:
    """Examples with the made ones behind them, in train; which of those came in; and why the others did not."""

    examples: tuple[Example, ...]
    made: tuple[Made, ...]
    attrition: Attrition


def joined(
    examples: Sequence[Example],
    made: Sequence[Made],
    *,
    embed: Embed,
    threshold: float,
    texts: Mapping[str, str] | None = None,
) -> Joining:
    """Put made examples behind the train examples, but for those that are nearly a question of dev or test now.

    With the `texts` of the public documents they were made from, those are left out too that were made from another
    document, or whose answer no longer stands there.
    """
    held_out = [example for example in examples if example.split != "train"]
    filters = [_known(frozenset(example.id for example in examples))]
    if texts is not None:
        filters += [_out_of_reach(texts), grounding(texts)]
    filters.append(near_held_out(held_out, remembering(embed), threshold))
    sifted = sift(made, filters)
    added = tuple(one.example for one in sifted.kept)
    return Joining((*examples, *added), sifted.kept, sifted.attrition)


def texts_of(documents: Iterable[Document], made: Sequence[Made]) -> Mapping[str, str]:
    """Return the texts of the documents that made examples rest on, by id; one that is gone is not in it."""
    wanted = {span.document_id for one in made for span in one.spans}
    return {document.id: document.text for document in documents if document.id in wanted}


def _out_of_reach(texts: Mapping[str, str]) -> Filter:
    def places(made: Sequence[Made]) -> Collection[int]:
        return {at for at, one in enumerate(made) if any(span.document_id not in texts for span in one.spans)}

    return Filter("its document is gone, or not for everybody", places)


def _known(ids: Collection[str]) -> Filter:
    return Filter("is among the examples already", lambda made: {at for at, one in enumerate(made) if one.id in ids})
