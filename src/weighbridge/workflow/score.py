"""Grades answers from a file or from rows, and measures the agreement with the verdicts of people."""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from weighbridge.errors import DataError
from weighbridge.evaluate.statistics import SHARE, mean_interval
from weighbridge.results import Estimate
from weighbridge.scoring.grade import ExampleKind, Grade, Mark, grade, scorer_fingerprint
from weighbridge.scoring.thinking import split_thinking
from weighbridge.types import Progress, Task
from weighbridge.wiring.reporter import SILENT, Reporter

STANDARD_INPUT = Path("-")
_SHOWN_PROBLEMS = 5
"""Wrong lines to name at once. A file usually has one fault, on every line."""
_REQUIRED = (("question", str, "a text"), ("answer", str, "a text"), ("references", list, "a list of texts"))
_EVERY = 50
"""Answers between two notices of progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredAnswer:
    """One answer with its verdict."""

    question: str
    answer: str
    """The graded text, without thinking."""
    verdict: Mark
    reason: str
    probability: float | None
    """The probability that a person calls it right; None if a rule decided."""
    compared: tuple[str, ...]
    """The typed values of the best-fitting reference, each with its result."""
    right: bool | None = None
    """The verdict of a person, if the file contains it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement with people, over the rows with a person's verdict. An abstention counts as not right."""

    rows: int
    agreement: Estimate
    kappa: float | None
    """Cohen's kappa (Cohen 1960); None if chance alone would always agree."""
    false_right: Estimate
    """Share of all rows that we call right and the person does not."""
    false_wrong: Estimate
    """Share of all rows that the person calls right and we do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """The result of `weighbridge score`."""

    rows: tuple[ScoredAnswer, ...]
    totals: Mapping[Mark, int]
    accuracy: Estimate | None
    """The share of right answers among those that can be scored; None if there are none."""
    agreement: Agreement | None
    """None if no row has a person's verdict."""
    scorer: str
    """Fingerprint of the scorer: the same scorer gives the same verdicts."""


@dataclass(frozen=True, slots=True)
class _Row:
    question: str
    references: tuple[str, ...]
    answer: str
    answerable: bool
    task: Task
    right: bool | None


def score_file(path: Path, reporter: Reporter) -> Scores:
    """Grade every row of a JSONL file, in order. `-` is standard input.

    Raises:
        DataError: the file cannot be read, is empty, or has wrong lines. The message names the first of them.
    """
    return _score_all(_read_rows(path), reporter)


def score_rows(rows: Iterable[Mapping[str, Any]]) -> Scores:
    """Grade rows like those of a file, in order.

    Raises:
        DataError: there are no rows, or some are wrong. The message names the first of them by position, from 1.
    """
    checked = [_check_row(row) for row in rows]
    _refuse([f"row {number}: {row}" for number, row in enumerate(checked, start=1) if isinstance(row, str)])
    if not checked:
        raise DataError("there are no rows to score; each holds question, references and answer")
    return _score_all([row for row in checked if isinstance(row, _Row)], SILENT)


def _score_all(rows: Sequence[_Row], reporter: Reporter) -> Scores:
    labels = tuple(dict.fromkeys(label for row in rows if row.task == "label" for label in row.references))
    scored = []
    for number, row in enumerate(rows, start=1):
        scored.append(_score(row, labels if row.task == "label" else ()))
        if number % _EVERY == 0 or number == len(rows):
            reporter.notify(Progress(task="grading", done=number, total=len(rows), unit="answers"))
    counts = Counter(one.verdict for one in scored)
    right = [float(one.verdict == "right") for one in scored if one.verdict != "unscored"]
    return Scores(
        rows=tuple(scored),
        totals={mark: counts[mark] for mark in get_args(Mark)},
        accuracy=mean_interval(right, 0, bounds=SHARE, unscored=counts["unscored"]) if right else None,
        agreement=_agreement(scored),
        scorer=scorer_fingerprint(),
    )


def _score(row: _Row, labels: tuple[str, ...]) -> ScoredAnswer:
    answer = split_thinking(row.answer).answer
    given: Grade = grade(
        row.question, row.references, answer, task=row.task, example=ExampleKind(row.answerable, labels)
    )
    return ScoredAnswer(
        question=row.question,
        answer=answer,
        verdict=given.mark,
        reason=given.reason,
        probability=given.probability,
        compared=tuple(match.reason for match in given.values),
        right=row.right,
    )


def _agreement(scored: Sequence[ScoredAnswer]) -> Agreement | None:
    scorable = [one for one in scored if one.verdict != "unscored"]
    pairs = [(one.verdict == "right", one.right) for one in scorable if one.right is not None]
    if not pairs:
        return None
    ours = sum(mine for mine, _ in pairs) / len(pairs)
    theirs = sum(person for _, person in pairs) / len(pairs)
    chance = ours * theirs + (1 - ours) * (1 - theirs)
    agreement = mean_interval([float(mine == person) for mine, person in pairs], 0, bounds=SHARE)
    return Agreement(
        rows=len(pairs),
        agreement=agreement,
        kappa=None if chance == 1 else (agreement.value - chance) / (1 - chance),
        false_right=mean_interval([float(mine and not person) for mine, person in pairs], 0, bounds=SHARE),
        false_wrong=mean_interval([float(person and not mine) for mine, person in pairs], 0, bounds=SHARE),
    )


def _read_rows(path: Path) -> list[_Row]:
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give a JSONL file") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise DataError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from error
    rows, problems = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = _check_row(json.loads(line))
        except (ValueError, RecursionError) as error:
            row = f"not JSON ({error}); write one JSON object a line"
        if isinstance(row, str):
            problems.append(f"{path}:{number}: {row}")
        else:
            rows.append(row)
    _refuse(problems)
    if not rows:
        raise DataError(f"{path}: no rows; each line is JSON with question, references and answer")
    return rows


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        rest = len(problems) - _SHOWN_PROBLEMS
        more = f"\n({rest:,} more lines are no rows either)" if rest > 0 else ""
        raise DataError("\n".join(problems[:_SHOWN_PROBLEMS]) + more)


def _check_row(row: object) -> _Row | str:
    """Return a row, or a sentence with its problem and the remedy."""
    if not isinstance(row, Mapping):
        return 'not a JSON object; write {"question": ..., "references": [...], "answer": ...}'
    for name, wanted, kind in _REQUIRED:
        if name not in row:
            return f"'{name}' is missing; give {kind}"
        if not isinstance(row[name], wanted):
            return f"'{name}' is not {kind}"
    return _read_options(row)


def _read_options(row: Mapping[str, Any]) -> _Row | str:
    if not all(isinstance(reference, str) for reference in row["references"]):
        return "'references' holds something that is not a text"
    named, answerable, right = row.get("task"), row.get("answerable"), row.get("right")
    task: Task | None = "answer" if named is None else next((known for known in get_args(Task) if known == named), None)
    if task is None:
        return f"task {named!r} is not one of {', '.join(get_args(Task))}"
    for name, value in (("answerable", answerable), ("right", right)):
        if value is not None and not isinstance(value, bool):
            return f"'{name}' is not true or false"
    if answerable is None:
        answerable = True
    return _Row(row["question"], tuple(row["references"]), row["answer"], answerable, task, right)
