import json
from pathlib import Path

import pytest

from weighbridge.ingest.content import Loss, Parsed, UnreadableError
from weighbridge.ingest.formats.text.notebook import read_notebook


def _read(notebook: object, folder: Path) -> Parsed:
    (folder / "a.ipynb").write_text(notebook if isinstance(notebook, str) else json.dumps(notebook))
    return read_notebook(folder / "a.ipynb")


def _code(source: object, *outputs: object) -> dict[str, object]:
    return {"cell_type": "code", "source": source, "outputs": outputs}


def test_cells_are_parts(tmp_path: Path) -> None:
    notebook = {
        "metadata": {"kernelspec": {"language": "R"}},
        "nbformat": 4,
        "cells": [
            {"cell_type": "markdown", "source": ["# The tide #\n", "\n", "- one"]},
            _code('x <- 1\n"```"\nx',
                  {"output_type": "stream", "text": ["\x1b[31mred\x1b[0m\n"]},
                  {"output_type": "execute_result", "data": {"text/plain": "1", "text/html": "<b>1</b>"}}),
            _code("  "),
            {"cell_type": "raw", "source": "as it is"},
            _code("1/0", {"output_type": "error", "ename": "ZeroDivisionError", "evalue": "by \x1b[1mzero"}),
        ],
    }  # fmt: skip
    content = _read(notebook, tmp_path).contents[0]
    assert [(part.name, content.text[part.start : part.end]) for part in content.parts] == [
        ("cell 1", "# The tide #\n\n- one"),
        ("cell 2", '````r\nx <- 1\n"```"\nx\n````\n\nOutput:\n\n```\nred\n1\n```'),
        ("cell 4", "as it is"),
        ("cell 5", "```r\n1/0\n```\n\nOutput:\n\n```\nZeroDivisionError: by zero\n```"),
    ]
    assert content.title == "The tide"


def test_images_widgets_and_long_outputs_are_reported(tmp_path: Path) -> None:
    image = {"output_type": "display_data", "data": {"image/png": "aGk=", "text/plain": "<Figure>"}}
    widget = {"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {}}}
    cells = [
        _code("a", image, image),
        _code("b", widget),
        _code("c", {"output_type": "stream", "text": "y" * 5_000}),
        {"cell_type": "markdown", "source": "![x](attachment:x.png)", "attachments": {"x.png": {}}},
        7,
    ]
    parsed = _read({"cells": cells}, tmp_path)
    assert parsed.losses == (
        Loss("cell 1", "2 image(s) left out"),
        Loss("cell 2", "1 output(s) without plain text left out"),
        Loss("cell 3", "output cut after 2,000 of 5,000 characters"),
        Loss("cell 4", "1 image(s) left out"),
        Loss("cell 5", "no cell at all"),
    )
    assert len(parsed.contents[0].text) < 2_200


def test_an_old_notebook(tmp_path: Path) -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": "print 1", "outputs": [{"text": "1\n"}]}]}]}
    assert _read(old, tmp_path).contents[0].text == "```python\nprint 1\n```\n\nOutput:\n\n```\n1\n```"


@pytest.mark.parametrize("notebook", ["", "[]", "{}", '{"cells": 5}', '{"cells": [', '{"worksheets": {}}', "[" * 9_000])
def test_what_is_no_notebook(tmp_path: Path, notebook: str) -> None:
    with pytest.raises(UnreadableError, match=r"no notebook|not JSON|nested"):
        _read(notebook, tmp_path)


@pytest.mark.parametrize(
    "cell",
    [{}, {"cell_type": 5, "source": {}}, {"cell_type": "code", "source": [1, "\ud800"], "outputs": [3, {"data": 4}]}],
)
def test_cells_of_odd_shapes(tmp_path: Path, cell: dict[str, object]) -> None:
    _read({"cells": [cell], "metadata": 3}, tmp_path).contents[0].text.encode()


def test_what_stands_for_a_page_is_no_text(tmp_path: Path) -> None:
    shown = {"text/markdown": "**High** water", "text/plain": "<IPython.core.display.Markdown object>"}
    page = {"text/html": "<p>High water</p>", "text/plain": "<IPython.core.display.HTML object>"}
    parsed = _read({"cells": [_code("a", {"data": shown}), _code("b", {"data": page})]}, tmp_path)
    assert parsed.contents[0].text == "```python\na\n```\n\nOutput:\n\n```\n**High** water\n```\n\n```python\nb\n```"
    assert parsed.losses == (Loss("cell 2", "1 output(s) without plain text left out"),)
