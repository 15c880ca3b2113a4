"""One mail message as bytes becomes a document: its fields, its best text, and its attachments.

The standard library takes it apart under the policy `compat32`: that parses fields in linear time. The newer `default`
policy recurses into comments and takes quadratic time on hostile ones.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from mimetypes import guess_extension

from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.charsets import codec_of
from weighbridge.ingest.decode.encodings import decode
from weighbridge.ingest.decode.text import unix_lines
from weighbridge.ingest.formats.markdown_writer import heading, join_lines

_LONGEST_FIELD = 20_000
"""Characters of a field that are read: a list of some hundred addresses, and nothing that takes long to decode."""
_LONGEST_NAME = 120
"""Characters of a file name and of its suffix; most file systems hold 255 bytes."""
_MOST_PARTS = 10_000
"""Parts of one message: people attach tens, hostile messages nest millions."""
_STUB = 300
_TIMES = 3
"""A plain text of so few characters, with an HTML text so many times as long, only points to the HTML."""
_BEFORE_FIELDS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:>*From (?![ \t]*:)[^\n]*\n\s*)*")
_BLANK_LINE = re.compile(rb"^[ \t]*\r?$", re.MULTILINE)
_FIELD_LINE = re.compile(rb"[!-9;-~]+[ \t]*:")
_FIELD_BLANKS = re.compile(rb"\A([!-9;-~]+)[ \t]+:")
_KNOWN_FIELD = re.compile(
    rb"(?:from|to|cc|subject|date|message-id|received|mime-version|content-[a-z-]+|return-path|reply-to|sender|x-[\w-]+)"
    rb"[ \t]*:",
    re.IGNORECASE,
)
_UNDERLINE = re.compile(r"(?<=\S)\n(?=(?:=+|-+)[ \t]*$)", re.MULTILINE)
_SEALED = {
    "application/pgp-signature": "signature left out",
    "application/pkcs7-signature": "signature left out",
    "application/x-pkcs7-signature": "signature left out",
    "application/pgp-encrypted": "encrypted",
    "application/pkcs7-mime": "encrypted or signed as a whole (S/MIME); left out",
    "application/x-pkcs7-mime": "encrypted or signed as a whole (S/MIME); left out",
}


@dataclass(slots=True)
class _Letter:
    """The things found in a message so far."""

    texts: list[str] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)
    enclosed: list[Enclosed] = field(default_factory=list)
    pictures: int = 0


def read_message(content: bytes) -> Parsed:
    """Read a message; see `mail.read_email`.

    Raises:
        UnreadableError: where it is nested too deeply.
    """
    letter = _Letter()
    try:
        message = message_from_bytes(_with_plain_header(content, letter))
    except (RecursionError, MessageError, ValueError, LookupError) as error:
        raise UnreadableError(f"no message that can be taken apart ({type(error).__name__})") from error
    for part, html in _leaves(message, letter):
        _read_part(part, letter, html=html)
    if letter.pictures:
        letter.losses.append(Loss("", f"{letter.pictures} picture(s) in the text left out"))
    subject = join_lines(_field(message, "Subject", letter))
    values = ((name, _display_field(message, name, letter)) for name in ("From", "To", "Cc", "Date"))
    fields = [f"{name}: {value}" for name, value in values if value]
    blocks = [heading(subject, 1), "\n".join(fields), *letter.texts]
    text = "\n\n".join(block for block in blocks if block.strip())
    return Parsed((Content(text=text, title=subject),), tuple(letter.losses), tuple(letter.enclosed))


def _with_plain_header(content: bytes, letter: _Letter) -> bytes:
    """Return a message with a header that the parser takes whole.

    The parser stops at the first line that is no field, and takes the rest, encoded parts and all, for the text. So
    this drops everything before the first field (a byte order mark, empty lines, the line that separates mails in a
    mailbox) and blanks before a colon. It adds a stray line among the fields to the field before it.
    """
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        content = decode(content).text.encode()
    content = _BEFORE_FIELDS.sub(b"", content)
    end = _BLANK_LINE.search(content)
    header, rest = (content[: end.start()], content[end.start() :]) if end else (content, b"")
    lines = header.split(b"\n")
    last = max((number for number, line in enumerate(lines) if _KNOWN_FIELD.match(line)), default=-1)
    kept: list[bytes] = []
    for number, line in enumerate(lines):
        if number > last or _FIELD_LINE.match(line) or line[:1] in b" \t":
            kept.append(_FIELD_BLANKS.sub(rb"\1:", line))
        elif kept:
            kept.append(b" " + line)
        else:
            start = line[:60].decode("ascii", "replace").strip()
            letter.losses.append(Loss("header", f"begins with a line that is no field: {start!r}; left out"))
    return b"\n".join(kept) + rest


def _leaves(message: Message, letter: _Letter) -> Iterator[tuple[Message, bool]]:
    """Yield the parts without parts of their own, and whether their HTML is wanted: no plain text says the same."""
    stack = [(message, True)]
    count = 0
    while stack:
        part, html = stack.pop()
        count += 1
        if count > _MOST_PARTS:
            letter.losses.append(Loss("", f"parts after the first {_MOST_PARTS:,} left out"))
            return
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            children = [child for child in part.get_payload() if isinstance(child, Message)]
            if part.get_content_subtype() == "alternative":
                plain = (part for part in children if part.get_content_type() == "text/plain" and not _is_file(part))
                html = html and not any(_bytes(part).strip() for part in plain)
            stack.extend((child, html) for child in reversed(children))
        else:
            yield part, html


def _is_file(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def _bytes(part: Message) -> bytes:
    """Return the content of a part with its transfer encoding undone, or unchanged where that is broken."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError):
        payload = part.get_payload()
    return payload if isinstance(payload, bytes) else str(payload or "").encode("utf-8", "replace")


def _read_part(part: Message, letter: _Letter, *, html: bool) -> None:
    kind = part.get_content_type()
    if kind in _SEALED:
        letter.losses.append(Loss("", _SEALED[kind]))
    elif part.get_content_maintype() == "message":
        _enclose_message(part, letter)
    elif kind in {"text/plain", "text/html"} and not _is_file(part):
        if kind == "text/plain":
            letter.texts.append(_UNDERLINE.sub("\n\n", _text(part, letter)).strip("\n"))
        else:
            _read_page(part, letter, html=html)
    elif (
        part.get_content_maintype() == "image"
        and part.get("Content-ID")
        and part.get_content_disposition() != "attachment"
    ):
        letter.pictures += 1
    elif part.get_content_maintype() == "multipart":
        letter.losses.append(Loss("", "its parts cannot be told apart; read as they stand"))
        letter.texts.append(_text(part, letter))
    else:
        name = _name(part, len(letter.enclosed) + 1, letter)
        content = _bytes(part)
        if part.get_content_maintype() == "text" and codec_of(_charset(part)):
            # Only the mail declares the encoding of an attached text, so the text is passed on in UTF-8.
            content = _plain(content, _charset(part), name, letter).encode("utf-8", "replace")
        letter.enclosed.append(Enclosed(name, content))


def _text(part: Message, letter: _Letter) -> str:
    """Return the text of a part by the encoding it names; where that is wrong, by the look of the bytes."""
    return unix_lines(_plain(_bytes(part), _charset(part), "text", letter))


def _charset(part: Message) -> str:
    try:
        return part.get_content_charset("")
    except (LookupError, ValueError):
        return ""


def _plain(content: bytes, charset: str, place: str, letter: _Letter) -> str:
    """Decode bytes of a mail. Where their encoding cannot be told, only ASCII is kept of them."""
    if b"\0" in content and not charset.startswith(("utf-16", "utf-32")):
        content = content.replace(b"\0", b"")
    try:
        decoded = decode(content, charset)
    except UnreadableError as error:
        letter.losses.append(Loss(place, f"{error}; only what is ASCII was kept"))
        return content.decode("ascii", "replace").replace("\0", "")
    for loss in decoded.losses:
        letter.losses.append(Loss(f"{place}, {loss.place}" if loss.place else place, loss.what))
    return decoded.text


def _read_page(part: Message, letter: _Letter, *, html: bool) -> None:
    """Read HTML where it is wanted, or where the plain text only points to it.

    The encoding that the part declares goes before that of the page.
    """
    from weighbridge.ingest.formats.web.html import read_page

    plain = sum(map(len, letter.texts))
    if not html and plain > _STUB:
        return
    source = _text(part, letter).encode("utf-8", "replace") if _charset(part) else _bytes(part)
    try:
        page = read_page(source)
    except UnreadableError as error:
        letter.losses.append(Loss("text", str(error)))
        return
    text = "\n\n".join(content.text for content in page.contents)
    if html or len(text) > _TIMES * plain:
        letter.losses += page.losses
        letter.texts.append(text)


def _enclose_message(part: Message, letter: _Letter) -> None:
    """Enclose a forwarded message as a file; reports about delivery are text."""
    inner = [child for child in part.get_payload() if isinstance(child, Message)] if part.is_multipart() else []
    number = len(letter.enclosed) + 1
    try:
        if part.get_content_type() == "message/rfc822" and inner:
            name = _name(part, number, letter)
            letter.enclosed.append(Enclosed(name if name.endswith(".eml") else f"{name}.eml", inner[0].as_bytes()))
        elif inner:
            letter.texts.append("\n\n".join(child.as_string().strip() for child in inner))
        else:
            letter.texts.append(_text(part, letter))
    except (RecursionError, ValueError, LookupError, TypeError, AttributeError) as error:
        letter.losses.append(Loss("", f"a message inside that cannot be taken apart ({type(error).__name__})"))


def _name(part: Message, number: int, letter: _Letter) -> str:
    """Return a file name without folders or control characters; "attachment 2.pdf" where none is given."""
    given = part.get_param("filename", None, "content-disposition") or part.get_param("name") or ""
    place = f"name of attachment {number}"
    if isinstance(given, tuple):
        # RFC 2231 names the charset of a parameter beside it; the bytes come as characters of Latin-1.
        content = given[2].encode("latin-1", "replace")[:_LONGEST_FIELD]
        given = _plain(content, given[0] or "", place, letter)
    plain = re.sub(r"[\x00-\x1f\x7f]+", "", _decode_words(given[:_LONGEST_FIELD], _charset(part), place, letter))
    clean = plain.replace("\\", "/").rpartition("/")[2].strip(". ")
    if clean:
        stem, dot, suffix = clean.rpartition(".")
        return f"{stem[:_LONGEST_NAME]}{dot}{suffix[:_LONGEST_NAME]}"
    return f"attachment {number}{guess_extension(part.get_content_type()) or ''}"


def _field(message: Message, name: str, letter: _Letter) -> str:
    """Return a field of the header, decoded and without control characters."""
    raw = next((str(value) for key, value in message.raw_items() if key.casefold() == name.casefold()), "")
    text = _decode_words(raw[:_LONGEST_FIELD], _charset(message), name, letter)
    return join_lines(re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text))


def _display_field(message: Message, name: str, letter: _Letter) -> str:
    text = _field(message, name, letter)
    if name != "Date" or not text:
        return text
    try:
        date: datetime = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return text
    return date.isoformat(" ", "minutes")


def _decode_words(raw: str, charset: str, place: str, letter: _Letter) -> str:
    """Return a field with its encoded words in plain. Bytes beyond ASCII, against the rules, are decoded like text."""
    if not raw.isascii():
        raw = _plain(raw.encode("utf-8", "surrogateescape"), charset, place, letter)
    try:
        pieces = decode_header(raw)
    except (MessageError, ValueError):
        return raw
    words: list[str] = []
    for piece, named in pieces:
        if isinstance(piece, str):
            words.append(piece)
        elif named is None:
            words.append(piece.decode("raw_unicode_escape", "replace"))
        else:
            # RFC 2231 allows a language after the charset: "utf-8*en".
            words.append(_plain(piece, named.partition("*")[0], place, letter))
    return "".join(words)
