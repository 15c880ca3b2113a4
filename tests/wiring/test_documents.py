"""What is said of contradictions on the console, and what is written down."""

import json
from pathlib import Path

import pytest

from weighbridge.results import Contradiction
from weighbridge.settings.file import load_settings
from weighbridge.wiring.documents import read_sources, reading_report
from weighbridge.wiring.reporter import Reporter
from weighbridge.workspace import Workspace

FEES = [
    "A seat on the {} ferry costs {} pounds for those who live in the town of Pell.",
    "Whoever comes later than 10 minutes before the {} ferry leaves stays at the quay.",
]


def read(folder: Path, ferries: int, *, groups: tuple[str, ...] = (), width: int = 70) -> list[str]:
    """Read two price lists of some ferries, the older one for `groups`, and return what is said."""
    rows = []
    for version, more, own in (("draft", 0, list(groups)), ("final", 1, [])):
        for ferry in range(ferries):
            text = "\n".join(line.format(f"Quern{ferry}", ferry + more) for line in FEES)
            row = {"id": f"ferry {ferry} ({version})", "title": f"Ferry Quern{ferry}", "text": text, "groups": own}
            rows.append(json.dumps(row) + "\n")
    (folder / "documents.jsonl").write_text("".join(rows), encoding="utf-8")
    (folder / "examples.jsonl").write_text('{"question": "Is it?", "answers": ["yes"]}\n', encoding="utf-8")
    settings = "documents: documents.jsonl\nexamples: examples.jsonl\ntask: answer\nstrategies: [rag]\n"
    (folder / "weighbridge.yaml").write_text(settings, encoding="utf-8")
    said: list[str] = []
    read_sources(load_settings(folder / "weighbridge.yaml"), Workspace(folder), Reporter(say=said.append, width=width))
    return [line for line in said if not line.startswith("Read ")]


def test_a_contradiction_is_shown_with_its_documents_and_its_reasons(tmp_path: Path) -> None:
    assert read(tmp_path, 1, width=60) == [
        "To be settled by you:",
        "  A seat on the Quern0 ferry costs \u2026 pounds for those who\u2026",
        "    0: ferry 0 (draft)",
        "    1: ferry 0 (final)",
        "    (in versions, by their names; a rule, limit or price)",
    ]


def test_ten_are_shown_and_all_are_written_down(tmp_path: Path) -> None:
    said = read(tmp_path, 13)
    assert sum(line.startswith("  A seat on") for line in said) == 10
    assert said[-1] == f"  and 3 more: see conflicts in {Workspace(tmp_path).reading_report}"
    assert all(len(line) <= 70 for line in said[:-1])
    report = reading_report(Workspace(tmp_path))
    assert report is not None
    assert len(report.conflicts) == 13
    assert report.conflicts[0] == Contradiction(
        subject="A seat on the Quern0 ferry costs \u2026 pounds for those who live in the town of Pell.",
        values={"0": ("ferry 0 (draft)",), "1": ("ferry 0 (final)",)},
        score=0.95,
        reasons=("in versions, by their names", "a rule, limit or price"),
    )


def test_what_quotes_a_restricted_document_is_only_counted(tmp_path: Path) -> None:
    said = read(tmp_path, 2, groups=("board",))
    assert said == [
        f"2 more contradictions quote restricted documents; they are in {Workspace(tmp_path).reading_report}"
    ]
    report = reading_report(Workspace(tmp_path))
    assert report is not None
    assert [one.restricted for one in report.conflicts] == [True, True]


@pytest.mark.parametrize("conflicts", [[], ["the fee is; 12: a; 13: b"]])
def test_what_an_earlier_release_wrote_is_left_out(tmp_path: Path, conflicts: list[str]) -> None:
    read(tmp_path, 1)
    place = Workspace(tmp_path).reading_report
    place.write_text(json.dumps({**json.loads(place.read_text()), "conflicts": conflicts}))
    report = reading_report(Workspace(tmp_path))
    assert report is not None
    assert report.conflicts == ()


def test_the_same_remarks_are_said_in_one_line(tmp_path: Path) -> None:
    assert len(read(tmp_path, 1)) > 1
    assert read(tmp_path, 1) == []
    assert reading_report(Workspace(tmp_path)) is not None
    assert len(read(tmp_path, 2)) > 1


def test_a_report_of_another_release_is_no_report(tmp_path: Path) -> None:
    read(tmp_path, 1)
    Workspace(tmp_path).reading_report.write_text('{"files": 1}')
    assert reading_report(Workspace(tmp_path)) is None
    assert len(read(tmp_path, 1)) > 1
