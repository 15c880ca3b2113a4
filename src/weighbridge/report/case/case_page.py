"""A case study as Markdown and as a web page. Its texts are inert in both: none becomes a link, an image or HTML."""

import re

from weighbridge.report.case.case_study import Block, Bullets, CaseStudy, CaseTable, CodeLines, Paragraph
from weighbridge.report.safe_text import visible

_SPECIAL = re.compile(r"([\\`*_\[\]|~#!$])")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "://": "&#58;//", "www.": "www&#46;", "@": "&#64;"}
"""The last three would become links by themselves in many readers."""
_OPENING = re.compile(r"^(\d+)([.)])(?=\s)|^([-+=:])")
"""A text that begins so would be a list, a rule or a heading."""


def case_markdown(case: CaseStudy) -> str:
    """Return the page as Markdown (CommonMark, with tables)."""
    parts = [f"# {escape_markdown(case.title)}", f"**{escape_markdown(case.headline)}** {escape_markdown(case.sure)}"]
    for section in case.sections:
        parts.append(f"## {escape_markdown(section.title)}")
        parts += map(_write_block, section.blocks)
    return "\n\n".join(parts) + f"\n\nWeighed on {escape_markdown(case.weighed)}; written by `weighbridge case`.\n"


def _write_block(block: Block) -> str:
    if isinstance(block, Paragraph):
        return escape_markdown(block.text)
    if isinstance(block, Bullets):
        return "\n".join(f"- {escape_markdown(item)}" for item in block.items)
    if isinstance(block, CaseTable):
        head = [_write_row(block.head), "|" + "---|" * len(block.head)]
        return "\n".join((*head, *map(_write_row, block.rows)))
    assert isinstance(block, CodeLines)  # noqa: S101 - the last kind
    longest = max((len(run) for run in re.findall("`+", block.text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{block.language}\n{visible(block.text)}{fence}"


def _write_row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(_escape_inline, cells)) + " |"


def case_page(case: CaseStudy) -> str:
    """Return the page as HTML. It needs no file beside it; its policy forbids scripts, and to fetch anything."""
    from markupsafe import Markup  # the templates take a tenth of a second, and Markdown needs none

    from weighbridge.report.web_page import environment, policy, source

    style = "\n".join((source("report.css"), source("case.css")))
    page = environment().get_template("case.html.j2")
    written = page.render(case=case, style=Markup(style), policy=policy(style))  # noqa: S704 - our own files
    return written.encode("utf-8", "replace").decode("utf-8")


def escape_markdown(text: str) -> str:
    """Return a text on one line that a reader of Markdown shows as it stands, also at the start of a block."""
    escaped = _escape_inline(text)
    escaped = f"\\{escaped}" if escaped.startswith("#") else escaped
    return _OPENING.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", escaped)


def _escape_inline(text: str) -> str:
    for mark, entity in _ENTITIES.items():
        text = text.replace(mark, entity)
    # The entities of this table hold a number sign, which stays: it is no heading in the middle of a line.
    return _SPECIAL.sub(lambda found: found[0] if found[0] == "#" else f"\\{found[0]}", " ".join(text.split("\n")))
