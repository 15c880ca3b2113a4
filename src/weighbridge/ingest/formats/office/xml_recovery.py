"""XML of Office files: parsed without expanding entities, and what can be kept of it where it is damaged."""

import re
from typing import Any

_NAME = re.compile(r"(?:\{[A-Za-z][\w.+-]*:[\w./:#?=&%+-]+\})?[A-Za-z_][\w.-]*", re.ASCII)
"""Names of elements and attributes with their namespace, as Office has them."""
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_xml(data: bytes) -> Any:
    """Return the root element of a part, entities not expanded.

    Raises:
        SyntaxError: it is no XML.
    """
    from lxml import etree

    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))


def recover_xml(data: bytes) -> tuple[bytes | None, str]:
    """Return XML that can be parsed, None where nothing of it can, and what was wrong with it."""
    from lxml import etree

    options = {"resolve_entities": False, "no_network": True}
    try:
        etree.fromstring(data, etree.XMLParser(**options))
    except etree.XMLSyntaxError as error:
        fault = f"damaged: it is no sound XML (line {error.lineno or 1})"
        if "XML_PARSE_HUGE" in str(error):  # too deep or too large, not damaged: the library refuses it with its reason
            return data, ""
        root = etree.fromstring(data, etree.XMLParser(recover=True, **options)) if data.strip() else None
        if root is None:
            return None, fault
        return etree.tostring(_rebuild(root)), fault
    return data, ""


def _rebuild(root: Any) -> Any:
    """Return a copy of a tree that a parser recovered, which may have names and attributes that no XML can have."""
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
