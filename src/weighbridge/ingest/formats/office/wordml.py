"""The markup inside Word documents: paragraphs in their order, the words of each, and the losses."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from weighbridge.ingest.content import Loss
from weighbridge.ingest.formats.math.omml import EQUATION, omml_text
from weighbridge.ingest.formats.office.numbering import ParagraphStyle, RunStyle, paragraph_run_style, run_style
from weighbridge.ingest.formats.office.symbol_fonts import UNKNOWN, shown_text, symbol
from weighbridge.ingest.formats.scripts import Run, Script, write_runs

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PARAGRAPH, TABLE = f"{W}p", f"{W}tbl"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
NEWER_CHART = "{http://schemas.microsoft.com/office/drawing/2014/chartex}chart"
DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
COMMENT = f"{W}commentReference"
EMBEDDED = frozenset({f"{W}altChunk", "{urn:schemas-microsoft-com:office:office}OLEObject"})
"""Whole files inside the package: documents that Word merges when it opens this one, and objects of other programs."""
ASIDE = frozenset({CHART, NEWER_CHART, DIAGRAM, COMMENT, *EMBEDDED})
"""Elements of a paragraph that refer to another part of the package: its text follows the paragraph."""
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_TEXTS = frozenset({f"{W}t", f"{_MATH}t", f"{_DRAWING}t"})
_LITERAL = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-",
            f"{_DRAWING}br": "\n"}  # fmt: skip
_NOTES = {f"{W}footnoteReference": "footnotes", f"{W}endnoteReference": "endnotes"}
_SILENT = frozenset(f"{W}{name}" for name in ("pPr", "rPr", "sdtPr", "sectPr", "delText", "tblPr", "tcPr"))
_LOST = {
    f"{W}del": "tracked deletion(s) left out",
    f"{W}moveFrom": "moved passage(s) read at their new place only",
    f"{W}subDoc": "document(s) of a master document left out: they are files of their own",
    "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic": "picture(s) left out",
    "{urn:schemas-microsoft-com:vml}imagedata": "picture(s) left out",
}
_SYMBOL_FIELD = re.compile(r"\s*SYMBOL\s+(0[xX][0-9A-Fa-f]+|\d+)\b(?:.*?\\f\s+\"?([^\"\\]+?)\"?\s*(?:\\|$))?")
_LONGEST_CODE = 8
"""Digits of a character's code from which on it is none: `chr` refuses such numbers."""
_BOXES = ("☐", "☒")


@dataclass(slots=True)
class WordReading:
    """The things met so far: losses with their place and count, and notes that the text refers to."""

    styles: Mapping[str, ParagraphStyle] = field(default_factory=dict)
    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Each as ("footnotes" or "endnotes", its id), in the order of the text."""
    aside: list[Any] = field(default_factory=list)
    """Elements met inside a cell or a note that refer to another part, and are to be read after it."""

    def lose(self, what: str, place: str = "document") -> None:
        """Count one more loss; the report gives the count of one with an "(s)"."""
        self.lost[place, what] += 1

    def losses(self) -> tuple[Loss, ...]:
        """Return the losses in the order of their first places."""
        return tuple(Loss(place, f"{n} {what}" if "(s)" in what else what) for (place, what), n in self.lost.items())


def flow(root: Any, seen: WordReading) -> Iterator[tuple[Any, str]]:
    """Yield paragraphs with their text, tables, and references to other parts, in order.

    The paragraphs of text boxes, and charts, diagrams and comments, follow their paragraph.
    """
    stack = list(reversed(root))
    while stack:
        node = stack.pop()
        if node.tag == PARAGRAPH:
            beside: list[Any] = []
            yield node, _paragraph(node, seen, beside)
            stack.extend(reversed(beside))
        elif node.tag == TABLE or node.tag in ASIDE:
            yield node, ""
        elif node.tag == EQUATION:  # one that stands outside of paragraphs
            yield node, omml_text(node)
        else:
            stack.extend(_inside(node, seen))


def words(root: Any, seen: WordReading, place: str) -> str:
    """Return all the text below an element, tables inside it taken apart."""
    texts: list[str] = []
    stack = [flow(root, seen)]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
        elif step[0].tag == TABLE:
            seen.lost[place, "tables inside its cells flattened"] = 1
            stack.append(flow(step[0], seen))
        elif step[0].tag in ASIDE:
            seen.aside.append(step[0])
        else:
            texts.append(step[1])
    return " ".join(texts)


def children(node: Any, name: str) -> Iterator[Any]:
    """Yield rows or cells ("tr", "tc"), content controls and tracked insertions looked through."""
    stack = list(reversed(node))
    while stack:
        child = stack.pop()
        if child.tag == f"{W}{name}":
            yield child
        elif child.tag in {f"{W}{through}" for through in ("sdt", "sdtContent", "ins", "customXml")}:
            stack.extend(reversed(child))


def _paragraph(root: Any, seen: WordReading, beside: list[Any]) -> str:
    """Return the text of a paragraph, and add its text boxes and references to other parts to `beside`."""
    runs: list[Run] = []
    base = paragraph_run_style(root, seen.styles)
    stack = [(child, base) for child in reversed(root)]
    while stack:
        node, look = stack.pop()
        if node.tag == f"{W}r":
            look = run_style(node.find(f"{W}rPr"), base, seen.styles)
            if look.hidden:
                seen.lose("hidden passage(s) left out")
                continue
        if node.tag == f"{W}txbxContent":
            beside.extend(node)
        elif node.tag in ASIDE:
            beside.append(node)
        elif node.tag == EQUATION:
            _add_equation(runs, omml_text(node), following=node.getnext())
        elif (text := _text(node, look, seen)) is not None:
            script: Script = "note" if node.tag in _NOTES else look.script
            runs.append(Run(text, script, look.struck and script != "note"))
        else:
            stack.extend((child, look) for child in _inside(node, seen))
    return write_runs(runs)


def _text(node: Any, look: RunStyle, seen: WordReading) -> str | None:
    """Return the text of an element of a run, None where that is inside of it."""
    if node.tag in _TEXTS:
        return shown_text(node.text or "", look.font)
    if node.tag in _LITERAL:
        return _LITERAL[node.tag]
    if node.tag in _NOTES:
        seen.notes.append((_NOTES[node.tag], str(node.get(f"{W}id"))))
        return f"[^{len(seen.notes)}]"
    special = _SPECIAL.get(node.tag)
    return None if special is None else special(node, seen)


def _symbol(node: Any, seen: WordReading) -> str:
    code = str(node.get(f"{W}char") or "")
    if re.fullmatch(r"[0-9a-fA-F]{1,4}", code):  # ECMA-376: two bytes
        sign = symbol(str(node.get(f"{W}font") or ""), int(code, 16))
        if sign != UNKNOWN:
            return sign
    seen.lose("symbol(s) of a special font left out")
    return ""


def _form_field(node: Any, _: WordReading) -> str:
    """Return the value of a form field without text of its own: a box to tick, or the chosen item of a list."""
    box, chosen = node.find(f"{W}checkBox"), node.find(f"{W}ddList")
    if box is not None:
        state = box.find(f"{W}checked") if box.find(f"{W}checked") is not None else box.find(f"{W}default")
        return _BOXES[state is not None and state.get(f"{W}val") not in {"0", "false", "off"}]
    items = [] if chosen is None else chosen.findall(f"{W}listEntry")
    result = None if chosen is None else chosen.find(f"{W}result")
    number = "0" if result is None else str(result.get(f"{W}val"))
    return str(items[int(number)].get(f"{W}val")) if number.isdecimal() and int(number) < len(items) else ""


def _ruby(node: Any, _: WordReading) -> str:
    """Return the reading that stands small above characters, in brackets."""
    return f"({''.join(node.itertext(f'{W}t'))})"


def _instruction(node: Any, seen: WordReading) -> str:
    """Return the value of a field that Word computes without storing it; other instructions are not shown."""
    text = node.text or ""
    if (sign := _SYMBOL_FIELD.match(text)) and len(sign[1]) < _LONGEST_CODE:
        shown = symbol(sign[2] or "", int(sign[1], 0) if sign[1][:2] in {"0x", "0X"} else int(sign[1]))
        return "" if shown == UNKNOWN else shown
    if text.split(maxsplit=1)[:1] in (["EQ"], ["eq"]):
        seen.lose("equation field(s) left out")
    return ""


def _word_art(node: Any, _: WordReading) -> str:
    return f"\n{node.get('string') or ''}\n"


_SPECIAL: Mapping[str, Callable[[Any, WordReading], str]] = {
    f"{W}sym": _symbol,
    f"{W}ffData": _form_field,
    f"{W}rt": _ruby,
    f"{W}instrText": _instruction,
    "{urn:schemas-microsoft-com:vml}textpath": _word_art,
}


def _add_equation(runs: list[Run], text: str, following: Any) -> None:
    """Add an equation, a blank apart from digits and letters; equations in a row stand on lines of their own."""
    touching = bool(runs) and runs[-1].text[-1:].isalnum()
    end = ""
    if following is not None and following.tag == EQUATION:
        end = "\n" if following.getparent().tag.endswith("}oMathPara") else " "
    elif following is not None and "".join(following.itertext(f"{W}t"))[:1].isalnum():
        end = " "
    runs.append(Run(f"{' ' * touching}{text}{end}"))


def _inside(node: Any, seen: WordReading) -> list[Any]:
    """Return the elements to be read inside one that is no text itself, last first."""
    if node.tag in _LOST:
        seen.lose(_LOST[node.tag])
        return []
    if node.tag in _SILENT:
        return []
    if node.tag == f"{_MC}AlternateContent":
        return list(node[:1])
    if node.tag == f"{W}ruby":
        return [*node.findall(f"{W}rt"), *node.findall(f"{W}rubyBase")]
    return list(reversed(node))
