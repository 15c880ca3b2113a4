"""Fonts that draw signs in place of letters, such as Wingdings: their signs in Unicode."""

import re
from collections.abc import Mapping

_SYMBOL = " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_‾αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼"  # noqa: RUF001
_SYMBOL_HIGH = "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪\ufffd⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭"  # noqa: RUF001
_WINGDINGS = {
    0x20: " ", 0x22: "✂", 0x28: "☎", 0x2A: "✉", 0x3F: "✍", 0x41: "✌", 0x46: "☞", 0x4A: "☺", 0x4C: "☹", 0x51: "✈",
    0x52: "☼", 0x58: "✠", 0x5B: "☯", 0x6C: "●", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x72: "❒", 0x74: "⧫", 0x75: "◆",
    0x76: "❖", 0x77: "⬥", 0x78: "⌧", 0x9E: "·", 0x9F: "•", 0xA1: "○", 0xA4: "◉", 0xA7: "▪", 0xA8: "◻", 0xAB: "★",
    0xD8: "➢", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xEF: "⇦", 0xF0: "⇨", 0xF3: "⬄", 0xFB: "✗",
    0xFC: "✓", 0xFD: "☒", 0xFE: "☑",
    **{0x80 + digit: sign for digit, sign in enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿")},
}  # fmt: skip
_WINGDINGS_2 = {
    0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0x97: "●", 0x98: "●", 0xA2: "▪", 0xA3: "□",
    **{0x69 + digit: sign for digit, sign in enumerate("⓪①②③④⑤⑥⑦⑧⑨⑩⓿❶❷❸❹❺❻❼❽❾❿")},
}  # fmt: skip
_WINGDINGS_3 = {0x70: "▲", 0x71: "▼", 0x74: "◀", 0x75: "▶", 0x7D: "▶", 0x7E: "▶"}
_WEBDINGS = {0x34: "▶", 0x61: "✓", 0x63: "□", 0x67: "■", 0x6E: "●", 0x72: "✗", 0x3D: "⬅", 0x3E: "▶"}
_FONTS: Mapping[str, Mapping[int, str]] = {
    "symbol": {
        **{0x20 + place: sign for place, sign in enumerate(_SYMBOL)},
        **{0xA0 + place: sign for place, sign in enumerate(_SYMBOL_HIGH) if sign != "\ufffd"},
    },
    "wingdings": _WINGDINGS,
    "wingdings 2": _WINGDINGS_2,
    "wingdings 3": _WINGDINGS_3,
    "webdings": _WEBDINGS,
}
"""By the font's name and the code of the character: as the makers publish them; of Wingdings, those in use."""
_PRIVATE = re.compile("[\uf020-\uf0ff]")
_LAST = 0xFF
"""The last code of a font that draws signs in place of letters."""
UNKNOWN = "\ufffd"
"""Stands for a sign that is not known here."""


def symbol(font: str, code: int) -> str:
    """Return the sign that a font draws for a character, or `UNKNOWN`. The code may lie in the range from F000."""
    signs = _FONTS.get(font.casefold())
    if signs is None:
        return UNKNOWN if _PRIVATE.match(chr(code)) else chr(code)
    return signs.get(code & _LAST, UNKNOWN)


def shown_text(text: str, font: str) -> str:
    """Return a text as a font of signs shows it; of other fonts, signs are taken for those of Symbol.

    Only characters of the private range are signs: programs name such a font for runs of ordinary letters, too, and
    show those in another. Characters that are not known here stay as they are.
    """
    signs = _FONTS.get(font.casefold(), _FONTS["symbol"])
    return _PRIVATE.sub(lambda match: signs.get(ord(match[0]) & _LAST, match[0]), text)
