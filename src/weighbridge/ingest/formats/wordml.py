"""The markup inside Word documents: paragraphs in their order, the words of each, and what of it is no text."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from weighbridge.ingest.content import Loss

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
PARAGRAPH, TABLE = f"{W}p", f"{W}tbl"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_TEXTS = frozenset({f"{W}t", f"{_MATH}t"})
_LITERAL = {f"{W}tab": "\t", f"{W}br": "\n", f"{W}cr": "\n", f"{W}noBreakHyphen": "-"}
_NOTES = {f"{W}footnoteReference": "footnotes", f"{W}endnoteReference": "endnotes"}
_SILENT = frozenset(f"{W}{name}" for name in ("pPr", "rPr", "sdtPr", "sectPr", "instrText", "delText", "tblPr", "tcPr"))
_LOST = {
    f"{W}del": "tracked deletion(s) left out",
    f"{W}moveFrom": "moved passage(s) read at their new place only",
    f"{W}altChunk": "embedded document(s) left out",
    f"{W}sym": "symbol(s) of a special font left out",
    "{http://schemas.openxmlformats.org/drawingml/2006/picture}pic": "picture(s) left out",
    "{urn:schemas-microsoft-com:vml}imagedata": "picture(s) left out",
    "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart": "chart(s) left out",
    "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds": "diagram(s) left out",
    "{urn:schemas-microsoft-com:office:office}OLEObject": "embedded object(s) left out",
}


@dataclass(slots=True)
class Seen:
    """What has been met so far: how often something was lost at a place, and the notes that were referred to."""

    lost: Counter[tuple[str, str]] = field(default_factory=Counter)
    notes: list[tuple[str, str]] = field(default_factory=list)
    """Each as ("footnotes" or "endnotes", its id), in the order of the text."""

    def lose(self, what: str, place: str = "document") -> None:
        """Count one more of what was lost; where `what` has no "(s)", it is said once."""
        self.lost[place, what] += 1

    def losses(self) -> tuple[Loss, ...]:
        """Return what was lost, in the order in which it was first met."""
        return tuple(Loss(place, f"{n} {what}" if "(s)" in what else what) for (place, what), n in self.lost.items())


def flow(root: Any, seen: Seen) -> Iterator[tuple[Any, str]]:
    """Yield paragraphs with their text, and tables, in order; what stands in text boxes follows its paragraph."""
    stack = list(reversed(root))
    while stack:
        node = stack.pop()
        if node.tag == PARAGRAPH:
            boxes: list[Any] = []
            yield node, _said(node, seen, boxes)
            stack.extend(reversed([child for box in boxes for child in box]))
        elif node.tag == TABLE:
            yield node, ""
        else:
            stack.extend(_inside(node, seen))


def words(root: Any, seen: Seen, place: str) -> str:
    """Return all the text below an element, tables inside it taken apart."""
    said: list[str] = []
    stack = [flow(root, seen)]
    while stack:
        step = next(stack[-1], None)
        if step is None:
            stack.pop()
        elif step[0].tag == TABLE:
            seen.lost[place, "tables inside its cells flattened"] = 1
            stack.append(flow(step[0], seen))
        else:
            said.append(step[1])
    return " ".join(said)


def children(node: Any, name: str) -> Iterator[Any]:
    """Yield rows or cells ("tr", "tc"), content controls and tracked insertions looked through."""
    stack = list(reversed(node))
    while stack:
        child = stack.pop()
        if child.tag == f"{W}{name}":
            yield child
        elif child.tag in {f"{W}{through}" for through in ("sdt", "sdtContent", "ins", "customXml")}:
            stack.extend(reversed(child))


def switched_on(switch: Any) -> bool:
    """Return whether a property such as `<w:vanish/>` holds; None is an absent one."""
    return switch is not None and switch.get(f"{W}val") not in {"0", "false", "off"}


def _said(root: Any, seen: Seen, boxes: list[Any]) -> str:
    """Return the text of a paragraph; its text boxes are added to `boxes`."""
    said: list[str] = []
    stack = list(reversed(root))
    while stack:
        node = stack.pop()
        if node.tag in _TEXTS:
            said.append(node.text or "")
        elif node.tag in _LITERAL:
            said.append(_LITERAL[node.tag])
        elif node.tag in _NOTES:
            seen.notes.append((_NOTES[node.tag], str(node.get(f"{W}id"))))
            said.append(f"[^{len(seen.notes)}]")
        elif node.tag == f"{W}txbxContent":
            boxes.append(node)
        else:
            stack.extend(_inside(node, seen))
    return "".join(said)


def _inside(node: Any, seen: Seen) -> list[Any]:
    """Return what is to be read of an element that is no text itself, last first."""
    if node.tag in _LOST:
        seen.lose(_LOST[node.tag])
        return []
    if node.tag in _SILENT:
        return []
    if node.tag == f"{_MC}AlternateContent":
        return list(node[:1])
    if node.tag == f"{W}r" and switched_on(node.find(f"{W}rPr/{W}vanish")):
        seen.lose("hidden passage(s) left out")
        return []
    if node.tag == f"{_MATH}oMath":
        seen.lose("equation(s) flattened to their characters")
    return list(reversed(node))
