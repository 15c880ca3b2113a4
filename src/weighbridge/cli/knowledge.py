"""The commands for the index and the search: index, search, versions, bench."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.console import open_console
from weighbridge.cli.options import HERE, Groups, Json, Root, open_workspace, require_words

versions = typer.Typer(help="List, compare, name and restore versions of the index.", rich_markup_mode="markdown")
bench = typer.Typer(no_args_is_help=True, help="Measure one part alone.", rich_markup_mode="markdown")


def index(
    workspace: Root = HERE,
    plan: Annotated[bool, typer.Option("--plan", help="Show the plan, and change nothing.")] = False,
    allow_shrink: Annotated[
        bool, typer.Option("--allow-shrink", help="Continue although most documents are gone from the sources.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep running, and follow the documents as they change.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Read the documents, compare them with the index, show the plan, and update the index."""
    from weighbridge.wiring.index import SyncChoices, never_agree
    from weighbridge.wiring.index import index as bring_up_to_date
    from weighbridge.workflow.watch_index import watch as follow

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        agree = console.agree if sys.stdin.isatty() and not as_json else never_agree
        choices = SyncChoices(plan_only=plan, allow_shrink=allow_shrink, agree=agree)
        synced = bring_up_to_date(settings, place, console.reporter, choices)
        if as_json:  # people have read all of it on standard error
            console.result(synced)
        if watch and not plan:
            follow(settings, place, console.reporter, choices)


def search_command(
    query: Annotated[str, typer.Argument(help="The question, or some words.", callback=require_words)],
    workspace: Root = HERE,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many passages to show.")] = 5,
    group: Groups = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show ranks, scores, matched terms and versions.")] = False,
    as_json: Json = False,
) -> None:
    """Show the passages that the search finds for a question, best first."""
    from weighbridge.types import Question
    from weighbridge.workflow.search import explain_search, search_index

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        question = Question(query, groups=frozenset(group or ()))
        if explain:
            console.explanations(explain_search(question, settings, place, limit=limit, reporter=console.reporter))
        else:
            console.passages(search_index(question, settings, place, limit=limit, reporter=console.reporter))


@versions.callback(invoke_without_command=True, epilog="Example: weighbridge versions --workspace mine")
def list_versions_command(context: typer.Context, workspace: Root = HERE, as_json: Json = False) -> None:
    """List the versions of the index, oldest first."""
    if context.invoked_subcommand:
        return
    from weighbridge.wiring.index import list_index_versions

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.versions(list_index_versions(settings, place))


@versions.command("compare", epilog="Example: weighbridge versions compare 3 5")
def compare_versions_command(
    before: Annotated[str, typer.Argument(help="A version, by number or name.")],
    after: Annotated[str, typer.Argument(help="A later or earlier version.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Show the documents that were added, changed and deleted between two versions."""
    from weighbridge.wiring.index import compare_index_versions

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.changes(compare_index_versions(settings, place, before, after))


@versions.command("tag", epilog="Example: weighbridge versions tag 5 before-the-move")
def tag_version_command(
    version: Annotated[str, typer.Argument(help="A version, by number or name.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Name a version. Named versions are kept."""
    from weighbridge.wiring.index import tag_index_version

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        console.versions([tag_index_version(settings, place, version, name)])


@versions.command("rollback", epilog="Example: weighbridge versions rollback before-the-move")
def roll_back(
    version: Annotated[str, typer.Argument(help="A version, by number or name.")],
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Restore the index to a version. The documents do not change: the next `weighbridge index` follows them again."""
    from weighbridge.wiring.index import rollback_index

    settings, place = open_workspace(workspace)
    with open_console(as_json=as_json) as console:
        card = rollback_index(settings, place, version)
        console.reporter.say(f"Index: {card.documents:,} documents, {card.chunks:,} chunks, as in version {version}")
        if as_json:
            console.result(card)


@bench.command("retrieval", epilog="Example: weighbridge bench retrieval cranfield --tokens 64 --tokens 256")
def bench_retrieval_command(
    folder: Annotated[Path, typer.Argument(help="corpus.jsonl, queries.jsonl and qrels/test.tsv, as in BEIR.")],
    tokens: Annotated[
        list[int] | None,
        typer.Option(min=8, help="Chunk size in the embedder's tokens; may be repeated.", show_default="256"),
    ] = None,
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", help="Take retrieval: and chunks: from its weighbridge.yaml.")
    ] = None,
    static: Annotated[
        bool, typer.Option("--static", help="Look vectors up by word instead of computing them.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Index a collection with judged queries, and print the quality and speed of the search."""
    from weighbridge.workflow.bench_retrieval import bench_retrieval, bench_settings

    with open_console(as_json=as_json) as console:
        settings = bench_settings(open_workspace(workspace)[0] if workspace else None, static=static)
        sizes = tokens or ([settings.chunks.tokens] if workspace else [256])
        console.retrieval(bench_retrieval(folder, settings, chunk_tokens=sizes, reporter=console.reporter))
