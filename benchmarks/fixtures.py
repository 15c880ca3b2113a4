"""Are the test files of other projects read without a crash or a hang, and is each accounted for?

FOLDER holds copies of public repositories, whose fixtures are broken, hostile and odd in ways that nobody invents.
They are read as any folder is, by worker processes within their limits. Printed is what became of them: documents,
left out with a reason, losses; workers that crashed, were late, or ran out of memory; and errors that no reader
explains. `--out` keeps what became of each file, and `--before` compares with what was kept of an earlier commit.

Run: python benchmarks/fixtures.py FOLDER... [--out FILE] [--before FILE]; with PYTHONPATH=TREE/src another tree's
readers are measured.
"""

import argparse
import json
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hostile import Peaks, watch

from weighbridge.errors import DataError
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.scan import files_below, relative_name
from weighbridge.ingest.read import read_documents
from weighbridge.ingest.reading_report import DocumentReading

ENDED = re.compile(r"crashed the parser|took longer than|needs more than [\d,]+ MB|ended by the system")
UNEXPLAINED = re.compile(r"broken, or not understood \((\w+)")
FELL = 0.5
"""A file whose text shrank to less than this share of what it was is printed: it may have lost some."""


@dataclass(slots=True)
class Outcome:
    """What became of one file, with all that is inside."""

    documents: int = 0
    characters: int = 0
    reasons: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)


def outcomes(folder: Path, names: Sequence[str], reading: DocumentReading) -> dict[str, Outcome]:
    """Return what became of every file of a folder; of one that is not accounted for, nothing did."""
    became = {name: Outcome() for name in names}
    for document in reading.documents:
        outcome = became[_outer(document.source, became)]
        outcome.documents += 1
        outcome.characters += len(document.text)
    for skipped in reading.skipped:
        became[_outer(skipped.path, became)].reasons.append(skipped.reason)
    for loss in reading.losses:
        became[_outer(loss.place, became)].losses.append(loss.what)
    return {f"{folder.name}/{name}": outcome for name, outcome in became.items()}


def _outer(place: str, known: Mapping[str, object]) -> str:
    """Return the file that a place is in: "a/b.zip/c.txt, page 7" is in a/b.zip."""
    if place in known:
        return place
    cuts = (match.start() for match in re.finditer(r"[/,:]", place))
    inside_of = [place[:cut] for cut in cuts if place[:cut] in known]
    if not inside_of:
        raise LookupError(f"{place!r} is in no file of the folder")
    return inside_of[-1]


def sweep(folder: Path, limits: ReadingLimits) -> dict[str, Outcome]:
    """Read a folder, print a line, and return what became of each file."""
    names = [relative_name(folder, path) for path in files_below(folder)]
    peaks, over = Peaks(), threading.Event()
    watcher = threading.Thread(target=watch, args=(peaks, over))
    watcher.start()
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as cache:
            reading = read_documents(folder, cache=Path(cache), limits=limits)
            became = outcomes(folder, names, reading)
    finally:
        over.set()
        watcher.join()
    took = time.monotonic() - began
    counts = f"{len(names):,} | {reading.files:,} | {len(reading.documents):,} | {len(reading.skipped):,}"
    lost = f"{len(reading.losses):,} | {took:.0f} | {peaks.parent / 2**20:,.0f} | {peaks.worker / 2**20:,.0f}"
    print(f"| {folder.name} | {counts} | {lost} |", flush=True)
    return became


def report(became: Mapping[str, Outcome]) -> int:
    """Print what went wrong, with names; return how many files are not accounted for."""
    silent = [name for name, outcome in became.items() if not outcome.documents and not outcome.reasons]
    _print_named("neither read nor left out with a reason", [(name, "") for name in silent])
    reasons = [(name, reason) for name, outcome in became.items() for reason in outcome.reasons]
    _print_named("ended by force", [each for each in reasons if ENDED.search(each[1])])
    _print_named("errors that no reader explains", [each for each in reasons if UNEXPLAINED.search(each[1])])
    for kind, count in Counter(re.sub(r"\(.*|[\d,]+", "", reason).strip() for _, reason in reasons).most_common(25):
        print(f"  {count:6,} left out: {kind[:100]}")
    return len(silent)


def compare(before: Mapping[str, Outcome], now: Mapping[str, Outcome]) -> None:
    """Print the files that gave a document and now give none, or much less text, and how many now give one."""
    both = [name for name in now if name in before]
    gone = [(name, "; ".join(now[name].reasons)) for name in both if before[name].documents and not now[name].documents]
    new = [name for name in both if now[name].documents and not before[name].documents]
    fell = [
        (name, f"{before[name].characters:,} to {now[name].characters:,} characters")
        for name in both
        if now[name].documents and now[name].characters < FELL * before[name].characters
    ]
    print(f"\nof {len(both):,} files in both: {len(new):,} are read that were not")
    _print_named("no longer read", gone)
    _print_named("much less text", fell)


def _print_named(what: str, named: Sequence[tuple[str, str]]) -> None:
    print(f"\n{what}: {len(named):,}")
    for name, why in named[:200]:
        print(f"  {name[-100:]}{': ' if why else ''}{why[:160]}")


def load(file: Path) -> dict[str, Outcome]:
    """Return what `--out` kept."""
    rows = (json.loads(line) for line in file.open(encoding="utf-8"))
    return {row.pop("name"): Outcome(**row) for row in rows}


def main() -> int:
    """Sweep the folders and print; exit status 1 where a file is not accounted for or a worker had to be ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--out", type=Path, default=None)
    parser.add_argument("--before", type=Path, default=None)
    parser.add_argument("--seconds", type=float, default=ReadingLimits().seconds)
    parser.add_argument("--workers", type=int, default=ReadingLimits().workers)
    chosen = parser.parse_args()
    limits = ReadingLimits(seconds=chosen.seconds, workers=chosen.workers)
    print("| folder | files | with those inside | documents | left out | losses | seconds | MB | MB of a worker |")
    print("|---|---|---|---|---|---|---|---|---|")
    became: dict[str, Outcome] = {}
    for folder in chosen.folders:
        try:
            became |= sweep(folder.resolve(), limits)
        except DataError as error:
            print(f"| {folder.name} | {error} |")
    if chosen.out:
        rows = [json.dumps({"name": name, **_values(outcome)}) for name, outcome in became.items()]
        chosen.out.write_text("\n".join(rows) + "\n", encoding="utf-8")
    silent = report(became)
    if chosen.before:
        compare(load(chosen.before), became)
    ended = any(ENDED.search(reason) for outcome in became.values() for reason in outcome.reasons)
    return 1 if silent or ended else 0


def _values(outcome: Outcome) -> dict[str, object]:
    return {name: getattr(outcome, name) for name in Outcome.__slots__}


if __name__ == "__main__":
    sys.exit(main())
