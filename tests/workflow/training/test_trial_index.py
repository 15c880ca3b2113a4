"""A search that is tried aside leaves the workspace's own index, and the disk, as they were."""

from pathlib import Path

import pytest

from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Document, Question
from weighbridge.wiring.reporter import SILENT
from weighbridge.workflow.training.trial_index import search_aside, search_in_workspace
from weighbridge.workspace import Workspace

DOCUMENTS = tuple(
    Document(id=name, title=name, text=f"The ship {name} berths at the {berth}.")
    for name, berth in (("Amber", "quay"), ("Birch", "mole"), ("Coral", "pier"))
)


@pytest.fixture
def opened(tmp_path: Path, tiny_bert: Path) -> tuple[Settings, Workspace]:
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: none.jsonl\nretrieval: {{embedder: {str(tiny_bert)!r}, precision: float32}}\n"
    )
    place = Workspace(tmp_path)
    return load_settings(place.settings_file), place


def test_what_a_killed_trial_left_is_cleared_away_and_nothing_is_left_by_this_one(
    opened: tuple[Settings, Workspace],
) -> None:
    settings, workspace = opened
    parent = workspace.state / "trials"
    left = parent / ".trial-killed"
    left.mkdir(parents=True)
    (left / "vectors").write_text("half")
    with search_aside(DOCUMENTS, settings, parent, SILENT) as trial:
        assert not left.exists()
        assert len(list(parent.iterdir())) == 1
        found = trial.retriever.search(Question("Where does the ship Birch berth?"), limit=3)
        assert found[0].chunk.document_id == "Birch"
    assert list(parent.iterdir()) == []


def test_a_trial_aside_is_of_its_own_documents_and_the_workspaces_index_stays(
    opened: tuple[Settings, Workspace],
) -> None:
    settings, workspace = opened
    own = search_in_workspace(DOCUMENTS[:2], settings, workspace, SILENT)
    with search_aside(DOCUMENTS, settings, workspace.state / "trials", SILENT) as trial:
        assert trial.card.documents == 3
        assert own.card.documents == 2
        asked = Question("Where does the ship Coral berth?")
        assert {p.chunk.document_id for p in own.hybrid.search(asked, limit=3)} == {"Amber", "Birch"}
        assert "Coral" in {p.chunk.document_id for p in trial.hybrid.search(asked, limit=3)}
