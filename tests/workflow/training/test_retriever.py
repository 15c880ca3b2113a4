"""A tuning of the search from the settings to the verdict: on real files, with a tiny embedder."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import DataError, SettingsError, WorkspaceError
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Example, Question
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.wiring.tuned_retrievers import (
    RetrieverCard,
    promoted_embedder,
    promoted_reranker,
    require_unlearnt,
    retriever_cards,
    rollback_retriever,
    with_tuned_models,
    write_retriever_card,
)
from weighbridge.workflow.models import list_retrievers, roll_back_retriever
from weighbridge.workflow.search import search_index
from weighbridge.workflow.training.retriever import tune_retriever
from weighbridge.workspace import Workspace

NAMES = ["tarrow", "skelly", "brannoch", "orma", "lunday", "hask", "vell", "dunnet", "pirrie", "caddis"]


@pytest.fixture
def workspace(tmp_path: Path, tiny_bert: Path) -> Workspace:
    lay_out(tmp_path, tiny_bert)
    return Workspace(tmp_path)


def lay_out(root: Path, embedder: Path, *, evidence: bool = True) -> None:
    (root / "docs").mkdir()
    rows = []
    for place, name in enumerate(NAMES):
        text = f"# {name}\n\nThe pier of {name} is {place + 11} feet long. It is old.\n"
        (root / "docs" / f"{name}.md").write_text(text)
        for n, asked in enumerate(["pier is how long", "how long is", "feet of", "what length has", "size of", "at"]):
            answers = [f"{place + 11} feet"]
            row = {"id": f"{name}-{n}", "question": f"{asked} {name}?", "answers": answers, "family": f"{name}-{n}"}
            rows.append({**row, "doc_ids": [name]} if evidence else row)
    (root / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "weighbridge.yaml").write_text(
        f"documents: docs\nexamples: examples.jsonl\ntask: answer\nretrieval: {{embedder: {str(embedder)!r}, "
        "precision: float32}\nsplits: {dev: 0.4, test: 0.1, similarity: 1.0, by: family}\ntraining: {epochs: 1}\n"
    )


def settings_of(workspace: Workspace) -> Settings:
    return load_settings(workspace.settings_file)


def kept(card: RetrieverCard, workspace: Workspace) -> None:
    """Make the verdict a good one, as if the search had become better."""
    better = replace(card, verdict=replace(card.verdict, kept=True))
    write_retriever_card(better, workspace.adapter(card.which, card.id))


def test_an_embedder_is_tuned_weighed_and_put_in_force_only_if_kept(workspace: Workspace) -> None:
    settings, said = settings_of(workspace), []
    card = tune_retriever("embedder", settings, workspace, Reporter(say=said.append))
    assert card.pairs.keys() == {"evidence"}
    assert sum(card.negatives.values()) == 2 * card.pairs["evidence"]
    assert card.training
    assert card.training.chosen_epoch == 1
    assert card.agreement
    assert card.agreement > 0.999
    assert card.verdict.questions >= 24
    assert card.verdict.questions + card.pairs["evidence"] <= 54
    assert card.verdict.sentence.startswith("Reverted")
    assert said[-2:] == [card.verdict.sentence, "Before was the search with the embedder of the settings"]
    assert promoted_embedder(workspace, settings) is None
    assert with_tuned_models(settings, workspace) == settings
    folder = workspace.adapter("embedder", card.id)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "tiny-bert-tuned"]
    assert retriever_cards(workspace, "embedder") == (card,)
    assert retriever_cards(workspace, "reranker") == ()
    assert tune_retriever("embedder", settings, workspace, SILENT) == card

    kept(card, workspace)
    tune_retriever("embedder", settings, workspace, SILENT)
    assert promoted_embedder(workspace, settings) == (folder / "tiny-bert-tuned").resolve()
    in_force = with_tuned_models(settings, workspace)
    assert with_tuned_models(in_force, workspace) == in_force
    assert in_force.retrieval.embedder == str((folder / "tiny-bert-tuned").resolve())
    assert search_index(Question("the pier of orma"), in_force, workspace, limit=1, reporter=SILENT)
    assert tune_retriever("embedder", settings, workspace, SILENT).id == card.id


def test_a_second_tuning_is_weighed_against_the_embedder_in_force(workspace: Workspace) -> None:
    settings, said = settings_of(workspace), []
    first = tune_retriever("embedder", settings, workspace, SILENT)
    kept(first, workspace)
    tune_retriever("embedder", settings, workspace, SILENT)
    longer = settings.model_copy(update={"training": settings.training.model_copy(update={"epochs": 2})})
    second = tune_retriever("embedder", longer, workspace, Reporter(say=said.append))
    assert second.id != first.id
    assert second.against == (f"embedder {first.id}",)
    assert said[-1] == f"Before was the search with the tuned embedder {first.id}"
    assert promoted_embedder(workspace, settings) == model_of(first, workspace)
    assert second.verdict.before
    assert first.verdict.after
    assert second.verdict.before.value == pytest.approx(first.verdict.after.value)
    assert tune_retriever("embedder", longer, workspace, SILENT) == second
    rollback_retriever("embedder", workspace)
    again = tune_retriever("embedder", longer, workspace, SILENT)
    assert (again.id, again.against) == (second.id, ())
    assert again.training == second.training, "it is weighed anew, and not trained anew"


def test_what_is_replaced_counts_with_its_reranker_and_its_loss_is_told(workspace: Workspace) -> None:
    settings, said = settings_of(workspace), []
    reranker = tune_retriever("reranker", settings, workspace, SILENT)
    kept(reranker, workspace)
    tune_retriever("reranker", settings, workspace, SILENT)
    embedder = tune_retriever("embedder", settings, workspace, SILENT)
    assert embedder.against == (f"reranker {reranker.id}",)
    assert promoted_reranker(workspace, settings)
    kept(embedder, workspace)
    tune_retriever("embedder", settings, workspace, Reporter(say=said.append))
    assert promoted_reranker(workspace, settings) is None
    assert f"The tuned reranker {reranker.id} was made for the embedder before" in said[-1]
    assert said[-1].endswith("weighbridge train reranker")


def model_of(card: RetrieverCard, workspace: Workspace) -> Path:
    return (workspace.adapter(card.which, card.id) / card.model).resolve()


def test_a_tuned_embedder_is_listed_watched_for_leaks_and_gone_back_from(workspace: Workspace) -> None:
    settings = settings_of(workspace)
    card = tune_retriever("embedder", settings, workspace, SILENT)
    kept(card, workspace)
    tune_retriever("embedder", settings, workspace, SILENT)
    (found,) = list_retrievers(settings, workspace)
    assert (found.card.id, found.in_force) == (card.id, True)
    assert len(card.questions) == card.pairs["evidence"]
    require_unlearnt([asked("What is it?")], settings, workspace)
    with pytest.raises(DataError, match=r"promoted embedder has learnt 1 of the test questions.*models rollback"):
        require_unlearnt([asked(card.questions[0].upper())], settings, workspace)

    assert roll_back_retriever(settings, workspace, "embedder") is None
    assert with_tuned_models(settings, workspace) == settings
    assert [one.in_force for one in list_retrievers(settings, workspace)] == [False]
    require_unlearnt([asked(card.questions[0])], settings, workspace)
    before = json.loads(workspace.index_settings.read_text())
    assert search_index(Question("the pier of orma"), settings, workspace, limit=1, reporter=SILENT)
    assert json.loads(workspace.index_settings.read_text()) != before
    with pytest.raises(WorkspaceError, match="the search uses no tuned embedder"):
        roll_back_retriever(settings, workspace, "embedder")


def asked(text: str) -> Example:
    return Example(id="asked", question=Question(text), answers=("yes",), split="test")


def test_going_back_passes_over_what_is_gone(workspace: Workspace) -> None:
    card = tune_retriever("embedder", settings_of(workspace), workspace, SILENT)
    other = replace(card, id="0123456789ab")
    shutil.copytree(workspace.adapter("embedder", card.id), workspace.adapter("embedder", other.id))
    write_retriever_card(other, workspace.adapter("embedder", other.id))
    history = {"history": [other.id, "gone", card.id], "chosen": False}
    (workspace.adapters("embedder") / "promoted.json").write_text(json.dumps(history))
    assert rollback_retriever("embedder", workspace) == other
    assert rollback_retriever("embedder", workspace) is None


def test_a_reranker_is_in_force_only_in_the_search_it_was_made_for(workspace: Workspace, tiny_bert: Path) -> None:
    settings = settings_of(workspace)
    card = tune_retriever("reranker", settings, workspace, SILENT)
    assert card.pairs.keys() == {"evidence"}
    assert card.training
    kept(card, workspace)
    tune_retriever("reranker", settings, workspace, SILENT)
    folder = workspace.adapter("reranker", card.id) / "tiny-bert-reranker"
    assert promoted_reranker(workspace, settings) == folder.resolve()
    assert search_index(
        Question("the pier of orma"), with_tuned_models(settings, workspace), workspace, limit=1, reporter=SILENT
    )
    other = settings.retrieval.model_copy(update={"rerank": "late-interaction"})
    assert promoted_reranker(workspace, settings.model_copy(update={"retrieval": other})) is None
    shutil.rmtree(folder)
    assert promoted_reranker(workspace, settings) is None


def test_without_evidence_nothing_is_trained_and_it_is_said(tmp_path: Path, tiny_bert: Path) -> None:
    lay_out(tmp_path, tiny_bert, evidence=False)
    workspace = Workspace(tmp_path)
    card = tune_retriever("embedder", settings_of(workspace), workspace, SILENT)
    assert (card.training, card.model, card.verdict.kept) == (None, "", False)
    assert "only 0 train and dev questions name their evidence" in card.verdict.sentence
    assert promoted_embedder(workspace, settings_of(workspace)) is None


def test_without_documents_there_is_nothing_to_search(workspace: Workspace) -> None:
    settings = settings_of(workspace).model_copy(update={"documents": None})
    with pytest.raises(SettingsError, match="there are no documents to search"):
        tune_retriever("embedder", settings, workspace, SILENT)
