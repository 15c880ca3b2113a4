"""What a weighing says of its settings."""

from dataclasses import replace
from pathlib import Path

from weighbridge.settings import RetrievalSettings, Settings
from weighbridge.settings_training import TrainingSettings
from weighbridge.train.card import write_card
from weighbridge.train.registry import promote
from weighbridge.workflow.compare import search_words, trained_words
from weighbridge.workspace import Workspace

from ..train.cards import card  # noqa: TID252 - tests are no package


def test_a_report_names_what_the_settings_add_to_the_search() -> None:
    usual = Settings(examples=Path())
    assert search_words(usual) == "BM25 and dense, fused; 3 passages of 64 tokens"
    more = RetrievalSettings(rewrite="expansion", rerank="/models/cross", diversity=0.3, static=True)
    assert search_words(usual.model_copy(update={"retrieval": more})) == (
        "BM25 and dense, fused; rewrite expansion; rerank cross; diversity 0.3; static; 3 passages of 64 tokens"
    )


def test_a_report_names_how_the_adapters_that_answered_were_trained(tmp_path: Path) -> None:
    place, settings = Workspace(tmp_path), Settings(examples=Path())
    usual = "lora rank 16, at most 2 epochs, learning rate 0.001, seed 7"
    assert trained_words(settings.strategies, settings, place) == usual
    found = card(TrainingSettings(rank=4, seed=8))
    for arm in ("fine-tuned", "raft"):
        one = replace(found, strategy=arm)
        folder = place.adapter(arm, one.id)
        (folder / one.adapter).mkdir(parents=True)
        (folder / one.gguf).write_bytes(b"weights")
        write_card(one, folder)
        promote(place, one, chosen=True)
    assert trained_words(("prompt", "raft"), settings, place) == usual.replace("16", "4").replace("seed 7", "seed 8")
    write_card(replace(found, strategy="raft", recipe=TrainingSettings().model_dump(mode="json")), folder)
    told = trained_words(settings.strategies, settings, place)
    assert told.startswith("fine-tuned: lora rank 4")
    assert told.endswith(f"raft: {usual}")
