"""The kinds of files: recognises a file by its bytes and finds its reader. A suffix only decides between kinds of text.

To add a format, write a module under `ingest/formats` with a reader and its `PARSER`, and add its row to `FORMATS`.
"""

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from weighbridge.extensions import extension_names, extension_origin, load_extension
from weighbridge.ingest.content import Reader, UnreadableError
from weighbridge.ingest.decode.encodings import outline
from weighbridge.ingest.decode.text import LARGEST, TOO_LARGE
from weighbridge.ingest.files.signatures import CONTAINERS, PACKAGES, is_image, printable, reason_of

Kind = str
"""The key of a row in `FORMATS`, or `reader:` and the suffix of a reader that another distribution offers."""

SNIFFER = 6
"""Raise it when the same file would be taken for another kind: files that were read before are then read again."""

_OWN = "reader:"
_HEAD = 65_536
_TAIL = 4_096
"""Bytes of a file's beginning and end that tell its kind; notebooks name their format at the end."""


@dataclass(frozen=True, slots=True)
class Format:
    """One row of the table of formats."""

    title: str
    """Its name with an article, as messages use it."""
    suffixes: str
    reader: str = ""
    """The module below `ingest/formats` and the function: imported late, as some need heavy libraries."""


FORMATS: Mapping[Kind, Format] = {
    "text": Format("plain text", "txt text log rst adoc org tex srt vtt ics vcf", "text.plain:read_text"),
    "markdown": Format("Markdown", "md markdown mdown mkd mdx", "text.markdown:read_markdown"),
    "html": Format("a web page", "html htm xhtml shtml", "web.html:read_html"),
    "pdf": Format("a PDF", "pdf", "pdf.document:read_pdf"),
    "docx": Format("a Word file", "docx docm dotx", "office.word:read_docx"),
    "pptx": Format("a PowerPoint file", "pptx pptm ppsx potx", "office.powerpoint:read_pptx"),
    "xlsx": Format("an Excel file", "xlsx xlsm xltx", "excel.document:read_xlsx"),
    "csv": Format("a table", "csv tsv tab", "text.csv:read_csv"),
    "json": Format("JSON", "json geojson webmanifest map", "text.json_records:read_json"),
    "jsonl": Format("JSON lines", "jsonl ndjson", "text.json_records:read_jsonl"),
    "epub": Format("an e-book", "epub", "web.epub:read_epub"),
    "email": Format("a mail", "eml mht mhtml", "mail.mailbox:read_email"),
    "mbox": Format("a mailbox", "mbox mbx", "mail.mailbox:read_mbox"),
    "notebook": Format("a notebook", "ipynb", "text.notebook:read_notebook"),
    "code": Format(
        "source code",
        "py pyi pyx js mjs cjs jsx ts tsx java kt kts scala groovy c h cc cpp cxx hpp hh cs go rs rb php pl pm r jl "
        "lua swift m mm sh bash zsh fish ps1 bat cmd sql css scss sass less vue svelte xml xsl xsd svg yaml yml toml "
        "ini cfg conf properties gradle cmake mk dockerfile tf proto graphql hs ml mli ex exs erl clj cljs lisp el "
        "vim asm s f f90 pas dart zig nim v vhdl sol diff patch asp aspx jsp",
        "text.code:read_code",
    ),
    "zip": Format("a ZIP archive", "zip"),
    "image": Format("an image", "png jpg jpeg gif bmp tif tiff webp", "pdf.ocr:read_image"),
}
_BY_SUFFIX: Mapping[str, Kind] = {suffix: kind for kind, row in FORMATS.items() for suffix in row.suffixes.split()}
_CODE_NAMES = frozenset({"makefile", "dockerfile", "rakefile", "gemfile", "jenkinsfile", "cmakelists.txt"})
_TEXTUAL = frozenset({"text", "markdown", "html", "csv", "json", "jsonl", "email", "mbox", "notebook", "code"})
_PAGE = re.compile(r"(?is)\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b")
_XML = re.compile(r"\s*<\?xml\b")
_LETTER = re.compile(r"From \S+ .*\d{4}\s*\n[A-Za-z-]+: ")
_FIELD = re.compile(r"^([A-Za-z][A-Za-z0-9-]*)[ \t]*:", re.MULTILINE)
_BEFORE_FIELDS = re.compile(r"\ufeff?\s*(?:>*From (?![ \t]*:)[^\n]*\n\s*)*")
"""Programs leave this before the header of a mail: empty lines, and the line that separates mails in a mailbox."""
_ENCODED = re.compile(r"^content-transfer-encoding:", re.IGNORECASE | re.MULTILINE)
_FIELDS = frozenset({
    "from", "to", "subject", "date", "message-id", "received", "mime-version", "return-path", "delivered-to",
    "content-type", "reply-to", "x-mailer", "sender", "cc", "content-transfer-encoding",
})  # fmt: skip
_BROKEN = (BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, zlib.error, OSError)
_TYPES = "[content_types].xml"
_MAIN_TYPE = re.compile(
    rb"application/vnd\.(?:openxmlformats-officedocument\.)?"
    rb"(ms-word|wordprocessingml|ms-powerpoint|presentationml|ms-excel|spreadsheetml)\.[\w.]+\.main\+xml"
)
_OFFICE: Mapping[bytes, Kind] = {
    b"ms-word": "docx", b"wordprocessingml": "docx", b"ms-powerpoint": "pptx", b"presentationml": "pptx",
    b"ms-excel": "xlsx", b"spreadsheetml": "xlsx",
}  # fmt: skip
_CUT = _HEAD // 4 - 4
"""The first bytes of a longer file hold at least so many characters: a shorter text is the whole file."""
_GROUPS = re.compile(r'"groups"\s*:', re.IGNORECASE)
"""JSON that is broken or has comments is never read as plain text if it has this: that would make it public."""
_OBJECT = re.compile(r'\s*(?:\[\s*)?\{\s*"')
_RECORD = re.compile(r'\s*(?:\{\s*(?:"|\})|\[\s*(?:[\[{"\d\-\]]|true|false|null))')


def sniff(path: Path) -> Kind:
    """Return the kind of a file by its first and last bytes and, for a ZIP package, by the names in it.

    A suffix that only a reader of another distribution knows is taken at its word.

    Raises:
        UnreadableError: it is empty, broken, or of a kind without a reader; the message is the reason.
        OSError: it cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
        size = path.stat().st_size
        file.seek(max(size - _TAIL, 0))
        tail = file.read(_TAIL)
    if not head:
        raise UnreadableError("empty")
    suffix = _suffix(path.name)
    if suffix not in _BY_SUFFIX and suffix in extension_names("weighbridge.readers"):
        return f"{_OWN}{suffix}"  # of several distributions, too: `reader_of` says so, and nobody guesses
    if head.startswith(CONTAINERS):
        return _sniff_package(path)
    text = None if head.lstrip().startswith(b"%PDF-") else outline(head)
    if text is None:
        if b"%PDF-" in head[:1024]:  # Acrobat, too, takes a PDF that begins within the first 1,024 bytes
            return "pdf"
        if is_image(head):
            return "image"
        raise UnreadableError(reason_of(head) or (TOO_LARGE if size > LARGEST else "not text"))
    if reason := printable(head):
        raise UnreadableError(reason)
    if size > LARGEST and _kind_by_name(path.name) not in {"mbox", "csv", "jsonl"}:  # these are read line by line
        raise UnreadableError(TOO_LARGE)
    return _sniff_text(path.name, text, tail)


def reader_of(kind: Kind) -> Reader:
    """Return the reader of a kind. An archive has none of its own; its members have."""
    if kind.startswith(_OWN):
        own: Reader = load_extension("weighbridge.readers", kind.removeprefix(_OWN)).part
        return own
    module, _, function = FORMATS[kind].reader.partition(":")
    reader: Reader = getattr(import_module(f"weighbridge.ingest.formats.{module}"), function)
    return reader


def reader_origin(name: str) -> str:
    """Return the distribution that reads files with this name's suffix, with its version; empty for our own readers."""
    suffix = _suffix(name)
    return "" if not suffix or suffix in _BY_SUFFIX else extension_origin("weighbridge.readers", suffix)


def version_of(kind: Kind) -> str:
    """Return the version of a kind's reader. Readings of another version are not used again."""
    if kind.startswith(_OWN):
        return f"{SNIFFER}.{extension_origin('weighbridge.readers', kind.removeprefix(_OWN))}"
    if kind == "zip":  # its members may be read by what is installed now
        suffixes = extension_names("weighbridge.readers")
        return ".".join((f"{SNIFFER}", *(reader_origin(f"x.{suffix}") for suffix in suffixes)))
    module, _, _ = FORMATS[kind].reader.partition(":")
    return f"{SNIFFER}.{import_module(f'weighbridge.ingest.formats.{module}').PARSER}"


def describe_misnaming(name: str, kind: Kind) -> str:
    """Return a note if the suffix of a file promises another kind than its bytes are of, else an empty text."""
    suffix = _suffix(name)
    claimed = _BY_SUFFIX.get(suffix)
    if claimed == "email" and kind == "text":
        return "is called a mail and has no header of one; it was read as plain text"
    if claimed is None or claimed == kind or (claimed in _TEXTUAL and kind in {"text", "markdown", "code"}):
        return ""
    if {claimed, kind} in ({"json", "jsonl"}, {"json", "notebook"}, {"email", "mbox"}):
        return ""
    return f"is called .{suffix} and is {FORMATS[kind].title}; it was read as that"


def _suffix(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name.strip(".") else ""


def _kind_by_name(name: str) -> Kind | None:
    return "code" if name.lower() in _CODE_NAMES else _BY_SUFFIX.get(_suffix(name))


def _sniff_package(path: Path) -> Kind:
    try:
        with ZipFile(path) as package:
            # Some programs write names with backslashes, or in other case.
            listed = {name.replace("\\", "/").lstrip("/").lower(): name for name in package.namelist()}
            mime = ""
            if "mimetype" in listed:
                mime = _start_of(package, listed["mimetype"]).decode("ascii", "replace").strip()
    except _BROKEN as error:
        reason = str(error).lower().replace("file is not a zip file", "")  # misleading: the file begins as one
        raise UnreadableError(f"a broken ZIP file, as Office files are too ({reason or 'cut short'})") from error
    if mime == "application/epub+zip":
        return "epub"
    if mime.startswith("application/vnd.oasis.opendocument"):
        raise UnreadableError("an OpenDocument file; save it as .docx, .pptx or .xlsx")
    for marker, kind, reason in PACKAGES:
        if marker.lower() in listed:
            if kind is None:
                raise UnreadableError(reason)
            return kind
    return _read_declared_kind(path, listed[_TYPES]) if _TYPES in listed else "zip"


def _read_declared_kind(path: Path, member: str) -> Kind:
    """Return the kind that a package declares: the main part of an Office file may have any name."""
    try:
        with ZipFile(path) as package:
            main = _MAIN_TYPE.search(_start_of(package, member))
    except _BROKEN:
        return "zip"
    return "zip" if main is None else _OFFICE[main[1]]


def _start_of(package: ZipFile, name: str) -> bytes:
    with package.open(name) as file:
        return file.read(_HEAD)


def _sniff_text(name: str, text: str, tail: bytes) -> Kind:
    """Tell kinds of text apart. The suffix decides on code, Markdown and tables, for nothing in them does."""
    claimed = _kind_by_name(name)
    if _PAGE.match(text) and claimed not in {"code", "markdown"}:
        return "html"
    if claimed in {"code", "markdown", "html", "csv"}:
        return claimed
    if _LETTER.match(text) or (claimed == "mbox" and text.startswith("From ")):
        return "mbox"
    if _is_mail(text, claimed):
        return "email"
    if claimed == "email" and _ENCODED.search(text):
        raise UnreadableError("called a mail, but its header cannot be understood; save it as .eml again")
    if _RECORD.match(text) or (claimed in {"json", "jsonl"} and _GROUPS.search(text)):
        return _sniff_records(claimed, text, tail)
    return "code" if text.startswith("#!") or _XML.match(text) else "text"


def _is_mail(text: str, claimed: Kind | None) -> bool:
    before = _BEFORE_FIELDS.match(text)
    header = re.split(r"\r?\n\r?\n", text[before.end() if before else 0 :], maxsplit=1)[0]
    fields = {match[1].lower() for match in _FIELD.finditer(header)}
    if claimed != "email" and not _FIELD.match(header):
        return False
    known = len(fields & _FIELDS)
    return known >= (1 if claimed == "email" else 3) and ("from" in fields or claimed == "email")


def _sniff_records(claimed: Kind | None, text: str, tail: bytes) -> Kind:
    """Tell JSON from text that only begins like it, without reading a long file to its end."""
    lines = [line for line in text.lstrip("\ufeff").splitlines()[:3] if line.strip()]
    if claimed == "jsonl" or (len(lines) > 1 and all(map(is_json_object, lines[:2]))):
        return "jsonl"
    if re.search(rb'"nbformat"\s*:', tail) and '"cells"' in text:
        return "notebook"
    if claimed in {"json", "notebook"}:
        return "json"
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return "json" if len(text) >= _CUT and _OBJECT.match(text) and tail.rstrip()[-1:] in b"}]" else "text"
    return "json" if isinstance(value, dict) or (value and isinstance(value[0], dict | list)) else "text"


def is_json_object(text: str) -> bool:
    """Tell whether a text is a JSON object; one nested too deeply is none."""
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False
