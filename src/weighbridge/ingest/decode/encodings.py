"""Bytes become text: by the encoding that they declare, by UTF-8 where they are valid, or by the look of their letters.

Labels mean the same as in browsers (the WHATWG Encoding Standard): gb2312 is GBK, shift_jis is cp932, euc-kr is cp949,
iso-8859-1 and us-ascii are Windows-1252.
"""

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass

from weighbridge.ingest.content import Loss, UnreadableError
from weighbridge.ingest.decode.charsets import (
    BROKEN_SHARE,
    DENSE_SHARE,
    MULTIBYTE,
    ascii_count,
    ascii_share,
    codec_of,
    decode_loosely,
    decode_strictly,
    detect_codec,
    name_of,
)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_STRAY_CONTROLS = 0.001
"""Share of control characters that a text may have: one in a thousand may be a stray, more make a binary file."""
_WIDE = ("utf-16", "utf-32")
_SUBSTITUTE = b"\x1a"
"""The control character that stands for one that is lost."""
_MOSTLY = 0.7
"""Share of characters with a zero byte in UTF-16: names and signs of other scripts may stand in a Latin text."""
_UNMARKED = 64
"""Bytes that it takes to tell UTF-16 without a mark from anything else."""
_CHARACTER = 4
"""Bytes that a character has at most."""

_FEW = 8
"""A guess from fewer characters beyond ASCII is called weak. Of samples of 30 to 600 letters in 24 languages, one in
twenty with fewer is taken for another encoding of the same script, and none with more than thirty."""
_TOO_FEW = 4
"""With fewer characters beyond ASCII in a text mostly of such, most guesses are wrong: nothing is guessed."""
_JIS = re.compile(rb"\x1b(\$[@B]|\(I|\([BJ])")


@dataclass(frozen=True, slots=True)
class DecodedText:
    """A text, and the doubts about it."""

    text: str
    losses: tuple[Loss, ...] = ()


def decode(content: bytes, declared: str = "") -> DecodedText:
    """Return the text of some bytes.

    The encodings are tried in this order: the byte order mark's; UTF-16 without one; UTF-8, where it is valid; the
    `declared` one (a label of HTML, XML or MIME); UTF-8 with some other bytes; a guess by the letters. Bytes that are
    not in the encoding cost one character each (U+FFFD) and are reported with their place; so is any guess.

    Raises:
        UnreadableError: the bytes are no text, or their encoding cannot be told.
    """
    codec = codec_of(declared)
    wide = _decode_wide(content, codec, declared)
    if wide is not None:
        return wide
    if codec.startswith(_WIDE):
        # The bytes were read to find this label, so they are in no wide encoding; browsers ignore it, too.
        declared = codec = ""
    if _share(content, _CONTROLS) > _STRAY_CONTROLS and not declared:
        raise UnreadableError("not text")
    text = decode_strictly(content, "utf-8")
    if content.isascii() and (codec.startswith(("iso2022", "utf-7", "hz")) or b"\x1b$" in content):
        # These switch alphabets by ASCII bytes: ISO-2022-JP with the extensions of NEC, UTF-7, HZ.
        if codec.startswith("iso2022_jp") or not codec:
            return _decode_japanese(content) or DecodedText(content.decode("ascii"))
        return _decode_replacing(content, codec, codec)
    if text is not None and not (codec in MULTIBYTE and len(text) - ascii_count(text) < _CHARACTER):
        return DecodedText(text, _report_contradiction(content, codec, declared))
    if codec:
        decoded = _decode_replacing(content, codec, declared)
        if not decoded.losses or _is_mostly(decoded.text):
            return decoded
    return _decode_mixed(content) or _decode_by_guess(content, declared)


def _decode_wide(content: bytes, codec: str, declared: str) -> DecodedText | None:
    """Decode text with a byte order mark or null bytes; None where there are none."""
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return _decode_marked(content, encoding)
    if b"\0" not in content:
        return None
    if codec.startswith(_WIDE):
        return _decode_replacing(content, codec, declared)
    if _share(content, b"\0") > _STRAY_CONTROLS:
        return _decode_unmarked(content)
    # A text with a stray null or two: each is read as U+FFFD.
    decoded = decode(content.replace(b"\0", _SUBSTITUTE), declared)
    text = decoded.text.replace(_SUBSTITUTE.decode(), "\ufffd")
    return DecodedText(text, (*decoded.losses, *_describe_broken(text, "text (a null)", decoded.text.count("\ufffd"))))


def decode_head(content: bytes) -> DecodedText:
    """Return the text of the first bytes of a file. They may end within a character; see `decode`."""
    for cut in range(_CHARACTER):
        with suppress(UnreadableError):
            decoded = decode(content[: len(content) - cut])
            if not decoded.losses:
                return decoded
    return decode(content)


def outline(head: bytes) -> str | None:
    """Return the first bytes of a file as text, or None where they are no text. Only its ASCII characters are right.

    They suffice to tell the kind of a file. The encoding is declared in it, or in the parts of a mail.
    """
    try:
        for mark, encoding in _BOMS:
            if head.startswith(mark):
                return _decode_marked(head, encoding).text
        if _share(head, b"\0") > _STRAY_CONTROLS:
            return _decode_unmarked(head).text
    except UnreadableError:
        return None
    return None if _share(head, _CONTROLS) > _STRAY_CONTROLS else head.decode("utf-8", "replace")


def _decode_marked(content: bytes, encoding: str) -> DecodedText:
    """Decode text with a byte order mark. A binary file may begin with its two bytes as well."""
    decoded = _decode_replacing(content, encoding, encoding.removesuffix("-sig").upper())
    if encoding != "utf-8-sig" and decoded.text.count("\ufffd") > BROKEN_SHARE * len(decoded.text):
        raise UnreadableError("not text")
    return decoded


def _share(content: bytes, of: bytes) -> float:
    return (len(content) - len(content.translate(None, of))) / max(len(content), 1)


def _decode_unmarked(content: bytes) -> DecodedText:
    """Decode UTF-16 without a mark: text mostly in the Latin alphabet has a zero in every other byte."""
    if len(content) < _UNMARKED or len(content) % 2:
        raise UnreadableError("not text")
    for first, encoding in ((0, "utf-16-be"), (1, "utf-16-le")):
        zeros = content[first::2].count(0)
        if zeros > _MOSTLY * len(content) / 2 and not content[1 - first :: 2].count(0):
            text = decode_strictly(content, encoding)
            if text is not None and not re.search(r"[\x01-\x08\x0e-\x1a\x7f]", text):
                return DecodedText(text, (_describe_guess(encoding, len(text)),))
    raise UnreadableError("not text")


def _decode_japanese(content: bytes) -> DecodedText | None:
    """Decode ISO-2022-JP as browsers do, over cp932: Python's codec refuses the rows that NEC and IBM added."""
    pieces: list[str] = []
    pieces_bytes = _JIS.split(content)
    pieces.append(pieces_bytes[0].decode("ascii", "replace"))
    for escape, piece in zip(pieces_bytes[1::2], pieces_bytes[2::2], strict=True):
        lines = re.split(rb"([\r\n]+)", piece)
        if escape.startswith(b"$"):
            pieces += [line.decode() if line.isspace() else _shift_jis(line) for line in lines]
        elif escape == b"(I":
            pieces += [bytes(byte | 0x80 if byte > ord(" ") else byte for byte in piece).decode("cp932", "replace")]
        else:
            pieces.append(piece.decode("ascii", "replace"))
    text = "".join(pieces)
    if "\x1b" in text:
        other = decode_strictly(content, "iso2022_jp_2") or decode_strictly(content, "iso2022_kr")
        return None if other is None else DecodedText(other)
    return DecodedText(text, _describe_broken(text, "iso-2022-jp"))


def _shift_jis(pairs: bytes) -> str:
    """Return the text of pairs of JIS bytes; the arithmetic is that of the standard (JIS X 0208, annex 1)."""
    shifted = bytearray()
    for first, second in zip(pairs[::2], pairs[1::2], strict=False):
        row = first - 0x21
        lead = row // 2 + (0x81 if row < 62 else 0xC1)  # noqa: PLR2004 - rows from 62 on come after 0x9F
        trail = second + (0x7E if row % 2 else 0x1F if second < 0x60 else 0x20)  # noqa: PLR2004 - 0x7F is left out
        shifted += bytes((lead & 0xFF, trail & 0xFF))
    return bytes(shifted).decode("cp932", "replace") + ("\ufffd" if len(pairs) % 2 else "")


def _decode_replacing(content: bytes, codec: str, name: str) -> DecodedText:
    """Decode by one encoding; each byte that is not in it becomes U+FFFD.

    Raises:
        UnreadableError: the text has null characters.
    """
    text = decode_loosely(content, codec)
    before = content.count("\ufffd".encode()) if codec.startswith("utf-8") else 0
    if "\0" in text:
        raise UnreadableError("not text")
    return DecodedText(text, _describe_broken(text, name, before) if "\ufffd" in text else ())


def _describe_broken(text: str, name: str, before: int = 0) -> tuple[Loss, ...]:
    count = text.count("\ufffd") - before
    if count <= 0:
        return ()
    place = text.index("\ufffd")
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    what = "1 byte" if count == 1 else f"{count:,} bytes"
    first = "" if count == 1 else "the first "
    return (Loss(f"line {line:,}", f"{what} not in {name or 'UTF-8'}, {first}at character {column:,}: read as U+FFFD"),)


def _is_mostly(text: str) -> bool:
    """Tell whether an encoding is right for all but few characters: more than four beyond ASCII for each bad one."""
    bad = text.count("\ufffd")
    return len(text) - ascii_count(text) - bad > _CHARACTER * bad


def _report_contradiction(content: bytes, codec: str, declared: str) -> tuple[Loss, ...]:
    """Report that UTF-8 declares another encoding. Programs write `iso-8859-1` and `us-ascii` without meaning them."""
    if content.isascii() or codec in {"", "utf-8", "cp1252"}:
        return ()
    return (Loss("", f"says that it is in {declared[:30]} and is UTF-8; read as that"),)


def _decode_mixed(content: bytes) -> DecodedText | None:
    """Decode UTF-8 with some other bytes; None where they are not fewer than its characters beyond ASCII."""
    text = content.decode("utf-8", "replace")
    bad = text.count("\ufffd") - content.count("\ufffd".encode())
    good = len(text) - ascii_count(text) - bad
    if good <= bad:
        return None
    return DecodedText(text, _describe_broken(text, "UTF-8", text.count("\ufffd") - bad))


def _decode_by_guess(content: bytes, declared: str) -> DecodedText:
    codec = detect_codec(content)
    decoded = None if codec is None else _decode_replacing(content, codec, name_of(codec))
    beyond = 0 if decoded is None else len(decoded.text) - ascii_count(decoded.text)
    if beyond < _TOO_FEW and codec != "cp1252" and 1 - ascii_share(content) > DENSE_SHARE:
        decoded = None
    if codec is None or decoded is None:
        if codec_of(declared):
            return _decode_replacing(content, codec_of(declared), declared)
        raise UnreadableError("its encoding cannot be told; if it is text, save it as UTF-8")
    guess = _describe_guess(codec, beyond)
    if codec_of(declared):
        guess = Loss("", f"is not in {declared[:30]}, as it says; {guess.what}")
    return DecodedText(decoded.text, (guess, *decoded.losses))


def _describe_guess(codec: str, count: int) -> Loss:
    weak = "" if count >= _FEW else f" by {count} character{'s' * (count > 1)} alone"
    return Loss("", f"its encoding is a guess{weak}: {name_of(codec)}; save it as UTF-8")
