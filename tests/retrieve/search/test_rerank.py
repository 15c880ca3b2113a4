"""Scorers change the order of candidates, and only that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.search.rerank import LateInteraction, Reranked, open_cross_encoder
from weighbridge.types import Chunk, Passage, Question

AXES = {"ferry": 0, "fare": 1, "winter": 2}


class Axes:
    """Token vectors along the axes of known words."""

    name = "axes"
    fingerprint = "axes"
    dimensions = 4

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        return np.stack([rows.mean(axis=0) for rows in self.token_vectors(texts, kind=kind)])

    def token_vectors(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> list[NDArray[np.float32]]:
        unit = np.eye(4, dtype=np.float32)
        return [unit[[AXES.get(word, 3) for word in text.split()]] for text in texts]


@dataclass(frozen=True)
class Fixed:
    texts: tuple[str, ...]
    fingerprint: str = "fixed"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        chunks = [Chunk(id=f"{i}", document_id="d", text=text, start=0, end=1) for i, text in enumerate(self.texts)]
        return [Passage(chunk, 10.0 - i) for i, chunk in enumerate(chunks)][:limit]


def test_late_interaction_is_the_mean_of_the_best_matches() -> None:
    scores = LateInteraction(Axes()).scores("ferry fare", ["ferry fare winter", "ferry", "winter", ""])
    assert scores == pytest.approx([1.0, 0.5, 0.0, 0.0])
    assert LateInteraction(Axes()).scores("", ["ferry"]) == pytest.approx([0.0])


def test_the_order_is_of_both_scores_together() -> None:
    found = Fixed(("winter", "ferry", "ferry fare"))
    question = Question("ferry fare")

    def order(weight: float) -> list[str]:
        reranked = Reranked(retriever=found, scorer=LateInteraction(Axes()), weight=weight)
        return [passage.chunk.text for passage in reranked.search(question, limit=3)]

    assert order(0.0) == ["winter", "ferry", "ferry fare"]
    assert order(1.0) == ["ferry fare", "ferry", "winter"]
    assert Reranked(retriever=found, scorer=LateInteraction(Axes())).search(question, limit=0) == ()


def test_a_candidate_below_what_was_asked_for_can_come_up() -> None:
    found = Fixed(("winter", "ferry", "ferry fare"))
    first = Reranked(retriever=found, scorer=LateInteraction(Axes()), weight=1.0).search(
        Question("ferry fare"), limit=1
    )
    assert [passage.chunk.text for passage in first] == ["ferry fare"]
    few = Reranked(retriever=found, scorer=LateInteraction(Axes()), weight=1.0, candidates=2)
    assert [p.chunk.text for p in few.search(Question("ferry fare"), limit=1)] == ["ferry"]


@pytest.fixture
def cross_encoder(tmp_path: Path) -> Path:
    """A real cross-encoder with random weights: one layer, a few words."""
    return make_cross_encoder(tmp_path / "cross", labels=1)


def make_cross_encoder(folder: Path, *, labels: int) -> Path:
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(7)
    folder.mkdir()
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "ferry", "fare", "winter"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=32).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(words), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8,
        max_position_embeddings=32, num_labels=labels,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_a_cross_encoder_reads_both_texts(cross_encoder: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    scorer = open_cross_encoder(cross_encoder)
    texts = ["ferry fare", "winter " * 100, ""]
    scores = scorer.scores("ferry", texts)
    model = AutoModelForSequenceClassification.from_pretrained(cross_encoder).eval()
    tokenizer = AutoTokenizer.from_pretrained(cross_encoder)
    for score, text in zip(scores, texts, strict=True):
        alone = model(**tokenizer("ferry", text, truncation="only_second", return_tensors="pt")).logits.item()
        assert score == pytest.approx(alone, abs=1e-5)
    assert Reranked(retriever=Fixed(("winter", "ferry")), scorer=scorer).search(Question("ferry"), limit=2)


def test_what_is_no_cross_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="holds no readable cross-encoder"):
        open_cross_encoder(tmp_path / "nowhere")
    with pytest.raises(WorkspaceError, match="classifies into 3 classes"):
        open_cross_encoder(make_cross_encoder(tmp_path / "three", labels=3))
