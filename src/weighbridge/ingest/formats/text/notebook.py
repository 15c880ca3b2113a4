"""Jupyter notebooks: a part a cell, with the words, the code, and its output."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from weighbridge.ingest.content import Content, Loss, Parsed, UnreadableError
from weighbridge.ingest.decode.text import read_decoded, unix_lines
from weighbridge.ingest.formats.markdown_writer import assemble, fence, join_lines
from weighbridge.ingest.formats.text.json_values import mend_surrogates, parse_json

PARSER = 3
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_LONGEST_OUTPUT = 2_000
"""Characters of a cell's output: enough for a table of results, and no log of a training."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_NO_WORDS = re.compile(r"\s*<(?:IPython\.[\w.]+ object|Figure size [^<>]*)>\s*")
"""The plain text that stands for a page or a picture."""
_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")


def read_notebook(path: Path) -> Parsed:
    """Read a notebook. Title: the one in its metadata, else the first heading.

    Markdown cells are kept as they are, code cells fenced in the kernel's language. Printed text, results as Markdown
    or plain text, and the last line of errors follow as "Output:", up to 2,000 characters a cell. Images and widgets
    are reported.

    Raises:
        UnreadableError: where it is not JSON, or has no list of cells.
    """
    decoded = read_decoded(path)
    root = parse_json(decoded.text.removeprefix("\ufeff"))
    cells = _cells(root)
    if cells is None:
        raise UnreadableError("no notebook: it has no list of cells")
    metadata = _mapping(root.get("metadata"))
    language = _language(metadata)
    losses = list(decoded.losses)
    blocks: list[tuple[str, str]] = []
    for number, cell in enumerate(cells, start=1):
        if isinstance(cell, Mapping):
            blocks.append((f"cell {number}", mend_surrogates(_render_cell(cell, language))))
            losses += [Loss(f"cell {number}", what) for what in _describe_losses(cell)]
        else:
            losses.append(Loss(f"cell {number}", "no cell at all"))
    text = assemble(blocks)
    title = metadata.get("title")
    if not isinstance(title, str) or not title.strip():
        sources = (_source(cell) for cell in cells if _type(cell) == "markdown")
        title = next((heading[1] for heading in map(_HEADING.search, sources) if heading), "")
    content = Content(text=text.text, title=join_lines(mend_surrogates(title)), parts=text.parts)
    return Parsed((content,), tuple(losses))


def _cells(root: Any) -> list[Any] | None:
    """Return the cells. Notebooks of before 2014 have them inside worksheets."""
    if not isinstance(root, Mapping):
        return None
    sheets = root.get("worksheets")
    if isinstance(sheets, list) and "cells" not in root:
        return [cell for sheet in sheets for cell in _list(_mapping(sheet).get("cells"))]
    cells = root.get("cells")
    return cells if isinstance(cells, list) else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _language(metadata: Mapping[str, Any]) -> str:
    for place, key in (("language_info", "name"), ("kernelspec", "language")):
        named = _mapping(metadata.get(place)).get(key)
        if isinstance(named, str) and _LANGUAGE.fullmatch(named):
            return named.lower()
    return "python"


def _type(cell: Any) -> str:
    kind = _mapping(cell).get("cell_type")
    return kind if isinstance(kind, str) else ""


def _source(cell: Mapping[str, Any]) -> str:
    return _join_lines(cell.get("source", cell.get("input")))


def _join_lines(value: Any) -> str:
    """Return a text that notebooks write as one string or as a list of lines."""
    lines = [value] if isinstance(value, str) else [line for line in _list(value) if isinstance(line, str)]
    return unix_lines("".join(lines))


def _render_cell(cell: Mapping[str, Any], language: str) -> str:
    source = _source(cell).strip("\n")
    if _type(cell) != "code":
        return source
    output = "\n".join(filter(str.strip, map(_output_text, _outputs(cell))))
    if len(output) > _LONGEST_OUTPUT:
        output = f"{output[:_LONGEST_OUTPUT]}\n[...]"
    blocks: list[str] = []
    if source.strip():
        blocks.append(fence(source, language))
    if output.strip():
        blocks.append(f"Output:\n\n{fence(output)}")
    return "\n\n".join(blocks)


def _outputs(cell: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [_mapping(output) for output in _list(cell.get("outputs"))]


def _output_text(output: Mapping[str, Any]) -> str:
    if output.get("output_type") in {"error", "pyerr"}:
        name, message = (text if isinstance(text := output.get(key), str) else "" for key in ("ename", "evalue"))
        return _ESCAPES.sub("", f"{name}: {message}")
    data = _data(output)
    text = (
        _join_lines(output.get("text")) or _join_lines(data.get("text/markdown")) or _join_lines(data.get("text/plain"))
    )
    return "" if _NO_WORDS.fullmatch(text) else _ESCAPES.sub("", text).rstrip("\n")


def _data(output: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(output.get("data"))


def _describe_losses(cell: Mapping[str, Any]) -> Iterator[str]:
    outputs = _outputs(cell)
    images = sum(any(kind.startswith("image/") for kind in _data(output)) for output in outputs)
    images += len(_mapping(cell.get("attachments")))
    if images:
        yield f"{images} image(s) left out"
    lengths = sum(len(_output_text(output)) for output in outputs)
    if lengths > _LONGEST_OUTPUT:
        yield f"output cut after {_LONGEST_OUTPUT:,} of {lengths:,} characters"
    without = sum(bool(_data(output)) and not _output_text(output).strip() for output in outputs)
    if without > images:
        yield f"{without - images} output(s) without plain text left out"
