"""The public names: what they are, that importing them is light, and what a wrong call is told."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import weighbridge
from weighbridge.errors import DataError, SettingsError, UserError

FERRY = {"question": "When does the ferry leave?", "references": ["at 17:05"], "answer": "It leaves at 5:05 pm."}


def test_importing_is_light():
    code = "import weighbridge, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "pydantic", "rich", "typer"} & set(loaded)
    assert [name for name in loaded if name.startswith("weighbridge")] == ["weighbridge"]


def test_all_names_are_there_and_type_checkers_see_the_same():
    for name in weighbridge.__all__:
        assert getattr(weighbridge, name).__module__.startswith("weighbridge.")
    assert set(weighbridge.__all__) <= set(dir(weighbridge))
    tree = ast.parse(Path(weighbridge.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert sorted(alias.name for line in block.body for alias in line.names) == weighbridge.__all__


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="no attribute 'opne'"):
        weighbridge.opne  # noqa: B018


def test_a_folder_without_settings_is_told_so(tmp_path):
    with pytest.raises(SettingsError, match="there is no such file"):
        weighbridge.open(tmp_path)


def test_rows_are_scored_like_a_file(tmp_path):
    scores = weighbridge.score([FERRY, {**FERRY, "answer": "at 17:50"}])
    assert [row.verdict for row in scores.rows] == ["right", "wrong"]
    file = tmp_path / "answers.jsonl"
    file.write_text('{"question": "Q?", "references": ["a"], "answer": "a"}\n', encoding="utf-8")
    assert weighbridge.score(file) == weighbridge.score(str(file))


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "there are no rows"),
        ([FERRY, {"question": "?"}], "row 2: 'answer' is missing"),
        ([{**FERRY, "references": "at 17:05"}], "row 1: 'references' is not a list of texts"),
        ([FERRY, "Where?"], "row 2: not a JSON object"),
    ],
)
def test_rows_that_are_none_are_named(rows, problem):
    with pytest.raises(DataError, match=problem):
        weighbridge.score(rows)


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "questions.jsonl").write_text(
        "".join(f'{{"question": "What is {n}?", "answers": ["{n}"]}}\n' for n in range(30)), encoding="utf-8"
    )
    said = []
    made = weighbridge.init(tmp_path / "mine", examples=tmp_path / "questions.jsonl", say=said.append)
    assert "Examples: 30" in " ".join(said)
    return made


def test_init_writes_a_workspace_and_opens_it(workspace):
    assert workspace.folder.name == "mine"
    assert workspace.settings.strategies == ("prompt", "few-shot", "fine-tuned")
    assert workspace.settings == weighbridge.open(workspace.folder).settings
    with pytest.raises(UserError, match="exists already"):
        weighbridge.init(workspace.folder, examples=workspace.folder.parent / "questions.jsonl")


def test_an_unknown_strategy_is_told_which_there_are(workspace):
    with pytest.raises(UserError, match="'rag' is not one of this workspace's strategies: prompt, few-shot"):
        workspace.ask("What is 3?", strategy="rag")


def test_groups_are_names_and_no_text(workspace):
    with pytest.raises(TypeError, match="a list of names"):
        workspace.ask("What is 3?", strategy="prompt", groups="finance")
