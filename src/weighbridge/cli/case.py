"""The commands that hold published advice against what was measured: evidence, case."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.console import open_console
from weighbridge.cli.options import HERE, Json, Root, open_workspace

if TYPE_CHECKING:
    from weighbridge.settings.schema import Settings
    from weighbridge.workflow.case import WeighedClaims
    from weighbridge.workspace import Workspace

MatrixFile = Annotated[
    Path | None, typer.Option("--matrix", help="A .toml file of advice of your own, instead of ours.")
]
AnswersFile = Annotated[
    Path | None,
    typer.Option("--answers", help="A file as for advise --answers: what the workspace cannot say of the workload."),
]


def evidence_command(
    workspace: Root = HERE, answers: AnswersFile = None, matrix: MatrixFile = None, as_json: Json = False
) -> None:
    """Hold published claims against the saved measurements: confirmed, refuted, not decided, or untested here.

    It needs no model, no documents and no index, and writes nothing.
    """
    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.pause()
        claims = _weigh(settings, place, answers, matrix)
        if as_json:
            console.result(claims.evidence)
            return
        from weighbridge.report.case.evidence_report import evidence_rows, render_evidence

        rows = evidence_rows(claims.evidence, claims.matrix, settings.prices.currency)
        console.out.print(render_evidence(claims.evidence, rows))


def case_command(
    workspace: Root = HERE,
    output: Annotated[
        Path | None,
        typer.Option(help="Write to a .md or .html file.", show_default="Markdown on standard output"),
    ] = None,
    answers: AnswersFile = None,
    matrix: MatrixFile = None,
    as_json: Json = False,
) -> None:
    """Write a case study of one page: the situation, the decision, its outcome, and the price of the published table.

    It comes from saved files and quotes no question, no answer and no document, so it may be shown to others.
    """
    from weighbridge.report.case.case_page import case_markdown
    from weighbridge.report.case.case_study import draw_up_case
    from weighbridge.workflow.case import case_files, write_case

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.pause()
        case = draw_up_case(case_files(settings, place, _weigh(settings, place, answers, matrix)))
        if output:
            write_case(case, output)
            console.reporter.say(f"Wrote {output}")
        if as_json:
            console.result(case)
        elif not output:
            print(case_markdown(case), end="")  # noqa: T201 - the result, for a file


def _weigh(settings: "Settings", place: "Workspace", answers: Path | None, matrix: Path | None) -> "WeighedClaims":
    from weighbridge.decide.prior.matrix_file import load_matrix
    from weighbridge.workflow.advise import read_answers_file
    from weighbridge.workflow.case import weigh_evidence

    known = load_matrix(matrix)
    return weigh_evidence(settings, place, known, read_answers_file(answers, known) if answers else {})
