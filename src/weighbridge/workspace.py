"""The workspace: its layout on disk, its lock, and atomic writing. People can read every file of it.

weighbridge.yaml            the settings, the user's own
prices.toml                 the user's own price book, if there is one
.weighbridge/
- lock                      held while a command changes the workspace
- reading.json              the reading report: documents, skipped files, and the reasons
- parsed/                   the text of each file, parsed once; names.json has the document ids
- objects/                  the files of object stores, as they were last fetched
- workload.json             the task, and the split of each example
- static.npz                token vectors, if retrieval.static is on
- index/                    chunks and vectors; manifest.json written last
- indexed.json              fingerprint of the settings of the last update of the index
- adapters/<strategy>/<id>/ card.json (written last), the adapter, the merged GGUF; promoted.json beside the ids
- attempts/<strategy>.jsonl answers tried for training questions
- records/<strategy>.jsonl  one line for each attempt, appended at once
- latency/<strategy>.json   timings of single questions
- weighing.json             the whole comparison, complete when it exists
- measurements.json         the same without questions and answers: for decisions, prices and plans
- decision.json             the decision
- plan.json                 the last roll-out plan, with the targets of operation
- report.html               the report for those who decide; brief.html is the same on two pages
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from weighbridge.arms import strategy_of
from weighbridge.errors import WorkspaceError


@dataclass(frozen=True, slots=True)
class Workspace:
    """The paths of a workspace, below the folder that holds `weighbridge.yaml`."""

    root: Path

    @property
    def settings_file(self) -> Path:
        return self.root / "weighbridge.yaml"

    @property
    def prices_file(self) -> Path:
        return self.root / "prices.toml"

    @property
    def state(self) -> Path:
        return self.root / ".weighbridge"

    @property
    def index(self) -> Path:
        return self.state / "index"

    @property
    def index_settings(self) -> Path:
        return self.state / "indexed.json"

    @property
    def reading_report(self) -> Path:
        return self.state / "reading.json"

    @property
    def parse_cache(self) -> Path:
        return self.state / "parsed"

    @property
    def objects(self) -> Path:
        return self.state / "objects"

    @property
    def static(self) -> Path:
        return self.state / "static.npz"

    @property
    def workload(self) -> Path:
        return self.state / "workload.json"

    @property
    def weighing_file(self) -> Path:
        return self.state / "weighing.json"

    @property
    def measurements_file(self) -> Path:
        return self.state / "measurements.json"

    @property
    def decision_file(self) -> Path:
        return self.state / "decision.json"

    @property
    def plan_file(self) -> Path:
        return self.state / "plan.json"

    @property
    def report(self) -> Path:
        return self.state / "report.html"

    @property
    def brief(self) -> Path:
        return self.state / "brief.html"

    def adapters(self, strategy: str) -> Path:
        """Return the folder with the adapters of a tuned strategy, and with `promoted.json`."""
        return self.state / "adapters" / strategy

    def adapter(self, strategy: str, name: str) -> Path:
        """Return the folder of one adapter, by its id."""
        return self.adapters(strategy) / name

    def attempts(self, strategy: str) -> Path:
        """Return the file of a strategy's attempts at training questions. Preference pairs are made from them."""
        return self.state / "attempts" / f"{strategy}.jsonl"

    def records(self, strategy: str) -> Path:
        """Return the file of a strategy's attempts at test questions."""
        return self.state / "records" / f"{strategy}.jsonl"

    def latency(self, strategy: str) -> Path:
        """Return the file with the timings of a strategy."""
        return self.state / "latency" / f"{strategy}.json"

    def same_strategy(self, path: Path) -> tuple[Path, ...]:
        """Return the files or folders beside `path` of the same strategy under other names.

        `rag@small` may have begun as `rag`, before the settings named several models. What it did then still counts.
        """
        ending = next((suffix for suffix in (".jsonl", ".json") if path.name.endswith(suffix)), "")
        strategy = strategy_of(path.name.removesuffix(ending))
        beside = sorted(path.parent.glob(f"*{ending}")) if path.parent.is_dir() else []
        return tuple(one for one in beside if one != path and strategy_of(one.name.removesuffix(ending)) == strategy)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock the workspace while it changes. `WorkspaceError`: another command holds the lock."""
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.state / "lock", timeout=0)
            with lock:
                yield
        except Timeout:
            raise WorkspaceError(
                f"{self.root}: another weighbridge command is working in this workspace; "
                "wait for it to end, or use another --workspace"
            ) from None


def write_text(path: Path, text: str) -> None:
    """Write a file atomically: beside its place, then renamed. A reader sees the old text or the new one, whole."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise WorkspaceError(f"{path}: cannot be written ({error.strerror}); nothing was changed") from error


def write_json(path: Path, value: Any) -> None:
    """Write a value as readable JSON, atomically."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n")


def load_json(path: Path) -> Any:
    """Return the value that `write_json` wrote; None if the file is missing, or is not JSON and so incomplete."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
