from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.text.csv import read_csv

_CELL = st.text("ab1 é|;,\t\"'\n#", max_size=6)


def _read(text: str, folder: Path, encoding: str = "utf-8") -> Parsed:
    (folder / "a.csv").write_bytes(text.encode(encoding))
    return read_csv(folder / "a.csv")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_and_encodings(tmp_path: Path, delimiter: str, encoding: str) -> None:
    rows = [["name", "price", "since"], ["tea, green; x", "1.5", "2024"], ["café", "", "2023"]]
    text = "\r\n".join(delimiter.join(f'"{cell}"' if " " in cell else cell for cell in row) for row in rows)
    assert _read(text, tmp_path, encoding) == Parsed((Content(
        text="| name | price | since |\n| --- | --- | --- |\n| tea, green; x | 1.5 | 2024 |\n| café |  | 2023 |"
    ),))  # fmt: skip


def test_a_decimal_comma_is_no_delimiter(tmp_path: Path) -> None:
    assert _read("a;b\n1,5;2,5\n3,5;4,5\n", tmp_path).contents[0].text.endswith("| 1,5 | 2,5 |\n| 3,5 | 4,5 |")


def test_the_delimiter_that_excel_declares(tmp_path: Path) -> None:
    assert _read("sep=;\na,x;b\n", tmp_path).contents[0].text == "| a,x | b |\n| --- | --- |"


def test_without_a_header_columns_are_numbered(tmp_path: Path) -> None:
    parsed = _read("FR,1.5\nDE,2\n", tmp_path)
    assert parsed.contents[0].text == "| column 1 | column 2 |\n| --- | --- |\n| FR | 1.5 |\n| DE | 2 |"
    assert parsed.losses == (Loss("row 1", "no names of columns: they are numbered"),)
    assert _read("land,2019,2020\nFR,1.5,2\n", tmp_path).losses == ()


def test_ragged_rows_are_kept_and_reported(tmp_path: Path) -> None:
    parsed = _read("a,b,,\n1,2,,\n\n3,4,5\n6\n", tmp_path)
    assert parsed.contents[0].text == "| a | b |\n| --- | --- |\n| 1 | 2 |\n| 3 | 4 | 5 |\n| 6 |"
    assert parsed.losses == (Loss("row 2", "has not as many cells as the header; 2 such row(s)"),)


def test_quotes(tmp_path: Path) -> None:
    assert _read('a,b\n"x\ny","say ""hi"""\n', tmp_path).contents[0].text.endswith('| x y | say "hi" |')
    loose = _read('a,b\n"x" y,1\n', tmp_path)
    assert loose.contents[0].text.endswith("| x y | 1 |")
    assert [loss.place for loss in loose.losses] == ["quotes"]
    unclosed = _read('a,b\n"x,1\n' + "y,2\n" * 40_000, tmp_path)
    assert unclosed.contents[0].text.endswith('| "x | 1 |\n' + "\n".join(["| y | 2 |"] * 40_000))
    assert [loss.place for loss in unclosed.losses] == ["quotes"]
    long = _read('a,b\nx,"' + "y " * 100_000 + '"\n', tmp_path)
    assert (len(long.contents[0].text), long.losses) == (len("| a | b |\n| --- | --- |\n| x | |") + 200_000, ())


@given(rows=st.lists(st.lists(_CELL, min_size=2, max_size=2), max_size=4))
def test_every_word_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    quoted = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\n" for row in rows)
    read = _read(f"left,right\n{quoted}", tmp_path_factory.mktemp("csv")).contents[0].text.replace("\\|", "|")
    for cell in (cell for row in rows for cell in row):
        assert all(word in read for word in cell.split())


@given(content=st.binary(max_size=80))
def test_any_bytes_are_a_table_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "a.csv"
    file.write_bytes(content)
    with suppress(UnreadableError):
        assert len(read_csv(file).contents) == 1


def test_too_wide_and_too_long(tmp_path: Path) -> None:
    wide = _read(",".join(["x"] * 100_000) + "\n" + "1," * 100_000, tmp_path)
    assert wide.contents[0].text.count("---") == 1_000
    assert wide.losses == (Loss("", "99,000 columns after the first 1,000 left out"),)
    header = ",".join(["x"] * 1_000)
    narrow = _read(f"{header}\n" + "1\n" * 100_000, tmp_path)
    assert len(narrow.contents[0].text) < 1_000_000
    long = _read("a\n" + "1\n" * 1_000_002, tmp_path)
    assert long.contents[0].text.count("\n") == 1_000_001
    assert long.losses == (Loss("", "rows after the first 1,000,000 left out"),)


def test_what_follows_50_mb_is_reported(tmp_path: Path) -> None:
    line = "é" * 499 + "\n"
    parsed = _read("name\n" + line * 50_200, tmp_path)
    assert parsed.losses == (Loss("", "what follows the first 50 MB left out"),)
    assert parsed.contents[0].text.endswith("| " + "é" * 499 + " |")


def test_an_empty_table(tmp_path: Path) -> None:
    assert _read("\n ,\n", tmp_path).losses == (Loss("", "no rows"),)
