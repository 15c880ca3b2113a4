"""The page tells what was lost in reading, and shows no text of what was read."""

from dataclasses import replace

from weighbridge.report.findings import ReasonLine, count_omissions, group_omissions
from weighbridge.report.page.weighing_page import page
from weighbridge.results import Contradiction, Omission, ReadingReport

from ..sample import weighing

REPORT = ReadingReport(
    files=9,
    documents=5,
    seconds=1.0,
    skipped=(
        Omission("a.exe", "not text"),
        Omission("b.bin", "not text"),
        Omission("c.bin", "not text"),
        Omission("d.bin", "not text"),
        Omission("<script>x", "empty"),
    ),
    losses=(Omission("r.pdf, page 7", "no text"),),
    repeated=("x: the same text as y",),
    conflicts=(
        Contradiction(
            subject="the fee is", values={"12": ("a",), "the secret": ("b",)}, score=0.9, reasons=("a price",)
        ),
    ),
)


def test_reasons_are_counted_the_most_frequent_first() -> None:
    assert group_omissions(REPORT.skipped) == [
        ReasonLine("not text", 4, "a.exe, b.bin, c.bin and 1 more"),
        ReasonLine("empty", 1, "<script>x"),
    ]
    assert group_omissions(()) == []


def test_the_account_leaves_out_what_did_not_happen() -> None:
    assert list(count_omissions(ReadingReport(files=1, documents=1, seconds=0.1))) == [
        "1\u00a0file became 1\u00a0document"
    ]
    assert len(list(count_omissions(REPORT))) == 5


def test_the_page_shows_reasons_but_no_quotes() -> None:
    shown = page(replace(weighing(), reading=REPORT))
    assert "left out: not text" in shown
    assert "lost: no text" in shown
    assert "&lt;script&gt;x" in shown
    assert "the secret" not in shown
    assert 'id="reading"' not in page(weighing())
