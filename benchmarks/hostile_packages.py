"""Office files, PDFs, archives and mails that harm who reads them. Part of `hostile.py`."""

import io
import random
import zipfile
import zlib
from collections.abc import Iterator
from email.message import EmailMessage

from hostile_texts import Made, laughs, prose


def packed(*members: tuple[str, bytes], level: int = 6) -> bytes:
    """Return a ZIP archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def pdf(*objects: bytes, trailer: bytes = b"") -> bytes:
    """Return a PDF of objects numbered from 1, the first being its catalogue."""
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    out += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<</Root 1 0 R/Size %d%s>>\n" % (size, rows, size, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % table)


def stream(content: bytes, extra: bytes = b"") -> bytes:
    """Return a PDF stream."""
    return b"<</Length %d%s>>\nstream\n%s\nendstream" % (len(content), extra, content)


def page(text: str, *, pages: int = 1, box: str = "0 0 595 842", content: bytes | None = None) -> bytes:
    """Return a PDF whose pages are all the same one."""
    drawn = content or stream(f"BT /F 12 Tf 50 700 Td ({text}) Tj ET".encode())
    kids = b" ".join(b"3 0 R" for _ in range(pages))
    means = "/Resources<</Font<</F 5 0 R>>/XObject<</X 4 0 R>>>>"
    leaf = f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R{means}>>"
    return pdf(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, kids),
        leaf.encode(),
        drawn,
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )


def word(body: str, prolog: str = "") -> bytes:
    """Return a Word file with one part."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    kind = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    xml = f'{prolog}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'
    return package("word/document.xml", kind, xml)


def package(main: str, kind: str, xml: str, *more: tuple[str, bytes]) -> bytes:
    """Return an Office file with one main part, and others."""
    types = "http://schemas.openxmlformats.org/package/2006/content-types"
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    default = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    default += '<Default Extension="xml" ContentType="application/xml"/>'
    override = f'<Override PartName="/{main}" ContentType="{kind}"/>'
    relation = f'<Relationship Id="r1" Type="{office}" Target="{main}"/>'
    return packed(
        ("[Content_Types].xml", f'<Types xmlns="{types}">{default}{override}</Types>'.encode()),
        ("_rels/.rels", f'<Relationships xmlns="{relations}">{relation}</Relationships>'.encode()),
        (main, xml.encode()),
        *more,
    )


def workbook(sheets: int, rows: str) -> bytes:
    """Return an Excel file whose sheets all hold the same rows."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    listed = "".join(f'<sheet name="S{n}" sheetId="{n}" r:id="r{n}"/>' for n in range(1, sheets + 1))
    to = f'<Relationship Id="r%d" Type="{office}/worksheet" Target="worksheets/s%d.xml"/>'
    links = "".join(to % (n, n) for n in range(1, sheets + 1))
    sheet = f'<worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'.encode()
    relations = "http://schemas.openxmlformats.org/package/2006/relationships"
    return package(
        "xl/workbook.xml",
        kind,
        f'<workbook xmlns="{space}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        ("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{relations}">{links}</Relationships>'.encode()),
        *((f"xl/worksheets/s{n}.xml", sheet) for n in range(1, sheets + 1)),
    )


def mail(depth: int, dice: random.Random) -> EmailMessage:
    """Return a mail that encloses a mail, and so on."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", f"Level {depth}"
    message["Date"] = "Mon, 1 Jan 2024 10:00:00 +0000"
    message.set_content(prose(dice, 20))
    if depth:
        message.add_attachment(mail(depth - 1, dice))
        message.add_attachment(packed(("a.txt", b"attached")), maintype="application", subtype="zip", filename="a.zip")
    return message


def offices(_: random.Random, scale: int) -> Iterator[Made]:
    """Yield Office files and books that are bombs, or not what they should be."""
    say = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>".format
    yield "good.docx", word(say("good"))
    yield "laughs.docx", word(say("&j;"), laughs())
    yield "outside.docx", word(say("&x;"), '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>')
    levels = 20_000 // scale
    yield "deep.docx", word("<w:tbl><w:tr><w:tc>" * levels + say("x") + "</w:tc></w:tr></w:tbl>" * levels)
    yield "bomb.docx", word(say("A" * (300_000_000 // scale)))
    yield "many.docx", word(say("word") * (300_000 // scale))
    yield "broken.docx", word("<w:p><w:r>")
    yield "no-parts.docx", packed(("word/document.xml", b"<x/>"))
    yield "plain.docx", b"plain text that is called a Word file"
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>cell</t></is></c></row>'
    yield "good.xlsx", workbook(2, cell)
    yield "sheets.xlsx", workbook(10_000 // scale, cell)
    yield "far.xlsx", workbook(1, '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    rows = (f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 500_000 // scale))
    yield "rows.xlsx", workbook(1, "".join(rows))
    yield "short.xlsx", workbook(1, cell)[:-7]
    yield "slides.pptx", packed(("ppt/presentation.xml", b"<p/>"), ("[Content_Types].xml", b"<Types/>"))
    yield "book.epub", packed(("mimetype", b"application/epub+zip"), ("META-INF/container.xml", b"<container/>"))
    loop = b'<container><rootfiles><rootfile full-path="META-INF/container.xml"/></rootfiles></container>'
    yield "loop.epub", packed(("mimetype", b"application/epub+zip"), ("META-INF/container.xml", loop))
    yield "old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000)


def papers(dice: random.Random, scale: int) -> Iterator[Made]:
    """Yield PDFs that loop, lie or never end."""
    yield "good.pdf", page("good")
    yield "pages.pdf", page("again and again", pages=20_000 // scale)
    yield "loop.pdf", pdf(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Kids[2 0 R 2 0 R]>>")
    yield "count.pdf", page("x").replace(b"/Count 1/", b"/Count 999999999/")
    yield "previous.pdf", page("x").replace(b"/Root", b"/Prev 9/Root")
    yield "itself.pdf", page("x", content=stream(b"/X Do " * 9, b"/Type/XObject/Subtype/Form/BBox[0 0 9 9]"))
    bomb = zlib.compress(b"BT (x) Tj ET " * (40_000_000 // scale), 9)
    yield "bomb.pdf", page("x", content=stream(bomb, b"/Filter/FlateDecode"))
    twice = zlib.compress(zlib.compress(bytes(1_000_000_000 // scale), 9), 9)
    yield "twice.pdf", page("x", content=stream(twice, b"/Filter[/FlateDecode/FlateDecode]"))
    yield "plane.pdf", page("x", box="0 0 9999999 9999999", content=stream(b"0 0 99999 99999 re f"))
    image = b"/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB"
    yield "image.pdf", page("x", content=stream(b"x", image))
    drawing = b" ".join(b"%d %d m %d 99 l S" % (n, n, n) for n in range(1_000_000 // scale))
    yield "lines.pdf", page("x", content=stream(drawing))
    letters = b"BT /F 1 Tf " + b"(abcdefgh ) Tj 1 1 Td " * (400_000 // scale) + b"ET"
    yield "letters.pdf", page("x", content=stream(letters))
    yield "brackets.pdf", page("x", content=stream(b"[" * 500_000 + b"q " * 500_000))
    yield "locked.pdf", page("x").replace(b"/Root", b"/Encrypt<</Filter/Standard/V 9/R 9/O()/U()/P 0>>/Root")
    yield "no-pages.pdf", pdf(b"<</Type/Catalog>>")
    yield "only-head.pdf", b"%PDF-1.7\n%%EOF"
    yield "bare.pdf", b"%PDF-1.7\n" + dice.randbytes(50_000)


def archives(dice: random.Random, scale: int) -> Iterator[Made]:
    """Yield archives that grow, nest, repeat and lie."""
    yield "good.zip", packed(("a/one.md", b"# One"), ("two.txt", b"two"))
    flat = packed(("zeros.txt", bytes(1_000_000_000 // scale)), level=9)
    yield "flat.zip", flat
    yield "ten.zip", packed(*((f"{n}.zip", flat) for n in range(10)))
    nest = packed(("a.txt", b"bottom"))
    for _ in range(30):
        nest = packed(("in.zip", nest))
    yield "nested.zip", nest
    tree = packed(*((f"{n}.txt", b"leaf") for n in range(10)))
    for _ in range(3):
        tree = packed(*((f"{n}.zip", tree) for n in range(10)))
    yield "tree.zip", tree
    yield "many.zip", packed(*((f"{n}.txt", b"x") for n in range(30_000 // scale)))
    names = ("../../../etc/up.txt", "/root.txt", "C:\\w.txt", "a\n\x1b[31m.txt")
    yield "paths.zip", packed(*((name, b"x") for name in names))
    yield "locked.zip", _locked(packed(("a.txt", b"secret" * 20)))
    yield "empty.zip", packed()
    yield "folders.zip", packed(("a/", b""), ("a/b/", b""))
    yield "hidden.docx", packed(("a.txt", b"a text in what is called a Word file"))
    yield "method.zip", packed(("a.txt", b"x" * 99)).replace(b"\x08\0", b"\x63\0")
    overlap = bytearray(packed(*((f"{n:05d}.txt", bytes(20_000_000 // scale)) for n in range(20))))
    yield "overlap.zip", _overlapping(overlap)
    yield "program.txt", b"\x7fELF\2\1\1\0" + dice.randbytes(5_000)
    yield "gzip.txt", b"\x1f\x8b\x08\0" + dice.randbytes(900)
    yield "pixels.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\0\1\x86\xa0" * 2 + b"\x08\2\0\0\0" + dice.randbytes(900)


def mails(dice: random.Random, scale: int) -> Iterator[Made]:
    """Yield mails that are deep, long, or not whole."""
    yield "nested.eml", mail(12 if scale == 1 else 6, dice).as_bytes()
    yield "headers.eml", b"From: a@b.c\nTo: d@e.f\nDate: x\n" + b"X-A: b\n" * (500_000 // scale) + b"\nbody"
    parts = b"".join(b"--b\nContent-Type: text/plain\n\npart %d\n" % n for n in range(20_000 // scale))
    yield "parts.eml", b"From: a@b.c\nTo: d@e.f\nDate: x\nContent-Type: multipart/mixed; boundary=b\n\n" + parts
    deep = b"".join(b"--%d\nContent-Type: multipart/mixed; boundary=%d\n\n" % (n, n + 1) for n in range(5_000 // scale))
    yield "deep.eml", b"From: a@b.c\nTo: d@e.f\nDate: x\nContent-Type: multipart/mixed; boundary=0\n\n" + deep
    letter = b"From a@b.c Mon Jan  1 10:00:00 2024\nFrom: a@b.c\nTo: d@e.f\nSubject: x\n\nbody\n\n"
    yield "many.mbox", letter * (50_000 // scale)
    yield "charset.eml", b"From: a@b.c\nTo: d@e.f\nDate: x\nContent-Type: text/plain; charset=bogus\n\nbody \xff"


def _locked(archive: bytes) -> bytes:
    content = bytearray(archive)
    for mark, flag in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        content[content.index(mark) + flag] |= 1
    return bytes(content)


def _overlapping(content: bytearray) -> bytes:
    """Let every member of an archive be its first one's bytes."""
    place = content.find(b"PK\1\2")
    while place >= 0:
        content[place + 42 : place + 46] = bytes(4)
        place = content.find(b"PK\1\2", place + 4)
    return bytes(content)
