"""The output of the commands: results on standard output, messages and progress on standard error.

A result is text and tables for people, or with `--json` one JSON value for programs.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import rich.console
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# Classes of values are costly to define: those that a result is made of would double the time of `--help`.
if TYPE_CHECKING:
    from weighbridge.adapters import AdapterCard
    from weighbridge.passage_tables import Grid
    from weighbridge.protocols import Version
    from weighbridge.results import Weighing
    from weighbridge.retrieve.index.plan import SyncPlan
    from weighbridge.retrieve.search.explain import Explanation
    from weighbridge.types import Answer, Chunk, Passage
    from weighbridge.wiring.reporter import Reporter
    from weighbridge.workflow.bench_retrieval import RetrievalFigures
    from weighbridge.workflow.doctor import DoctorCheck
    from weighbridge.workflow.reckon import RunEstimate

_WORDS = re.compile(r"[^\W\d_]{4}")
"""A word of four letters. A cell that holds one is text; the units and currencies beside figures are shorter."""
_NAMED = 10
"""The most documents to name for a passage that occurs in several: about two lines. The rest are counted."""
MARKS = {"good": "[green]ok[/]", "warning": "[yellow]note[/]", "missing": "[red]missing[/]"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Console:
    """The output of one command, and the form of its result."""

    as_json: bool
    out: rich.console.Console
    reporter: "Reporter"
    pause: Callable[[], None] = field(repr=False)
    """Removes the progress bars from the screen, before text is streamed onto it."""

    def result(self, value: object) -> None:
        """Show a value: as JSON, or its fields as lines."""
        if self.as_json:
            self._json(value)
            return
        for item in value if isinstance(value, tuple | list) else (value,):
            if item is not None:
                self._fields(item)

    def stream(self, text: str) -> None:
        """Show a piece of an answer as it comes."""
        if not self.as_json:
            self.out.print(text, end="", markup=False, highlight=False, soft_wrap=True)

    def answer(self, strategy: str, answer: "Answer") -> None:
        """Show the citations, the time and the tokens of an answer that was streamed."""
        if self.as_json:
            self._json({"strategy": strategy, "answer": answer})
            return
        from weighbridge.passage_tables import row_at

        self.out.print("" if answer.text else "(an empty answer)")
        read = {passage.chunk.id: passage.chunk for passage in answer.prompt.passages}
        for citation in answer.citations:
            place = f"{citation.document_id}, characters {citation.start:,}-{citation.end:,}"
            chunk = read.get(citation.chunk_id)
            row = row_at(chunk, citation.start - chunk.start) if chunk else None
            if chunk is None or row is None:
                self.out.print(f'  "{citation.quote}" - {place}', markup=False, highlight=False)
                continue
            self.out.print(f"  {place}:", markup=False, highlight=False)
            self.out.print(Padding(_grid(row), (0, 0, 0, 4), expand=False), highlight=False)
        usage = answer.usage
        thought = f" ({answer.timing.thinking:.2f} s until it had thought)" if answer.timing.thinking else ""
        taken = f"{answer.timing.total:.2f} s{thought}, {usage.input_tokens:,} tokens in, {usage.output_tokens:,} out"
        self.out.print(f"  [dim]{escape(strategy)}: {taken}[/]", highlight=False)
        if answer.note:
            self.out.print(f"  [dim]{escape(answer.note)}[/]", highlight=False, soft_wrap=True)

    def passages(self, passages: "Sequence[Passage]") -> None:
        """Show passages, best first."""
        if self.as_json:
            self._json(list(passages))
            return
        if not passages:
            self.out.print("Nothing found.")
        for rank, passage in enumerate(passages, start=1):
            chunk = passage.chunk
            place = f"{_describe_place(chunk)}, score {passage.score:.4f}"
            title = escape(chunk.title or chunk.document_id)
            self.out.print(f"{rank}. {title} [dim]({escape(place)})[/]", highlight=False)
            self._passage(chunk)
            self._also_in(passage.copies)

    def explanations(self, found: Sequence["Explanation"]) -> None:
        """Show passages, best first, each with its ranks and scores."""
        if self.as_json:
            self._json(list(found))
            return
        if not found:
            self.out.print("Nothing found.")
        for each in found:
            chunk = each.chunk
            self.out.print(f"{each.rank}. {escape(_describe_place(chunk))}", highlight=False)
            ranks = f"words: {_describe_rank(each.lexical_rank)}, BM25 {each.lexical:.2f}"
            meaning = f"meaning: {_describe_rank(each.dense_rank)}, cosine {each.dense:.3f}"
            self.out.print(f"   [dim]{ranks} | {meaning} | together {each.score:.3f}[/]", highlight=False)
            version = f"version {chunk.version[:8]}" if chunk.version else "no version"
            terms = escape(", ".join(each.matched)) or "none"
            self.out.print(f"   [dim]matched: {terms} | {version}[/]", highlight=False)
            self._passage(chunk)
            self._also_in(each.copies)

    def _passage(self, chunk: "Chunk") -> None:
        """Show the text of a passage. Its tables stay tables."""
        from weighbridge.passage_tables import Grid, passage_blocks

        for block in passage_blocks(chunk):
            shown = _grid(block) if isinstance(block, Grid) else Text(" ".join(block.split()))
            self.out.print(Padding(shown, (0, 0, 0, 3), expand=False), highlight=False)

    def _also_in(self, documents: Sequence[str]) -> None:
        """Name the documents that contain the same passage."""
        if documents:
            more = f" and {len(documents) - _NAMED:,} more" if len(documents) > _NAMED else ""
            self.out.print(f"   [dim]also in {escape(', '.join(documents[:_NAMED]))}{more}[/]", highlight=False)

    def adapters(self, cards: "Sequence[AdapterCard]") -> None:
        """Show adapters and their checks. With --json this shows nothing: the cards are then the result."""
        if self.as_json:
            return
        from weighbridge.report.adapter.adapter_page import adapter_terminal

        for card in cards:
            self.out.print(adapter_terminal(card))

    def changes(self, plan: "SyncPlan") -> None:
        """Show the documents that differ between two versions of an index."""
        if self.as_json:
            self._json(plan)
            return
        for word, names in (("added", plan.added), ("changed", plan.changed), ("deleted", plan.deleted)):
            for name in names:
                self.out.print(f"{word}: {name}", markup=False, highlight=False, soft_wrap=True)
        self.out.print(f"{plan.unchanged:,} unchanged", highlight=False)

    def versions(self, known: Sequence["Version"]) -> None:
        """Show the versions of an index."""
        if self.as_json:
            self._json(list(known))
            return
        table = Table(box=None, pad_edge=False)
        for heading in ("version", "made", "names"):
            table.add_column(heading, overflow="fold")
        for version in known:
            table.add_row(str(version.number), version.made, escape(", ".join(version.tags)))
        self.out.print(table)

    def retrieval(self, figures: Sequence["RetrievalFigures"]) -> None:
        """Show the quality and the speed of searches."""
        if self.as_json:
            self._json(list(figures))
            return
        for each in figures[:1]:
            counts = f"{each.documents:,} documents, {each.queries:,} queries"
            self.out.print(f"{escape(each.collection)}: {counts}, {escape(each.embedder)}", highlight=False)
        table = Table(box=None, pad_edge=False)
        headings = "tokens", "chunks", "nDCG@10", "R@100", "MRR@10", "docs/s", "p50 ms", "p95 ms", "disk MB", "RAM MB"
        for heading in headings:
            table.add_column(heading, justify="right")
        for each in figures:
            table.add_row(
                f"{each.chunk_tokens:,}",
                f"{each.chunks:,}",
                f"{each.ndcg_at_10:.4f}",
                f"{each.recall_at_100:.4f}",
                f"{each.mrr_at_10:.4f}",
                f"{each.documents_per_second:,.1f}",
                f"{each.p50_seconds * 1000:.1f}",
                f"{each.p95_seconds * 1000:.1f}",
                f"{each.index_bytes / 1e6:,.1f}",
                f"{each.peak_memory_bytes / 1e6:,.0f}",
            )
        self.out.print(table)

    def agree(self, question: str) -> bool:
        """Ask the person at the terminal. The default is no."""
        self.pause()
        return input(f"{question} [y/N] ").strip().casefold() in {"y", "yes"}

    def findings(self, findings: Sequence["DoctorCheck"]) -> None:
        """Show the findings of the doctor."""
        if self.as_json:
            self._json(list(findings))
            return
        table = Table(box=None, pad_edge=False)
        for heading in ("", "part", "found", "remedy"):
            table.add_column(heading, overflow="fold")
        for finding in findings:
            table.add_row(MARKS[finding.state], escape(finding.what), escape(finding.detail), escape(finding.remedy))
        self.out.print(table)

    def estimate(self, found: "RunEstimate") -> None:
        """Show the seconds and the memory of each step of a comparison, and what its settings leave out."""
        if self.as_json:
            self._json(
                {
                    "seconds": found.seconds,
                    "memory_bytes": found.memory_bytes,
                    "steps": found.steps,
                    "caps": found.caps,
                    "measured": found.measured,
                    "warnings": found.warnings,
                    "complete": found.complete,
                    "prices": found.prices,
                }
            )
            return
        from weighbridge.formatting import seconds

        table = Table(box=None, pad_edge=False)
        for heading in ("step", "time", "memory", ""):
            table.add_column(heading, justify="left" if heading in {"step", ""} else "right", overflow="fold")
        for step in found.steps:
            memory = f"{step.memory_bytes / 2**30:.1f} GiB" if step.memory_bytes else ""
            time = "?" if step.seconds is None else seconds(step.seconds)
            table.add_row(escape(step.step), time, memory, escape(step.note))
        most = f"{found.memory_bytes / 2**30:.1f} GiB"
        table.add_row("in all" if found.complete else "in all, without ?", seconds(found.seconds), most, style="bold")
        self.out.print(table)
        self.out.print(f"Paces {found.measured}; other work on the machine makes it longer.", highlight=False)
        for price in found.prices:
            self.out.print(price.sentence, markup=False, highlight=False, soft_wrap=True)
        for line in (*(cap.sentence for cap in found.caps), *found.warnings):
            self.out.print(f"note: {line}", markup=False, highlight=False, soft_wrap=True)

    def show_weighing(self, weighing: "Weighing", page: Path) -> None:
        """Show a weighing: the decision first, then the table."""
        if self.as_json:
            self._json(weighing)
            return
        from weighbridge.report.terminal import render_weighing

        self.out.print(render_weighing(weighing))
        self.out.print(f"Report: {page}", highlight=False, soft_wrap=True, markup=False)

    def _json(self, value: object) -> None:
        from weighbridge.evaluate.encode import to_json

        print(to_json(value, indent=2))  # noqa: T201 - the result, for a program

    def _fields(self, item: object) -> None:
        import json

        from weighbridge.evaluate.encode import to_json

        for name, value in json.loads(to_json(item)).items():
            words = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            self.out.print(f"{name.replace('_', ' ')}: {words}", markup=False, highlight=False, soft_wrap=True)
        self.out.print()


def _grid(grid: "Grid") -> Table:
    """Return a table for the terminal. Long cells are folded, and columns of figures are aligned to the right."""
    table = Table(box=SIMPLE_HEAD, show_header=any(grid.header), pad_edge=False, show_edge=False)
    for place, name in enumerate(grid.header):
        cells = [row[place] for row in grid.rows if row[place]]
        figures = bool(cells) and all(any(map(str.isdigit, cell)) and not _WORDS.search(cell) for cell in cells)
        table.add_column(Text(name), justify="right" if figures else "left", overflow="fold")
    for row in grid.rows:
        table.add_row(*map(Text, row))
    return table


def _describe_place(chunk: "Chunk") -> str:
    """Return the place of a chunk, in words."""
    place = f", {chunk.place}" if chunk.place else ""
    return f"{chunk.document_id}{place}, characters {chunk.start:,}-{chunk.end:,}"


def _describe_rank(rank: int | None) -> str:
    return "not nominated" if rank is None else f"rank {rank}"


@contextmanager
def open_console(*, as_json: bool) -> Iterator[Console]:
    """Open the console for one command."""
    from weighbridge.cli.progress import show_progress
    from weighbridge.wiring.reporter import Reporter

    aside = rich.console.Console(stderr=True)
    with ExitStack() as stack:
        notify = stack.enter_context(show_progress(aside))

        def say(sentence: str) -> None:
            aside.print(sentence, markup=False, highlight=False, soft_wrap=True)

        def show(renderable: object) -> None:
            aside.print(renderable, markup=False, highlight=False, soft_wrap=True)

        yield Console(
            as_json=as_json,
            out=rich.console.Console(),
            reporter=Reporter(say, notify, show, aside.width),
            pause=stack.close,
        )
