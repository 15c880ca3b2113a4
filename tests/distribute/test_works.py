"""The three works of a cluster do what this process does, after a journey through pickle. No cluster is needed."""

import pickle
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from weighbridge.distribute.local import LOCAL
from weighbridge.errors import ModelError, WorkspaceError
from weighbridge.evaluate.encode import to_json
from weighbridge.evaluate.ledger import load
from weighbridge.ingest.read import read_documents
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Timing
from weighbridge.wiring import cluster as wiring_cluster
from weighbridge.wiring.components import open_bench
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.index import open_history
from weighbridge.wiring.reporter import SILENT
from weighbridge.workflow import compare
from weighbridge.workspace import Workspace

from .cluster_workspace import write_workspace


@dataclass(frozen=True)
class Journey:
    """The executor of another process that is this one: nothing reaches it or comes back but by pickle."""

    def map(self, work: Any, items: Iterable[Any], **options: Any) -> Generator[Any]:
        for result in LOCAL.map(send(work), map(send, items), **options):
            yield send(result)


def send(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


def answered(root: Path) -> Mapping[str, str]:
    """Return the records of a workspace as text, without the seconds that they took."""
    found = {}
    for path in sorted((root / ".weighbridge" / "records").glob("*.jsonl")):
        for key, record in load(path).items():
            assert record.answer is not None, record.error
            found[f"{path.name} {key}"] = to_json(replace(record, answer=replace(record.answer, timing=Timing())))
    return found


def test_files_are_read_elsewhere_as_here(tmp_path: Path):
    for number in range(70):
        (tmp_path / f"{number}.md").write_text(f"# {number}\n\nBerth {number}.")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\n" + bytes(500))
    here, elsewhere = read_documents(tmp_path), read_documents(tmp_path, executor=Journey())
    assert replace(here, seconds=0.0) == replace(elsewhere, seconds=0.0)
    assert len(here.documents) == 70


def test_an_index_and_answers_are_made_elsewhere_as_here(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    contents = []
    for name in ("local", "ray"):
        workspace = Workspace(write_workspace(tmp_path / name, tiny_bert, name))
        settings = load_settings(workspace.settings_file)
        with monkeypatch.context() as patch:
            patch.setattr(wiring_cluster, "RayExecutor", lambda _: Journey())
            engine, bench = open_engine(settings, SILENT), open_bench(settings, workspace, SILENT)
            asked = compare.test_questions(bench.workload.of("test"), settings)
            stand = compare.Stand(bench=bench, engine=engine, every=settings)
            for arm in settings.strategies:
                compare._answer(arm, stand, asked, SILENT, {})  # noqa: SLF001 - without training and timing
        index = open_history(settings, workspace)
        stored = index.contents(sorted(index.documents()))
        contents.append(([chunk.id for chunk in stored.chunks], np.asarray(stored.vectors).tobytes()))
    assert contents[0] == contents[1]
    assert len(answered(tmp_path / "local")) == 64
    assert answered(tmp_path / "local") == answered(tmp_path / "ray")


def test_another_embedder_or_strategy_than_the_command_has_is_refused(tiny_bert: Path, tmp_path: Path):
    workspace = Workspace(write_workspace(tmp_path, tiny_bert, "local"))
    settings = load_settings(workspace.settings_file)
    with pytest.raises(WorkspaceError, match="a machine of the cluster embeds with tiny-bert"):
        list(LOCAL.map(wiring_cluster.SettingsEmbedding(settings, workspace.root, "another"), [["a"]]))
    open_bench(settings, workspace, SILENT)
    spec = compare.EvaluationSpec(task="answer", examples=(), metrics=(), reads=False, seed=7)
    with pytest.raises(ModelError, match="answers with another prompt"):
        list(LOCAL.map(compare.ArmAttempts("prompt", settings, workspace.root, "another", spec), [None]))


@pytest.mark.parametrize("value", ["local", "ray", "ray:head.example:6379"])
def test_the_settings_name_an_executor(value: str):
    assert Settings(examples=Path("e"), distribute=value).distribute == value


@pytest.mark.parametrize("value", ["", "dask", "ray:", "ray:head", "ray://head:10001", "ray:head:6379/"])
def test_other_executors_are_refused(value: str):
    with pytest.raises(ValidationError, match="must be local, ray, or ray:host:port"):
        Settings(examples=Path("e"), distribute=value)
