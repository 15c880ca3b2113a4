"""Work on a real Ray cluster of two nodes in this machine: the same as local, whatever is killed meanwhile.

A job of its own (`make cluster`): Ray takes 10 seconds of processor time to start.
"""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from weighbridge.contracts.executor import *  # noqa: F403 - a suite is imported whole
from weighbridge.distribute.ray import RayExecutor
from weighbridge.errors import WeighbridgeError, WorkerLostError, WorkspaceError
from weighbridge.ingest.read import DocumentReading, read_documents
from weighbridge.protocols import RemoteWork
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.index.build import Embedding, IndexSource
from weighbridge.retrieve.index.sync import IndexHome, plan_sync, sync
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.settings.schema import Settings
from weighbridge.types import Chunk, Document

from .cluster_workspace import write_workspace
from .test_works import answered

pytestmark = [
    pytest.mark.cluster,
    # Ray's own: pipes of the processes that it starts are closed when they are collected, not by its code.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    # Ray announces a change of its handling of devices, which none of this has.
    pytest.mark.filterwarnings("ignore:Tip. In future versions of Ray:FutureWarning"),
]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Two nodes with two processors each. Nobody counts the real ones."""
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    started = Cluster()
    for _ in range(2):
        started.add_node(num_cpus=2, object_store_memory=100_000_000, include_dashboard=False)
    started.wait_for_nodes()
    yield started
    import ray

    ray.shutdown()
    started.shutdown()


@pytest.fixture(scope="session")
def executor(cluster: Any) -> RayExecutor:
    return RayExecutor(cluster.address)


@contextmanager
def kill_workers(most: int, seed: int) -> Iterator[list[int]]:
    """Kill so many workers, one after another, at random moments. Gives the numbers of those that were killed."""
    chance, killed, stop = random.Random(seed), [], threading.Event()

    def kill() -> None:
        while len(killed) < most and not stop.wait(chance.uniform(0.05, 0.4)):
            workers = [each for each in ray_workers() if each.pid not in killed]
            if workers:
                victim = chance.choice(workers)
                victim.kill()
                killed.append(victim.pid)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield killed
    finally:
        stop.set()
        killer.join()


def ray_workers() -> list[psutil.Process]:
    """Return the processes of our actors. Each calls itself by what it does."""
    running = psutil.process_iter(["cmdline"])
    return [one for one in running if (one.info["cmdline"] or [""])[0].startswith("ray::RayWorker")]


@dataclass(frozen=True)
class Slow:
    """Doubles numbers slowly. A worker dies at `deadly`."""

    seconds: float = 0.02
    deadly: int = -1

    def open(self, stack: ExitStack) -> Callable[[int], int]:
        def double(number: int) -> int:
            time.sleep(self.seconds)
            if number == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
            return 2 * number

        return double


def test_five_lost_workers_change_nothing(executor: RayExecutor):
    with kill_workers(5, seed=7) as killed:
        assert list(executor.map(Slow(), range(400))) == [2 * number for number in range(400)]
    assert len(killed) == 5


def test_an_item_that_kills_its_workers_is_named(executor: RayExecutor):
    results = executor.map(Slow(seconds=0, deadly=3), range(5))
    with pytest.raises(WorkerLostError, match="same item, number 4"):
        list(results)


def test_a_lost_machine_changes_nothing(cluster: Any, executor: RayExecutor):
    third = cluster.add_node(num_cpus=2, object_store_memory=100_000_000)
    cluster.wait_for_nodes()
    results = executor.map(Slow(), range(300))
    found = [next(results) for _ in range(50)]
    cluster.remove_node(third, allow_graceful=False)
    assert [*found, *results] == [2 * number for number in range(300)]


def test_errors_of_a_worker_reach_the_command_in_a_sentence(executor: RayExecutor):
    @dataclass(frozen=True)
    class Broken:
        def open(self, stack: ExitStack) -> Callable[[int], int]:
            raise OSError("no such model")

    with pytest.raises(WeighbridgeError, match=r"^OSError: no such model$"):
        list(executor.map(Broken(), range(3)))


def test_an_interrupt_ends_the_workers(executor: RayExecutor):
    timer = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        list(executor.map(Slow(seconds=0.1), range(10_000)))
    deadline = time.monotonic() + 20
    while ray_workers() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not ray_workers()


# Reading


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files of several kinds; some are broken."""
    place = tmp_path_factory.mktemp("documents")
    for number in range(150):
        (place / f"note-{number}.md").write_text(f"# Note {number}\n\nBerth {number} is {number % 7} metres deep.\n")
        (place / f"page-{number}.html").write_text(f"<h1>Page {number}</h1><p>Pier {number} is shut</p>")
    (place / "broken.pdf").write_bytes(b"%PDF-1.7\n" + bytes(500))
    (place / "empty.txt").write_bytes(b"")
    return place


def read(folder: Path, cache: Path, executor: RayExecutor | None = None) -> tuple[DocumentReading, dict[str, bytes]]:
    """Return the reading, and the bytes of all that it keeps."""
    reading = read_documents(folder, cache=cache, executor=executor)
    return reading, {
        path.relative_to(cache).as_posix(): path.read_bytes() for path in cache.rglob("*") if path.is_file()
    }


def same(one: DocumentReading, other: DocumentReading) -> bool:
    return (tuple(one.documents), one.skipped, one.losses, one.files) == (
        tuple(other.documents),
        other.skipped,
        other.losses,
        other.files,
    )


def test_documents_are_read_as_locally_while_workers_are_killed(executor: RayExecutor, folder: Path, tmp_path: Path):
    local, kept = read(folder, tmp_path / "local")
    with kill_workers(5, seed=8) as killed:
        remote, kept_remote = read(folder, tmp_path / "remote", executor)
    assert killed
    assert same(local, remote)
    assert kept == kept_remote


def test_a_machine_that_does_not_see_the_folder_is_refused(executor: RayExecutor, folder: Path, tmp_path: Path):
    from weighbridge.ingest.files.limits import ReadingLimits
    from weighbridge.ingest.files.pool import Task, parse_elsewhere

    task = Task(folder / "note-1.md", tmp_path / "gone" / "made", 100)
    with pytest.raises(WorkspaceError, match="a machine of the cluster does not have this folder"):
        list(parse_elsewhere([task], ReadingLimits(), executor))


# Embedding


@dataclass(frozen=True)
class OpenedEmbedding:
    """Opens an embedder of a folder in each process."""

    folder: Path

    def open(self, stack: ExitStack) -> Callable[..., Any]:
        return Embedding(open_embedder(self.folder, precision="float32", threads=1)).open(stack)


def test_an_index_is_built_as_locally_while_workers_are_killed(
    executor: RayExecutor, tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("weighbridge.retrieve.index.build._BATCH_CHUNKS", 40)
    documents = [
        Document(id=f"d{n}", text=f"berth {n} is {n % 13} metres deep, and pier {n * n} is closed") for n in range(600)
    ]

    def cut(document: Document) -> list[Chunk]:
        return [
            Chunk(
                id=document.id,
                document_id=document.id,
                text=document.text,
                start=0,
                end=len(document.text),
                version="1",
            )
        ]

    def build(place: Path, remote: RemoteWork[Any, Any] | None) -> tuple[list[str], bytes]:
        embedder = open_embedder(tiny_bert, precision="float32", threads=1)
        home = IndexHome(folder=place, store=FaissStore(place), embedder=embedder, remote=remote)
        source = IndexSource(documents=documents, version=lambda _: "1", cut=cut, chunking="whole")
        card = sync(home, source, plan_sync(home, source))
        contents = home.open_index(card).contents([document.id for document in documents])
        return [chunk.id for chunk in contents.chunks], np.asarray(contents.vectors).tobytes()

    local = build(tmp_path / "local", None)
    with kill_workers(5, seed=9) as killed:
        remote = build(tmp_path / "remote", RemoteWork(executor, OpenedEmbedding(tiny_bert)))
    assert killed
    assert local == remote
    assert len(local[0]) == 600


# Answering

DRIVER = """
import sys
from pathlib import Path
from weighbridge.settings.file import load_settings
from weighbridge.workspace import Workspace
from weighbridge.wiring.reporter import SILENT
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.components import open_bench
from weighbridge.workflow.compare import Stand, _answer, test_questions

workspace = Workspace(Path(sys.argv[1]))
settings = load_settings(workspace.settings_file)
engine, bench = open_engine(settings, SILENT), open_bench(settings, workspace, SILENT)
stand = Stand(bench=bench, engine=engine, every=settings)
for arm in settings.strategies:
    _answer(arm, stand, test_questions(bench.workload.of("test"), settings), SILENT, {})
"""


def drive(root: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", DRIVER, str(root)], stderr=subprocess.PIPE)


def test_a_killed_command_goes_on_and_its_records_are_those_of_one_machine(
    cluster: Any, tiny_bert: Path, tmp_path: Path
):
    local = write_workspace(tmp_path / "local", tiny_bert, "local")
    remote = write_workspace(tmp_path / "remote", tiny_bert, f"ray:{cluster.address}")
    first, alone = drive(remote), drive(local)
    ledger = remote / ".weighbridge" / "records" / "prompt.jsonl"
    deadline = time.monotonic() + 200
    while not (ledger.exists() and ledger.read_bytes().count(b"\n") > 2) and first.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    first.kill()
    first.communicate()
    _, error = alone.communicate()
    assert alone.returncode == 0, error.decode()
    before = ledger.read_bytes()
    with drive(remote) as second:
        _, error = second.communicate()
    assert second.returncode == 0, error.decode()
    assert ledger.read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    assert len(answered(local)) == 64
    assert answered(local) == answered(remote)


def test_settings_name_the_cluster(cluster: Any):
    from weighbridge.wiring.cluster import cluster as executor_of

    settings = Settings(examples=Path("e.jsonl"))
    assert executor_of(settings) is None
    assert executor_of(settings.model_copy(update={"distribute": "ray"})) == RayExecutor("")
    named = settings.model_copy(update={"distribute": "ray:head:6379"})
    assert executor_of(named) == RayExecutor("head:6379")
