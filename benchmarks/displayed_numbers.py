"""Are numbers read as they are displayed? 10,000 of them, in every format and markup that we know of.

Workbooks, documents, slides, charts, pages, mails, CSV files and PDFs are made, the same for the same seed, in which
each number has a label and a display that was written down when it was made (`displayed_formats.py`,
`displayed_office.py`, `displayed_pages.py`). They are read, and counted is how many numbers are as displayed, changed,
or missing, and how many digit strings stand where no number was written. What was changed is shown by its markup.

Run: python benchmarks/displayed_numbers.py [--numbers 10000] [--seed 0] [--peers PYTHON] [--source TREE]
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from displayed import Item, Made, Maker, judge, labels
from displayed_office import make_charts, make_documents, make_slides, make_workbooks
from displayed_pages import make_drawn, make_hebrew, make_mails, make_pages, make_papers, make_tables
from reading import HERE, PEERS, Reader, Reading, read_all

SHARES: dict[str, tuple[Maker, int]] = {
    "workbooks": (make_workbooks, 30),
    "documents": (make_documents, 20),
    "pages": (make_pages, 20),
    "mails": (make_mails, 10),
    "slides": (make_slides, 5),
    "charts": (make_charts, 1),
    "tables": (make_tables, 4),
    "papers": (make_papers, 7),
    "papers, drawn": (make_drawn, 2),
    "papers, Hebrew": (make_hebrew, 1),
}
"""What is made, and how many numbers of a hundred are in it."""
_SECONDS = 60.0


def make_all(numbers: int, seed: int) -> Iterator[tuple[str, Made]]:
    """Yield files of every kind with so many numbers in all."""
    names = labels()
    for kind, (make, share) in SHARES.items():
        for made in make(random.Random(f"{seed} {kind}"), max(numbers * share // 100, 1), names):
            yield kind, made


def report(kind: str, files: Sequence[Made], readings: Sequence[Reading], shown: int) -> str:
    """Print the families that were changed, and return the figures of a kind."""
    items = sum(len(made.items) for made in files)
    changed: list[tuple[Item, str]] = []
    missing: list[Item] = []
    new: list[str] = []
    for made, reading in zip(files, readings, strict=True):
        verdict = judge(made.items, reading.text)
        changed += verdict.changed
        missing += verdict.missing
        new += verdict.new
    examples: dict[str, str] = {}
    for item, span in changed:
        examples.setdefault(item.family, f"{item.display!r} became {' '.join(span.split())[:80]!r}")
    for family, count in Counter(item.family for item, _ in changed).most_common(shown):
        print(f"  {kind}: {count:5,} changed: {family}: {examples[family]}")
    for family, count in Counter(item.family for item in missing).most_common(min(shown, 5)):
        print(f"  {kind}: {count:5,} missing: {family}")
    if new:
        print(f"  {kind}: {len(new):5,} new: {' '.join(new[:10])}")
    for error in {reading.error for reading in readings if reading.error}:
        print(f"  {kind}: error: {error[:200]}")
    return f"{items:,} | {items - len(changed) - len(missing):,} | {len(changed):,} | {len(missing):,} | {len(new):,}"


def main() -> int:
    """Make the files, read them with every reader, and print; exit status 1 where ours changes or adds a number."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--numbers", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peers", default="", metavar="PYTHON", help="where requirements-reading.txt is installed")
    parser.add_argument("--source", type=Path, default=HERE.parent, help="the tree of ours that is measured")
    parser.add_argument("--shown", type=int, default=40, help="families of each kind that are shown, of ours")
    chosen = parser.parse_args()
    readers = [Reader(name="weighbridge", python=sys.executable, tree=chosen.source.resolve())]
    if chosen.peers:
        readers += [Reader(name=name, python=chosen.peers) for name in PEERS]
    with tempfile.TemporaryDirectory() as name:
        groups: dict[str, list[tuple[Made, Path]]] = {}
        for kind, made in make_all(chosen.numbers, chosen.seed):
            path = Path(name, made.name)
            path.write_bytes(made.content)
            groups.setdefault(kind, []).append((made, path))
        rows = []
        for reader in readers:
            for kind, files in groups.items():
                began = time.monotonic()
                readings = list(read_all(reader, [path for _, path in files], _SECONDS))
                shown = chosen.shown if reader.tree else 0
                figures = report(kind, [made for made, _ in files], readings, shown)
                rows.append(f"| {reader.name} | {kind} | {figures} | {time.monotonic() - began:.1f} |")
    print("\n| reader | kind | numbers | as displayed | changed | missing | new | seconds |")
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))
    return 1 if any(row.split(" | ")[4:7] != ["0", "0", "0"] for row in rows if "weighbridge" in row) else 0


if __name__ == "__main__":
    sys.exit(main())
