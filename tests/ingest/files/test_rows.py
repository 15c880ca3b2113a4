from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.files.rows import DataRow, describe_json_kind, read_csv_rows, read_jsonl_rows


def test_jsonl_rows_know_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_bytes('\ufeff{"a": 1}\r\n\n  {"b": "\\u00e9"}'.encode())
    assert list(read_jsonl_rows(file)) == [DataRow(f"{file}:1", {"a": 1}), DataRow(f"{file}:3", {"b": "é"})]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"a": }', r"a\.jsonl:2: is not valid JSON \(Expecting value at column 7\)"),
        (b"[1]", r"a\.jsonl:2: must be a JSON object in { }, not a list"),
        (b'"x"', r"a\.jsonl:2: must be a JSON object in { }, not a text"),
        (b'{"a": "\xe9"}', r"a\.jsonl:2: is not UTF-8"),
        (b'{"a": "\\ud800"}', r"a\.jsonl:2: holds half of a surrogate pair"),
        (b"[" * 100_000, r"a\.jsonl:2: is not usable JSON"),
        (b'{"a": ' + b"1" * 5000 + b"}", r"a\.jsonl:2: is not usable JSON"),
        (b" " * (LARGEST + 1), r"a\.jsonl:2: the line is longer than 50 MB"),
    ],
    ids=range(8),
)
def test_a_broken_line_is_named(tmp_path: Path, line: bytes, expected: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'{"a": 1}\n' + line)
    with pytest.raises(DataError, match=expected):
        list(read_jsonl_rows(tmp_path / "a.jsonl"))


@given(content=st.binary(max_size=80))
def test_any_bytes_are_rows_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "a.jsonl"
    file.write_bytes(content)
    try:
        rows = list(read_jsonl_rows(file))
    except DataError as error:
        told = str(error)
    else:
        told = rows[0].place if rows else f"{file}:"
    assert told.startswith(f"{file}:")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_csv_by_its_header(tmp_path: Path, delimiter: str, encoding: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes("\r\n".join([f'"Question"{delimiter}Answer', f"Où?{delimiter}ici"]).encode(encoding))
    assert list(read_csv_rows(file, known=frozenset({"question"}))) == [
        DataRow(f"{file}:2", {"question": "Où?", "answer": "ici"})
    ]


def test_a_csv_record_with_other_cells_than_the_header(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,answer\nWhy, then?,because\n")
    with pytest.raises(DataError, match=r"a\.csv:2: has 3 cells where the header has 2"):
        list(read_csv_rows(tmp_path / "a.csv", known=frozenset({"question"})))


def test_a_csv_record_may_span_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('question,answer\n"a\nb, c","""x"""\n\nd,\n')
    rows = list(read_csv_rows(file, known=frozenset({"question"})))
    assert [row.place.rpartition(":")[2] for row in rows] == ["2", "5"]
    assert [row.values for row in rows] == [{"question": "a\nb, c", "answer": '"x"'}, {"question": "d", "answer": ""}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n1,2\n", r"a\.csv:1: a CSV file must begin with a header that names one of: question"),
        ("question,question\n1,2\n", r"a\.csv:1: two columns have the same name"),
        ('question,answer\n1,"2\n', r"a\.csv:2: is not valid CSV"),
        ("question\n" + "x" * 200_000, r"a\.csv:2: is not valid CSV \(field larger than field limit"),
        ("", r"a\.csv:1: a CSV file must begin"),
    ],
)
def test_broken_csv(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(DataError, match=expected):
        list(read_csv_rows(tmp_path / "a.csv", known=frozenset({"question"})))


def test_accessors() -> None:
    row = DataRow("f:1", {"id": 7, "name": " a ", "list": ["x ", "y"], "none": None, "flag": True, "blank": " "})
    assert (row.name("id"), row.name("name"), row.name("absent"), row.text("name")) == ("7", "a", "", " a ")
    assert (row.names("list"), row.names("none"), row.optional_text("none")) == (("x", "y"), (), "")
    for use, expected in (
        (lambda: row.name("flag"), "f:1: 'flag' must be a text, not true or false"),
        (lambda: row.text("blank"), "f:1: 'blank' is empty"),
        (lambda: row.text("absent"), "f:1: has no 'absent'; it has 'id', 'name'"),
        (lambda: row.names("name"), "f:1: 'name' must be a list of texts"),
    ):
        with pytest.raises(DataError) as caught:
            use()
        assert str(caught.value).startswith(expected)


def test_kinds_in_words() -> None:
    values: tuple[object, ...] = (None, 1, 1.5, True, "", [], {})
    assert [describe_json_kind(value) for value in values] == [
        "null", "a number", "a number", "true or false", "a text", "a list", "an object",
    ]  # fmt: skip


def test_groups_by_another_name_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "secret", "Groups": ["hr"]}\n')
    (row,) = read_jsonl_rows(tmp_path / "a.jsonl")
    with pytest.raises(DataError, match=r"a\.jsonl:1: has 'Groups'; call it 'groups'"):
        row.names("groups")
