"""Styles and lists of Word: heading or item, raised or struck out, and the numbers of items."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from weighbridge.ingest.formats.office.xml_parsing import whole_number
from weighbridge.ingest.formats.scripts import Script

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FONTS, _ALIGNED, _HIDDEN = f"{_W}rFonts", f"{_W}vertAlign", f"{_W}vanish"
_STRUCK = frozenset({f"{_W}strike", f"{_W}dstrike"})
_OFF = frozenset({"0", "false", "off"})
_SCRIPTS: Mapping[str, Script] = {"superscript": "superscript", "subscript": "subscript"}
_LEVELS = 9
"""Levels of a list and of headings in Word."""
_LONGEST_CHAIN = 20
"""Styles that are followed from one to the next it is based on: in a broken file they may form a ring."""
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class RunStyle:
    """The look of a run's characters, as far as it changes their meaning."""

    script: Script = "normal"
    struck: bool = False
    hidden: bool = False
    font: str = ""


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """The role of a paragraph: a heading of a level (0: none), the title, an item of a list at a level ("": none)."""

    level: int = 0
    title: bool = False
    list_id: str = ""
    list_level: int = 0
    look: RunStyle = RunStyle()


_NO_STYLE = ParagraphStyle()


@dataclass(frozen=True, slots=True)
class ListLevel:
    """The numbers of one level of a list: Word's name for the digits, the text around them ("%1.%2)"), the first."""

    digits: str = "bullet"
    text: str = ""
    start: int = 1


ListLevels = Mapping[int, ListLevel]


@dataclass(slots=True)
class Numbering:
    """Counts the paragraphs of each list. `lists` has the levels by the number that paragraphs refer to."""

    lists: Mapping[str, tuple[str, ListLevels]] = field(default_factory=dict)
    counts: dict[str, list[int | None]] = field(default_factory=dict)

    def label(self, list_id: str, level: int) -> str:
        """Return the mark of the next paragraph of a list: "2.1", "(a)", empty for a bullet."""
        name, levels = self.lists.get(list_id, (list_id, {}))
        here = levels.get(level, ListLevel())
        counts = self.counts.setdefault(name, [None] * _LEVELS)
        last = counts[level]
        counts[level] = here.start if last is None else last + 1
        counts[level + 1 :] = [None] * (_LEVELS - 1 - level)
        if here.digits in {"bullet", "none"}:
            return ""
        label = here.text
        for above in range(level + 1):
            kind = levels.get(above, ListLevel("decimal"))
            count = counts[above]
            label = label.replace(f"%{above + 1}", write_number(kind.start if count is None else count, kind.digits))
        return label.strip()


def numbering_of(root: Any) -> Numbering:
    """Return the lists that a document's numbering part declares; `root` is its root element."""
    abstract = {
        str(node.get(f"{_W}abstractNumId")): {
            whole_number(level.get(f"{_W}ilvl")): _level(level) for level in node.findall(f"{_W}lvl")
        }
        for node in root.findall(f"{_W}abstractNum")
    }
    lists: dict[str, tuple[str, ListLevels]] = {}
    for node in root.findall(f"{_W}num"):
        name = _value(node, "abstractNumId")
        overrides = node.findall(f"{_W}lvlOverride")
        list_id = str(node.get(f"{_W}numId"))
        levels = {**abstract.get(name, {}), **_override_levels(overrides, abstract.get(name, {}))}
        lists[list_id] = (f"{name}/{list_id}" if overrides else name, levels)
    return Numbering(lists)


def _override_levels(overrides: Sequence[Any], levels: ListLevels) -> ListLevels:
    """Return the levels that one list has of its own: a new one, or one with another first number."""
    found: dict[int, ListLevel] = {}
    for override in overrides:
        place = whole_number(override.get(f"{_W}ilvl"))
        anew = override.find(f"{_W}lvl")
        level = levels.get(place, ListLevel("decimal")) if anew is None else _level(anew)
        start = _value(override, "startOverride")
        found[place] = replace(level, start=whole_number(start)) if start else level
    return found


def _level(node: Any) -> ListLevel:
    return ListLevel(
        _value(node, "numFmt") or "decimal", _value(node, "lvlText"), whole_number(_value(node, "start") or "1")
    )


def _value(node: Any, name: str) -> str:
    child = node.find(f"{_W}{name}")
    return "" if child is None else str(child.get(f"{_W}val") or "")


def write_number(number: int, digits: str) -> str:
    """Return a number in Word's name for its digits, such as "lowerRoman"; names that are not known are decimal."""
    if digits in {"lowerLetter", "upperLetter"}:
        letters = chr(ord("a") + (number - 1) % 26) * min((number - 1) // 26 + 1, 10)
        return letters.upper() if digits == "upperLetter" else letters
    if digits in {"lowerRoman", "upperRoman"}:
        return _roman(number).upper() if digits == "upperRoman" else _roman(number)
    return f"{number:02}" if digits == "decimalZero" else str(number)


def _roman(number: int) -> str:
    letters_so_far = ""
    for value, letters in _ROMAN:
        count, number = divmod(min(number, 4999), value)
        letters_so_far += letters * count
    return letters_so_far


def paragraph_run_style(node: Any, styles: Mapping[str, ParagraphStyle]) -> RunStyle:
    """Return the look that a paragraph's style gives its runs."""
    named = node.find(f"{_W}pPr/{_W}pStyle")
    return styles.get("" if named is None else str(named.get(f"{_W}val") or ""), _NO_STYLE).look


def run_style(properties: Any, look: RunStyle, styles: Mapping[str, ParagraphStyle]) -> RunStyle:
    """Return a look with the properties of an element `w:rPr` laid over it, those of a named style first."""
    if properties is None:
        return look
    named = properties.find(f"{_W}rStyle")
    if named is not None and (style := styles.get(str(named.get(f"{_W}val")))) is not None:
        over = style.look
        look = RunStyle(
            script=look.script if over.script == "normal" else over.script,
            struck=look.struck or over.struck,
            hidden=look.hidden or over.hidden,
            font=over.font or look.font,
        )
    return _with_run(properties, look)


def _with_run(properties: Any, look: RunStyle) -> RunStyle:
    script, struck, hidden, font = look.script, look.struck, look.hidden, look.font
    for node in properties:  # one loop, as every run of a document comes here
        tag = node.tag
        if tag == _FONTS:
            font = str(node.get(f"{_W}ascii") or node.get(f"{_W}hAnsi") or font)
        elif tag == _ALIGNED:
            script = _SCRIPTS.get(str(node.get(f"{_W}val")), "normal")
        elif tag in _STRUCK:
            struck = node.get(f"{_W}val") not in _OFF
        elif tag == _HIDDEN:
            hidden = node.get(f"{_W}val") not in _OFF
    if (script, struck, hidden, font) == (look.script, look.struck, look.hidden, look.font):
        return look
    return RunStyle(script, struck, hidden, font)


def styles_of(root: Any) -> Mapping[str, ParagraphStyle]:
    """Return every style of a document by its id, and under "" that of paragraphs without one."""
    nodes = {str(node.get(f"{_W}styleId")): node for node in root.findall(f"{_W}style")}
    styles = {name: _inherit(node, nodes) for name, node in nodes.items()}
    for name, node in nodes.items():
        if node.get(f"{_W}default") in {"1", "true"} and node.get(f"{_W}type") == "paragraph":
            styles[""] = styles[name]
    return styles


def style_of(node: Any, styles: Mapping[str, ParagraphStyle]) -> ParagraphStyle:
    """Return the style of a paragraph, with its own properties laid over it."""
    own = node.find(f"{_W}pPr")
    if own is None:
        return styles.get("", ParagraphStyle())
    return _with(own, styles.get(_value(own, "pStyle"), ParagraphStyle()))


def _inherit(node: Any, nodes: Mapping[str, Any]) -> ParagraphStyle:
    """Return a style with the properties of the styles that it is based on."""
    chain = [node]
    while (above := nodes.get(_value(chain[-1], "basedOn"))) is not None and len(chain) < _LONGEST_CHAIN:
        chain.append(above)
    style = ParagraphStyle()
    for link in reversed(chain):
        name = _value(link, "name").casefold()
        style = replace(style, title=name == "title", level=1 if name == "title" else style.level)
        if named := re.fullmatch(r"heading ([1-9])", name):
            style = replace(style, level=int(named[1]))
        own = link.find(f"{_W}pPr")
        style = style if own is None else _with(own, style)
        looks = link.find(f"{_W}rPr")
        style = style if looks is None else replace(style, look=_with_run(looks, style.look))
    return style


def _with(own: Any, style: ParagraphStyle) -> ParagraphStyle:
    """Return a style with the properties of an element `w:pPr` laid over it."""
    outline = _value(own, "outlineLvl")
    if outline:
        style = replace(style, level=whole_number(outline) + 1 if whole_number(outline) < _LEVELS else 0)
    numbered = own.find(f"{_W}numPr")
    if numbered is None:
        return style
    list_id = _value(numbered, "numId") or style.list_id
    level = whole_number(_value(numbered, "ilvl")) if _value(numbered, "ilvl") else style.list_level
    return replace(style, list_id="" if list_id == "0" else list_id, list_level=min(level, _LEVELS - 1))
