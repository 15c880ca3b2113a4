"""A plan as Markdown, CSV, calendar, chart and printout: complete, readable by other programs, and inert."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from markdown_it import MarkdownIt
from rich.console import Console

from weighbridge.decide.rollout.rollout_plan import RolloutPlan
from weighbridge.errors import MissingExtraError
from weighbridge.report.rollout.gantt import WIDTH, gantt, gantt_file, gantt_style
from weighbridge.report.rollout.plan_export import HEADS, plan_calendar, plan_csv, safe_cell
from weighbridge.report.rollout.plan_markdown import plan_markdown
from weighbridge.report.rollout.plan_terminal import render_plan
from weighbridge.report.rollout.plan_words import span, work_runs, write_figure
from weighbridge.results import Omission

from ...decide.rollout.rollout_sample import READING, measured, plan, settings

HOLIDAYS = (date(2026, 12, 25), date(2027, 1, 1))
HOSTILE = "=cmd|' /C calc'!A0 </title><script>alert(1)</script> | [x](javascript:alert(1)) \u202eback *a*"


def rollout(strategy: str = "rag") -> RolloutPlan:
    return plan(strategy, holidays=HOLIDAYS)


def hostile() -> RolloutPlan:
    """Return a plan whose texts from files mean harm."""
    reading = replace(READING, skipped=(Omission(HOSTILE, HOSTILE),))
    return replace(plan("rag", taken=replace(measured(reading), name=HOSTILE)), name=HOSTILE)


@pytest.mark.parametrize("strategy", ["rag", "fine-tuned"])
def test_markdown_reads_as_the_golden_file(strategy: str, golden: Callable[[Path, str], None]) -> None:
    golden(Path(f"plan_{strategy}.md"), plan_markdown(rollout(strategy)))


def test_the_printout_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    console = Console(width=80, file=io.StringIO(), color_system=None)
    console.print(render_plan(rollout()))
    assert isinstance(console.file, io.StringIO)
    shown = "\n".join(line.rstrip() for line in console.file.getvalue().splitlines()) + "\n"
    golden(Path("plan_terminal.txt"), shown)


@pytest.mark.parametrize("strategy", ["rag", "fine-tuned", "raft", "prompt", "few-shot"])
def test_markdown_tables_have_all_their_cells(strategy: str) -> None:
    made = rollout(strategy)
    html = MarkdownIt("commonmark").enable("table").render(plan_markdown(made))
    assert html.count("<table>") == 1 + len(made.phases) + 3
    rows = [row.count("<td") + row.count("<th") for row in re.findall(r"<tr>.*?</tr>", html, re.DOTALL)]
    assert set(rows) <= {4, 5, 6, 7, 8}
    assert html.count("<li>") >= len(made.notes) + sum(len(phase.entry) + len(phase.exit) for phase in made.phases)
    for task in made.tasks:
        assert task.title.replace("\u00a0", " ").replace("&", "&amp;").replace('"', "&quot;") in html


def test_hostile_texts_stay_texts() -> None:
    made = hostile()
    html = MarkdownIt("commonmark").enable("table").render(plan_markdown(made))
    assert not re.search(r"<script|<a |<em>", html)
    assert "\u202e" not in html
    for drawn in (str(gantt(made)), gantt_file(made)):
        assert "<script" not in drawn
        assert "\u202e" not in drawn


def test_csv_is_read_by_a_csv_reader_and_adds_up() -> None:
    made = rollout()
    heads, *rows = csv.reader(io.StringIO(plan_csv(made).removeprefix("\ufeff"), newline=""))
    assert tuple(heads) == HEADS
    assert [row[0] for row in rows] == [task.key for task in made.tasks]
    assert {len(row) for row in rows} == {len(HEADS)}
    assert sum(float(row[6]) for row in rows) == pytest.approx(made.total_hours)
    for row, task in zip(rows, made.tasks, strict=True):
        assert (date.fromisoformat(row[7]), date.fromisoformat(row[8])) == (task.start, task.end)
        assert row[10] == task.basis.figure


@given(st.text())
def test_no_cell_is_a_formula(text: str) -> None:
    cell = safe_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    (row,) = csv.reader(io.StringIO(write_row(cell), newline=""))
    assert row == [cell, "end"]


def write_row(cell: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file).writerow((cell, "end"))
    return file.getvalue()


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\t=1", " =1", "\r\n=1"])
def test_a_formula_gets_an_apostrophe_and_other_texts_none(text: str) -> None:
    assert safe_cell(text) == f"'{text.strip()}"
    assert safe_cell("a=1") == "a=1"


def dates_of(event: object) -> set[date]:
    """Return the days of an event as a second reader sees them."""
    rules = event.getrruleset(addRDate=True) if "rrule" in event.contents else None  # type: ignore[attr-defined]
    if rules is not None:
        return {day.date() if isinstance(day, datetime) else day for day in rules}
    first, end = event.dtstart.value, event.dtend.value  # type: ignore[attr-defined]
    return {first + timedelta(days=number) for number in range((end - first).days)}


@pytest.mark.parametrize("strategy", ["rag", "fine-tuned", "raft", "prompt"])
@pytest.mark.parametrize("week", ["mon-fri", "sun-thu"])
def test_a_second_reader_finds_every_task_on_its_work_days(strategy: str, week: str) -> None:
    made = plan(strategy, holidays=HOLIDAYS, chosen=settings(plan={"working_days": week}))
    calendar = vobject.readOne(plan_calendar(made))
    events = {event.uid.value.split(".")[0]: event for event in calendar.vevent_list}
    for task in made.tasks:
        worked = {
            date.fromordinal(n)
            for n in range(task.start.toordinal(), task.end.toordinal() + 1)
            if date.fromordinal(n).weekday() in made.working_days and date.fromordinal(n) not in HOLIDAYS
        }
        assert dates_of(events[task.key]) == worked, task.key
        assert events[task.key].summary.value == task.title.replace("\u00a0", " ")
    assert dates_of(events["review"]) == {made.review}
    assert {f"gate-{phase.number}" for phase in made.phases} <= events.keys()


def test_the_calendar_comes_back_from_its_library_whole() -> None:
    made = rollout()
    text = plan_calendar(made)
    calendar = Calendar.from_ical(text)
    events = calendar.walk("VEVENT")
    assert len(events) == len(made.tasks) + len(made.phases) + 1
    assert not [error for event in events for error in event.errors]
    assert str(calendar.to_ical(), "utf-8") == text
    for event in events:
        assert not isinstance(event.decoded("dtstart"), datetime)
        assert event.decoded("dtend") > event.decoded("dtstart")
        assert {"UID", "DTSTAMP", "SUMMARY", "SEQUENCE"} <= event.keys()
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_later_plan_updates_the_same_events() -> None:
    def known(made: RolloutPlan) -> dict[str, int]:
        events = Calendar.from_ical(plan_calendar(made)).walk("VEVENT")
        return {str(event["UID"]): int(event["SEQUENCE"]) for event in events}

    now, later = known(rollout()), known(plan("rag", today=date(2026, 12, 3), start=date(2027, 2, 1)))
    assert now.keys() == later.keys()
    assert all(later[uid] > now[uid] for uid in now)
    other = known(plan("rag", taken=replace(measured(), name="another workload")))
    assert not now.keys() & other.keys()
    assert len(now) == len(rollout().tasks) + 7


def test_a_calendar_without_its_library_is_an_error_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "icalendar", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'weighbridge\[calendar\]'"):
        plan_calendar(rollout())


@pytest.mark.parametrize("strategy", ["rag", "fine-tuned", "raft", "prompt", "few-shot"])
def test_the_chart_is_well_formed_and_can_be_read_aloud(strategy: str) -> None:
    made = rollout(strategy)
    page = ET.fromstring(str(gantt(made)))  # noqa: S314 - our own drawing
    pictures = list(page.iter("svg"))
    assert len(pictures) == 7
    for picture in pictures:
        described = picture.find("desc")
        assert described is not None
        assert (picture.get("role"), picture.get("aria-describedby")) == ("img", described.get("id"))
        assert picture.get("aria-label")
        assert picture.find("title") is not None
    told = " ".join(node.text or "" for node in page.iter("desc")).replace("\u00a0", " ")
    for task in made.tasks:
        assert f"{task.title}: {task.role}".replace("\u00a0", " ") in told
    assert not [node for node in page.iter() if "style" in node.attrib or node.tag in ("style", "script")]
    ids = [node.get("id") for node in page.iter() if node.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("strategy", ["rag", "raft"])
def test_bars_lie_within_the_chart_and_on_no_day_off(strategy: str) -> None:
    made = rollout(strategy)
    _, *pictures = ET.fromstring(str(gantt(made))).iter("svg")  # noqa: S314 - our own drawing
    for picture, phase in zip(pictures, made.phases, strict=True):
        rects = list(picture.iter("rect"))
        off = [ends(rect) for rect in rects if rect.get("class") == "off"]
        bars = [ends(rect) for rect in rects if "task" in str(rect.get("class"))]
        assert len(bars) == sum(len(work_runs(task, made)) for task in phase.tasks)
        for left, right in bars:
            assert 0 <= left < right <= WIDTH
            assert not [one for one in off if one[0] + 0.2 < right and left + 0.2 < one[1]]


def ends(rect: ET.Element) -> tuple[float, float]:
    """Return the left and the right end of a rectangle."""
    left = float(rect.get("x", "0"))
    return left, left + float(rect.get("width", "0"))


@pytest.mark.parametrize("strategy", ["rag", "fine-tuned", "raft", "prompt", "few-shot"])
def test_no_two_texts_of_the_chart_overlap(strategy: str) -> None:
    """On a line stand one text from the left, one to the right. A letter of DejaVu Sans has 0.545 em, as measured."""
    root = ET.fromstring(str(gantt(rollout(strategy))))  # noqa: S314 - our own drawing
    for picture in root.iter("svg"):
        height = float(picture.get("viewBox", "").split()[3])
        lines: dict[float, list[tuple[float, float]]] = {}
        for text in picture.iter("text"):
            wide = 0.545 * 11 * len(text.text or "")
            x, y = float(text.get("x", "0")), float(text.get("y", "0"))
            lines.setdefault(y, []).append((x - wide, x) if text.get("text-anchor") == "end" else (x, x + wide))
            assert y <= height
        for first, second in pairwise(sorted(lines)):
            assert second - first >= 13
        for places in lines.values():
            for first, second in pairwise(sorted(places)):
                assert first[1] <= second[0]


def test_the_file_is_one_drawing_with_its_own_style() -> None:
    made = rollout()
    text = gantt_file(made)
    root = ET.fromstring(text)  # noqa: S314 - our own drawing
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert gantt_style() in text
    assert len(root.findall("{http://www.w3.org/2000/svg}g")) == 7
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("share", 0.834, "83\u00a0%"),
        ("seconds", 1.5, "1.50\u00a0s"),
        ("bytes", 2.0**31, "2.00\u00a0GiB"),
        ("money", 0.0000213, "$0.000021"),
        ("count", 1234.0, "1,234"),
        ("days", 82.0, "82\u00a0days"),
    ],
)
def test_figures_stand_in_their_unit(unit: object, value: float, words: str) -> None:
    assert write_figure(unit, value) == words  # type: ignore[arg-type]


def test_days_name_the_year_once() -> None:
    assert span(date(2026, 12, 7), date(2026, 12, 18)) == "7\u00a0Dec to 18\u00a0Dec\u00a02026"
    assert span(date(2026, 12, 28), date(2027, 1, 8)) == "28\u00a0Dec\u00a02026 to 8\u00a0Jan\u00a02027"
    assert span(date(2026, 12, 7), date(2026, 12, 7)) == "7\u00a0Dec\u00a02026"
