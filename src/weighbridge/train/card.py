"""Writes and reads the files of an adapter besides its weights: the lessons and, last, the card."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from weighbridge.adapters import AdapterCard, Learnt, Lesson, Training
from weighbridge.errors import DataError
from weighbridge.workspace import write_text

_LESSONS = "examples.jsonl"


def write_adapter_card(card: AdapterCard, folder: Path) -> None:
    """Write `card.json`; from then on the folder counts as complete."""
    write_text(folder / "card.json", _cards().dump_json(card, indent=2).decode() + "\n")


def read_adapter_card(folder: Path) -> AdapterCard | None:
    """Return the card of a finished tuning; None where there is none, or a file it names is gone."""
    try:
        card = _cards().validate_json((folder / "card.json").read_bytes())
    except (OSError, ValidationError):
        return None
    whole = not card.gguf or (folder / card.gguf).is_file()
    return card if whole and (not card.adapter or (folder / card.adapter).is_dir()) else None


def kept_up(card: AdapterCard, learnt: Learnt, lessons: Sequence[Lesson], folder: Path) -> AdapterCard:
    """Return the card with the present versions of its documents; card and lessons are written again if they differ.

    The same words may stand in documents that changed elsewhere, and be found by a search that changed. Lessons of an
    earlier version say less than those of today.
    """
    if card.learnt == learnt and _are_kept(lessons, folder):
        return card
    write_lessons(lessons, folder)
    card = replace(card, learnt=learnt)
    write_adapter_card(card, folder)
    return card


def write_training(training: Training, folder: Path, fingerprint: str) -> None:
    """Write `training.json`: the folder's adapter is whole, and only its export is missing."""
    value = {"fingerprint": fingerprint, "training": _trainings().dump_python(training, mode="json")}
    write_text(folder / "training.json", _anything().dump_json(value, indent=2).decode() + "\n")


def read_training(folder: Path, fingerprint: str) -> Training | None:
    """Return how this very tuning's adapter was trained; None where it was not, or the adapter is gone."""
    try:
        found = _anything().validate_json((folder / "training.json").read_bytes())
        if found["fingerprint"] != fingerprint:
            return None
        training = _trainings().validate_python(found["training"])
    except (OSError, ValidationError, KeyError):
        return None
    return training if any((folder / "adapter").glob("*.safetensors")) else None


def write_lessons(lessons: Sequence[Lesson], folder: Path) -> None:
    """Write `examples.jsonl`: one lesson a line, in the order of the examples."""
    write_text(folder / _LESSONS, "".join(_lessons().dump_json(lesson).decode() + "\n" for lesson in lessons))


def read_lessons(folder: Path) -> Iterator[Lesson]:
    """Yield the lessons of an adapter; nothing if its folder has none.

    Raises:
        DataError: a line is not a lesson.
    """
    path = folder / _LESSONS
    if not path.is_file():
        return
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield _lessons().validate_json(line)
            except ValidationError:
                raise DataError(f"{path}:{number}: not a lesson; train again to write the file") from None


def _are_kept(lessons: Sequence[Lesson], folder: Path) -> bool:
    try:
        return tuple(read_lessons(folder)) == tuple(lessons)
    except DataError:
        return False


@cache
def _cards() -> TypeAdapter[AdapterCard]:
    return TypeAdapter(AdapterCard)


@cache
def _trainings() -> TypeAdapter[Training]:
    return TypeAdapter(Training)


@cache
def _lessons() -> TypeAdapter[Lesson]:
    return TypeAdapter(Lesson)


@cache
def _anything() -> TypeAdapter[dict[str, object]]:
    return TypeAdapter(dict[str, object])
