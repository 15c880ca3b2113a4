"""The commands `train` and `make-examples`."""

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from weighbridge.cli.console import open_console
from weighbridge.cli.options import HERE, Json, Root, open_workspace

Out = Annotated[Path | None, typer.Option(help="The JSONL file to write.", show_default="WORKSPACE/made.jsonl")]


def train_command(
    strategies: Annotated[
        list[str] | None,
        typer.Argument(help="Tuned strategies, embedder or reranker; all tuned strategies by default."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings with different seeds. The best on dev serves.")] = 1,
    search: Annotated[int, typer.Option(min=0, help="Learning rates and ranks to try on small budgets first.")] = 0,
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Train adapters on exactly the prompts of their strategies; lint, guard, export and promote them.

    A model at an endpoint is trained there, after you agree to the price. A tuned embedder or reranker is kept only if
    it improves the search beyond chance.
    """
    from weighbridge.adapters import AdapterCard
    from weighbridge.wiring.index import never_agree
    from weighbridge.workflow.models import train_named
    from weighbridge.workflow.training.train import Effort

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        agree = console.agree if sys.stdin.isatty() and not as_json else never_agree
        effort = Effort(seeds=seeds, search=search, agree=agree)
        cards = train_named(strategies or (), settings, place, console.reporter, effort=effort)
        console.adapters([card for card in cards if isinstance(card, AdapterCard)])
        if as_json:
            console.result(list(cards))


def make_examples_command(
    count: Annotated[int, typer.Option(min=1, help="The number of examples to keep.")] = 200,
    by: Annotated[str, typer.Option(help="rules (tables, labels, headings), model (sentences too) or both.")] = "rules",
    teacher: Annotated[
        str, typer.Option(help="NAME@URL of a model at an endpoint that writes instead of the base model.")
    ] = "",
    out: Out = None,
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Make training examples from the documents, drop the bad ones, and count the losses by reason.

    Rules read tables, "label: value" lines and headings. Sentences need a model: the base model, or better a larger one
    at an endpoint (--teacher). To train on the examples, set training.made to the file. They join the train split only.
    """
    from weighbridge.workflow.make_examples import Wanted, make_examples
    from weighbridge.workflow.make_examples_report import report_lines

    if by not in ("rules", "model", "both"):
        raise typer.BadParameter(f"'{by}' is not one of rules, model, both", param_hint="--by")
    if teacher and by == "rules":
        raise typer.BadParameter("rules ask no model; add --by model or --by both", param_hint="--teacher")
    settings, place = open_workspace(workspace)
    way: Any = by
    with open_console(as_json=as_json) as console:
        wanted = Wanted(count=count, by=way, teacher=_teacher(teacher), seed=settings.training.seed, path=out)
        report = make_examples(settings, place, wanted, console.reporter)
        if as_json:
            console.result(report)
            return
        for line in report_lines(report):
            console.out.print(line, markup=False, highlight=False, soft_wrap=True)


def _teacher(given: str) -> Any:
    """Return the settings of a model at an endpoint; its key is in OPENAI_API_KEY."""
    from weighbridge.settings.schema import ModelSettings
    from weighbridge.settings.sources import address_problem

    if not given:
        return None
    match = re.fullmatch(r"(.+?)@(\w+://.*)", given)
    if match is None:
        problem = "it is not NAME@URL, like llama-70b@http://127.0.0.1:8000/v1"
        raise typer.BadParameter(problem, param_hint="--teacher")
    name, url = match.groups()
    if wrong := address_problem(url):
        raise typer.BadParameter(f"the URL {wrong}", param_hint="--teacher")
    return ModelSettings(engine="openai", reference=name, base_url=url)
