"""The commands on models: the default ones, and the adapters of a workspace."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli.options import HERE, Json, Root, opened
from weighbridge.cli.say import Console, voice_on

if TYPE_CHECKING:
    from weighbridge.workflow.adapters import Listed, ListedRetriever

models = typer.Typer(no_args_is_help=True, help="The base models, and the adapters that were trained in a workspace.")

Adapter = Annotated[str, typer.Argument(help="An adapter, by its id or the start of it, or by its strategy.")]


@models.command("list", epilog="Example: weighbridge models list --workspace mine")
def list_models(workspace: Root = HERE, as_json: Json = False) -> None:
    """List the default models, and what was tuned in a workspace: which serves, how good, and what became stale."""
    from weighbridge.workflow.adapters import listed, listed_retrievers
    from weighbridge.workflow.inventory import models as defaults

    bare = workspace == HERE and not (workspace / "weighbridge.yaml").exists()
    known = () if bare else listed(*opened(workspace))
    tuned = () if bare else listed_retrievers(*opened(workspace))
    with voice_on(as_json=as_json) as console:
        base = defaults(fetch_missing=False, voice=console.voice)
        if as_json:
            console.result({"models": base, "adapters": known, "retrievers": tuned})
            return
        console.result(base)
        _table(console, known, tuned)


@models.command("fetch", epilog="Example: weighbridge models fetch")
def fetch(as_json: Json = False) -> None:
    """Download the default models that are missing."""
    from weighbridge.workflow.inventory import models as defaults

    with voice_on(as_json=as_json) as console:
        console.result(defaults(fetch_missing=True, voice=console.voice))


@models.command("show", epilog="Example: weighbridge models show raft")
def show(adapter: Adapter, workspace: Root = HERE, as_json: Json = False) -> None:
    """Show an adapter's card: recipe, data, guards, parity, and what became stale; write its report.html."""
    from weighbridge.report.adapter import adapter_terminal
    from weighbridge.workflow.adapters import report_of, shown

    settings, place = opened(workspace)
    with voice_on(as_json=as_json) as console:
        found = shown(settings, place, adapter)
        if as_json:
            console.result(found)
            return
        console.out.print(adapter_terminal(found.card))
        console.out.print(_standing(found), markup=False, highlight=False, soft_wrap=True)
        console.out.print(f"Report: {report_of(place, found.card)}", markup=False, highlight=False, soft_wrap=True)


@models.command("compare", epilog="Example: weighbridge models compare 3f2a 9c41")
def compare(
    adapters: Annotated[list[str], typer.Argument(help="Two adapters or more, by id or strategy.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show adapters side by side: recipe, dev score, guards."""
    from weighbridge.workflow.adapters import compared

    settings, place = opened(workspace)
    with voice_on(as_json=as_json) as console:
        found = compared(settings, place, adapters)
        if as_json:
            console.result(list(found))
        else:
            _side_by_side(console, found)


@models.command("promote", epilog="Example: weighbridge models promote 3f2a")
def promote(adapter: Adapter, workspace: Root = HERE, as_json: Json = False) -> None:
    """Let its strategy answer with this adapter until the next `weighbridge train`; refused where parity failed."""
    from weighbridge.workflow.adapters import put_in_force

    settings, place = opened(workspace)
    with voice_on(as_json=as_json) as console:
        _told(console, put_in_force(settings, place, adapter))


@models.command("rollback", epilog="Example: weighbridge models rollback raft")
def rollback(
    strategy: Annotated[str, typer.Argument(help="Whose adapter; or embedder or reranker.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Go back to the adapter that a strategy had before, or to the embedder or reranker that the search had."""
    from weighbridge.workflow.adapters import put_back, put_back_retriever
    from weighbridge.workflow.tuned_search import WHICH

    settings, place = opened(workspace)
    which = next((known for known in WHICH if known == strategy), None)
    with voice_on(as_json=as_json) as console:
        if which is None:
            _told(console, put_back(settings, place, strategy))
            return
        found = put_back_retriever(settings, place, which)
        if as_json:
            console.result(found)
            return
        used = f"the tuned {which} {found.card.id}" if found else f"the {which} of the settings"
        said = f"The search uses {used}; the index follows when it is next used"
        console.out.print(said, markup=False, highlight=False, soft_wrap=True)


@models.command("export", epilog="Example: weighbridge models export raft raft-q4.gguf --form gguf-Q4_0")
def export(
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
    """Write an adapter for other programs, or its recipe and data for those who train elsewhere."""
    from weighbridge.train.formats import FORMS
    from weighbridge.workflow.adapters import exported

    wanted: Any = form
    if form not in FORMS:
        raise typer.BadParameter(f"'{form}' is not one of {', '.join(FORMS)}", param_hint="--form")
    settings, place = opened(workspace)
    with voice_on(as_json=as_json) as console:
        path = exported(settings, place, adapter, wanted, target, console.voice)
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
    """Ask an adapter and its base model tasks of the lm-evaluation-harness (extra: lm-eval): what was forgotten?"""
    from weighbridge.guard.harness import Tasks
    from weighbridge.workflow.adapters import harnessed

    settings, place = opened(workspace)
    with voice_on(as_json=as_json) as console:
        guard = harnessed(settings, place, adapter, Tasks(names=tuple(task), folder=folder, limit=limit), console.voice)
        if as_json:
            console.result(guard)
        else:
            console.out.print(guard.summary, markup=False, highlight=False, soft_wrap=True)


@models.command("lineage", epilog='Example: weighbridge models lineage raft --answer "four weeks"')
def lineage(
    adapter: Annotated[str, typer.Argument(help="An id or a strategy; all that serve if left out.")] = "",
    answer: Annotated[str, typer.Option(help="Words of an answer.")] = "",
    example: Annotated[str, typer.Option(help="The id of a training example.")] = "",
    document: Annotated[str, typer.Option(help="The id of a document.")] = "",
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show from which examples, and from where in the documents, an adapter learnt something."""
    from weighbridge.workflow.adapters import About, traced

    settings, place = opened(workspace)
    about = About(adapter=adapter, answer=answer, example=example, document=document)
    with voice_on(as_json=as_json) as console:
        found = list(traced(settings, place, about))
        if as_json:
            console.result(found)
            return
        for each in found:
            said = each.lesson.target or "(the text itself)"
            line = f"{each.strategy} {each.adapter}, example {each.lesson.example_id}: {said}"
            console.out.print(line, markup=False, highlight=False, soft_wrap=True)
            for span, text in zip(each.lesson.spans, each.texts, strict=True):
                words = " ".join(text.split()) if text else "(changed or gone since)"
                proof = ", proves it" if span.document_id in each.lesson.evidence else ""
                where = f"  {span.document_id}, characters {span.start:,}-{span.end:,}{proof}: {words}"
                console.out.print(where, markup=False, highlight=False, soft_wrap=True)
        if not found:
            console.out.print("Nothing that was learnt fits.")


def _told(console: Console, found: "Listed") -> None:
    if console.as_json:
        console.result(found)
        return
    said = f"{found.card.strategy} answers with {found.card.id}, made {found.card.made_at}"
    console.out.print(said, markup=False, highlight=False, soft_wrap=True)


def _standing(found: "Listed") -> str:
    serves = "It serves" if found.promoted else "It does not serve"
    if found.stale is None:
        return f"{serves}; there is no index to tell whether its documents changed"
    if not found.stale:
        return f"{serves}; none of the {len(found.card.learnt.documents):,} documents it learnt from has changed"
    some = ", ".join(found.stale[:5])
    return f"{serves}; stale: {len(found.stale):,} documents it learnt from changed or are gone: {some}"


def _table(console: Console, known: "tuple[Listed, ...]", tuned: "tuple[ListedRetriever, ...]") -> None:
    from rich.table import Table

    if not known and not tuned:
        return
    table = Table(box=None, pad_edge=False, collapse_padding=True)
    for heading in ("adapter", "strategy", "method", "dev", "guards", "parity", "stale", "made", ""):
        table.add_column(heading, overflow="fold", no_wrap=heading not in ("dev", "guards"))
    for each in known:
        card = each.card
        stale = "?" if each.stale is None else str(len(each.stale))
        row = (
            card.id,
            card.strategy,
            "hosted" if card.hosted else str(card.recipe["method"]),
            *_states(each),
            stale,
            card.made_at[:10],
        )
        table.add_row(*row, "serves" if each.promoted else "")
    for one in tuned:
        verdict = one.card.verdict
        dev = "-"
        if verdict.before and verdict.after:
            dev = f"nDCG {verdict.after.value:.2f} (was {verdict.before.value:.2f})"
        state = "kept" if verdict.kept else "reverted"
        row = (one.card.id, one.card.which, "", dev, state, "", "", one.card.made_at[:10])
        table.add_row(*row, "serves" if one.in_force else "")
    console.out.print(table)


def _states(each: "Listed") -> tuple[str, str, str]:
    """Return an adapter's dev score, guards and parity, in a few characters each."""
    card = each.card
    dev = f"{card.dev.value:.2f} ({card.dev.low:.2f}-{card.dev.high:.2f})" if card.dev else "-"
    failed = [guard.name for guard in card.guards if guard.passed is False]
    guards = ", ".join(failed) + " failed" if failed else ("passed" if card.guards else "-")
    parity = "-" if not card.parity else ("agrees" if card.promotable else "PARTED")
    return dev, guards, parity


def _side_by_side(console: Console, found: "tuple[Listed, ...]") -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("", *(each.card.id for each in found)):
        table.add_column(heading)
    names = [name for name in found[0].card.recipe if len({str(each.card.recipe.get(name)) for each in found}) > 1]
    rows = [
        ("strategy", *(each.card.strategy for each in found)),
        *((name, *(str(each.card.recipe.get(name)) for each in found)) for name in names),
        ("examples", *(f"{each.card.learnt.examples:,}" for each in found)),
        ("first loss", *(f"{each.card.training.first_loss:.2f}" for each in found)),
        ("last loss", *(f"{each.card.training.last_loss:.2f}" for each in found)),
        ("seconds", *(f"{each.card.seconds:.0f}" for each in found)),
        *zip(("dev", "guards", "parity"), *(_states(each) for each in found), strict=True),
        ("serves", *("yes" if each.promoted else "no" for each in found)),
    ]
    for row in rows:
        table.add_row(*row)
    console.out.print(table)
