"""What became stale of an adapter: the documents it learnt from, and the search whose passages it learnt to read."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.adapters import AdapterCard
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.card import write_adapter_card
from weighbridge.train.registry import record_promotion
from weighbridge.wiring.tuned_retrievers import describe_search
from weighbridge.workflow.models import find_outdated, list_adapters
from weighbridge.workspace import Workspace

from ..train.cards import card


@pytest.fixture
def opened(tmp_path: Path, tiny_bert: Path) -> tuple[Settings, Workspace]:
    (tmp_path / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: none.jsonl\nretrieval: {{embedder: {str(tiny_bert)!r}}}\n"
    )
    place = Workspace(tmp_path)
    return load_settings(place.settings_file), place


def kept(workspace: Workspace, strategy: str, how: TrainingSettings, search: dict[str, str]) -> AdapterCard:
    """Put an adapter in force that learnt what this search finds."""
    made = card(how, hosted="ft:model")
    made = replace(made, strategy=strategy, adapter="", gguf="", learnt=replace(made.learnt, search=search))
    write_adapter_card(made, workspace.adapter(strategy, made.id))
    record_promotion(workspace, made, chosen=False)
    return made


def test_an_adapter_is_stale_once_the_search_is_another(opened: tuple[Settings, Workspace]) -> None:
    settings, workspace = opened
    made = kept(workspace, "raft", TrainingSettings(), dict(describe_search(settings, workspace)))
    assert [each.other_search for each in list_adapters(settings, workspace)] == [()]
    assert list(find_outdated(settings, workspace)) == []
    wider = settings.model_copy(update={"retrieval": settings.retrieval.model_copy(update={"limit": 5})})
    assert [each.other_search for each in list_adapters(wider, workspace)] == [("retrieval.limit",)]
    (told,) = find_outdated(wider, workspace)
    assert told.startswith(f"raft answers with adapter {made.id}")
    assert told.endswith("(retrieval.limit changed since); train it again: weighbridge train raft")


@pytest.mark.parametrize(
    ("strategy", "how", "told"),
    [
        ("raft", TrainingSettings(), None),
        ("raft", TrainingSettings(on="documents"), ()),
        ("fine-tuned", TrainingSettings(), ()),
    ],
)
def test_a_card_without_a_search_says_so_only_where_one_was_read(
    opened: tuple[Settings, Workspace], strategy: str, how: TrainingSettings, told: tuple[str, ...] | None
) -> None:
    settings, workspace = opened
    kept(workspace, strategy, how, {})
    assert [each.other_search for each in list_adapters(settings, workspace)] == [told]
    assert list(find_outdated(settings, workspace)) == []
