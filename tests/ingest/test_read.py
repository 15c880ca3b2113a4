import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import DataError
from weighbridge.ingest.read import Skipped, read_documents
from weighbridge.ingest.text import LARGEST
from weighbridge.types import Document


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_folder_is_read_in_order_with_its_subfolders(tmp_path: Path) -> None:
    write(
        tmp_path,
        b_md="---\ngroups: [hr]\n---\n# B\nbee",
        a__c_txt="cee",
        a__d_HTML="<title>D</title><p>dee",
        z_htm="zed",
    )
    assert read_documents(tmp_path).documents == (
        Document(id="a/c", text="cee", source="a/c.txt"),
        Document(id="a/d", text="dee", title="D", source="a/d.HTML"),
        Document(id="b", text="# B\nbee", title="B", source="b.md", groups=frozenset({"hr"})),
        Document(id="z", text="zed", source="z.htm"),
    )


def test_ids_keep_their_suffix_where_they_would_clash(tmp_path: Path) -> None:
    write(tmp_path, a_md="1", a_txt="2", b_txt="3", c_md_txt="4", c_md="5", c_txt="6")
    assert {document.source: document.id for document in read_documents(tmp_path).documents} == {
        "a.md": "a.md",
        "a.txt": "a.txt",
        "b.txt": "b",
        "c.md": "c.md",
        "c.txt": "c.txt",
        "c.md.txt": "c.md.txt",
    }


@given(
    names=st.sets(st.from_regex(r"[ab]{1,2}(\.(md|txt)){0,2}\.(md|txt|html)", fullmatch=True), min_size=1, max_size=8)
)
def test_ids_are_unique(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    folder = tmp_path_factory.mktemp("ids")
    for name in names:
        (folder / name).write_text("text")
    documents = read_documents(folder).documents
    assert len({document.id for document in documents}) == len(names)


def test_what_cannot_be_read_is_skipped_with_a_reason(tmp_path: Path) -> None:
    write(
        tmp_path, a_txt="text", b_txt=" \n", d_pdf="%PDF", e_jsonl="{}", noext="x", _hidden_txt="no", _git__x_txt="no"
    )
    (tmp_path / "c.txt").write_bytes(b"\0\1\2")
    (tmp_path / "f.txt").symlink_to(tmp_path / "gone.txt")
    (tmp_path / "g.txt").symlink_to(tmp_path / "g.txt")
    os.mkfifo(tmp_path / "h.txt")
    with (tmp_path / "i.txt").open("wb") as file:
        file.truncate(LARGEST * 4)
    reading = read_documents(tmp_path)
    assert [document.id for document in reading.documents] == ["a"]
    assert {item.path: item.reason for item in reading.skipped} == {
        "b.txt": "empty",
        "c.txt": "not text",
        "d.pdf": "a .pdf file",
        "e.jsonl": "a .jsonl file inside a folder (name the file itself under 'documents')",
        "f.txt": "a broken link",
        "g.txt": "a broken link",
        "h.txt": "not a regular file",
        "i.txt": "larger than 50 MB",
        "noext": "a file without a suffix",
    }


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path, docs__b__a_txt="text", outside__o_txt="out")
    (tmp_path / "docs/a-loop").symlink_to(tmp_path / "docs")
    (tmp_path / "docs/b/up").symlink_to(tmp_path / "docs")
    (tmp_path / "docs/link").symlink_to(tmp_path / "outside")
    assert [document.id for document in read_documents(tmp_path / "docs").documents] == ["b/a", "link/o"]


def test_nothing_readable_tells_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"holds no document that can be read \(it is empty\)\. Weighbridge reads \.txt"
    ):
        read_documents(tmp_path)
    write(tmp_path, a_png="x", b_png="x", c_txt="")
    with pytest.raises(DataError, match=r"\(skipped a\.png and 1 more: a \.png file; c\.txt: empty\)"):
        read_documents(tmp_path)
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(LARGEST * 4)
    with pytest.raises(DataError, match=r"\(skipped big\.txt: larger than 50 MB\)"):
        read_documents(tmp_path / "big.txt")


def test_a_single_file(tmp_path: Path) -> None:
    write(tmp_path, a_md="# T\nx")
    assert read_documents(tmp_path / "a.md").documents == (Document(id="a", text="# T\nx", title="T", source="a.md"),)


def test_missing_and_odd_paths(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file or folder; correct 'documents'"):
        read_documents(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DataError, match="is neither a file nor a folder"):
        read_documents(tmp_path / "pipe.txt")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="cannot be read"):
        read_documents(tmp_path / "loop")


@pytest.mark.parametrize("locked", ["docs/a.txt", "docs/sub", "docs"])
def test_no_permission(
    public_folder: Path, unprivileged: Callable[[], AbstractContextManager[None]], locked: str
) -> None:
    write(public_folder, docs__a_txt="x", docs__sub__b_txt="y")
    (public_folder / locked).chmod(0)
    with unprivileged(), pytest.raises(DataError, match="cannot be read"):
        read_documents(public_folder / "docs")
    (public_folder / locked).chmod(0o755)


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path


def test_jsonl(tmp_path: Path) -> None:
    file = lines(
        tmp_path / "d.jsonl",
        {"id": "a", "text": "x\r\ny", "title": " T\n t", "groups": ["hr"], "url": 3},
        "",
        {"id": 2, "text": "z", "title": None},
        {"id": "e", "text": " "},
    )
    reading = read_documents(file)
    assert reading.documents == (
        Document(id="a", text="x\ny", title="T t", source="d.jsonl", groups=frozenset({"hr"})),
        Document(id="2", text="z", source="d.jsonl"),
    )
    assert reading.skipped == (Skipped(f"{file}:4", "empty"),)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"id": "a", "text": "y"}, r"d\.jsonl:2: the id 'a' was used before, at .*d\.jsonl:1; ids must be unique"),
        ({"text": "y"}, r"d\.jsonl:2: has no 'id'; it has 'text'"),
        ({"id": "b"}, r"d\.jsonl:2: has no 'text'; it has 'id'"),
        ({"id": ["b"], "text": "y"}, r"d\.jsonl:2: 'id' must be a text, not a list"),
        ({"id": "b", "text": 5}, r"d\.jsonl:2: 'text' must be a text, not a number"),
        ({"id": "b", "text": "y", "title": []}, r"d\.jsonl:2: 'title' must be a text, not a list"),
        ({"id": "b", "text": "y", "groups": "hr"}, r"d\.jsonl:2: 'groups' must be a list of texts"),
        ("{", r"d\.jsonl:2: is not valid JSON"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: object, expected: str) -> None:
    file = lines(tmp_path / "d.jsonl", {"id": "a", "text": "x"}, row)
    with pytest.raises(DataError, match=expected):
        read_documents(file)


def test_jsonl_without_documents(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no document that can be read \(skipped .*d\.jsonl:1: empty\)"):
        read_documents(lines(tmp_path / "d.jsonl", {"id": "a", "text": ""}))
