from weighbridge.ingest.content import Loss
from weighbridge.ingest.decode.text import Skipped
from weighbridge.ingest.reading_report import DocumentReading, describe_reading, group_by_reason
from weighbridge.types import Document


def test_reasons_are_gathered() -> None:
    assert group_by_reason([("x", "a"), ("y", "b"), ("y", "c"), ("y", "d")]) == ["b and 2 more: y", "a: x"]


def test_counts_of_a_reason_are_added() -> None:
    told = [("words left out: 1,200", "a"), ("words left out: 34", "b"), ("page 3: torn", "a"), ("page 4: torn", "b")]
    assert group_by_reason(told) == ["a and 1 more: words left out: 1,234", "a: page 3: torn", "b: page 4: torn"]


def test_a_report() -> None:
    reading = DocumentReading(
        documents=(Document(id="a", text="x"),),
        skipped=(Skipped("b.bin", "not text"), Skipped("c.bin", "not text"), Skipped("d.txt", "empty")),
        losses=(Loss("a.pdf, page 7", "no text"),),
        files=4,
        seconds=1.26,
    )
    assert describe_reading(reading) == [
        "Read 1 document from 1 file in 1.3 s",
        "Left out 3 files:",
        "  b.bin and 1 more: not text",
        "  d.txt: empty",
        "Lost or doubtful in what was read, 1 time:",
        "  a.pdf, page 7: no text",
    ]


def test_a_report_of_many_reasons_is_cut() -> None:
    skipped = tuple(Skipped(f"{n}", f"reason {n}") for n in range(25))
    lines = describe_reading(DocumentReading(documents=(), skipped=skipped, files=25))
    assert len(lines) == 23
    assert lines[-1] == "  and 5 reasons more"
