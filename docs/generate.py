"""Write docs/reference from the code: python docs/generate.py. The test suite fails while it is out of date."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from weighbridge.figures import FIGURES
from weighbridge.settings_file import starter

COMMANDS = (
    "demo", "init", "index", "search", "versions", "versions compare", "versions tag", "versions rollback", "ask",
    "train", "make-examples", "compare", "report", "score", "doctor", "bench retrieval", "models list", "models fetch",
    "models show", "models compare", "models promote", "models rollback", "models export", "models check",
    "models lineage", "hosted prepare", "hosted status", "hosted pause", "hosted resume", "hosted cancel",
)  # fmt: skip
FOLDER = Path(__file__).parent / "reference"
EXIT_CODES = "Exit codes: 0 done, 2 something for you to put right, 1 our fault, 3 stopped by a time limit, 130 Ctrl-C."
NOTE = "<!-- Written by docs/generate.py: change the code, then run it. -->\n"


def pages() -> Mapping[str, str]:
    """Return the text of each page of the reference, by file name."""
    return {"commands.md": _commands(), "settings.md": _settings(), "figures.md": _figures()}


def _commands() -> str:
    parts = [f"# Commands\n\n{NOTE}\n{EXIT_CODES}\n"]
    for command in COMMANDS:
        environment = {**os.environ, "COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
        words = [sys.executable, "-m", "weighbridge", *command.split(), "--help"]
        shown = subprocess.run(  # noqa: S603 - our own command line
            words, capture_output=True, text=True, encoding="utf-8", env=environment, check=True
        ).stdout
        help_text = "\n".join(line.rstrip() for line in shown.strip().splitlines())
        parts.append(f"## {command}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def _settings() -> str:
    text = starter(Path("documents"), Path("examples.jsonl"), name="mine", task="answer")
    return (
        f"# Settings\n\n{NOTE}\n`weighbridge init` writes this file. Every value shown is the default but for "
        f"`name`, `documents`, `examples` and `task`.\n\n```yaml\n{text}```\n"
    )


def _figures() -> str:
    rows = [
        f"| `{kind.name}` | {kind.label} | {kind.unit} | {better} | {kind.meaning} |"
        for kind in FIGURES.values()
        for better in ("higher" if kind.higher_is_better else "lower",)
    ]
    head = "| name | label | unit | better | meaning |\n|---|---|---|---|---|\n"
    return (
        f"# Figures\n\n{NOTE}\nEach stands in a measurement with its 95 % interval.\n\n{head}" + "\n".join(rows) + "\n"
    )


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
