"""What came of making examples, and how it is told."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from weighbridge.dataset.synthesise.nouns import Attrition, SyntheticExample, describe_attrition
from weighbridge.types import Task

By = Literal["rules", "model", "both"]

_SHOWN = 3
_FEW = 0.1
"""The share of a model's questions below which a larger model is advised: of 164 by the default one 2 % were kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakingReport:
    """What was made, what became of it, and where the rest lies."""

    kept: tuple[SyntheticExample, ...]
    attrition: Attrition
    kinds: Mapping[str, int]
    """How many were kept of each way of making, by its first words."""
    path: Path | None
    """None: nothing was good enough, and nothing was written."""
    setting: str
    """That file as `training.made` names it: from the workspace, where it lies in it."""
    task: Task
    by: By
    documents: int
    restricted: int
    """Documents that were not used because only some may read them."""
    seconds: float

    @property
    def families(self) -> int:
        """How many different questions there are, their other wordings not counted."""
        return len({made.family for made in self.kept})


def report_lines(report: MakingReport) -> Iterator[str]:
    """Say what was made, as a table of the losses, and show a few."""
    unused = f" ({report.restricted:,} restricted ones not used)" if report.restricted else ""
    yield f"Made of {report.documents:,} documents{unused}, in {report.seconds:.0f} s"
    yield from describe_attrition(report.attrition)
    for each, count in sorted(report.kinds.items(), key=lambda item: (-item[1], item[0])):
        yield f"    {each:<40} {count:>7,}"
        for made in [one for one in report.kept if kind(one) == each][:_SHOWN]:
            yield f"      {made.question}  ->  {made.answers[0] if made.answers else '(not answerable)'}"
    yield from _advice(report)
    if report.path is None:
        yield "Nothing was good enough to keep, and nothing was written"
        return
    yield f"{len(report.kept):,} examples of {report.families:,} questions written to {report.path}"
    yield f"To train on them too, set training.made: {report.setting} in weighbridge.yaml"


def _advice(report: MakingReport) -> Iterator[str]:
    """Say what would make more, where this way of making cannot."""
    if report.task != "answer" and report.by == "rules":
        yield f"This is a {report.task} task: --by model rewords its train questions"
    elif report.by == "rules":
        yield 'Rules read tables, "label: value" lines and headings. Sentences need a model:'
        yield "  weighbridge make-examples --by both --teacher NAME@URL   (an OpenAI-compatible endpoint)"
    elif len(report.kept) < _FEW * report.attrition.made:
        yield "Few questions were good enough. A larger model writes better ones: --teacher NAME@URL"


def kind(made: SyntheticExample) -> str:
    """Return the way of making, without ids: "rule: table", "rule: paraphrase of another"."""
    before, paraphrase, _ = made.made_by.partition(" paraphrase of ")
    return f"{before} paraphrase" if paraphrase else made.made_by
