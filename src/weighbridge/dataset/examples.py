"""Reads a file of examples, whatever its layout, and guesses their task."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from weighbridge.dataset.layouts import HEADERS, LAYOUTS, ExampleLayout, read_csv_row
from weighbridge.errors import DataError, show_path
from weighbridge.ingest.decode.text import read_decoded
from weighbridge.ingest.files.kinds import is_json_object
from weighbridge.ingest.files.rows import DataRow, read_csv_rows, read_jsonl_rows
from weighbridge.types import Example, Task

MOST_LABELS = 100
"""Different answers; a task with more of them is closer to writing an answer than to choosing one."""
FEWEST_A_LABEL = 4
"""Examples of each label on average: fewer could be answers that agree by chance."""
LONGEST_LABEL = 60
"""Characters. Longer texts are answers, even when they repeat."""
MOST_ERRORS = 10
"""Errors of one file that are reported together; more would scroll the first ones away."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class TaskGuess:
    """The kind of answers that a set of examples has, and the sentence that explains the guess."""

    task: Task
    why: str


@dataclass(frozen=True, slots=True)
class ExampleFile:
    """The examples of a file, and the conversations in it that were left out, with their places and the reasons."""

    examples: tuple[Example, ...]
    left_out: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    """Further remarks on the file: its encoding was guessed, or tools are not taught."""

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
class _RowReader:
    """Reads rows in the layout of the first one, and collects the conversations that cannot be learnt."""

    layout: ExampleLayout | None = None
    left_out: list[str] = field(default_factory=list)
    with_tools: int = 0

    def read(self, row: DataRow) -> Example | None:
        """Return the example of a row; None for a conversation that is left out.

        Raises:
            DataError: the row is no example, or has another layout than the rows before it.
        """
        own = next((layout for layout in LAYOUTS if layout.key in row.values), None)
        self.layout = self.layout or own
        if self.layout is None:
            keys = ", ".join(map(repr, list(row.values)[:8])) or "no keys"
            raise DataError(
                f"{row.place}: an example needs 'question' and 'answers', 'prompt' and 'completion', or 'messages'; "
                f"this one has {keys}"
            )
        key = self.layout.key
        if key not in row.values:
            if own:
                raise DataError(
                    f"{row.place}: has {own.key!r} where the lines before it have {key!r}; use one layout in a file"
                )
            raise DataError(f"{row.place}: has no {key!r}, which the lines before it have")
        if key != "messages":
            return self.layout.read(row)
        self.with_tools += bool(row.values.keys() & {"tools", "functions"})
        try:
            return self.layout.read(row)
        except DataError as error:
            self.left_out.append(str(error))
            return None


def read_examples(path: Path) -> tuple[Example, ...]:
    """Return the examples of a file; see `load_examples`."""
    return load_examples(path).examples


def load_examples(path: Path) -> ExampleFile:
    """Read a file of examples; its first record tells its layout.

    JSONL: `{"question", "answers"}`, `{"prompt", "completion"}` or `{"messages"}`. CSV: a header with question and
    answer, or prompt and completion. All take the optional id, doc_ids, answerable, family and groups. A conversation
    that cannot be learnt (an image, a last message without words) costs that row alone.

    Raises:
        DataError: something is missing, of the wrong type, contradictory, or there twice. It names the first line of
            each error, up to `MOST_ERRORS` errors.
    """
    reader = _RowReader()
    read = read_csv_row if _is_csv(path) else reader.read
    examples: list[Example] = []
    places: dict[str, str] = {}
    errors = _Errors()
    rows = _rows(path)
    while True:
        try:
            row = next(rows, None)
        except DataError as error:
            errors.add(str(error))
            break  # the file cannot be read beyond this line
        if row is None:
            break
        try:
            example = read(row)
        except DataError as error:
            errors.add(str(error), row.place)
            continue
        if example is None:
            continue
        if first := places.get(example.id):
            errors.add(f"the id {example.id!r} was used before, at {first}; ids must be unique", row.place)
        places[example.id] = row.place
        examples.append(example)
    errors.raise_any()
    if not examples and reader.left_out:
        raise DataError(f"{reader.left_out[0]}; none of the {len(reader.left_out):,} examples can be learnt")
    if not examples:
        raise DataError(f"{path}: holds no examples; write one a line, with a question and its answers")
    return ExampleFile(tuple(examples), tuple(reader.left_out), _doubts(path, reader.with_tools))


@dataclass(slots=True)
class _Errors:
    """The errors of a file by their reason, each with the places of its rows."""

    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, error: str, place: str = "") -> None:
        self.places.setdefault(error.removeprefix(f"{place}: "), []).append(place)

    def raise_any(self) -> None:
        """Raise one error that names the first of each reason; nothing where there are none."""
        lines = []
        for reason, places in list(self.places.items())[:MOST_ERRORS]:
            more = f" (and {len(places) - 1:,} more like it)" if len(places) > 1 else ""
            lines.append(f"{places[0]}: {reason}{more}" if places[0] else reason)
        if len(self.places) > MOST_ERRORS:
            lines.append(f"and {len(self.places) - MOST_ERRORS:,} errors more")
        if len(lines) > 1:
            lines = ["the examples have several errors:", *lines]
        if lines:
            raise DataError("\n  ".join(lines))


def infer_task(examples: Sequence[Example]) -> TaskGuess:
    """Guess the task from the accepted answers; each family of paraphrases counts once.

    `json`: every answer is a JSON object. `label`: a few short answers that recur, one an example: at most 100 of
    them, four examples each on average, and four in five examples share theirs with three others. Else `answer`.
    """
    asked = {example.family or example.id: example for example in examples if example.answerable}
    first = [example.answers[0] for example in asked.values()]
    if first and all(map(is_json_object, first)):
        return TaskGuess("json", f"all {len(first):,} answers are JSON objects")
    counts = Counter(text.casefold() for text in first)
    shared = sum(count for count in counts.values() if count >= FEWEST_A_LABEL)
    several = sum(len(example.answers) > 1 for example in asked.values())
    recurring = 1 < len(counts) <= MOST_LABELS and len(first) >= FEWEST_A_LABEL * len(counts)
    short = all(len(text) <= LONGEST_LABEL for text in counts)
    # Four in five, and one in ten with several answers: a few odd rows do not turn a label task into another.
    if recurring and short and shared >= 0.8 * len(first) and several <= 0.1 * len(first):
        return TaskGuess("label", f"{len(first):,} examples share {len(counts)} short answers")
    return TaskGuess("answer", f"{len(first):,} questions have {len(counts):,} different answers")


def _is_csv(path: Path) -> bool:
    return _first_character(path) not in {"", "{"} and path.suffix.lower() not in {".jsonl", ".json"}


def _rows(path: Path) -> Iterator[DataRow]:
    match _first_character(path):
        case "":
            return
        case "[":
            raise DataError(f"{path}:1: is a JSON array; write one object a line instead (JSONL)")
        case _ if _is_csv(path):
            yield from read_csv_rows(path, known=HEADERS)
        case _:
            yield from read_jsonl_rows(path)


def _doubts(path: Path, with_tools: int) -> tuple[str, ...]:
    """Return remarks on the encoding of a CSV file (JSONL is in UTF-8, or refused) and on tools."""
    losses = read_decoded(path).losses if _is_csv(path) else ()
    doubts = tuple(f"{path}, {loss.place}: {loss.what}" if loss.place else f"{path}: {loss.what}" for loss in losses)
    if with_tools:
        doubts += (f"{path}: {with_tools:,} conversation(s) define tools; calls are kept in words, tools not taught",)
    return doubts


def _first_character(path: Path) -> str:
    try:
        with path.open("rb") as file:
            beginning = file.read(4096)
    except FileNotFoundError as error:
        advice = "correct 'examples' in weighbridge.yaml"
        raise DataError(f"{show_path(path)}: there is no such file; {advice}") from error
    except IsADirectoryError as error:
        raise DataError(f"{path}: is a folder; 'examples' must name a .jsonl or .csv file") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return beginning.decode("utf-8-sig", "replace").lstrip()[:1]
