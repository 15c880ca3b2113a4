import io
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.ingest.content import UnreadableError
from weighbridge.ingest.decode.text import LARGEST
from weighbridge.ingest.files.kinds import FORMATS, Kind, describe_misnaming, reader_of, sniff, version_of


def package(**members: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return held.getvalue()


def declared(kind: str) -> bytes:
    types = f'<Types><Override PartName="/main.xml" ContentType="application/vnd.{kind}+xml"/></Types>'
    return package(**{"[Content_Types].xml": types, "main.xml": "<a/>"})


MAIL = b"From: a@b.c\nTo: d@e.f\nSubject: Tide\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\nHello"
BEFORE_MAIL = (
    b"\xef\xbb\xbf", b"\n", b"\r\n\r\n", b" \n", b"X-Store-Info:J++/abc\n", b"From ada@example.org\n",
    b">From ada@example.org Tue Mar  5 10:00:00 2024\n", b">>From a\n", b"\xef\xbb\xbf\nFrom a@b.c\n", b"not a field\n",
)  # fmt: skip
NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.txt", b"text", "text"),
        ("a", b"text", "text"),
        ("a.unknown", b"text", "text"),
        ("a.md", b"text", "markdown"),
        ("a.md", b"<html>no page, for it is called Markdown", "markdown"),
        ("a.py", b"{}", "code"),
        ("Makefile", b"all:\n\techo", "code"),
        ("run", b"#!/bin/sh\necho", "code"),
        ("a", b"<?xml version='1.0'?><a/>", "code"),
        ("a.csv", b"a,b\n1,2\n", "csv"),
        ("a.csv", b"<!doctype html><p>x", "html"),
        ("a.htm", b"zed", "html"),
        ("a.txt", b"\xef\xbb\xbf <!-- x --><!DOCTYPE html><p>x", "html"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "pdf"),
        ("a.txt", b"%PDF-1.4\n", "pdf"),
        ("a.txt", b"junk\0\xff%PDF-1.4\n", "pdf"),
        ("a.txt", b"It begins with %PDF-1.4", "text"),
        ("a.pdf", b"No PDF at all", "text"),
        ("a.docx", package(word__document_xml="x").replace(b"document_xml", b"document.xml"), "docx"),
        ("a.zip", package(ppt__presentation_xml="x").replace(b"n_xml", b"n.xml"), "pptx"),
        ("a.docx", package(xl__workbook_xml="x").replace(b"k_xml", b"k.xml"), "xlsx"),
        ("a.zip", declared("openxmlformats-officedocument.wordprocessingml.document.main"), "docx"),
        ("a.zip", declared("ms-powerpoint.presentation.macroEnabled.main"), "pptx"),
        ("a.zip", declared("openxmlformats-officedocument.spreadsheetml.sheet.main"), "xlsx"),
        ("a.zip", declared("openxmlformats-officedocument.theme"), "zip"),
        ("a.zip", package(mimetype="application/epub+zip"), "epub"),
        ("a.zip", package(MIMETYPE="application/epub+zip"), "epub"),
        ("a.docx", package(a="x"), "zip"),
        ("a.zip", package(), "zip"),
        ("a.json", b'{"a": 1}', "json"),
        ("a.txt", b'[{"a": 1}]', "json"),
        ("a.txt", b"[1] Smith, On tides", "text"),
        ("a.txt", b"[1]", "text"),
        ("a.txt", b"{ not json }", "text"),
        ("a.json", b'{"a": ', "json"),
        ("a.json", b"plain", "text"),
        ("a.json", b'{"a": 1}\n{"a": 2}\n', "jsonl"),
        ("a.jsonl", b'{"a": 1}', "jsonl"),
        ("a.ipynb", NOTEBOOK, "notebook"),
        ("a.json", NOTEBOOK, "notebook"),
        ("a.eml", MAIL, "email"),
        *(("a.eml", before + MAIL, "email") for before in BEFORE_MAIL),
        ("a.eml", MAIL.replace(b": ", b":"), "email"),
        ("a", b"From ada@example.org\n" + MAIL, "email"),
        ("a.mbox", b"From ada@example.org\n" + MAIL, "mbox"),
        ("a.eml", b"Just a note: without a header", "text"),
        ("a.txt", MAIL.replace(b"\n", b"\r\n"), "email"),
        ("a.txt", b"Subject: only\nTo: people\n\nA memo", "text"),
        ("a", b"From a@b.c Mon Jan  1 10:00:00 2024\n" + MAIL, "mbox"),
        ("a.txt", b"From the harbour of 2024\nwe sail", "text"),
        ("a.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        ("a.txt", b"BM\x10\0\0\0\0\0\0\0rest", "image"),
        ("a.txt", b"MZ and GIF89a and PAR1 may begin a text", "text"),
        ("a.txt", "High water at noon, low water at six. ".encode("utf-16"), "text"),
    ],
)
def test_content_tells(tmp_path: Path, name: str, content: bytes, kind: Kind) -> None:
    (tmp_path / name).write_bytes(content)
    assert sniff(tmp_path / name) == kind


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "^empty$"),
        (b"\0\1\2", "^not text$"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"old Microsoft Office file .* save it as \.docx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0" + "EncryptedPackage".encode("utf-16-le"), "encrypted Microsoft"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0" + "__substg1.0_001".encode("utf-16-le"), r"save it as \.eml"),
        (b"\x7fELF\2\1\1\0", "a program"),
        (b"MZ\x90\0\3\0", "a program"),
        (b"\x1f\x8b\x08\0", "gzip archive; of archives, only ZIP"),
        (b"{\\rtf1 text}", "rich text"),
        (b"%!PS-Adobe", "PostScript"),
        (b"\0\0\0 ftypisom", "film or sound"),
        (b"RIFF\0\0\0\0WAVE", "film or sound"),
        (b"x" * 257 + b"ustar\0" + bytes(100), "tar archive"),
        (b"SQLite format 3\0", "a sql source"),
        (b"PK\3\4 cut short", r"a broken ZIP file, .* \(cut short\)"),
        (package(mimetype="application/vnd.oasis.opendocument.text"), "OpenDocument"),
        (package(xl__workbook_bin="x").replace(b"k_bin", b"k.bin"), r"\.xlsb"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        sniff(tmp_path / "a.txt")


def test_a_large_text_is_not_read(tmp_path: Path) -> None:
    for name, begins in (("a.txt", b""), ("b.txt", b"text" * 20_000)):
        with (tmp_path / name).open("wb") as file:
            file.write(begins)
            file.truncate(LARGEST + 1)
        with pytest.raises(UnreadableError, match=r"^larger than 50 MB$"):
            sniff(tmp_path / name)


@given(content=st.binary(max_size=200) | st.text(st.sampled_from('{["<From: \n!-x1]}'), max_size=80).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_kind_or_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    try:
        assert sniff(tmp_path / "a") in FORMATS
    except UnreadableError as error:
        assert str(error)  # noqa: PT017 - either is right


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("a.txt", "pdf", "is called .txt and is a PDF; it was read as that"),
        ("a.pdf", "text", "is called .pdf and is plain text; it was read as that"),
        ("a.docx", "xlsx", "is called .docx and is an Excel file; it was read as that"),
        ("a.csv", "html", "is called .csv and is a web page; it was read as that"),
        ("a.json", "notebook", ""),
        ("a.log", "text", ""),
        ("a", "pdf", ""),
        ("a.md", "markdown", ""),
    ],
)
def test_a_wrong_name_is_told(name: str, kind: Kind, said: str) -> None:
    assert describe_misnaming(name, kind) == said


@pytest.mark.parametrize("kind", list(FORMATS))
def test_every_kind_has_a_reader_and_a_version(kind: Kind) -> None:
    assert version_of(kind)
    if kind != "zip":
        assert reader_of(kind).__name__.startswith("read_")


def test_a_mail_without_a_header_is_never_read_as_encoded_text_in_silence(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"hello\n\nContent-Transfer-Encoding: base64\n\nVGhlIGdhdGU=\n")
    with pytest.raises(UnreadableError, match=r"its header cannot be understood; save it as \.eml again"):
        sniff(tmp_path / "a.eml")
    assert describe_misnaming("a.eml", "text") == "is called a mail and has no header of one; it was read as plain text"
