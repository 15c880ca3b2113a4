"""Text in drawings of Office files: paragraphs of slides and shapes, and the points of diagrams (SmartArt)."""

from collections.abc import Iterator
from typing import Any

from weighbridge.ingest.formats.markdown_writer import join_lines
from weighbridge.ingest.formats.math.omml import EQUATION, omml_text
from weighbridge.ingest.formats.office.symbol_fonts import shown_text
from weighbridge.ingest.formats.office.xml_parsing import local_name
from weighbridge.ingest.formats.scripts import Run, Script, write_runs

_THROUGH = frozenset({"m", "oMathPara"})


def body_text(body: Any) -> str:
    """Return the text of a `txBody`, a line a paragraph."""
    return "" if body is None else "\n".join(map(paragraph_text, body.iterfind("{*}p")))


def paragraph_text(node: Any) -> str:
    """Return the text of an `a:p`, with its fields, scripts, struck-out text and equations."""
    return write_runs(_runs(node))


def _runs(node: Any) -> Iterator[Run]:
    stack = list(reversed(node))
    while stack:
        child = stack.pop()
        name = local_name(child)
        if name == "br":
            yield Run("\n")
        elif name in {"r", "fld"}:
            yield _run(child)
        elif child.tag == EQUATION:
            yield Run(f" {omml_text(child)} ")
        elif name in _THROUGH:
            stack += reversed(child)
        elif name == "AlternateContent":  # the first choice; the others show the same to older programs
            stack += [grandchild for choice in child[:1] for grandchild in reversed(choice)]


def _run(node: Any) -> Run:
    properties = node.find("{*}rPr")
    text = "".join(part.text or "" for part in node.iterfind("{*}t"))
    if properties is None:
        return Run(shown_text(text, ""))
    faces = [face.get("typeface") or "" for name in ("sym", "latin") for face in properties.iterfind(f"{{*}}{name}")]
    script: Script = "normal"
    baseline = (properties.get("baseline") or "0").rstrip("%")  # thousandths of a per cent, in strict files per cent
    if baseline.strip("-0."):
        script = "subscript" if baseline.startswith("-") else "superscript"
    return Run(shown_text(text, faces[0] if faces else ""), script, properties.get("strike", "noStrike") != "noStrike")


def diagram_text(root: Any) -> str:
    """Return the texts of a diagram's data part as a list, each point below the one that it belongs to."""
    texts = {
        str(point.get("modelId")): join_lines(body_text(point.find("{*}t")))
        for point in root.iterfind("{*}ptLst/{*}pt")
        if point.get("type", "node") not in {"pres", "parTrans", "sibTrans"}
    }
    below: dict[str, list[tuple[int, str]]] = {}
    for link in root.iterfind("{*}cxnLst/{*}cxn"):
        source, target, order = str(link.get("srcId")), str(link.get("destId")), str(link.get("srcOrd"))
        if link.get("type", "parOf") == "parOf" and source in texts and target in texts:
            below.setdefault(source, []).append((int(order) if order.isdecimal() else 0, target))
    inner = {target for links in below.values() for _, target in links}
    lines: list[str] = []
    stack = [(point, 0) for point in reversed(texts) if point not in inner]
    while stack:
        point, depth = stack.pop()
        text = texts.pop(point, "")
        if text:
            lines.append(f"{'  ' * depth}- {text}")
        stack += [(target, depth + bool(text)) for _, target in sorted(below.pop(point, []), reverse=True)]
    lines += [f"- {text}" for text in texts.values() if text]  # of a ring, which only a broken file has
    return "\n".join(lines)
