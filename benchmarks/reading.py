"""How much of a file's text does a reader find, ours and others, by format? Against what others publish of it.

FOLDER holds copies of public repositories: docling, trafilatura, markitdown, unstructured, SheetJS's test_files, and
any others with office files, of which the raw XML is compared. Nothing of them is part of this project.

Words and numbers are counted as often as they stand there (`reading_scores.py`). Recall is the mean over files, and a
file that could not be read has none; precision is the mean over those that were; order is the share of common places
in the same order. "Numbers" are those found of all; "new" those that were read and are not in the ground truth.
Seconds are of processor time, of reading alone; memory is the peak of the process that read the files of a format.

With `--sample`, at most so many files of each format and source are read, the same for every reader.

Run: python benchmarks/reading.py FOLDER... [--peers PYTHON] [--sample 150] [--source TREE] [--keep FOLDER] [--worst 10]
"""

import argparse
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from reading_scores import grade, mean, missing, squeeze
from reading_truths import Truth, gather

HERE = Path(__file__).resolve().parent
PEERS = ("kreuzberg", "markitdown", "docling")
_STARTS_SECONDS = 120.0
_SHOWN = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a reader made of a file."""

    text: str = ""
    error: str = ""
    seconds: float = 0.0
    peak_mb: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A program that reads files in a process of its own."""

    name: str
    python: str
    tree: Path | None = None
    """The source tree that is imported, of ours alone."""

    def start(self) -> subprocess.Popen[bytes]:
        """Start a process that reads what it is asked for."""
        script = HERE / "peers" / f"reading_{self.name}.py"
        path = str(self.tree / "src") if self.tree is not None else ""
        environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        command = [self.python, "-W", "ignore", str(script)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, bufsize=0)


def read_all(reader: Reader, paths: Sequence[Path], seconds: float) -> Iterator[Reading]:
    """Yield what a reader makes of each file; one that takes longer, or kills it, is an error, and it starts again."""
    process = reader.start()
    allowed = _STARTS_SECONDS
    for path in paths:
        if process.poll() is not None:
            process, allowed = reader.start(), _STARTS_SECONDS
        began = time.monotonic()
        line = _ask(process, path, allowed + seconds)
        allowed = 0.0
        if line:
            yield Reading(**json.loads(line))
            continue
        error = "died" if process.poll() is not None else f"took longer than {seconds:g} s"
        process.kill()
        process.wait()
        yield Reading(error=error, seconds=time.monotonic() - began)
    process.kill()
    process.wait()


def _ask(process: subprocess.Popen[bytes], path: Path, seconds: float) -> bytes:
    """Return the line that answers; empty where none comes in time."""
    if process.stdin is None or process.stdout is None:
        return b""
    try:
        process.stdin.write(json.dumps(str(path)).encode() + b"\n")
    except BrokenPipeError:
        return b""
    line = bytearray()
    deadline = time.monotonic() + seconds
    while not line.endswith(b"\n"):
        if not select.select([process.stdout], [], [], max(deadline - time.monotonic(), 0))[0]:
            return b""
        block = os.read(process.stdout.fileno(), 1 << 20)
        if not block:
            process.wait()
            return b""
        line += block
    return bytes(line)


def read_kept(reader: Reader, kind: str, paths: Sequence[Path], chosen: argparse.Namespace) -> Mapping[Path, Reading]:
    """Return what a reader makes of the files of a format, from an earlier run where that is kept."""
    file = chosen.keep / f"{reader.name}-{kind}.jsonl" if chosen.keep else None
    if file is not None and file.is_file():
        rows = [json.loads(line) for line in file.open(encoding="utf-8")]
        kept = {Path(row.pop("path")): Reading(**row) for row in rows}
        if kept.keys() >= set(paths):
            return kept
    readings = dict(zip(paths, read_all(reader, paths, chosen.seconds), strict=True))
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = [{"path": str(path), **asdict(reading)} for path, reading in readings.items()]
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return readings


def row_of_texts(truths: Sequence[Truth], readings: Mapping[Path, Reading]) -> str:
    """Return the figures of one reader against texts."""
    scores = [(grade(truth.text, readings[truth.path].text), readings[truth.path]) for truth in truths]
    recall = mean(score.recall for score, _ in scores)
    precision = mean(score.precision for score, _ in scores if score.precision is not None)
    order = mean(score.order for score, _ in scores if score.order is not None)
    numbers = sum(score.numbers for score, _ in scores)
    found = sum(score.numbers_found for score, _ in scores)
    new = sum(score.numbers_read - score.numbers_found for score, _ in scores)
    share = found / numbers if numbers else None
    figures = f"{_figure(recall)} | {_figure(precision)} | {_figure(order)} | {_figure(share)} | {numbers:,} | {new:,}"
    return f"{figures} | {_cost([reading for _, reading in scores])}"


def row_of_strings(truths: Sequence[Truth], readings: Mapping[Path, Reading]) -> str:
    """Return the figures of one reader against strings."""
    required = unwanted = required_found = unwanted_found = 0
    for truth in truths:
        text = squeeze(readings[truth.path].text)
        required += len(truth.required)
        unwanted += len(truth.unwanted)
        required_found += sum(squeeze(string) in text for string in truth.required)
        unwanted_found += sum(squeeze(string) in text for string in truth.unwanted)
    cost = _cost([readings[truth.path] for truth in truths])
    return f"{required_found:,} of {required:,} | {unwanted_found:,} of {unwanted:,} | {cost}"


def _cost(readings: Sequence[Reading]) -> str:
    failed = sum(bool(reading.error) for reading in readings)
    peak = max(reading.peak_mb for reading in readings)
    return f"{failed} | {sum(reading.seconds for reading in readings):.1f} | {peak:,.0f}"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def print_worst(truths: Sequence[Truth], readings: Mapping[Path, Reading], count: int) -> None:
    """Print the files of which least was found, and what is missing and new."""
    graded = [(grade(truth.text, readings[truth.path].text), truth) for truth in truths]
    graded.sort(key=lambda item: (item[0].words_found + item[0].numbers_found) / (item[0].words + item[0].numbers or 1))
    for score, truth in graded[:count]:
        lost, new = missing(truth.text, readings[truth.path].text)
        numbers = f"numbers {score.numbers_found}/{score.numbers} read {score.numbers_read}"
        print(f"  {truth.path}: words {score.words_found}/{score.words} read {score.words_read}, {numbers}")
        print(f"    error: {readings[truth.path].error}" if readings[truth.path].error else "", end="")
        print(f"    missing: {' '.join(lost)[:_SHOWN]}\n    new: {' '.join(new)[:_SHOWN]}")


def report(truths: Sequence[Truth], readers: Sequence[Reader], chosen: argparse.Namespace) -> None:
    """Read, and print a table for each format and source."""
    groups: dict[tuple[str, str], list[Truth]] = {}
    for truth in truths:
        groups.setdefault((truth.kind, truth.source), []).append(truth)
    for kind in sorted({kind for kind, _ in groups}):
        paths = sorted({truth.path for truth in truths if truth.kind == kind})
        made = {reader.name: read_kept(reader, kind, paths, chosen) for reader in readers}
        for (_, source), some in (item for item in groups.items() if item[0][0] == kind):
            strings = bool(some[0].required)
            heads = "required | unwanted" if strings else "recall | precision | order | numbers | of | new"
            print(f"\n{kind}, {source}: {len(some)} files\n\n| reader | {heads} | failed | seconds | MB |")
            print(f"|{'---|' * (heads.count('|') + 5)}")
            row = row_of_strings if strings else row_of_texts
            for reader in readers:
                print(f"| {reader.name} | {row(some, made[reader.name])} |", flush=True)
            if chosen.worst and not strings:
                print_worst(some, made[chosen.worst_of], chosen.worst)


def sample(truths: Sequence[Truth], most: int) -> list[Truth]:
    """Return at most so many truths of each format and source, spread over them; all of them for 0."""
    groups: dict[tuple[str, str], list[Truth]] = {}
    for truth in truths:
        groups.setdefault((truth.kind, truth.source), []).append(truth)
    kept: list[Truth] = []
    for some in groups.values():
        step = max(len(some) / most, 1.0) if most else 1.0
        kept += [some[int(at * step)] for at in range(int(len(some) / step))]
    return kept


def main() -> int:
    """Gather what is known, read with every reader, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--peers", default="", metavar="PYTHON", help="where requirements-reading.txt is installed")
    parser.add_argument("--source", type=Path, default=HERE.parent, help="the tree of ours that is measured")
    parser.add_argument("--keep", type=Path, default=None, help="keep what readers made, and take it from there")
    parser.add_argument("--seconds", type=float, default=20.0, help="what a reader may take for a file")
    parser.add_argument("--largest", type=int, default=4_000_000, help="bytes of the largest file that is read")
    parser.add_argument("--sample", type=int, default=0, help="files of each format and source, 0 for all")
    parser.add_argument("--only", default="", help="formats, with commas between: DOCX,HTML")
    parser.add_argument("--worst", type=int, default=0, help="files of each table to show, those read worst")
    parser.add_argument("--worst-of", default="weighbridge", help="the reader whose worst files are shown")
    chosen = parser.parse_args()
    truths = gather([folder.resolve() for folder in chosen.folders], chosen.largest)
    kinds = set(chosen.only.split(",")) if chosen.only else {truth.kind for truth in truths}
    readers = [Reader(name="weighbridge", python=sys.executable, tree=chosen.source.resolve())]
    if chosen.peers:
        readers += [Reader(name=name, python=chosen.peers) for name in PEERS]
    report(sample([truth for truth in truths if truth.kind in kinds], chosen.sample), readers, chosen)
    return 0


if __name__ == "__main__":
    sys.exit(main())
