"""One line of a web page: text with its scripts, struck-out words, equations, readings and values of forms."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from weighbridge.ingest.formats.markdown_writer import join_lines
from weighbridge.ingest.formats.math.mathml import mathml_text
from weighbridge.ingest.formats.scripts import Run, Script, write_runs

_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_SCRIPTS: dict[str, Script] = {"sup": "superscript", "sub": "subscript"}
_STRUCK = frozenset({"del", "s", "strike"})
_ALIGNED = re.compile(r"vertical-align\s*:\s*(sup|sub)", re.IGNORECASE)
_LINE_THROUGH = re.compile(r"text-decoration[a-z-]*\s*:[^;]*line-through", re.IGNORECASE)
_NOTE = re.compile(r"[^\W_]{1,4}")
"""The mark of a footnote: a number or a letter or two."""
_SHOWN = frozenset({"", "text", "number", "email", "tel", "url", "date", "time", "month", "week", "datetime-local"})
"""Types of form fields that show their value as text."""
_BOXES = frozenset({"textarea", "meter", "progress", "select"})
"""Elements that show as a box: the text in one does not join the words and digits beside it."""
_KANA = re.compile(r"[\s\u3040-\u30ff]*")
_NEAR = 4
"""Nodes between two forms of a formula, blanks counted."""
_REPEATED = frozenset({
    "katex-html", "MathJax", "MathJax_Display", "MathJax_SVG", "MathJax_SVG_Display", "MathJax_CHTML",
    "MathJax_Preview", "mwe-math-fallback-image-inline", "mwe-math-fallback-image-display",
})  # fmt: skip
"""Classes of the picture of a formula that programs also keep as MathML or TeX beside it."""


@dataclass(slots=True)
class MarkupLine:
    """The runs of text since the last line ended, and the forms that are open."""

    runs: list[Run] = field(default_factory=list)
    scripts: list[Script] = field(default_factory=list)
    struck: int = 0
    plain: bool = True
    """Whether all runs are in the usual form."""
    after_equation: bool = False

    def say(self, text: str) -> None:
        """Add text in the form that is open."""
        text = text.translate(_INVISIBLE)
        if not text:
            return
        if self.after_equation:
            text = f" {text}" if text[0].isdigit() else text
            self.after_equation = False
        script: Script = self.scripts[-1] if self.scripts else "normal"
        self.plain = self.plain and not self.scripts and not self.struck
        self.runs.append(Run(text, script, bool(self.struck)))

    def begin(self, tag: str, node: Any) -> None:
        """Begin an element that may change the form of the following text, or has a text by itself."""
        script, struck = _form(tag, node)
        if script and not is_note(tag, node):
            self.scripts.append(script)
        self.struck += struck
        if tag == "sup" and is_note(tag, node):
            mark = "".join(node.text().split())
            if _NOTE.fullmatch(mark):
                self.runs.append(Run(f"[^{mark}]", "note", bool(self.struck)))
                self.plain = False
            else:
                self.say(mark)
        elif tag == "math":
            self._say_equation(mathml_text(node) or node.attributes.get("alttext") or "")
        elif tag == "script":
            self._say_equation(f"${join_lines(node.text())}$")
        elif tag == "input":
            self.say(_value(node))
        elif tag == "rt":
            self.say(" (")
        elif tag in _BOXES:
            self.say(" ")

    def end(self, tag: str, node: Any) -> None:
        """End an element: its form is over."""
        script, struck = _form(tag, node)
        if script and self.scripts and not is_note(tag, node):
            self.scripts.pop()
        self.struck -= struck
        if tag == "rt":
            self.say(")")
        elif tag in _BOXES:
            self.say(" ")

    def _say_equation(self, text: str) -> None:
        before = self.runs[-1].text if self.runs else ""
        self.say(f" {text}" if before[-1:].isdigit() and text[:1].isdigit() else text)
        self.after_equation = text[-1:].isdigit()

    def take(self) -> str:
        """Return the text of the line, with its line ends and blanks, and begin the next line."""
        text = "".join(run.text for run in self.runs) if self.plain else write_runs(self.runs)
        self.runs.clear()
        self.plain = True
        return text


def is_note(tag: str, node: Any) -> bool:
    """Tell whether a superscript is the mark of a footnote: a link to a place in the page, or in one."""
    if tag != "sup":
        return False
    inner = next((child for child in node.iter() if child.tag == "a"), None)
    return any(
        link is not None and link.tag == "a" and (link.attributes.get("href") or "").startswith("#")
        for link in (inner, node.parent)
    )


def is_atomic(tag: str, node: Any) -> bool:
    """Tell whether `Line.begin` says all that an element says."""
    return tag in {"math", "script"} or is_note(tag, node)


def is_tex(tag: str, node: Any) -> bool:
    """Tell whether a script is a formula in TeX that stands nowhere else as MathML."""
    if tag != "script" or not (node.attributes.get("type") or "").startswith("math/tex"):
        return False
    return not any(other.css_first("math") is not None for other in _beside(node))


def is_repeated(tag: str, node: Any) -> bool:
    """Tell whether an element shows a formula that stands beside it as MathML or TeX as well."""
    attributes = node.attributes
    classes = frozenset((attributes.get("class") or "").split()) if attributes else frozenset[str]()
    if not classes & _REPEATED and not (tag in {"nobr", "mjx-math"} and attributes.get("aria-hidden") == "true"):
        return False
    if node.css_first("math") is not None:
        return False
    return any(
        other.css_first("math, script[type^='math/tex']") is not None or is_tex(other.tag, other)
        for other in _beside(node)
    )


def _beside(node: Any) -> Iterator[Any]:
    """Yield the elements next to one, a few in each direction: looking at all would take time by their square."""
    before, after = node.prev, node.next
    for _ in range(_NEAR):
        for other in (before, after):
            if other is not None and other.is_element_node:
                yield other
        before = before.prev if before is not None else None
        after = after.next if after is not None else None


def is_reading(tag: str, node: Any) -> bool:
    """Tell whether an element has the reading of the characters before it: ruby in kana."""
    return tag == "rt" and _KANA.fullmatch(node.text()) is not None


def _form(tag: str, node: Any) -> tuple[Script | None, bool]:
    """Return the script that an element puts its text in, and whether it strikes it out."""
    script, struck = _SCRIPTS.get(tag), tag in _STRUCK
    style = node.attributes.get("style") if script is None and node.attributes else None
    if style and script is None and (aligned := _ALIGNED.search(style)):
        script = _SCRIPTS[aligned[1].casefold()]
    return script, struck or (style is not None and _LINE_THROUGH.search(style) is not None)


def _value(node: Any) -> str:
    """Return the value that a form field shows."""
    kind = (node.attributes.get("type") or "").casefold()
    if kind in {"checkbox", "radio"}:
        return "[x] " if "checked" in node.attributes else "[ ] "
    return f" {node.attributes.get('value') or ''} " if kind in _SHOWN else ""
