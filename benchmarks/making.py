"""How many examples the rules make of documents, how many are left of them, and why.

Each workspace is copied, indexed and made examples of; the account from made to kept is printed as the command prints
it, and beneath it how many of the kept are distinct: a repetition would be a question that
`dataset/near_duplicates.py` calls a near-duplicate of another family's.

Run: python benchmarks/making.py examples/handbook [WORKSPACE ...] [--count 1000]
A JSONL file of documents (id, title, text) stands for a workspace that has them and a single question.
"""

import argparse
import json
import shutil
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

from weighbridge.dataset.synthesise.repeats import drop_near_each_other
from weighbridge.models import fetch
from weighbridge.settings.file import load_settings
from weighbridge.wiring.reporter import SILENT
from weighbridge.wiring.search import open_computed_embedder
from weighbridge.workflow.make_examples import Wanted, make_examples
from weighbridge.workflow.make_examples_report import MakingReport, report_lines
from weighbridge.workspace import Workspace

SETTINGS = "documents: documents.jsonl\nexamples: examples.jsonl\ntask: answer\nstrategies: [rag]\n"
FEW = 4
"""Examples that a bare collection is given, since a workspace needs some."""


def main() -> None:
    """Make, and print the account of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--documents", type=int, default=200, help="of a JSONL file")
    given = parser.parse_args()
    for source in given.sources:
        with tempfile.TemporaryDirectory() as name:
            root = Path(name) / "workspace"
            if source.is_dir():
                shutil.copytree(source, root, ignore=shutil.ignore_patterns(".weighbridge"))
            else:
                _lay_out(root, source, given.documents)
            settings = load_settings(root / "weighbridge.yaml")
            report = make_examples(settings, Workspace(root), Wanted(count=given.count), SILENT)
            print(f"\n== {source.name if source.is_dir() else source.parent.name}")
            print("\n".join(report_lines(report)))
            embedder = open_computed_embedder(settings, fetch(settings.retrieval.embedder))
            repeated = _repetitions(report, lambda texts, use=embedder: use.embed(list(texts), kind="query"))
            print(f"{report.families:,} questions, {len(report.kept):,} wordings, {repeated:,} repetitions")


def _lay_out(root: Path, source: Path, most: int) -> None:
    root.mkdir()
    with source.open(encoding="utf-8") as file:
        (root / "documents.jsonl").write_text("".join(islice(file, most)), encoding="utf-8")
    rows = [{"question": f"Is this number {number}?", "answers": ["yes"]} for number in range(FEW)]
    (root / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (root / "weighbridge.yaml").write_text(SETTINGS, encoding="utf-8")


def _repetitions(report: MakingReport, embed) -> int:  # noqa: ANN001 - a closure over the embedder
    """Count first wordings that are near-duplicates of another question's."""
    firsts = [replace(made, family=made.id) for made in report.kept if made.id == made.family]
    return len(drop_near_each_other(embed, 0.9).positions(firsts))


if __name__ == "__main__":
    main()
