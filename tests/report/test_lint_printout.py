"""The lint as it is printed: what is learnt, told without colour, and safe to show."""

from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from weighbridge.lints import Finding, LintRow, LintToken
from weighbridge.report.lint_printout import render_lint


@dataclass(frozen=True)
class Found:
    findings: tuple[Finding, ...]
    rows: tuple[LintRow, ...]


def row(name: str, prompt: list[str], learnt: list[str], stop: str = "") -> LintRow:
    read = [LintToken(text, trained=False, stop=False) for text in prompt]
    said = [LintToken(text, trained=True, stop=False) for text in learnt]
    return LintRow(name, (*read, *said, *([LintToken(stop, trained=True, stop=True)] if stop else [])))


PROMPT = ["<|im_start|>", "user", "\n", "How", " long", "?", "<|im_end|>"]
LINTED = Found(
    findings=(
        Finding("warning", "3 of 5 conversations are learnt before; keep one of each"),
        Finding("error", "e7: no stop token ends the answer"),
    ),
    rows=(
        row("notice-1", PROMPT, ["four", " weeks"], "<|im_end|>"),
        row("long-2", [f" w{n}" for n in range(200)], ["I", " don", "'t", " know", "."], "<|im_end|>"),
        row("endless-3", ["Why", "?"], ["So"]),
    ),
)


def printed(found: Found, *, colour: bool = False) -> list[str]:
    file = StringIO()
    system: Literal["standard"] | None = "standard" if colour else None
    console = Console(file=file, width=10_000, color_system=system, force_terminal=colour, legacy_windows=False)
    console.print(render_lint(found), soft_wrap=True)
    return file.getvalue().split("\n")[:-1]


def test_it_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("report_lint.txt"), "".join(f"{line}\n" for line in printed(LINTED)))


def test_learnt_tokens_are_green_read_ones_dim_and_the_stop_stands_out() -> None:
    line = printed(LINTED, colour=True)[1]
    assert "\x1b[2m long\x1b[0m" in line
    assert "\x1b[32m weeks\x1b[0m" in line
    assert "\x1b[1;7;31m<|im_end|>⏹\x1b[0m" in line


@given(st.lists(st.text(), max_size=100), st.lists(st.text(), max_size=100), st.text())
def test_each_row_is_one_safe_line_however_long_it_is(prompt: list[str], learnt: list[str], name: str) -> None:
    shown = printed(Found((), (row(name.replace("\n", ""), prompt, learnt, "<end>"),)))
    assert len(shown) == 3
    assert not {"\x1b", "\r", "\n", "\u202e"} & set(shown[1])
    assert "<end>⏹]]" in shown[1]
    assert f"({len(learnt) + 1} of" in shown[1]


def test_nothing_learnt_shows_findings_alone() -> None:
    assert printed(Found(LINTED.findings[1:], ())) == ["  error: e7: no stop token ends the answer"]
