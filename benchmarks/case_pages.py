"""Write docs/cases from saved measurements. No model is needed; the pages are tested to be as this program writes them.

Run: python benchmarks/case_pages.py                        write all pages again
     python benchmarks/case_pages.py handbook=WORKSPACE ... take the saved files of these comparisons first

docs/cases/NAME/ is a workspace without documents and questions: weighbridge.yaml, answers.yaml (what the workload does
not say of itself) and the saved measurements and decision. Every command that reads saved files works there. What the
reading of the documents found is left out, because it may quote them.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.decide.what_if.retake import retake
from weighbridge.evaluate.weighing import MEASUREMENTS, load_measurements, save_decision, saved_text
from weighbridge.report.case.case_page import case_markdown
from weighbridge.report.case.case_study import CaseFiles, draw_up_case
from weighbridge.results import Measurement, ResourceUse
from weighbridge.settings.file import load_settings
from weighbridge.workflow.advise import read_answers_file
from weighbridge.workflow.case import case_files, weigh_evidence
from weighbridge.workspace import Workspace, write_text

FOLDER = Path(__file__).parents[1] / "docs" / "cases"
NOTE = "<!-- Written by benchmarks/case_pages.py: change the code, then run it. -->"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the data of a case come from, and how to get them."""

    title: str
    words: str
    commands: tuple[str, ...] = ()
    """Before the comparison; none for a sample, which `weighbridge demo` makes."""


ORIGINS = {
    "handbook": Origin(
        title="Handbook: knowledge that moves",
        words="The staff handbook of an invented ferry company. Because its facts were made up, no model can know "
        "them. About ten of them change every month. Part of Weighbridge, Apache-2.0.",
    ),
    "tickets": Origin(
        title="Tickets: one message, one of twelve queues",
        words="Messages to the support desk of an invented supplier, each to be sent to one queue. The rules do not "
        "change during the year. Part of Weighbridge, Apache-2.0.",
    ),
    "formulary": Origin(
        title="Formulary: a strict form, and facts that change",
        words="Questions about invented medicines, to be answered as JSON from monographs that change every month. "
        "Part of Weighbridge, Apache-2.0.",
    ),
    "torchhub": Origin(
        title="TorchHub: which call does this?",
        words="Gorilla APIBench by Patil et al. 2023, the part about TorchHub, Apache-2.0. Its data are not part of "
        "this repository. Published with a model of 7 billion parameters: fine-tuned 59.1, the same with passages of "
        "a BM25 search 40.3, with the right passage 67.2.",
        commands=(
            "git clone --depth 1 https://github.com/ShishirPatil/gorilla",
            "python benchmarks/public_workloads.py torchhub gorilla mine",
        ),
    ),
    "pubmedqa": Origin(
        title="PubMedQA: yes, no or maybe",
        words="PubMedQA by Jin et al. 2019, MIT: the first 200 of the 500 expert-labelled questions outside its test "
        "set, and all of their 500 abstracts. Its data are not part of this repository.",
        commands=(
            "git clone --depth 1 https://github.com/pubmedqa/pubmedqa pubmedqa.git",
            "python benchmarks/public_workloads.py pubmedqa pubmedqa.git mine --questions 200",
        ),
    ),
}
"""In the order of the index."""


def keep_saved_files(name: str, source: Workspace) -> None:
    """Copy the measurements of a comparison, without what was found in reading its documents."""
    place = Workspace(FOLDER / name)
    found = replace(load_measurements(source), reading=None)
    prices = load_settings(place.settings_file).prices
    complete = tuple(_with_usage(one, found.measurements, prices.machine_per_hour) for one in found.measurements)
    write_text(place.measurements_file, saved_text(MEASUREMENTS, replace(found, measurements=complete)))


def _with_usage(one: Measurement, everyone: Sequence[Measurement], machine_per_hour: float) -> Measurement:
    """Return a measurement with what it used up. An earlier release saved the sums of these alone.

    All of the set-up of `rag` is indexing, and that of the tuned ones is training besides. The cost of an answer is
    its seconds at the price of the machine.
    """
    setup, whole = one.figures.get("setup"), one.figures.get("cost_per_thousand")
    if one.usage or not setup or not one.cost or not whole:
        return one
    indexing = next((other.figures["setup"].value for other in everyone if other.strategy == "rag"), 0.0)
    indexing = indexing if one.strategy in ("rag", "raft") else 0.0
    spread = whole.value - one.cost.per_thousand_answers
    value, low, high = ((end - spread) / 1000 / machine_per_hour * 3600 for end in (whole.value, whole.low, whole.high))
    usage = ResourceUse(
        seconds_per_answer=replace(whole, value=value, low=low, high=high),
        indexing_seconds=indexing,
        training_seconds=setup.value - indexing,
    )
    return replace(one, usage=usage)


def decide_case(name: str) -> None:
    """Take the decision of a case by the present rules, and save it."""
    place = Workspace(FOLDER / name)
    save_decision(place, retake(load_measurements(place), load_settings(place.settings_file)).decision)


def published() -> Sequence[str]:
    """Return the names of the cases whose saved files are here."""
    return [name for name in ORIGINS if Workspace(FOLDER / name).measurements_file.exists()]


def load_case(name: str) -> CaseFiles:
    """Return everything that the page of a case is made of."""
    origin, place = ORIGINS[name], Workspace(FOLDER / name)
    settings, matrix = load_settings(place.settings_file), load_matrix()
    answers = read_answers_file(FOLDER / name / "answers.yaml", matrix)
    files = case_files(settings, place, weigh_evidence(settings, place, matrix, answers))
    return replace(files, origin=origin.words, commands=(*origin.commands, *files.commands))


def write_page(name: str) -> str:
    """Return the page of a case."""
    _, _, rest = case_markdown(draw_up_case(load_case(name))).partition("\n")  # its title is the workload's name
    return f"# {ORIGINS[name].title}\n\n{NOTE}\n{rest}\n{BUSY}"


def write_index() -> str:
    """Return the page that lists the cases."""
    rows = []
    for name in published():
        files = load_case(name)
        case, evidence = draw_up_case(files), files.evidence
        counts = [str(len(evidence.of(outcome))) for outcome in ("confirmed", "refuted", "not decided", "untested")]
        link = f"[{ORIGINS[name].title}]({name}.md)"
        rows.append(f"| {link} | {files.measurements.questions:,} | {case.headline} | {' | '.join(counts)} |")
    missing = [origin.title for name, origin in ORIGINS.items() if name not in published()]
    later = f"\nNot weighed yet: {'; '.join(missing)}.\n" if missing else ""
    head = "| case | questions | decision | claims confirmed | refuted | not decided | untested |\n|" + "---|" * 7
    table = "\n".join((head, *rows, "")) if rows else ""
    return INDEX.format(note=NOTE, busy=BUSY, table=table, later=later)


BUSY = """Other work ran on the machine during this comparison, so the times are longer than on a quiet one, and their
ratios are less exact.
"""
INDEX = """# Cases

{note}

Workloads that were weighed, each on two cores with a model of 135 million parameters. It was chosen because it runs
everywhere, so the figures are low, and say little about a large model. What they show is how a decision comes about,
and how published advice fares against figures.

{table}{later}
{busy}
The saved figures of each case are in the repository, below `docs/cases/`. They are a workspace without documents and
questions: every command that reads saved files works there, and needs no model.

```text
weighbridge evidence --workspace docs/cases/handbook
weighbridge decide --workspace docs/cases/handbook --what-if must_cite=true
weighbridge case --workspace docs/cases/handbook --answers docs/cases/handbook/answers.yaml
```

[How to read the verdicts](../how-to/case.md), and how to write such a page about your own workload.
"""


def main() -> None:
    """Keep the saved files that are named, then write all pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", nargs="*", metavar="NAME=WORKSPACE", help=f"names: {', '.join(ORIGINS)}")
    for given in parser.parse_args().sources:
        name, _, folder = given.partition("=")
        keep_saved_files(name, Workspace(Path(folder)))
    for name in published():
        decide_case(name)
        (FOLDER / f"{name}.md").write_text(write_page(name), encoding="utf-8")
        print(f"docs/cases/{name}.md")
    (FOLDER / "index.md").write_text(write_index(), encoding="utf-8")


if __name__ == "__main__":
    main()
