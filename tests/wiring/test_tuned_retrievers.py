"""What is noted of the search, and what of it is found to have changed."""

from pathlib import Path

import pytest

from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.wiring.tuned_retrievers import (
    describe_search,
    promote_retriever,
    rollback_retriever,
    search_changes,
    with_retrieval,
    write_retriever_card,
)
from weighbridge.workspace import Workspace

from ..workflow.tuned import tuned


@pytest.fixture
def opened(tmp_path: Path, tiny_bert: Path) -> tuple[Settings, Workspace]:
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: none.jsonl\nretrieval: {{embedder: {str(tiny_bert)!r}}}\n"
    )
    place = Workspace(tmp_path)
    return load_settings(place.settings_file), place


def test_the_same_search_is_noted_alike_wherever_it_is_kept(opened: tuple[Settings, Workspace]) -> None:
    settings, workspace = opened
    elsewhere = with_retrieval(settings, {"store": "postgresql://host/database", "precision": "float32"})
    assert describe_search(settings, workspace) == describe_search(elsewhere, workspace)
    assert describe_search(settings, workspace)["embedder"].startswith("tiny-bert ")


def test_settings_that_find_other_passages_are_named(opened: tuple[Settings, Workspace]) -> None:
    settings, workspace = opened
    before = describe_search(settings, workspace)
    wider = settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update={"limit": 5})})
    assert search_changes(before, describe_search(wider, workspace)) == ("retrieval.limit",)
    reranked = with_retrieval(settings, {"rerank": "late-interaction"})
    assert search_changes(before, describe_search(reranked, workspace)) == ("reranker",)


def test_a_tuned_embedder_is_another_search_until_it_is_gone_back_from(
    opened: tuple[Settings, Workspace], tiny_bert: Path
) -> None:
    settings, workspace = opened
    before = describe_search(settings, workspace)
    card = tuned(settings.retrieval.embedder, tiny_bert)
    folder = workspace.adapter("embedder", card.id)
    (folder / card.model).mkdir(parents=True)
    (folder / card.model / WEIGHTS).write_bytes(b"weights")
    write_retriever_card(card, folder)
    promote_retriever(card, workspace)
    assert search_changes(before, describe_search(settings, workspace)) == ("embedder",)
    rollback_retriever("embedder", workspace)
    assert describe_search(settings, workspace) == before


def test_what_an_older_card_does_not_note_has_not_changed() -> None:
    assert search_changes({"embedder": "a"}, {"embedder": "a", "reranker": "b"}) == ()
