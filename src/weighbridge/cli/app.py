"""The commands. Each reads its settings, calls one workflow function, and shows the result."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, NoReturn, get_args

import typer

from weighbridge import __version__
from weighbridge.cli import knowledge, training
from weighbridge.cli.advise import advise_command
from weighbridge.cli.case import case_command, evidence_command
from weighbridge.cli.console import open_console
from weighbridge.cli.decide import decide_command
from weighbridge.cli.errors import run_command
from weighbridge.cli.hosted import hosted
from weighbridge.cli.models import models
from weighbridge.cli.money import cost_command, prices
from weighbridge.cli.needs import needs_command
from weighbridge.cli.options import HERE, Groups, Json, Root, open_workspace, require_words
from weighbridge.cli.plan import plan_command
from weighbridge.cli.score import score_command

app = typer.Typer(
    name="weighbridge",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="RAG, fine-tuning, or both? Weigh them on your own data, then use the one that wins.",
    epilog="Start with: weighbridge demo",
)

SAMPLES = "handbook, tickets or formulary"


@app.command(epilog="Example: weighbridge demo tickets")
def demo(
    workload: Annotated[str, typer.Argument(help=f"The sample workload: {SAMPLES}.")] = "handbook",
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", help="The folder to work in.", show_default="./weighbridge-demo/WORKLOAD"),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            help="A known model, once or more. Only tiny is tuned.",
            show_default="tiny and small",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Weigh all strategies on a sample workload: fetch the models, train the adapters, write a report."""
    from weighbridge.workflow.demo import MODELS, copy_sample

    root = workspace or Path("weighbridge-demo") / "-".join([workload, *(models or [])])
    with open_console(as_json=as_json) as console:
        copied = copy_sample(workload, root, models=models or MODELS)
        console.reporter.say(f"Workspace: {copied.root} (sample workload '{workload}')")
    _compare(copied.root, as_json=as_json)


app.command("advise", epilog="Example: weighbridge advise --answers answers.yaml")(advise_command)


@app.command("init", epilog="Example: weighbridge init mine --documents manuals/ --examples questions.jsonl")
def init_command(
    folder: Annotated[Path, typer.Argument(help="The folder to make the workspace in.")],
    examples: Annotated[
        Path | None, typer.Option(help="Questions with answers: JSONL (three layouts) or CSV. Without: search only.")
    ] = None,
    documents: Annotated[
        Path | None, typer.Option(help="A folder or file to read, or a JSONL file of documents.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="answer, label or json; inferred from the examples by default.")
    ] = None,
    model: Annotated[str, typer.Option(help="The base model: a reference, or the name of a known model.")] = "",
    profile: Annotated[str, typer.Option(help="The time to spend: quick, standard or thorough.")] = "standard",
) -> None:
    """Write a commented weighbridge.yaml that fits your documents and examples, the model and this machine."""
    from weighbridge.settings.fit import PROFILES
    from weighbridge.types import Task
    from weighbridge.workflow.init import WorkspaceChoices, init_workspace

    with open_console(as_json=False) as console:
        kind = next((known for known in get_args(Task) if known == task), None)
        if task and not kind:
            raise typer.BadParameter(f"'{task}' is not one of answer, label, json", param_hint="--task")
        effort = next((known for known in PROFILES if known == profile), None)
        if effort is None:
            raise typer.BadParameter(f"'{profile}' is not one of {', '.join(PROFILES)}", param_hint="--profile")
        choices = WorkspaceChoices(documents=documents, examples=examples, task=kind, model=model, profile=effort)
        made = init_workspace(folder, choices, console.reporter)
        after = "compare" if examples else 'search "..."'
        first = "; with --estimate it only tells how long it takes" if examples else ""
        console.reporter.say(f"Wrote {made.settings_file}. Next: weighbridge {after} --workspace {folder}{first}")


app.command(epilog="Example: weighbridge index --workspace mine --plan")(knowledge.index)
app.command("search", epilog='Example: weighbridge search "how long is the notice period" --explain')(
    knowledge.search_command
)
app.add_typer(knowledge.versions, name="versions")


@app.command(epilog='Example: weighbridge ask "When is the travel desk open?" --strategy rag')
def ask(
    question: Annotated[str, typer.Argument(help="What to ask.", callback=require_words)],
    workspace: Root = HERE,
    strategy: Annotated[
        str | None, typer.Option(help="The strategy that answers; the recommended one by default.")
    ] = None,
    group: Groups = None,
    as_json: Json = False,
) -> None:
    """Ask one question. The answer streams, then its citations follow."""
    from weighbridge.types import Question
    from weighbridge.workflow.ask import choose_arm, open_strategy

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console, ExitStack() as stack:
        arm = choose_arm(strategy or "", settings, place, console.reporter.say)
        answering = open_strategy(arm, settings, place, stack=stack, reporter=console.reporter)
        console.pause()
        answer = answering.answer(Question(question, groups=frozenset(group or ())), emit=console.stream)
        console.answer(arm, answer)


app.command("train", epilog="Example: weighbridge train raft --workspace mine")(training.train_command)
app.command("make-examples", epilog="Example: weighbridge make-examples --count 200 --workspace mine")(
    training.make_examples_command
)


@app.command("compare", epilog="Example: weighbridge compare --workspace mine --json > weighing.json")
def compare_command(
    workspace: Root = HERE,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only tell how long each step will take, and how much memory.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Weigh all strategies: index, train, answer, time, decide. After an interruption it continues where it stopped."""
    if not estimate:
        _compare(workspace, as_json=as_json)
        return
    from weighbridge.workflow.estimate import estimate_run

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.estimate(estimate_run(settings, place, console.reporter))


@app.command(epilog="Example: weighbridge report --workspace mine")
def report(workspace: Root = HERE, group: Groups = None, as_json: Json = False) -> None:
    """Show the last weighing again, and rewrite its report.html for readers of the given groups.

    --json prints everything, restricted questions included, because the owner of the workspace runs it.
    """
    from weighbridge.workflow.report import render_again
    from weighbridge.workspace import Workspace

    place = Workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.show_weighing(render_again(place, frozenset(group or ())), place.report)


app.command("decide", epilog="Example: weighbridge decide --what-if latency.p95=2s --what-if volume=1e6")(
    decide_command
)
app.command("cost", epilog="Example: weighbridge cost --workspace mine --volume 100000")(cost_command)
app.add_typer(prices, name="prices")
app.command("plan", epilog="Example: weighbridge plan --workspace mine --write plan.md --write plan.ics")(plan_command)
app.command("evidence", epilog="Example: weighbridge evidence --workspace mine")(evidence_command)
app.command("case", epilog="Example: weighbridge case --workspace mine --output case.html")(case_command)
app.command("needs", epilog="Example: weighbridge needs --preset support-desk --write")(needs_command)
app.command("score", epilog="Example: weighbridge score answers.jsonl --json > verdicts.json")(score_command)
app.add_typer(models, name="models")
app.add_typer(hosted, name="hosted")


@app.command(epilog="Example: weighbridge doctor --json")
def doctor(workspace: Root = HERE, as_json: Json = False) -> None:
    """Check the models, packages, memory and disk of this machine. Each problem comes with its remedy."""
    from weighbridge.workflow.doctor import examine

    with open_console(as_json=as_json) as console:
        findings = examine(workspace)
        console.findings(findings)
    if any(finding.state == "missing" for finding in findings):
        raise typer.Exit(2)


app.add_typer(knowledge.bench, name="bench")


def main() -> NoReturn:
    """Run the command line."""
    run_command(lambda: app(prog_name="weighbridge"))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"weighbridge {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def _compare(root: Path, *, as_json: bool) -> None:
    from weighbridge.wiring.index import never_agree
    from weighbridge.workflow.compare import compare

    settings, place = open_workspace(root)
    with open_console(as_json=as_json) as console:
        agree = console.agree if sys.stdin.isatty() and not as_json else never_agree
        console.show_weighing(compare(settings, place, console.reporter, agree=agree), place.report)
