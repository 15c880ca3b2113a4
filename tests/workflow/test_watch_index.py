"""The watch goes on with what is in force, also where that changed since it began."""

import json
import shutil
from pathlib import Path
from threading import Timer

import pytest

from weighbridge.settings.file import load_settings
from weighbridge.wiring.index import SyncChoices
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.tuned_retrievers import promote_retriever, with_tuned_models, write_retriever_card
from weighbridge.wiring.workload import index_key
from weighbridge.workflow.watch_index import watch
from weighbridge.workspace import Workspace

from .tuned import tuned


class SeenError(Exception):
    """Ends a watch."""


def test_an_embedder_that_is_tuned_meanwhile_is_indexed_with(tmp_path: Path, tiny_bert: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "ferry.md").write_text("The ferry sails at eight.")
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: none.jsonl\nretrieval: {{embedder: {str(tiny_bert)!r}, precision: float32}}\n"
    )
    workspace = Workspace(tmp_path)
    settings = load_settings(workspace.settings_file)

    def change() -> None:
        card = tuned(settings.retrieval.embedder, tiny_bert)
        folder = workspace.adapter("embedder", card.id)
        shutil.copytree(tiny_bert, folder / card.model)
        write_retriever_card(card, folder)
        promote_retriever(card, workspace)
        (tmp_path / "docs" / "ferry.md").write_text("The ferry sails at nine.")

    def say(sentence: str) -> None:
        if sentence.startswith("Watching"):
            Timer(1, change).start()
        if "in the index" in sentence:
            raise SeenError

    with pytest.raises(SeenError):
        watch(settings, workspace, Reporter(say=say), SyncChoices())
    assert with_tuned_models(settings, workspace) != settings
    assert json.loads(workspace.index_settings.read_text()) == index_key(with_tuned_models(settings, workspace))
