import json
import os
import shutil
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.ingest.content import Loss
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.files.limits import ReadingLimits
from weighbridge.ingest.read import DocumentReading, Memory, Skipped, read_documents
from weighbridge.types import Document, Progress


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def bare(documents: Sequence[Document]) -> tuple[Document, ...]:
    """The documents, without the fingerprints of their contents."""
    assert all(document.version for document in documents)
    return tuple(replace(document, version="") for document in documents)


def test_a_folder_is_read_in_order_with_its_subfolders(tmp_path: Path) -> None:
    write(
        tmp_path,
        b_md="---\ngroups: [hr]\n---\n# B\nbee",
        a__c_txt="cee",
        a__d_HTML="<title>D</title><p>dee",
        z_htm="zed",
    )
    assert bare(read_documents(tmp_path).documents) == (
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


def test_an_id_stays_when_files_of_the_same_name_come_and_go(tmp_path: Path) -> None:
    folder, cache = tmp_path / "docs", tmp_path / "cache"

    def ids() -> dict[str, str]:
        return {document.source: document.id for document in read_documents(folder, cache=cache).documents}

    write(folder, fees_md="1", other_md="2")
    assert ids() == {"fees.md": "fees", "other.md": "other"}
    write(folder, fees_txt="3")
    assert ids() == {"fees.md": "fees", "fees.txt": "fees.txt", "other.md": "other"}
    (folder / "fees.md").write_text("")
    reading = read_documents(folder, cache=cache)
    assert {document.id for document in reading.documents} == {"fees.txt", "other"}
    assert not reading.unsettled
    write(folder, fees_md="4")
    assert ids()["fees.md"] == "fees"
    (folder / "fees.md").unlink()
    assert ids() == {"fees.txt": "fees.txt", "other.md": "other"}
    (folder / "other.md").rename(folder / "other.htm")
    assert ids()["other.htm"] == "other"
    (cache / "names.json").write_text("[1]")
    assert ids()["fees.txt"] == "fees"


def test_what_cannot_be_read_is_skipped_with_a_reason(tmp_path: Path) -> None:
    write(tmp_path, a_txt="text", b_txt=" \n", noext="x", _hidden_txt="no", _git__x_txt="no")
    (tmp_path / "c.txt").write_bytes(b"\0\1\2")
    (tmp_path / "d.pdf").write_bytes(b"%PDF-1.7 and no more")
    (tmp_path / "e.md").write_text("---\ngroups: hr\n---\nsecret")
    (tmp_path / "f.txt").symlink_to(tmp_path / "gone.txt")
    (tmp_path / "g.txt").symlink_to(tmp_path / "g.txt")
    os.mkfifo(tmp_path / "h.txt")
    for name in ("i.txt", "j.bin"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(LARGEST * 4 if name == "i.txt" else 3_000_000_000)
    reading = read_documents(tmp_path)
    assert [document.id for document in reading.documents] == ["a", "noext"]
    told = {item.path: item.reason for item in reading.skipped}
    assert told.pop("d.pdf")
    assert told == {
        "b.txt": "empty",
        "c.txt": "not text",
        "e.md": "'groups' in the front matter must be a list of names, like [people-team]",
        "f.txt": "a broken link",
        "g.txt": "a broken link",
        "h.txt": "not a regular file",
        "i.txt": "larger than 50 MB",
        "j.bin": "larger than 2,000 MB",
    }
    assert_accounted(reading)


def assert_accounted(reading: DocumentReading) -> None:
    sources = {document.source for document in reading.documents}
    assert reading.files == len(sources) + len(reading.skipped)
    assert not sources & {item.path for item in reading.skipped}
    assert len({document.id for document in reading.documents}) == len(reading.documents)


def test_files_inside_files_have_ids_and_losses_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, a_md="# A")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/b.md", "# B")
        archive.writestr("in/c.pdf", "plain")
        archive.writestr("in/d.bin", b"\0\1")
        archive.writestr("in/rows.jsonl", '{"id": "r1", "text": "one"}\n{"id": "r2", "text": "two"}\n')
    reading = read_documents(tmp_path)
    assert [(document.id, document.source) for document in reading.documents[:3]] == [
        ("a", "a.md"),
        ("a.zip/in/b.md", "a.zip/in/b.md"),
        ("a.zip/in/c.pdf", "a.zip/in/c.pdf"),
    ]
    assert {document.source for document in reading.documents[3:]} == {"a.zip/in/rows.jsonl"}
    assert reading.skipped == (Skipped("a.zip/in/d.bin", "not text"),)
    assert reading.losses == (Loss("a.zip/in/c.pdf", "is called .pdf and is plain text; it was read as that"),)
    assert_accounted(reading)


def test_the_same_bytes_are_parsed_once_and_named_twice(tmp_path: Path) -> None:
    write(tmp_path, a_md="# Same", b_md="# Same")
    (tmp_path / os.fsdecode(b"c\xff.md")).write_text("# Same")
    documents = read_documents(tmp_path).documents
    assert [(document.id, document.title) for document in documents] == [
        ("a", "Same"),
        ("b", "Same"),
        ("c\\xff", "Same"),
    ]


def test_a_cache_spares_parsing_and_forgets_what_is_gone(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    write(docs, a_md="# A", b_md="# B", c_txt="\0")
    told: list[Progress] = []
    first = read_documents(docs, cache=cache, notify=told.append)
    assert told[-1].done == told[-1].total == 3
    told.clear()
    again = read_documents(docs, cache=cache, notify=told.append)
    assert not told
    assert tuple(again.documents) == tuple(first.documents) == tuple(read_documents(docs).documents)
    assert again.skipped == first.skipped == (Skipped("c.txt", "not text"),)
    (docs / "a.md").write_text("# Anew")
    (docs / "b.md").unlink()
    changed = read_documents(docs, cache=cache)
    assert [document.text for document in changed.documents] == ["# Anew"]
    assert len(list(cache.glob("*/*"))) == 2


def test_a_damaged_cache_is_made_again(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    write(docs, a_md="# A", b_md="# B")
    before = tuple(read_documents(docs, cache=cache).documents)
    for path in cache.rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-3])
    assert tuple(read_documents(docs, cache=cache).documents) == before


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    write(tmp_path, a_md="# A", cache="a file")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        read_documents(tmp_path / "a.md", cache=tmp_path / "cache")


def test_a_file_that_is_written_meanwhile_is_read_as_it_is_at_last(tmp_path: Path) -> None:
    write(tmp_path, a_txt="first", b_txt="second")

    def edit(progress: Progress) -> None:
        if (tmp_path / "b.txt").read_text() == "second":
            (tmp_path / "b.txt").write_text("second, edited")

    documents = read_documents(tmp_path, notify=edit).documents
    assert [document.text for document in documents] == ["first", "second, edited"]


def test_a_file_that_never_rests_is_skipped(tmp_path: Path) -> None:
    write(tmp_path, a_txt="first", b_txt="second")

    def edit(progress: Progress) -> None:
        with (tmp_path / "b.txt").open("a") as file:
            file.write("x")

    reading = read_documents(tmp_path, notify=edit)
    assert reading.skipped == (Skipped("b.txt", "changed while it was read"),)


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    write(tmp_path, docs__b__a_txt="text", outside__o_txt="out")
    (tmp_path / "docs/a-loop").symlink_to(tmp_path / "docs")
    (tmp_path / "docs/b/up").symlink_to(tmp_path / "docs")
    (tmp_path / "docs/link").symlink_to(tmp_path / "outside")
    assert [document.id for document in read_documents(tmp_path / "docs").documents] == ["b/a", "link/o"]


def test_nothing_readable_tells_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no document that can be read \(it is empty\)\. Weighbridge reads text"):
        read_documents(tmp_path)
    write(tmp_path, a_png="\0", b_png="\0", c_txt="")
    with pytest.raises(DataError, match=r"\(skipped a\.png and 1 more: not text; c\.txt: empty\)"):
        read_documents(tmp_path)
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(LARGEST * 4)
    with pytest.raises(DataError, match=r"\(skipped big\.txt: larger than 50 MB\)"):
        read_documents(tmp_path / "big.txt")


def test_a_single_file(tmp_path: Path) -> None:
    write(tmp_path, a_md="# T\nx")
    (document,) = bare(read_documents(tmp_path / "a.md").documents)
    assert document == Document(id="a", text="# T\nx", title="T", source="a.md")


def test_missing_and_odd_paths(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file or folder; correct 'documents'"):
        read_documents(tmp_path / "gone")
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(DataError, match="is neither a file nor a folder"):
        read_documents(tmp_path / "pipe.txt")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="cannot be read"):
        read_documents(tmp_path / "loop")


READ_EACH = """
import json, sys
from pathlib import Path
from weighbridge.errors import DataError
from weighbridge.ingest.read import read_documents

for folder in map(Path, sys.argv[1:]):
    try:
        reading = read_documents(folder)
    except DataError as error:
        print(json.dumps(str(error)))
    else:
        skipped = [[item.path, item.reason] for item in reading.skipped]
        print(json.dumps([[document.id for document in reading.documents], skipped, sorted(reading.unsettled)]))
"""


def test_what_permissions_forbid(tmp_path: Path, run_without_privileges: Callable[..., str]) -> None:
    folders = [tmp_path / name for name in ("file", "below", "folder")]
    locked = [tmp_path / name for name in ("file/a.txt", "below/sub", "folder")]
    for folder in folders:
        write(folder, a_txt="x", b_txt="y", sub__c_txt="z")
    for path in locked:
        path.chmod(0)
    try:
        printed = run_without_privileges(READ_EACH, *map(str, folders))
    finally:
        for path in locked:
            path.chmod(0o700)
    file, below, folder = (json.loads(line) for line in printed.splitlines())
    unsettled = ["a"]  # what is known of it is kept
    assert file == [["b", "sub/c"], [["a.txt", "cannot be read (permission denied)"]], unsettled]
    assert below == f"{tmp_path}/below/sub: cannot be read (Permission denied); check its permissions"
    assert folder == f"{tmp_path}/folder: cannot be read (Permission denied); check its permissions"


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


def test_what_was_read_before_in_this_process_is_not_looked_into_again(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    docs.mkdir()
    write(docs, a_txt="one", b_txt="two")
    for file in docs.iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    memory: Memory = {}
    read_documents(docs, cache=cache, memory=memory)
    first = [document.version for document in read_documents(docs, cache=cache, memory=memory).documents]
    assert {path.name for path in memory} == {"a.txt", "b.txt"}
    (docs / "a.txt").write_text("uno")
    second = read_documents(docs, cache=cache, memory=memory)
    assert [document.text for document in second.documents] == ["uno", "two"]
    assert [document.version == before for document, before in zip(second.documents, first, strict=True)] == [
        False,
        True,
    ]
    (docs / "b.txt").unlink()
    third = read_documents(docs, cache=cache, memory=memory)
    assert [document.id for document in third.documents] == ["a"]


def test_a_file_written_just_now_is_looked_into_even_if_its_times_say_nothing(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    docs.mkdir()
    write(docs, a_txt="one")
    memory: Memory = {}
    for _ in range(2):
        read_documents(docs, cache=cache, memory=memory)
    times = (docs / "a.txt").stat()
    (docs / "a.txt").write_text("uno")
    os.utime(docs / "a.txt", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read_documents(docs, cache=cache, memory=memory).documents[0].text == "uno"


def test_code_is_titled_by_its_name_though_another_file_says_the_same(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    write(docs, a_py="x = 1", b_py="x = 1")
    titles = [document.title for document in read_documents(docs, cache=cache).documents]
    assert titles == ["a.py", "b.py"]
    (docs / "a.py").rename(docs / "c.py")
    assert [document.title for document in read_documents(docs, cache=cache).documents] == ["b.py", "c.py"]


def test_ids_are_unique_whatever_an_archive_names_its_members(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("d.json", '[{"id": "x", "text": "one"}]')
        archive.writestr("d.json/x", "two")
    assert [document.id for document in read_documents(tmp_path).documents] == ["a.zip/d.json/x", "a.zip/d.json/x (2)"]


def test_a_copy_of_a_file_that_is_written_meanwhile_is_read_as_it_is(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    pages = {f"p{number}_html": f"<p>{number}</p>" + "<p>slow</p>" * 60_000 for number in range(2)}
    write(docs, y_txt="same " * 120_000, z_txt="same " * 120_000, **pages)

    def edit(progress: Progress) -> None:
        if (docs / "y.txt").stat().st_size > len("other"):
            (docs / "y.txt").write_text("other")

    limits = ReadingLimits(workers=1)
    for _ in range(2):
        documents = read_documents(docs, cache=cache, limits=limits, notify=edit).documents
        texts = {document.id: document.text for document in documents}
        assert (texts["y"], texts["z"]) == ("other", "same " * 120_000)


def test_json_is_no_plain_text_where_it_says_who_may_read_it(tmp_path: Path) -> None:
    secret = '[{"text": "pay", "groups": ["hr"]}' + ', {"text": "x"}' * 6_000 + "]"
    write(tmp_path, a_json=f"// a comment\n{secret}", b_log=secret, c_txt="text")
    reading = read_documents(tmp_path)
    assert [document.id for document in reading.documents if not document.groups and "pay" in document.text] == []
    assert [skipped.path for skipped in reading.skipped] == ["a.json"]


def test_what_was_written_with_its_time_set_back_is_looked_into(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    write(docs, a_txt="one")
    os.utime(docs / "a.txt", (1_000_000_000, 1_000_000_000))
    memory: Memory = {}
    for _ in range(2):
        read_documents(docs, cache=cache, memory=memory)
    (docs / "a.txt").write_text("uno")
    os.utime(docs / "a.txt", (1_000_000_000, 1_000_000_000))
    assert read_documents(docs, cache=cache, memory=memory).documents[0].text == "uno"


def test_a_cache_that_was_deleted_is_made_again_though_files_are_remembered(tmp_path: Path) -> None:
    docs, cache = tmp_path / "docs", tmp_path / "cache"
    write(docs, a_txt="one")
    os.utime(docs / "a.txt", (1_000_000_000, 1_000_000_000))
    memory: Memory = {}
    for _ in range(2):
        read_documents(docs, cache=cache, memory=memory)
    shutil.rmtree(cache)
    assert read_documents(docs, cache=cache, memory=memory).documents[0].text == "one"
