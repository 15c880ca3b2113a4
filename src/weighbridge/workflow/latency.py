"""Measures the latency and the memory of one strategy in a fresh process that does nothing else.

`python -m weighbridge.workflow.latency WORKSPACE STRATEGY` is that process. It reads questions from standard input, and
writes timings to standard output and progress to standard error.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from weighbridge.errors import ModelError, WeighbridgeError
from weighbridge.fingerprint import fingerprint
from weighbridge.machine import this_machine
from weighbridge.settings.schema import Arm
from weighbridge.types import Message, Progress, Question, Timing
from weighbridge.wiring.reporter import Reporter
from weighbridge.workspace import Workspace, load_json, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """The timings and the memory of one strategy, alone in its process."""

    timings: tuple[Timing, ...]
    untimed: int
    """Questions that failed."""
    memory_bytes: int | None
    """None if the whole process failed."""


def time_in_own_process(
    arm: Arm, workspace: Workspace, identity: str, questions: Sequence[Question], reporter: Reporter
) -> Alone:
    """Time a strategy in its own process, or return the timings of an earlier run with the same strategy and questions.

    Raises:
        ModelError: the process failed. The error repeats its last line.
    """
    rows = [_row(question) for question in questions]
    key = fingerprint("alone", identity, rows, asdict(this_machine()))
    place = workspace.latency(arm)
    found = (load_json(path) for path in (place, *workspace.same_strategy(place)))
    kept = next((one for one in found if one and one.get("key") == key), None)
    if kept is None:
        kept = {"key": key, **_run(arm, workspace, {"identity": identity, "questions": rows}, reporter)}
        write_json(workspace.latency(arm), kept)
    timings = tuple(Timing(**timing) for timing in kept["timings"])
    return Alone(timings=timings, untimed=kept["untimed"], memory_bytes=kept["memory_bytes"])


def _run(arm: Arm, workspace: Workspace, asked: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "weighbridge.workflow.latency", str(workspace.root), arm]
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        try:
            assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018 - pipes, as asked for above
            process.stdin.write(json.dumps(asked))
            process.stdin.close()
            noise = []  # warnings of libraries; the last line is the reason of a failure
            for line in process.stderr:
                if line.startswith('{"task"'):
                    reporter.notify(Progress(**json.loads(line)))
                else:
                    noise.append(line)
            found = process.stdout.read()
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = "".join(noise).strip().splitlines()
        raise ModelError(f"timing {arm} in its own process failed: {lines[-1] if lines else process.returncode}")
    return cast("dict[str, Any]", json.loads(found))


def _row(question: Question) -> dict[str, Any]:
    history = [asdict(message) for message in question.history]
    return {"text": question.text, "history": history, "groups": sorted(question.groups)}


def _question(row: dict[str, Any]) -> Question:
    history = tuple(Message(**message) for message in row["history"])
    return Question(row["text"], history, frozenset(row["groups"]))


def _child(root: Path, arm: Arm, asked: dict[str, Any]) -> dict[str, Any]:
    from weighbridge.evaluate.timing import peak_memory_bytes, time_alone
    from weighbridge.settings.file import load_settings
    from weighbridge.workflow.ask import open_strategy

    workspace = Workspace(root)
    settings = load_settings(workspace.settings_file)

    def tell(step: Progress) -> None:
        print(json.dumps(asdict(step)), file=sys.stderr, flush=True)  # noqa: T201 - read by the parent process

    with ExitStack() as stack:
        strategy = open_strategy(arm, settings, workspace, stack=stack)
        if strategy.fingerprint != asked["identity"]:
            raise ModelError(f"{arm} has changed since it answered; did the settings change? Run compare again")
        questions = [_question(row) for row in asked["questions"]]
        warm = min(1, len(questions) - 1)  # the first question loads files and fills caches, so it is not timed
        timings = time_alone(strategy, questions, warmup=warm, notify=tell)
        return {
            "timings": [asdict(timing) for timing in timings],
            "untimed": len(questions) - warm - len(timings),
            "memory_bytes": peak_memory_bytes(),
        }


if __name__ == "__main__":
    try:
        print(json.dumps(_child(Path(sys.argv[1]), sys.argv[2], json.load(sys.stdin))))  # noqa: T201
    except WeighbridgeError as error:
        sys.exit(str(error))
