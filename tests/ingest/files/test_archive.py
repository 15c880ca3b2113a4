import io
import warnings
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.ingest.files.archive import REST, FileBegun, FileOutcome, walk
from weighbridge.ingest.files.limits import ReadingLimits

LIMITS = ReadingLimits()


def packed(*members: tuple[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return held.getvalue()


def looked(
    folder: Path, content: bytes, limits: ReadingLimits = LIMITS, name: str = "a.zip", **more: frozenset[int]
) -> list[FileOutcome]:
    (folder / name).write_bytes(content)
    events = list(walk(folder / name, limits=limits, **more))
    begun = [event for event in events if isinstance(event, FileBegun)]
    assert [event.number for event in begun] == list(range(len(begun)))
    reads = [event for event in events if isinstance(event, FileOutcome)]
    assert len({read.name for read in reads}) == len(reads)
    for read in reads:
        assert bool(read.contents) != bool(read.reason)
    return reads


def told(reads: list[FileOutcome]) -> dict[str, str]:
    return {read.name: read.reason or "|".join(content.text for content in read.contents) for read in reads}


def test_a_file_alone(tmp_path: Path) -> None:
    assert told(looked(tmp_path, b"text", name="a.txt")) == {"": "text"}
    assert told(looked(tmp_path, b"\0", name="a.txt")) == {"": "not text"}


def test_members_are_files_of_their_own(tmp_path: Path) -> None:
    inner = packed(("deep.txt", b"deep"))
    content = packed(
        ("a/one.md", b"# One"),
        ("a/", b""),
        ("two.txt", b"\0\1"),
        ("more.zip", inner),
        (".hidden", b"no"),
        ("__MACOSX/x.txt", b"no"),
        ("../../up.txt", b"up"),
        ("empty.txt", b""),
        ("blank.txt", b" \n"),
    )
    assert told(looked(tmp_path, content)) == {
        "a/one.md": "# One",
        "two.txt": "not text",
        "more.zip/deep.txt": "deep",
        "../../up.txt": "up",
        "empty.txt": "empty",
        "blank.txt": "empty",
    }


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_are_told_apart(tmp_path: Path) -> None:
    content = packed(("a.txt", b"1"), ("a.txt", b"2"), ("b\n.txt", b"3"))
    assert told(looked(tmp_path, content)) == {"a.txt": "1", "a.txt (2)": "2", "b\ufffd.txt": "3"}


def test_an_archive_without_files(tmp_path: Path) -> None:
    assert told(looked(tmp_path, packed())) == {"": "an archive without files"}


def test_a_wrong_name_is_a_loss(tmp_path: Path) -> None:
    (read,) = looked(tmp_path, packed(("a.pdf", b"text")))
    assert [loss.what for loss in read.losses] == ["is called .pdf and is plain text; it was read as that"]


def test_encrypted_and_damaged_members(tmp_path: Path) -> None:
    content = bytearray(packed(("a.txt", b"secret" * 50), ("b.txt", b"open")))
    for mark, flag in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + flag] |= 1
    assert told(looked(tmp_path, bytes(content))) == {"a.txt": "encrypted", "b.txt": "open"}
    content = bytearray(packed(("a.txt", b"text" * 50), ("b.txt", b"open")))
    content[36] ^= 0xFF
    reads = told(looked(tmp_path, bytes(content)))
    assert "cannot be unpacked" in reads["a.txt"]
    assert reads["b.txt"] == "open"


def test_bombs_are_bounded(tmp_path: Path) -> None:
    bomb = packed(("zeros.txt", bytes(30_000_000)))
    assert told(looked(tmp_path, bomb)) == {"zeros.txt": "unpacks to more than 300 times its size"}
    assert told(looked(tmp_path, bomb, ReadingLimits(member_mb=15, ratio=9_999))) == {
        "zeros.txt": "larger than 15 MB when it is unpacked"
    }
    many = packed(*((f"{n}.txt", b"x" * 400_000) for n in range(5)))
    reads = told(looked(tmp_path, many, ReadingLimits(unpacked_mb=1)))
    assert list(reads) == ["0.txt", "1.txt", "2.txt", REST]
    assert reads["2.txt"] == reads[REST] == "the archive unpacks to more than 1 MB"
    reads = told(looked(tmp_path, many, ReadingLimits(members=2)))
    assert reads[REST] == "the archive holds more than 2 files"


def test_depth_is_bounded(tmp_path: Path) -> None:
    content = b"deep"
    for _ in range(6):
        content = packed(("a.zip" if content != b"deep" else "a.txt", content))
    (read,) = looked(tmp_path, content)
    assert read.reason == "lies more than 4 archives or mails deep"
    assert read.name == "a.zip/a.zip/a.zip/a.zip/a.zip"


def test_attachments_are_read(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"], mail["Date"] = "a@b.c", "d@e.f", "Tide", "Mon, 1 Jan 2024 10:00:00 +0000"
    mail.set_content("See the table.")
    mail.add_attachment(packed(("in.md", b"# In")), maintype="application", subtype="zip", filename="t.zip")
    mail.add_attachment(b"\0\1", maintype="application", subtype="octet-stream", filename="x.bin")
    reads = told(looked(tmp_path, mail.as_bytes(), name="a.eml"))
    assert "See the table." in reads[""]
    assert reads["t.zip/in.md"] == "# In"
    assert reads["x.bin"] == "not text"


def test_files_that_are_skipped_keep_their_numbers(tmp_path: Path) -> None:
    content = packed(("a.txt", b"1"), ("b.txt", b"2"))
    assert told(looked(tmp_path, content, skip=frozenset({1}))) == {"b.txt": "2"}
    assert told(looked(tmp_path, content, skip=frozenset({0}))) == {}


@given(flips=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_archive_is_accounted_for(tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    content = bytearray(packed(("a.txt", b"one " * 20), ("b/c.md", b"# two"), ("d.zip", packed(("e.txt", b"three")))))
    for place, value in flips:
        content[place % len(content)] = value
    assert looked(tmp_path, bytes(content))


def test_a_member_whose_name_begins_with_nul_is_read(tmp_path: Path) -> None:
    content = packed(("a.txt", b"one"), ("b.txt", b"two"))
    place = content.index(b"b.txt", content.index(b"PK\x01\x02"))
    outcomes = told(looked(tmp_path, content[:place] + b"\0" + content[place + 1 :]))
    assert outcomes["a.txt"] == "one"
    assert len(outcomes) == 2


def test_a_package_whose_type_is_encrypted(tmp_path: Path) -> None:
    content = bytearray(packed(("mimetype", b"application/epub+zip"), ("a.txt", b"hi")))
    content[6] |= 1
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (reason,) = told(looked(tmp_path, bytes(content))).values()
    assert reason.startswith("a broken ZIP file, as Office files are too (file 'mimetype' is encrypted")


def test_no_two_members_have_one_name(tmp_path: Path) -> None:
    content = packed(("a (2)", b"1"), ("b", b"2"))
    for name in ("a (2)", "a (2)", "a", "a", "a (2) (2)"):
        content = _with(content, name)
    assert len(told(looked(tmp_path, content))) == 7


def _with(content: bytes, name: str) -> bytes:
    held = io.BytesIO(content)
    with zipfile.ZipFile(held, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        archive.writestr(name, name)
    return held.getvalue()


def test_only_what_macs_add_is_passed_over(tmp_path: Path) -> None:
    content = packed(("__MACOSX/._a.txt", b"x"), ("__MACOSX_a.txt", b"kept"), ("b/.c", b"x"))
    assert told(looked(tmp_path, content)) == {"__MACOSX_a.txt": "kept"}
