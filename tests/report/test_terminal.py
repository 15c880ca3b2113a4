"""The terminal report: its words, its width, and what it must not hide."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from weighbridge.report.terminal import render_weighing
from weighbridge.results import Weighing

from .sample import weighing

OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")


def printed(value: Weighing, width: int) -> str:
    """Return what a console of this width shows, with plain spaces."""
    file = StringIO()
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(render_weighing(value))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().replace("\u00a0", " ").splitlines())


def test_it_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("report_terminal.txt"), printed(weighing(), 100))


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("outlook", OUTLOOKS)
def test_nothing_is_cut_or_wider_than_the_console(width: int, outlook: str) -> None:
    text = printed(weighing(outlook), width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    stated = ("83 % (55\u201395)", "few-shot", "fine-tuned", "hallucination", "1/12", "$0.0071", "+67 pp")
    assert all(words in text for words in stated)


def test_the_decision_comes_first() -> None:
    headlines = [printed(weighing(outlook), 100).splitlines()[2] for outlook in OUTLOOKS]
    assert headlines == [
        "Use rag.",
        "No clear winner between rag and raft. About 120 more questions would settle it.",
        "None of the strategies is good enough.",
        "No strategy can be recommended.",
    ]


@pytest.mark.parametrize("width", [80, 100])
def test_no_line_breaks_within_a_number(width: int) -> None:
    value = weighing()
    sentence = "raft: accuracy 49\u00a0%\u00a0(38\u201360), +38\u00a0points\u00a0(+24\u00a0to\u00a0+49)"
    shifted = tuple("a" * place + f" {sentence}" for place in range(1, 99, 3))
    text = printed(replace(value, decision=replace(value.decision, reasons=shifted)), width)
    assert text.count("49 % (38\u201360),") == text.count("+38 points (+24 to +49)") == len(shifted)


def test_foreign_text_cannot_steer_the_terminal() -> None:
    value = weighing()
    hostile = replace(value.decision, reasons=("\x1b[2J[bold]not markup[/bold] \u202eturned",))
    text = printed(replace(value, name="a\x07b\rc", decision=hostile), 80)
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(text)
    assert "[bold]not markup[/bold] turned" in text
