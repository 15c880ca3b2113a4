"""Parses the XML of Office files without expanding entities, and recovers damaged XML as far as it can."""

import re
from typing import Any

_NAME = re.compile(r"(?:\{[A-Za-z][\w.+-]*:[\w./:#?=&%+-]+\})?[A-Za-z_][\w.-]*", re.ASCII)
"""Names of elements and attributes with their namespace, as Office has them."""
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_xml(data: bytes, *, recover: bool = False, remove_comments: bool = False) -> Any:
    """Return the root element of a part, entities not expanded. With `recover`, None where no XML can be made of it.

    Raises:
        SyntaxError: it is no XML.
    """
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=recover, remove_comments=remove_comments)
    return etree.fromstring(data, parser)


def local_name(node: Any) -> str:
    """Return the name of an element without its namespace, as strict files have others. Comments have none."""
    return node.tag.rpartition("}")[2] if isinstance(node.tag, str) else ""


def whole_number(text: str | None, default: int = 0) -> int:
    """Return a number of up to eight digits, or the default for any other text: no count in Office is higher."""
    return int(text) if text and text.isdecimal() and len(text) <= 8 else default  # noqa: PLR2004


def recover_xml(data: bytes) -> tuple[bytes | None, str]:
    """Return XML that can be parsed, None where nothing of it can, and the fault."""
    from lxml import etree

    try:
        parse_xml(data)
    except etree.XMLSyntaxError as error:
        fault = f"damaged: it is no sound XML (line {error.lineno or 1})"
        if "XML_PARSE_HUGE" in str(error):  # too deep or too large, not damaged: the library refuses it with its reason
            return data, ""
        root = parse_xml(data, recover=True) if data.strip() else None
        if root is None:
            return None, fault
        return etree.tostring(_rebuild(root)), fault
    return data, ""


def _rebuild(root: Any) -> Any:
    """Return a copy of a recovered tree without names and attributes that no XML can have."""
    from lxml import etree

    copies: dict[Any, Any] = {}
    for node in root.iter():
        parent = copies.get(node.getparent())
        tail = _NO_CHARACTER.sub("", node.tail or "")
        if not isinstance(node.tag, str):  # a comment, or an entity that nothing declares
            if parent is not None and len(parent):
                parent[-1].tail = (parent[-1].tail or "") + tail
            elif parent is not None:
                parent.text = (parent.text or "") + tail
            continue
        attributes = {key: _NO_CHARACTER.sub("", value) for key, value in node.attrib.items() if _NAME.fullmatch(key)}
        name = node.tag if _NAME.fullmatch(node.tag) else "damaged"
        copy = etree.Element(name, attributes) if parent is None else etree.SubElement(parent, name, attributes)
        copy.text, copy.tail = _NO_CHARACTER.sub("", node.text or ""), tail
        copies[node] = copy
    return copies[root]
