"""The report of making examples."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from weighbridge.dataset.synthesise.nouns import Attrition, SyntheticExample, describe_attrition
from weighbridge.types import Task

By = Literal["rules", "model", "both"]

_SHOWN = 3
"""Examples to show for each kind."""
_FEW = 0.1
"""Below this share of kept questions a larger model is advised. Of 164 questions by the default one, 2 % were kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakingReport:
    """The kept examples, the losses by reason, and the file."""

    kept: tuple[SyntheticExample, ...]
    attrition: Attrition
    kinds: Mapping[str, int]
    """The kept examples by kind: see `kind`."""
    path: Path | None
    """None: no example was good enough, and nothing was written."""
    setting: str
    """The value of `training.made` for the file: relative to the workspace if the file is in it."""
    task: Task
    by: By
    documents: int
    restricted: int
    """Documents that were not used because they are restricted."""
    seconds: float

    @property
    def families(self) -> int:
        """The number of different questions. Other wordings of one do not count."""
        return len({made.family for made in self.kept})


def report_lines(report: MakingReport) -> Iterator[str]:
    """Yield the report for people: the losses by reason, and a few examples of each kind."""
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
    """Yield advice for more examples, if another way of making would give them."""
    if report.task != "answer" and report.by == "rules":
        yield f"This is a {report.task} task: --by model rewords its train questions"
    elif report.by == "rules":
        yield 'Rules read tables, "label: value" lines and headings. Sentences need a model:'
        yield "  weighbridge make-examples --by both --teacher NAME@URL   (an OpenAI-compatible endpoint)"
    elif len(report.kept) < _FEW * report.attrition.made:
        yield "Few questions were good enough. A larger model writes better ones: --teacher NAME@URL"


def kind(made: SyntheticExample) -> str:
    """Return the kind of an example, without ids: "rule: table", or that with "paraphrase"."""
    before, paraphrase, _ = made.made_by.partition(" paraphrase of ")
    return f"{before} paraphrase" if paraphrase else made.made_by
