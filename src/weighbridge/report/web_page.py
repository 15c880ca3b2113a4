"""The parts of every web page: templates with their filters, styles and scripts, and a policy that fetches nothing."""

import hashlib
import re
from base64 import b64encode
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from weighbridge import formatting as words
from weighbridge.report import findings
from weighbridge.report.charts.drawing import glyph
from weighbridge.report.safe_text import count_noun, one_line

_JOINED = re.compile(r"(?=\S{3,40}(?:\s|$))\S+[-\N{EN DASH}]\S+")
"""Words of moderate length with a hyphen or a dash in them."""


@cache
def environment() -> Environment:
    """Return the environment of all pages: their filters, and the functions for their templates."""
    made = Environment(
        loader=PackageLoader("weighbridge.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"plain": one_line, "whole": _whole}
    made.globals |= {
        "glyph": glyph,
        "findings": findings,
        "words": words,
        "count_noun": count_noun,
    }
    return made


def _whole(text: str) -> Markup:
    """Return a text that never breaks at a hyphen or a dash: neither in a name nor in an interval."""
    return Markup(_JOINED.sub(r'<span class="whole">\g<0></span>', str(escape(text))))  # noqa: S704 - escaped before


def source(name: str) -> str:
    """Return a file from beside the templates."""
    return (files("weighbridge.report") / "templates" / name).read_text(encoding="utf-8").strip()


def policy(style: str, script: str = "") -> str:
    """Return a content security policy that allows this style and this script by their hashes, and nothing else."""
    allowed = {"style-src": style, "script-src": script}
    hashes = {key: b64encode(hashlib.sha256(text.encode()).digest()).decode() for key, text in allowed.items() if text}
    listed = "".join(f"{key} 'sha256-{value}'; " for key, value in hashes.items())
    return f"default-src 'none'; {listed}base-uri 'none'; form-action 'none'"
