from contextlib import suppress
from pathlib import Path

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.pdf.document import read_pdf


def raw(*objects: bytes) -> bytes:
    """Return a PDF of objects that are numbered from 1, the first being the catalogue."""
    content = b"%PDF-1.7\n"
    places = []
    for number, each in enumerate(objects, start=1):
        places.append(len(content))
        content += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer <</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(content))
    return content + head + table + end


def page_of(drawing: bytes, *, count: int = 1, kids: bytes = b"[3 0 R]", form: bytes = b"") -> bytes:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"
    return raw(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids%b/Count %d>>" % (kids, count),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R"
        b"/Resources<</Font<</F %b>>/XObject<</X 5 0 R>>>>>>" % font,
        b"<</Length %d>>stream\n%b\nendstream" % (len(drawing), drawing),
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 5 0 R>>>>/Length %d>>stream\n%b\nendstream"
        % (len(form), form),
    )


HELLO = b"BT /F 12 Tf 50 700 Td (Hello there) Tj ET"


def read_bytes(folder: Path, content: bytes) -> Parsed:
    (folder / "a.pdf").write_bytes(content)
    return read_pdf(folder / "a.pdf")


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7\n", b"%PDF-1.4\n" + bytes(range(256)) * 100, page_of(HELLO)[:300]])
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UnreadableError, match="no PDF that can be opened"):
        read_bytes(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        page_of(HELLO, count=2_000_000_000),
        page_of(HELLO, count=-5),
        page_of(HELLO + b" /X Do", form=b"/X Do"),
        page_of(HELLO + b" BT /F 99999999999 Tf 1e38 1e39 Td (more) Tj"),
        page_of(HELLO)[:-8],
    ],
)
def test_hostile_files_are_read_as_far_as_they_go(tmp_path: Path, content: bytes) -> None:
    assert "Hello there" in read_bytes(tmp_path, content).contents[0].text


def test_a_page_tree_that_holds_itself(tmp_path: Path) -> None:
    parsed = read_bytes(tmp_path, page_of(HELLO, kids=b"[2 0 R 2 0 R]", count=1_000_000))
    assert parsed.contents[0].text == ""
    assert parsed.losses == (
        Loss("pages 1-10,000", "broken"),
        Loss("pages 10,001-1,000,000", "left out, for no more than 10,000 are read"),
    )


def test_a_page_with_too_many_lines_is_read(tmp_path: Path) -> None:
    drawing = b"BT /F 12 Tf 50 700 Td " + b"0 -14 Td (Hello) Tj 90 0 Td (you) Tj -90 0 Td " * 8_000 + b"ET"
    assert read_bytes(tmp_path, page_of(drawing)).contents[0].text.count("Hello") == 8_000


@settings(max_examples=40)
@given(place=st.integers(0, 700), byte=st.binary(min_size=1, max_size=8))
def test_any_damage_gives_text_or_a_reason(tmp_path_factory: pytest.TempPathFactory, place: int, byte: bytes) -> None:
    content = page_of(HELLO)
    damaged = content[: place % len(content)] + byte + content[place % len(content) + len(byte) :]
    with suppress(UnreadableError):
        assert len(read_bytes(tmp_path_factory.mktemp("damaged"), damaged).contents) == 1


def test_files_inside_are_handed_on(tmp_path: Path) -> None:
    document = pypdfium2.PdfDocument(page_of(HELLO))
    document.new_attachment("prices.csv").set_data(b"a,b\n1,2\n")
    document.save(tmp_path / "a.pdf")
    document.close()
    (enclosed,) = read_pdf(tmp_path / "a.pdf").enclosed
    assert (enclosed.name, enclosed.content) == ("prices.csv", b"a,b\n1,2\n")
