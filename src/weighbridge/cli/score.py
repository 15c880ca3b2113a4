"""The command that grades answers from a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.text import Text

from weighbridge.cli.console import Console, open_console
from weighbridge.cli.options import Json

if TYPE_CHECKING:
    from weighbridge.results import Estimate
    from weighbridge.workflow.score import Scores

_COLOURS = {"right": "green", "wrong": "red", "abstained": "yellow", "unscored": "dim"}
_LONGEST = 60
"""Characters of a question or an answer that are shown: one line of a terminal, with the number before it."""


def score_command(
    file: Annotated[
        Path,
        typer.Argument(
            help='JSONL rows {"question", "references", "answer"}, optionally "answerable", "task" (answer, label or '
            'json) and "right" (the verdict of a person). - reads standard input.'
        ),
    ],
    as_json: Json = False,
) -> None:
    """Grade answers: right, wrong, abstained or unscored, each with the reason.

    If the file contains verdicts of people, the agreement with them is shown. `compare` counts accuracy and
    hallucination by the same verdicts: check them on your own answers.
    """
    from weighbridge.workflow.score import score_file

    with open_console(as_json=as_json) as console:
        scores = score_file(file, console.reporter)
        console.pause()
        if as_json:
            console.result(scores)
        else:
            _show(scores, console)


def _show(scores: "Scores", console: Console) -> None:
    for number, row in enumerate(scores.rows, start=1):
        differs = row.right is not None and row.right != (row.verdict == "right")
        verdict = f"[{_COLOURS[row.verdict]}]{row.verdict}[/]" + (", a person says otherwise" if differs else "")
        answer = escape(_cut(row.answer)) or "(nothing)"
        console.out.print(f"{number}. {escape(_cut(row.question))}", highlight=False, soft_wrap=True)
        console.out.print(f"   {answer}\n   {verdict}: {escape(row.reason)}", highlight=False, soft_wrap=True)
    counts = ", ".join(f"{count:,} {mark}" for mark, count in scores.totals.items() if count)
    console.out.print(f"\n{len(scores.rows):,} answers: {counts}", highlight=False)
    if scores.accuracy:
        console.out.print(Text(f"accuracy {_format_share(scores.accuracy)}"))
    if found := scores.agreement:
        kappa = "" if found.kappa is None else f", kappa {found.kappa:.2f}"
        console.out.print(
            Text(f"agreement with people {_format_share(found.agreement)}{kappa}, {found.rows:,} answers")
        )
        console.out.print(
            Text(f"false right {_format_share(found.false_right)}, false wrong {_format_share(found.false_wrong)}")
        )


def _format_share(estimate: "Estimate") -> str:
    from weighbridge.figures import FIGURES
    from weighbridge.formatting import figure

    return figure(FIGURES["accuracy"], estimate)


def _cut(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"
