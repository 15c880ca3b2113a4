"""Examples are read, whatever their layout, and their task is guessed."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from weighbridge.dataset.layouts import HEADERS, LAYOUTS, from_cells
from weighbridge.errors import DataError
from weighbridge.ingest.decode.text import read_decoded
from weighbridge.ingest.files.rows import Row, read_csv, read_jsonl
from weighbridge.types import Example, Task

MOST_LABELS = 100
FEWEST_A_LABEL = 4
_SHOWN = 5
LONGEST_LABEL = 60
"""Characters. Longer texts are answers, even when they repeat."""


@dataclass(frozen=True, slots=True)
class TaskGuess:
    """What kind of answers a set of examples has, and the sentence that explains the guess."""

    task: Task
    why: str


@dataclass(frozen=True, slots=True)
class ExampleFile:
    """The examples of a file, and the conversations in it that were left out, each with its place and the reason."""

    examples: tuple[Example, ...]
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """What else to know of the file: a guess at its encoding, or that tools are not taught."""

    def lines(self) -> tuple[str, ...]:
        """Return sentences for people: the doubts, how many were left out, and the first few with their reasons."""
        if not self.left_out:
            return self.doubts
        total = len(self.examples) + len(self.left_out)
        lines = [*self.doubts, f"Left out {len(self.left_out):,} of {total:,} examples, which cannot be learnt:"]
        lines += [f"  {reason}" for reason in self.left_out[:_SHOWN]]
        more = len(self.left_out) - _SHOWN
        return (*lines, f"  and {more:,} more") if more > 0 else tuple(lines)


@dataclass(slots=True)
class _Notes:
    """What was left out of a file so far, and how many conversations define tools."""

    left_out: list[str] = field(default_factory=list)
    with_tools: int = 0


def read_examples(path: Path) -> tuple[Example, ...]:
    """Return the examples of a file; see `load_examples`."""
    return load_examples(path).examples


def load_examples(path: Path) -> ExampleFile:
    """Read a file of examples; its layout is recognised by its first record.

    JSONL: `{"question", "answers"}`, `{"prompt", "completion"}` or `{"messages"}`. CSV: a header with question and
    answer, or prompt and completion. All take the optional id, doc_ids, answerable, family and groups. A conversation
    that cannot be learnt (an image, a last message without words) costs that row alone.

    Raises:
        DataError: with file and line, where anything is missing, of the wrong type, contradictory, or twice there.
    """
    examples: list[Example] = []
    places: dict[str, str] = {}
    notes = _Notes()
    for place, example in _read(path, notes):
        if first := places.get(example.id):
            raise DataError(f"{place}: the id {example.id!r} was used before, at {first}; ids must be unique")
        places[example.id] = place
        examples.append(example)
    if not examples and notes.left_out:
        raise DataError(f"{notes.left_out[0]}; none of the {len(notes.left_out):,} examples can be learnt")
    if not examples:
        raise DataError(f"{path}: holds no examples; write one a line, with a question and its answers")
    doubts = _doubts(path)
    if notes.with_tools:
        doubts += (
            f"{path}: {notes.with_tools:,} conversation(s) define tools; calls are kept in words, tools not taught",
        )
    return ExampleFile(tuple(examples), tuple(notes.left_out), doubts)


def infer_task(examples: Sequence[Example]) -> TaskGuess:
    """Guess the task from the accepted answers; each family of paraphrases counts once.

    `json`: every answer is a JSON object. `label`: a few short answers that recur, one an example: at most 100 of
    them, four examples each on average, and four in five examples share theirs with three others. Else `answer`.
    """
    asked = {example.family or example.id: example for example in examples if example.answerable}
    first = [example.answers[0] for example in asked.values()]
    if first and all(_is_object(text) for text in first):
        return TaskGuess("json", f"all {len(first):,} answers are JSON objects")
    counts = Counter(text.casefold() for text in first)
    shared = sum(count for count in counts.values() if count >= FEWEST_A_LABEL)
    several = sum(len(example.answers) > 1 for example in asked.values())
    recurring = 1 < len(counts) <= MOST_LABELS and len(first) >= FEWEST_A_LABEL * len(counts)
    short = all(len(text) <= LONGEST_LABEL for text in counts)
    if recurring and short and shared >= 0.8 * len(first) and several <= 0.1 * len(first):
        return TaskGuess("label", f"{len(first):,} examples share {len(counts)} short answers")
    return TaskGuess("answer", f"{len(first):,} questions have {len(counts):,} different answers")


def _read(path: Path, notes: _Notes) -> Iterator[tuple[str, Example]]:
    match _first_character(path):
        case "":
            return
        case "{":
            yield from _read_jsonl(path, notes)
        case "[":
            raise DataError(f"{path}:1: is a JSON array; write one object a line instead (JSONL)")
        case _ if path.suffix.lower() in {".jsonl", ".json"}:
            for row in read_jsonl(path):
                raise DataError(f"{row.place}: is not an example")
        case _:
            yield from ((row.place, from_cells(row)) for row in read_csv(path, known=HEADERS))


def _doubts(path: Path) -> tuple[str, ...]:
    """Return what is doubtful about the encoding of a CSV file; JSONL is in UTF-8, or refused."""
    if _first_character(path) == "{":
        return ()
    places = ((f"{path}, {loss.place}" if loss.place else f"{path}", loss.what) for loss in read_decoded(path).losses)
    return tuple(f"{place}: {what}" for place, what in places)


def _first_character(path: Path) -> str:
    try:
        with path.open("rb") as file:
            beginning = file.read(4096)
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file; correct 'examples' in weighbridge.yaml") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: is a folder; 'examples' must name a .jsonl or .csv file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return beginning.decode("utf-8-sig", "replace").lstrip()[:1]


def _read_jsonl(path: Path, notes: _Notes) -> Iterator[tuple[str, Example]]:
    layout = None
    for row in read_jsonl(path):
        layout = layout or next((candidate for candidate in LAYOUTS if candidate.key in row.values), None)
        if layout is None:
            raise DataError(f"{row.place}: {_known_layouts(row)}")
        if layout.key not in row.values:
            raise DataError(f"{row.place}: has no {layout.key!r}, which the lines before it have")
        notes.with_tools += layout.key == "messages" and bool(row.values.keys() & {"tools", "functions"})
        try:
            example = layout.read(row)
        except DataError as error:
            if layout.key != "messages":
                raise
            notes.left_out.append(str(error))
        else:
            yield row.place, example


def _known_layouts(row: Row) -> str:
    has = ", ".join(map(repr, list(row.values)[:8])) or "no keys"
    return f"an example needs 'question' and 'answers', 'prompt' and 'completion', or 'messages'; this one has {has}"


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
