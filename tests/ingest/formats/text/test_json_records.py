import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.text.json_records import read_json, read_jsonl

_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text("ab# \n|`-", max_size=6)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("kxy", min_size=1, max_size=3), inner),
    max_leaves=12,
)


def _read(text: str | bytes, folder: Path) -> Parsed:
    (folder / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_json(folder / "a.json")


def _lines(text: str | bytes, folder: Path) -> Parsed:
    (folder / "a.jsonl").write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_jsonl(folder / "a.jsonl")


def test_records_are_documents(tmp_path: Path) -> None:
    one = {"id": 7, "text": "High\r\nwater", "title": " The  tide ", "groups": [" crew "]}
    expected = (
        Content(text="High\nwater", title="The tide", groups=frozenset({"crew"}), name="7"),
        Content(text="Ebb", name="record 2"),
    )
    assert _read(json.dumps([one, {"text": "Ebb"}]), tmp_path) == Parsed(expected)
    assert _read(json.dumps({"data": [one, {"text": "Ebb"}]}), tmp_path) == Parsed(expected)
    parsed = _lines("\ufeff" + json.dumps(one) + "\n\n" + json.dumps({"text": "Ebb", "by": "me"}), tmp_path)
    assert [content.name for content in parsed.contents] == ["7", "line 3"]
    assert parsed.losses == (Loss("", "keys of its documents left out: 'by'"),)


def test_a_single_record_is_the_file(tmp_path: Path) -> None:
    assert _read('{"text": "Ebb", "groups": ["crew"]}', tmp_path).contents == (
        Content(text="Ebb", groups=frozenset({"crew"})),
    )


@pytest.mark.parametrize("groups", ['"crew"', "5", "[1]", '[""]', '{"a": 1}'])
@pytest.mark.parametrize("key", ["text", "body"])
def test_groups_are_never_ignored(tmp_path: Path, groups: str, key: str) -> None:
    record = f'{{"{key}": "secret", "groups": {groups}}}'
    with pytest.raises(DataError, match=r"the file: 'groups' must be a list of texts.*who may read this"):
        _read(record, tmp_path)
    with pytest.raises(DataError, match="record 2: 'groups' must be"):
        _read(f'[{{"text": "x"}}, {record}]', tmp_path)
    with pytest.raises(DataError, match="line 2: 'groups' must be"):
        _lines(f'{{"{key}": "x"}}\n{record}', tmp_path)


def test_objects_with_groups_but_no_text_are_documents_of_their_own(tmp_path: Path) -> None:
    parsed = _lines('{"body": "secret", "groups": ["crew"]}\n{"body": "open"}', tmp_path)
    assert parsed.contents == (
        Content(text="- body: secret", groups=frozenset({"crew"}), name="line 1"),
        Content(text="- body: open", name="line 2"),
    )


def test_bad_lines_cost_themselves(tmp_path: Path) -> None:
    lines = [b'{"text": "a"}', b'{"text": }', b"\xff\xfe\x00\x01", b'{"text": " "}', b"5", b"[" * 5_000,
             b'{"text": "b"}', b'{"id": "x", "text": "c"}', b'{"id": "x", "text": "d"}', b"null"]  # fmt: skip
    parsed = _lines(b"\n".join(lines), tmp_path)
    assert [content.text for content in parsed.contents] == ["a", "5", "b", "c"]
    assert [(loss.place, loss.what) for loss in parsed.losses] == [
        ("line 2", "not JSON: Expecting value at column 10"),
        ("line 3", "not text"),
        ("line 6", "JSON that is nested more than about 1,000 deep"),
        ("line 4", "empty"),
        ("line 9", "its id 'x' was used before, at line 8; left out"),
        ("line 10", "null that holds nothing"),
    ]


def test_other_json_is_one_document_with_its_paths(tmp_path: Path) -> None:
    value = {"name": "tide", "open": True, "none": None,
             "ports": [{"at": "A", "depth": 1.50}, {"at": "B", "depth": 2}],
             "by": {"who": "me\nand you", "tags": ["x", "y"], "deep": {"key": "v"}}}  # fmt: skip
    assert _read(json.dumps(value).replace("1.5", "1.50"), tmp_path).contents[0].text == (
        "- name: tide\n- open: true\n- none: \n\n"
        "## ports\n\n| at | depth |\n| --- | --- |\n| A | 1.50 |\n| B | 2 |\n\n"
        "## by\n\n- who: me and you\n- tags: x, y\n\n## by > deep\n\n- key: v"
    )


def test_lines_without_texts_are_one_document_with_parts(tmp_path: Path) -> None:
    content = _lines('{"a": 1}\n{"b": 2}', tmp_path).contents[0]
    assert [(part.name, content.text[part.start : part.end]) for part in content.parts] == [
        ("line 1", "- a: 1"),
        ("line 2", "- b: 2"),
    ]


def test_odd_values_survive(tmp_path: Path) -> None:
    huge = "9" * 10_000
    text = f'{{"a": NaN, "b": {huge}, "c": -Infinity, "d": "\\ud83d\\ude00 \\ud800", "e": 1e999, "f": 0.10}}'
    assert _read(text, tmp_path).contents[0].text.split("\n") == [
        "- a: nan", f"- b: {huge}", "- c: -inf", "- d: \U0001f600 \ufffd", "- e: 1E+999", "- f: 0.10",
    ]  # fmt: skip
    half = _lines('{"id": "\\ud800", "text": "\\udfff x", "title": "\\ud800"}', tmp_path).contents[0]
    half.text.encode()
    assert (half.text, half.name, half.title) == ("\ufffd x", "\ufffd", "\ufffd")
    assert _read('{"a": "é"}'.encode("utf-16"), tmp_path).contents[0].text == "- a: é"
    assert _lines('{"a": "é"}\n{"a": 2}'.encode("utf-16"), tmp_path).contents[0].text == "- a: é\n\n- a: 2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON: Expecting value at line 1, column 1"),
        ('{"a": 1,\n]', "not JSON: .* at line 2"),
        ("[" * 100_000, "nested more than"),
        ('{"a":' * 100_000, "nested more than"),
        ("{} {}", "not JSON: Extra data"),
    ],
)
def test_what_is_no_json(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(UnreadableError, match=why):
        _read(text, tmp_path)
    with pytest.raises(UnreadableError, match="no line of it is JSON"):
        _lines(f"{text.partition(chr(10))[0]},", tmp_path)


def test_deep_and_wide_json_stays_small(tmp_path: Path) -> None:
    deep = '{"key": 1, "next": ' * 900 + "0" + "}" * 900
    assert len(_read(deep, tmp_path).contents[0].text) < 100_000
    wide = json.dumps([{f"key{row}": row, "same": 1} for row in range(2_000)])
    assert len(_read(wide, tmp_path).contents[0].text) < 200_000


@given(value=_VALUES)
def test_every_word_survives(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    read = _read(json.dumps(value), tmp_path_factory.mktemp("json")).contents[0].text.replace("\\", "")
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict):
            stack += here.values()
        elif isinstance(here, list):
            stack += here
        elif isinstance(here, str):
            assert all(word in read for word in here.split())


@given(content=st.binary(max_size=60))
def test_any_bytes_are_documents_or_an_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    for read in (_read, _lines):
        with suppress(DataError):
            assert all(isinstance(document, Content) for document in read(content, folder).contents)


@pytest.mark.parametrize(
    "value",
    [{"a": [{"text": "secret", "groups": ["hr"]}], "b": [{"text": "x"}]}, {"data": {"items": [{"groups": "hr"}]}},
     [[{"Groups": ["hr"]}]], {"groups": ["all"], "in": [{"groups": ["hr"]}]}],
)  # fmt: skip
def test_groups_far_inside_are_never_ignored(tmp_path: Path, value: object) -> None:
    with pytest.raises(DataError, match=r"the file: an object inside it has '[Gg]roups'"):
        _read(json.dumps(value), tmp_path)
    with pytest.raises(DataError, match=r"line 2: an object inside it has '[Gg]roups'"):
        _lines('{"k": 1}\n' + json.dumps(value), tmp_path)


def test_groups_by_another_name_are_never_ignored(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="record 1: has 'Groups'; call it 'groups'"):
        _read('[{"text": "secret", "Groups": ["hr"]}]', tmp_path)


def test_what_is_called_groups_inside_and_names_nobody_is_text(tmp_path: Path) -> None:
    parsed = _read('{"a": {"groups": null}, "b": {"groups": []}, "c": {"groups": 7}}', tmp_path)
    assert "- groups: 7" in parsed.contents[0].text
