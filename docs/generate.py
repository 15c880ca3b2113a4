"""Write docs/reference from the code: python docs/generate.py. The test suite fails while it is out of date."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from weighbridge.evaluate.saved_schema import SCHEMAS, saved_schema
from weighbridge.figures import FIGURES
from weighbridge.scoring.grade import grade
from weighbridge.settings.file import starter
from weighbridge.settings.schema import Settings

COMMANDS = (
    "demo", "advise",
    "cost", "prices show", "prices write", "prices refresh",
    "init", "index", "search", "versions", "versions compare", "versions tag", "versions rollback", "ask",
    "train", "make-examples", "compare", "decide", "needs", "report", "evidence", "case", "score", "doctor",
    "bench retrieval", "models list", "models known", "models fetch", "models show", "models compare",
    "models promote", "models rollback", "models export", "models check", "models lineage", "hosted prepare",
    "hosted status", "hosted pause", "hosted resume", "hosted cancel", "plan",
)  # fmt: skip
EXAMPLES = (
    ("How long is the notice period?", "four weeks", "You have to give notice 28 days ahead."),
    ("How long is the notice period?", "four weeks", "Four days."),
    ("When does the ferry leave?", "at 17:05", "It leaves at 5:05 pm."),
    ("What is the interest rate?", "1.5 %", "15 %"),
    ("How much powder is mixed in?", "5 mg", "5 g"),
    ("May dogs ride on deck?", "not allowed", "allowed"),
    ("Who runs the office?", "John Smith", "The office is run by J. Smith."),
    ("Who runs the office?", "John Smith", "Jane Smith"),
    ("Which seal is needed?", "AB-12-4", "AB-1-24"),
    ("Where is the key kept?", "in the porter's lodge", "The porter keeps the key in his lodge."),
    ("Where is the key kept?", "in the porter's lodge", "I'm sorry, the documents don't say."),
    ("Where is the key kept?", "in the porter's lodge", ""),
)
"""Invented answers that the page of figures shows with their verdicts. They are graded when the page is written."""
JUDGED = """## How an answer is judged

An answer is right if it gives what a reference gives and contradicts nothing in it, however it is worded. Whether it
kept to the requested form is another figure, `form`. No model judges. These rules apply in this order:

1. An empty answer is wrong. A refusal in the ordinary words of twelve languages is an abstention; it is right if the
   question cannot be answered. Any other answer to such a question is wrong.
2. A label is right if the answer gives it alone, or names it and no other label. JSON is right if it has exactly the
   fields and values of a reference, inside a code fence or not.
3. Numbers, quantities, money, dates, times, codes, names, yes and no, and lists are compared by value. The same value
   in another unit is right. Another number, another name or a "not" makes the answer wrong.
4. If these rules do not decide, a classifier does. It learned from the verdicts of people. The report names its
   version.

The text in which a model thinks before it answers (`<think>`) is timed and priced, and never judged. Accuracy is the
share of questions answered right. Hallucination is the share answered wrong. Abstentions are neither. To check the
judgement on answers of your own, use [`weighbridge score`](../how-to/score.md).
"""
FOLDER = Path(__file__).parent / "reference"
EXIT_CODES = (
    "Exit codes: 0 success, 1 a fault of Weighbridge, 2 an error that you can correct, 3 a time limit, 130 Ctrl-C."
)
NOTE = "<!-- Written by docs/generate.py: change the code, then run it. -->\n"

SHOW_HELP = """
import sys
from weighbridge.cli import main

for command in sys.argv[1:]:
    sys.argv = ["weighbridge", *command.split(), "--help"]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code
    print("\\f", end="")
"""
"""Shows the help of commands, one after another: they share a process, because to start one takes half a second."""


def pages() -> Mapping[str, str]:
    """Return the text of each page of the reference, by file name."""
    schemas = {
        f"{name}.schema.json": json.dumps(saved_schema(name), indent=2, ensure_ascii=False) + "\n" for name in SCHEMAS
    }
    return {"commands.md": _commands(), "settings.md": _settings(), "figures.md": _figures(), **schemas}


def _commands() -> str:
    parts = [f"# Commands\n\n{NOTE}\n{EXIT_CODES}\n"]
    environment = {**os.environ, "COLUMNS": "76", "TERM": "dumb", "NO_COLOR": "1"}
    shown = subprocess.run(  # noqa: S603 - our own command line
        [sys.executable, "-c", SHOW_HELP, *COMMANDS],
        capture_output=True, text=True, encoding="utf-8", env=environment, check=True,
    ).stdout  # fmt: skip
    for command, page in zip(COMMANDS, shown.split("\f")[:-1], strict=True):
        help_text = "\n".join(line.rstrip() for line in page.strip().splitlines())
        parts.append(f"## {command}\n\n```text\n{help_text}\n```\n")
    return "\n".join(parts)


def _settings() -> str:
    text = starter(Settings(name="mine", documents=Path("documents"), examples=Path("examples.jsonl"), task="answer"))
    return (
        f"# Settings\n\n{NOTE}\n`weighbridge init` writes this file. The values shown are the defaults, except "
        f"for `name`, `documents`, `examples` and `task`.\n\n```yaml\n{text}```\n"
    )


def _figures() -> str:
    rows = [
        f"| `{kind.name}` | {kind.label} | {kind.unit} | {better} | {kind.meaning} |"
        for kind in FIGURES.values()
        for better in ("higher" if kind.higher_is_better else "lower",)
    ]
    head = "| name | label | unit | better | meaning |\n|---|---|---|---|---|\n"
    return (
        f"# Figures\n\n{NOTE}\nA measurement has each of these figures, with its 95 % interval.\n\n{head}"
        + "\n".join(rows)
        + f"\n\n{JUDGED}\n{_judged()}\n"
    )


def _judged() -> str:
    """Return the table of examples, graded as this page is written."""
    rows = ["| question | reference | answer | verdict | reason |", "|---|---|---|---|---|"]
    for question, reference, answer in EXAMPLES:
        given = grade(question, (reference,), answer)
        rows.append(f"| {question} | {reference} | {answer or '(nothing)'} | {given.mark} | {given.reason} |")
    return "\n".join(rows)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
