"""What was tuned in a workspace, listed and gone back from, as a user types it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from weighbridge.cli.app import app
from weighbridge.errors import SettingsError, WorkspaceError
from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.settings.file import load_settings
from weighbridge.wiring.tuned_retrievers import promote_retriever, write_retriever_card
from weighbridge.workspace import Workspace

from .. import command_line
from ..workflow.tuned import tuned


@pytest.fixture
def workspace(tmp_path: Path, tiny_bert: Path) -> Workspace:
    """A workspace whose embedder was tuned once, and is in force."""
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: examples.jsonl\nretrieval: {{embedder: {str(tiny_bert)!r}}}\n"
    )
    place = Workspace(tmp_path)
    card = tuned(load_settings(place.settings_file).retrieval.embedder, tiny_bert)
    folder = place.adapter("embedder", card.id)
    (folder / "tuned").mkdir(parents=True)
    (folder / "tuned" / WEIGHTS).write_bytes(b"weights")
    write_retriever_card(card, folder)
    promote_retriever(card, place)
    return place


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def test_a_tuned_embedder_is_listed_and_gone_back_from(workspace: Workspace) -> None:
    root = str(workspace.root)
    lines = run("models", "list", "-w", root).stdout.splitlines()
    ((place, line),) = [(place, line) for place, line in enumerate(lines) if "0123456789ab" in line]
    assert line.split() == ["0123456789ab", "embedder", "-", "2026-11-20", "serves"]
    assert lines[place + 1] == "  reverted: there was too little to decide by"
    told = json.loads(run("models", "list", "-w", root, "--json").stdout)
    assert [(one["card"]["id"], one["in_force"]) for one in told["retrievers"]] == [("0123456789ab", True)]
    back = run("models", "rollback", "embedder", "-w", root, "--json")
    assert (back.exit_code, json.loads(back.stdout)) == (0, None)
    assert "serves" not in run("models", "list", "-w", root).stdout
    again = run("models", "rollback", "embedder", "-w", root)
    assert isinstance(again.exception, WorkspaceError)
    assert again.stdout == ""


def test_ids_are_listed_whole_however_narrow_the_terminal(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert "0123456789ab" in run("models", "list", "-w", str(workspace.root)).stdout


def test_a_workspace_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(run("models", "list", "-w", str(tmp_path / "typo")).exception, SettingsError)
    monkeypatch.chdir(tmp_path)
    told = json.loads(run("models", "list", "--json").stdout)
    assert (told["adapters"], told["retrievers"]) == ([], [])


def test_a_teacher_that_nobody_would_ask_is_refused(workspace: Workspace) -> None:
    refused = run("make-examples", "--teacher", "big@http://127.0.0.1:1/v1", "-w", str(workspace.root))
    assert refused.exit_code == 2
    assert "--by model" in refused.output


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("big", "not NAME@URL"),
        ("big@127.0.0.1/v1", "not NAME@URL"),
        ("big@http://me:hunter2@127.0.0.1/v1", "holds a login"),
        ("@cf/big@http://127.0.0.1/v1?key=hunter2", "holds parameters"),
    ],
)
def test_a_teachers_address_holds_no_secret(workspace: Workspace, given: str, said: str) -> None:
    refused = run("make-examples", "--by", "model", "--teacher", given, "-w", str(workspace.root))
    assert refused.exit_code == 2
    assert said in " ".join(refused.output.replace("│", " ").split())
    assert "hunter2" not in refused.output


def test_nothing_is_prepared_for_a_strategy_that_the_settings_leave_out(workspace: Workspace) -> None:
    with workspace.settings_file.open("a") as file:
        file.write("strategies: [prompt, fine-tuned]\n")
    refused = run("hosted", "prepare", "raft", "-w", str(workspace.root))
    assert refused.exit_code == 2
    assert "tuned strategies: fine-tuned" in " ".join(refused.output.replace("│", " ").split())


def test_options_that_would_do_nothing_are_refused(workspace: Workspace) -> None:
    refused = command_line.run("train", "embedder", "--seeds", "3", "-w", str(workspace.root))
    assert refused.returncode == 2
    assert "trained once" in refused.stderr
    unknown = command_line.run("train", "reader", "-w", str(workspace.root))
    assert unknown.returncode == 2
    assert "'reader' is not one of this workspace's strategies, or a retriever's model: " in unknown.stderr
