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
from weighbridge.dataset.layouts import read_question_row
from weighbridge.dataset.split import Embed
from weighbridge.dataset.synthesise.filters import drop_ungrounded
from weighbridge.dataset.synthesise.nouns import Attrition, Filter, SyntheticExample, apply_filters
from weighbridge.dataset.synthesise.repeats import cache_vectors, drop_near_held_out
from weighbridge.errors import DataError
from weighbridge.ingest.files.rows import DataRow, read_jsonl_rows
from weighbridge.types import Document, Example
from weighbridge.workspace import write_text


def write_synthetic(path: Path, made: Sequence[SyntheticExample]) -> None:
    """Write one a line, whole or not at all; `WorkspaceError` where that cannot be done."""
    write_text(path, "".join(json.dumps(_to_row(one), ensure_ascii=False) + "\n" for one in made))


def _to_row(made: SyntheticExample) -> dict[str, Any]:
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


def read_synthetic(path: Path) -> tuple[SyntheticExample, ...]:
    """Read a file of made examples, edited by hand or not.

    Raises:
        DataError: with file and line, where a row is no example, is not for everybody, or has spans that are no places
            in documents.
    """
    if not path.exists():
        raise DataError(f"{path}: there is no such file; run weighbridge make-examples, or correct training.made")
    found = tuple(map(_read_row, read_jsonl_rows(path)))
    if not found:
        raise DataError(f"{path}: holds no examples; run weighbridge make-examples, or remove training.made")
    return found


def _read_row(row: DataRow) -> SyntheticExample:
    example = read_question_row(row)
    if example.question.groups:
        raise DataError(
            f"{row.place}: has 'groups', and an adapter trained on made examples speaks to everybody; take the line out"
        )
    spans = row.values.get("spans") or []
    if not isinstance(spans, list):
        raise DataError(f"{row.place}: 'spans' must be a list")
    return SyntheticExample(
        id=example.id,
        question=example.question.text,
        answers=example.answers,
        spans=tuple(_read_span(row, span) for span in spans),
        made_by=row.optional_text("made_by"),
        family=example.family or example.id,
        answerable=example.answerable,
    )


def _read_span(row: DataRow, value: object) -> Span:
    match value:
        case {"document_id": str(name), "start": int(start), "end": int(end), **rest} if 0 <= start <= end:
            return Span(name, start, end, str(rest.get("version", "")))
        case _:
            raise DataError(f"{row.place}: a span needs a 'document_id', a 'start' and an 'end' that is not before it")


@dataclass(frozen=True, slots=True)
class MixedExamples:
    """The examples with made ones added to train, the made ones that were added, and the account of the others."""

    examples: tuple[Example, ...]
    made: tuple[SyntheticExample, ...]
    attrition: Attrition


def mix_into_train(
    examples: Sequence[Example],
    made: Sequence[SyntheticExample],
    *,
    embed: Embed,
    threshold: float,
    texts: Mapping[str, str] | None = None,
) -> MixedExamples:
    """Put made examples behind the train examples, but for those that are nearly a question of dev or test now.

    With the `texts` of public documents, made examples of other documents are left out, and so are those with an answer
    that no longer stands in its document.
    """
    held_out = [example for example in examples if example.split != "train"]
    ids = frozenset(example.id for example in examples)

    def find_known(some: Sequence[SyntheticExample]) -> Collection[int]:
        return {at for at, one in enumerate(some) if one.id in ids}

    filters = [Filter("is among the examples already", find_known)]
    if texts is not None:
        filters += [_drop_unreachable(texts), drop_ungrounded(texts)]
    filters.append(drop_near_held_out(held_out, cache_vectors(embed), threshold))
    sifted = apply_filters(made, filters)
    added = tuple(one.example for one in sifted.kept)
    return MixedExamples((*examples, *added), sifted.kept, sifted.attrition)


def read_source_texts(documents: Iterable[Document], made: Sequence[SyntheticExample]) -> Mapping[str, str]:
    """Return the texts of the documents that made examples rest on, by id; one that is gone is not in it."""
    wanted = {span.document_id for one in made for span in one.spans}
    return {document.id: document.text for document in documents if document.id in wanted}


def _drop_unreachable(texts: Mapping[str, str]) -> Filter:
    def places(made: Sequence[SyntheticExample]) -> Collection[int]:
        return {at for at, one in enumerate(made) if any(span.document_id not in texts for span in one.spans)}

    return Filter("its document is gone, or not for everybody", places)
