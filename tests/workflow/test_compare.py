"""What a weighing says of its settings."""

from pathlib import Path

from weighbridge.settings import RetrievalSettings, Settings
from weighbridge.workflow.compare import search_words


def test_a_report_names_what_the_settings_add_to_the_search() -> None:
    usual = Settings(examples=Path())
    assert search_words(usual) == "BM25 and dense, fused; 3 passages of 64 tokens"
    more = RetrievalSettings(rewrite="expansion", rerank="/models/cross", diversity=0.3, static=True)
    assert search_words(usual.model_copy(update={"retrieval": more})) == (
        "BM25 and dense, fused; rewrite expansion; rerank cross; diversity 0.3; static; 3 passages of 64 tokens"
    )
