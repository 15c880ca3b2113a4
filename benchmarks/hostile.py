"""Does a folder of broken, hostile and huge files harm a reading? Each file must be accounted for.

200 files are made, the same for the same seed: bombs of every kind, endless and looping PDFs, files cut short, files
with wrong names, in odd encodings, without end or bottom. They are read as any folder is, and what became of each is
printed, with the time and the most memory that the reading and its worker processes had.

Run: python benchmarks/hostile.py [--files 200] [--seed 0] [--seconds 60] [--memory-mb 1024]
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from hostile_packages import archives, mails, offices, papers
from hostile_texts import Made, texts, webs

from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.files.scan import relative_name
from weighbridge.ingest.read import read_documents
from weighbridge.ingest.reading_report import DocumentReading

SMALLEST, LARGEST = 40, 3_000_000
"""Bytes of the files that others are made of."""
WRONG = ("txt", "pdf", "docx", "csv", "json", "eml", "zip", "x")


def fill(good: dict[str, bytes], count: int, dice: random.Random) -> Iterator[Made]:
    """Yield files until there are enough: others cut short, damaged, under wrong names; and noise."""
    sources = [name for name, content in good.items() if SMALLEST < len(content) < LARGEST]
    for number in range(count):
        name = dice.choice(sources)
        content = bytearray(good[name])
        suffix = name.rpartition(".")[2]
        match number % 4:
            case 0:
                yield f"cut-{number}.{suffix}", bytes(content[: dice.randrange(1, len(content))])
            case 1:
                for _ in range(20):
                    content[dice.randrange(len(content))] = dice.randrange(256)
                yield f"damaged-{number}.{suffix}", bytes(content)
            case 2:
                yield f"misnamed-{number}.{dice.choice(WRONG)}", bytes(content)
            case _:
                yield f"noise-{number}.{suffix}", dice.randbytes(dice.randrange(1, 100_000))


def make(folder: Path, *, files: int, seed: int, scale: int = 1) -> None:
    """Make a hostile folder of so many files; `scale` divides what is huge. The same arguments give the same bytes."""
    dice = random.Random(seed)
    _special(folder)
    families = (texts, webs, offices, papers, archives, mails)
    made = [one for family in families for one in family(dice, scale)]
    room = files - sum(1 for path in folder.rglob("*") if not path.is_dir())
    dice.shuffle(made)
    made = made[:room]
    known = {name: content for name, content in made if isinstance(content, bytes)}
    for name, content in [*made, *fill(known, room - len(made), dice)]:
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content(folder / name)


def _special(folder: Path) -> None:
    """Make what is no plain file, or has no plain name."""
    (folder / "sub").mkdir()
    (folder / "sub" / "loop").symlink_to(folder)
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "itself.txt").symlink_to(folder / "itself.txt")
    os.mkfifo(folder / "pipe.txt")
    (folder / os.fsdecode(b"odd-\xff\xfe.txt")).write_text("odd name")
    (folder / "line\nbreak\x1b[31m.md").write_text("# Odd name")
    (folder / ("n" * 250 + ".md")).write_text("# Long name")
    (folder / "closed.txt").write_text("may not be read, but by root")
    (folder / "closed.txt").chmod(0)


@dataclass(slots=True)
class Peaks:
    """The most memory seen, in bytes: of this process, of one worker, and how many workers there were at once."""

    parent: int = 0
    worker: int = 0
    workers: int = 0


def watch(peaks: Peaks, over: threading.Event) -> None:
    """Note how much memory is taken until it is over."""
    this = psutil.Process()
    while not over.wait(0.02):
        peaks.parent = max(peaks.parent, this.memory_info().rss)
        sizes = [0]
        for child in this.children():
            try:
                sizes.append(child.memory_info().rss)
            except (psutil.NoSuchProcess, psutil.ZombieProcess):
                continue
        peaks.worker = max(peaks.worker, *sizes)
        peaks.workers = max(peaks.workers, len(sizes) - 1)


def outcomes(reading: DocumentReading) -> dict[str, list[str]]:
    """Return what became of every file, by its name in the folder."""
    told: dict[str, list[str]] = {}
    for document in reading.documents:
        told.setdefault(document.source, []).append(f"{len(document.text):,} characters")
    for skipped in reading.skipped:
        told.setdefault(skipped.path, []).append(f"LEFT OUT: {skipped.reason}")
    for loss in reading.losses:
        source = max((name for name in told if loss.place.startswith(name)), key=len)
        told[source].append(f"lost: {loss.what}")
    return told


def main() -> int:
    """Make the files, read them, and print what became of each; exit status 1 where one is not accounted for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=ReadingLimits().seconds)
    parser.add_argument("--memory-mb", type=int, default=ReadingLimits().memory_mb)
    chosen = parser.parse_args()
    limits = ReadingLimits(seconds=chosen.seconds, memory_mb=chosen.memory_mb)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "documents")
        folder.mkdir()
        make(folder, files=chosen.files, seed=chosen.seed)
        there = [relative_name(folder, path) for path in folder.rglob("*") if not path.is_dir()]
        peaks, over = Peaks(), threading.Event()
        watcher = threading.Thread(target=watch, args=(peaks, over))
        watcher.start()
        began = time.monotonic()
        try:
            reading = read_documents(folder, cache=Path(name, "cache"), limits=limits)
        finally:
            over.set()
            watcher.join()
        took = time.monotonic() - began
        told = outcomes(reading)
    return report(there, reading, told, peaks, took)


def report(
    there: Sequence[str], reading: DocumentReading, told: dict[str, list[str]], peaks: Peaks, took: float
) -> int:
    """Print the account; return 1 where a file is missing in it."""
    for source, outcome in sorted(told.items()):
        more = f" (and {len(outcome) - 3:,} more)" if len(outcome) > 3 else ""
        print(f"{source[:60]:60} {'; '.join(outcome[:3])[:200]}{more}")
    missing = [name for name in there if not any(source == name or source.startswith(f"{name}/") for source in told)]
    left = len(psutil.Process().children())
    accounted = reading.files == len(told) and not missing
    print(f"\n{len(there)} files, {reading.files:,} with those inside them; {len(reading.documents):,} documents")
    print(f"left out {len(reading.skipped):,}, losses {len(reading.losses):,}; each accounted for: {accounted}")
    print(f"{took:.0f} s; peak memory: parent {peaks.parent / 2**20:,.0f} MB, a worker {peaks.worker / 2**20:,.0f} MB")
    print(f"workers at once {peaks.workers}, left over {left}")
    return 0 if accounted and not left else 1


if __name__ == "__main__":
    sys.exit(main())
