"""The command that advises before there is data."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from weighbridge.cli.console import Console, open_console
from weighbridge.cli.options import Json

if TYPE_CHECKING:
    from weighbridge.decide.prior.matrix import AdviceMatrix, Factor


def advise_command(
    answers: Annotated[Path | None, typer.Option(help="A YAML or JSON file of answers; asks nothing.")] = None,
    page: Annotated[Path | None, typer.Option(help="Write a web page with the questions; asks nothing.")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the answers to a .yaml file, or the table of advice to a .toml file.")
    ] = None,
    matrix: Annotated[Path | None, typer.Option(help="A .toml file of advice of your own, instead of ours.")] = None,
    day: Annotated[
        datetime | None,
        typer.Option("--date", formats=["%Y-%m-%d"], help="The day of the advice.", show_default="today"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Advise before you have data: a prior from published advice, with the commands that test it.

    Asks about a dozen questions; Enter takes the default, ? explains. Needs no workspace and no model.
    """
    from weighbridge.decide.prior.advice import draw_up_advice
    from weighbridge.decide.prior.matrix_file import load_matrix
    from weighbridge.workflow import advise as files

    today = (day or datetime.now(UTC)).date()
    with open_console(as_json=as_json) as console:
        console.pause()
        known = load_matrix(matrix)
        given: dict[str, Any] = {}
        if answers:
            given = files.read_answers_file(answers, known)
        elif not page and not as_json:
            given = ask_questions(known, console, is_terminal=sys.stdin.isatty())
        advice = draw_up_advice(known, given, today)
        if save:
            files.save_to_edit(save, known, advice)
            console.reporter.say(f"Wrote {save}")
        if page:
            files.write_advice_page(page, known, advice)
            console.reporter.say(f"Wrote {page}. Open it in a browser; it needs no network")
        if as_json:
            console.result(files.advice_as_json(known, advice))
        elif answers or not page:
            from weighbridge.report.advice.advice_terminal import render_advice

            console.out.print(render_advice(known, advice))


def ask_questions(
    matrix: "AdviceMatrix", console: Console, *, is_terminal: bool, read_line: Callable[[str], str] = input
) -> dict[str, Any]:
    """Ask every question, one after another. Where the input ends, the rest is left at its defaults.

    Raises:
        UserError: an answer is wrong and nobody is there to ask again.
    """
    from weighbridge.decide.prior.answers import read_answer
    from weighbridge.errors import UserError

    given: dict[str, Any] = {}
    say = console.reporter.say
    if is_terminal:
        say(f"{len(matrix.factors)} questions. Enter takes the default, ? explains.")
    for number, (name, factor) in enumerate(matrix.factors.items(), start=1):
        if is_terminal:
            _show_question(console, f"{number}/{len(matrix.factors)}", factor)
        while name not in given:
            try:
                typed = read_line(f"   [{_shown_default(factor)}] " if is_terminal else "").strip()
            except EOFError:
                return given
            if typed == "?":
                say(f"   {factor.why}")
                continue
            try:
                given[name] = read_answer(factor, typed) if typed else factor.default
            except ValueError as error:
                if not is_terminal:
                    raise UserError(f"standard input:{number}: {name}: {error}") from error
                say(f"   {error}")
    return given


def _show_question(console: Console, place: str, factor: "Factor") -> None:
    out = console.out
    out.print(f"\n[bold]{place} {escape(factor.question)}[/]", highlight=False)
    for choice in factor.choices:
        out.print(f"   {choice.score} {choice.value:<12} [dim]{escape(choice.label)}[/]", highlight=False)
    if not factor.choices:
        out.print(f"   [dim]a number, in {escape(factor.unit)}[/]", highlight=False)


def _shown_default(factor: "Factor") -> str:
    return factor.default if isinstance(factor.default, str) else f"{factor.default:g}"
