from collections.abc import Callable, Mapping
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from weighbridge.ingest.content import Loss, UnreadableError
from weighbridge.ingest.formats.web.epub import read_epub

CONTAINER = (
    '<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    '<rootfiles><rootfile full-path="text/book.opf" media-type="application/oebps-package+xml"/></rootfiles>'
    "</container>"
)
PACKAGE = (
    '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Tides &amp; Ports</dc:title>'
    "<dc:creator>A. Keeper</dc:creator><dc:creator>B. Pilot</dc:creator></metadata><manifest>"
    '<item id="toc" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>'
    '<item id="two" href="two.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="one" href="the%20one.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="gone" href="gone.xhtml" media-type="application/xhtml+xml"/>'
    '<item id="style" href="a.css" media-type="text/css"/></manifest>'
    '<spine><itemref idref="toc"/><itemref idref="one"/><itemref idref="two"/><itemref idref="gone"/></spine></package>'
)
NAV = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><ol>'
    '<li><a href="two.xhtml#part">The <em>second</em></a></li></ol></nav></body></html>'
)
NCX = (
    '<?xml version="1.0"?><ncx><docTitle><text>Tides</text></docTitle><navMap><navPoint><navLabel>'
    '<text>The second</text></navLabel><content src="two.xhtml#x"/></navPoint></navMap></ncx>'
)


def page(body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title/></head><body>{body}</body></html>"
    )


BOOK = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": CONTAINER,
    "text/book.opf": PACKAGE,
    "text/nav.xhtml": NAV,
    "text/the one.xhtml": page("<h1>Ebb</h1><p>Water falls.</p>"),
    "text/two.xhtml": page("<p>Water rises.</p><img src='a.png'/>"),
}


@pytest.fixture
def bound(tmp_path: Path) -> Callable[..., Path]:
    """Makes a book of members."""

    def bind(members: Mapping[str, str | bytes]) -> Path:
        with ZipFile(tmp_path / "a.epub", "w", ZIP_DEFLATED) as file:
            for name, content in members.items():
                file.writestr(name, content)
        return tmp_path / "a.epub"

    return bind


def test_a_book_is_read_in_the_order_of_its_spine(bound: Callable[..., Path]) -> None:
    parsed = read_epub(bound(BOOK))
    (content,) = parsed.contents
    assert content.title == "Tides & Ports - A. Keeper, B. Pilot"
    assert content.text == "# Ebb\n\nWater falls.\n\nWater rises."
    assert [(part.name, content.text[part.start : part.end]) for part in content.parts] == [
        ("chapter Ebb", "# Ebb\n\nWater falls."),
        ("chapter The second", "Water rises."),
    ]
    assert parsed.losses == (
        Loss("chapter The second", "pictures without a description: 1"),
        Loss("text/gone.xhtml", "left out: not in the package"),
    )


def test_chapters_are_named_by_an_old_table_of_contents(bound: Callable[..., Path]) -> None:
    newer = 'href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"'
    package = PACKAGE.replace(newer, 'href="toc.ncx" media-type="application/x-dtbncx+xml"')
    (content,) = read_epub(bound({**BOOK, "text/book.opf": package, "text/toc.ncx": NCX})).contents
    assert [part.name for part in content.parts] == ["chapter Ebb", "chapter The second"]


def test_a_book_without_container_or_spine_is_read(bound: Callable[..., Path]) -> None:
    members = {name: content for name, content in BOOK.items() if name != "META-INF/container.xml"}
    members["text/book.opf"] = PACKAGE[: PACKAGE.index("<spine>")]
    (content,) = read_epub(bound(members)).contents
    assert content.text == "Water rises.\n\n# Ebb\n\nWater falls."


def locked(algorithm: str) -> str:
    return (
        '<encryption xmlns:enc="http://www.w3.org/2001/04/xmlenc#">'
        f'<enc:EncryptedData><enc:EncryptionMethod Algorithm="{algorithm}"/></enc:EncryptedData></encryption>'
    )


def test_a_locked_book_is_refused(bound: Callable[..., Path]) -> None:
    path = bound({**BOOK, "META-INF/encryption.xml": locked("http://www.w3.org/2001/04/xmlenc#aes128-cbc")})
    with pytest.raises(UnreadableError, match="locked by DRM"):
        read_epub(path)


def test_obfuscated_fonts_are_no_lock(bound: Callable[..., Path]) -> None:
    path = bound({**BOOK, "META-INF/encryption.xml": locked("http://www.idpf.org/2008/embedding")})
    assert "Water rises." in read_epub(path).contents[0].text


def test_entities_are_not_expanded(bound: Callable[..., Path]) -> None:
    lol = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(12))
    bomb = f'<!DOCTYPE html [<!ENTITY l0 "lol">{lol}]><html><body><p>Fine &l12; &x;</p></body></html>'
    outside = '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]><html><body>&x;.</body></html>'
    text = read_epub(bound({**BOOK, "text/two.xhtml": bomb, "text/the one.xhtml": outside})).contents[0].text
    assert "Fine" in text
    assert len(text) < 3_000
    assert "root:" not in text


def test_a_zip_bomb_is_not_unpacked(bound: Callable[..., Path]) -> None:
    parsed = read_epub(bound({**BOOK, "text/two.xhtml": b"<p>" + b"a" * 30_000_000}))
    assert Loss("text/two.xhtml", "left out: larger than 20 MB") in parsed.losses
    assert parsed.contents[0].text == "# Ebb\n\nWater falls."


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "no whole ZIP"), (b"PK\3\4" + b"\0" * 200, "no whole ZIP"), (b"text", "no whole ZIP")],
)
def test_what_is_no_package_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.epub").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        read_epub(tmp_path / "a.epub")


def test_a_package_without_a_book_is_refused(bound: Callable[..., Path]) -> None:
    with pytest.raises(UnreadableError, match="not an EPUB"):
        read_epub(bound({"a.txt": "a"}))


def test_a_damaged_chapter_costs_that_chapter(bound: Callable[..., Path]) -> None:
    path = bound({**BOOK, "text/two.xhtml": page("<p>" + "Water rises. " * 500)})
    content = bytearray(path.read_bytes())
    with ZipFile(path) as file:
        start = file.getinfo("text/two.xhtml").header_offset
    content[start + 80 : start + 90] = b"\xff" * 10
    path.write_bytes(content)
    parsed = read_epub(path)
    assert Loss("text/two.xhtml", "left out: damaged") in parsed.losses
    assert parsed.contents[0].text == "# Ebb\n\nWater falls."


def test_an_encrypted_package_is_refused(bound: Callable[..., Path]) -> None:
    path = bound(BOOK)
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\1\2") + 8
    content[at] |= 1
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match="encrypted"):
        read_epub(path)


def test_what_is_no_page_in_the_spine_is_reported(bound: Callable[..., Path]) -> None:
    package = PACKAGE.replace('<itemref idref="two"/>', '<itemref idref="style"/><itemref idref="nobody"/>')
    assert read_epub(bound({**BOOK, "text/book.opf": package})).losses == (
        Loss("text/a.css", "left out: text/css"),
        Loss("nobody", "not in the package"),
        Loss("text/gone.xhtml", "left out: not in the package"),
    )
