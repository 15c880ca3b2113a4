"""The library on a real workspace, and the pages that show it, run as they stand."""

import contextlib
import io
import json
import re
import shutil
from pathlib import Path

import pytest

import weighbridge

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.models


@pytest.fixture
def mine(weighed, tmp_path, monkeypatch):
    """A weighed workspace called `mine` in the current folder."""
    shutil.copytree(weighed, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mine"


def execute(cells):
    """Run pieces of code in one namespace, and return what each printed."""
    namespace, printed = {}, []
    for cell in cells:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(cell, "docs", "exec"), namespace)  # noqa: S102 - our own pages
        printed.append(out.getvalue())
    return printed


def test_a_workspace_answers_as_the_commands_do(mine, run):
    said = []
    with weighbridge.open(mine, say=said.append) as workspace:
        weighing = workspace.last_weighing()
        before = {file: file.read_bytes() for file in (mine / ".weighbridge" / "records").iterdir()}
        again = workspace.compare()
        assert again.records == weighing.records
        assert again.decision == weighing.decision
        assert workspace.decide() == weighing.decision
        assert workspace.last_weighing() == again
        assert any(sentence.startswith("Asking") for sentence in said)
        assert {file: file.read_bytes() for file in (mine / ".weighbridge" / "records").iterdir()} == before
        rag = workspace.strategy("rag")
        assert workspace.strategy("rag") is rag
        answer = workspace.ask("When is the travel desk open?", strategy="rag")
        found = workspace.search("travel desk", limit=2)
        assert workspace.index().documents == weighing.documents
        assert workspace.strategy("rag") is not rag
    done = run("ask", "When is the travel desk open?", "-w", str(mine), "--strategy", "rag", "--json")
    assert json.loads(done.stdout)["answer"]["raw"] == answer.raw
    done = run("search", "travel desk", "-w", str(mine), "--limit", "2", "--json")
    assert [row["chunk"]["id"] for row in json.loads(done.stdout)] == [passage.chunk.id for passage in found]


def test_groups_see_what_they_may(mine):
    workspace = weighbridge.open(mine)
    text = "invoice payment terms and the budget"
    assert not any(passage.chunk.groups for passage in workspace.search(text, limit=50))
    assert any(passage.chunk.groups for passage in workspace.search(text, limit=50, groups=["finance"]))


def test_the_page_runs_as_it_stands(mine):
    page = (DOCS / "how-to" / "library.md").read_text(encoding="utf-8")
    printed = execute(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert "rag: " in printed[0]
    assert "Examples: " in printed[3]
    assert f"```text\n{printed[-1]}```" in page


def test_the_readme_runs_as_it_stands(mine):
    page = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    printed = execute(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    assert len(printed) == 1
    assert printed[0].splitlines()


def test_the_notebook_runs_as_it_stands(mine):
    notebook = json.loads((DOCS / "library.ipynb").read_text(encoding="utf-8"))
    printed = execute("".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code")
    assert "accuracy" in printed[2]
