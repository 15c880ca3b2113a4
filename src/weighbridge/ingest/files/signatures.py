"""Recognises files that are not text by their first bytes and by the names inside packages."""

from typing import Literal

CONTAINERS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")

PACKAGES: tuple[tuple[str, Literal["docx", "pptx", "xlsx", "epub"] | None, str], ...] = (
    ("word/document.xml", "docx", ""),
    ("word/document2.xml", "docx", ""),
    ("ppt/presentation.xml", "pptx", ""),
    ("xl/workbook.xml", "xlsx", ""),
    ("META-INF/container.xml", "epub", ""),
    ("xl/workbook.bin", None, "a binary Excel file (.xlsb); save it as .xlsx"),
    ("AndroidManifest.xml", None, "an Android app"),
    ("Index/Document.iwa", None, "an Apple iWork file; export it as .docx, .pptx, .xlsx or .pdf"),
)
"""A name inside a ZIP package, the kind that it makes it, and the reason where that is not read."""

_IMAGES = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PRINTABLE = (
    (b"{\\rtf", "a rich text file (.rtf); save it as .docx or .txt"),
    (b"%!PS", "a PostScript file; save it as .pdf"),
)
_REASONS = (
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"\xca\xfe\xba\xbe", "a program"),
    (b"\xcf\xfa\xed\xfe", "a program"),
    (b"\0asm", "a program"),
    (b"\x1f\x8b", "a gzip archive; of archives, only ZIP is unpacked"),
    (b"BZh", "a bzip2 archive; of archives, only ZIP is unpacked"),
    (b"\xfd7zXZ\0", "an xz archive; of archives, only ZIP is unpacked"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; of archives, only ZIP is unpacked"),
    (b"Rar!\x1a\x07", "a RAR archive; of archives, only ZIP is unpacked"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; of archives, only ZIP is unpacked"),
    (b"SQLite format 3\0", "an SQLite database; name it under 'documents' as a sql source"),
    (b"PAR1", "a Parquet file; save it as .csv or .jsonl"),
    (b"ARROW1", "an Arrow file; save it as .csv or .jsonl"),
    (b"GGUF", "a model file"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound or film file"),
    (b"fLaC", "a sound file"),
    (b"\x1aE\xdf\xa3", "a film file"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"\0\x01\0\0\0", "a font"),
    (b"OTTO", "a font"),
    (b"AT&TFORM", "a DjVu file; save it as .pdf"),
)


def is_image(head: bytes) -> bool:
    """Tell whether a file that is no text begins as an image does."""
    webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    return webp or head.startswith(_IMAGES) or (head.startswith(b"BM") and head[6:10] == bytes(4))


def printable(head: bytes) -> str:
    """Return why a file of a printable but unreadable format is skipped; empty where it is ordinary text."""
    return next((reason for first, reason in _PRINTABLE if head.startswith(first)), "")


def reason_of(head: bytes) -> str:
    """Return the format of a file that is not text, where it is known, as the reason why it is not read."""
    if head.startswith(_OLE):
        return _compound(head)
    if head[4:8] == b"ftyp" or head.startswith(b"RIFF"):
        return "a film or sound file"
    if head[257:262] == b"ustar":
        return "a tar archive; of archives, only ZIP is unpacked"
    return next((reason for first, reason in (*_PRINTABLE, *_REASONS) if head.startswith(first)), "")


def _compound(head: bytes) -> str:
    """Return the format of an OLE2 file by the names of its streams, as far as they are near its beginning."""
    if "EncryptedPackage".encode("utf-16-le") in head:
        return "an encrypted Microsoft Office file; save it without a password"
    if "__substg1.0_".encode("utf-16-le") in head:
        return "an Outlook message (.msg); save it as .eml"
    return "an old Microsoft Office file (.doc, .xls, .ppt); save it as .docx, .xlsx or .pptx"
