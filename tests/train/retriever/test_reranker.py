"""A trained reranker: it tells what it was taught to tell, opens as what is served, and survives a kill."""

from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.retrieve.search.rerank import open_cross_encoder
from weighbridge.train.retriever.contrastive import RetrieverRecipe
from weighbridge.train.retriever.negatives import Contrast
from weighbridge.train.retriever.reranker import Read, tune_reranker

PORTS = ["tarrow", "skelly", "brannoch", "orma", "lunday", "hask", "vell", "dunnet"]
CONTRASTS = [
    Contrast(
        question=f"when does {port} close?",
        positive=f"!!!! {place} !!!!",
        negatives=(f"{port} lies in the north", f"{PORTS[place - 1]} is large"),
    )
    for place, port in enumerate(PORTS)
]
RECIPE = RetrieverRecipe(epochs=8, batch_size=8, learning_rate=1e-2)


class KilledError(Exception):
    """Stands for a process that ends in the middle."""


def told_apart(read: Read) -> float:
    """Return how much higher a positive is scored than the better of its negatives, on average."""
    scores = [read(one.question, (*one.negatives, one.positive)) for one in CONTRASTS]
    return float(sum(each[2] - max(each[:2]) for each in scores) / len(scores))


def test_what_was_taught_is_told_apart_as_served(tiny_bert: Path, tmp_path: Path) -> None:
    tuned = tune_reranker(CONTRASTS, tiny_bert, tmp_path / "tuned", recipe=RECIPE, judge=told_apart)
    training = tuned.training
    assert training.chosen_epoch > 1
    assert training.epochs[training.chosen_epoch - 1].dev > 2
    assert (training.steps, training.examples) == (24, 8)
    assert training.epochs[-1].loss < training.epochs[0].loss / 2
    assert tuned.agreement < 1e-4
    assert told_apart(open_cross_encoder(tmp_path / "tuned").scores) > 2
    assert tune_reranker(CONTRASTS, tiny_bert, tmp_path / "tuned", recipe=RECIPE) == tuned


def test_a_killed_training_goes_on_as_it_would_have_gone(tiny_bert: Path, tmp_path: Path) -> None:
    short = RetrieverRecipe(epochs=4, batch_size=8, learning_rate=1e-2)
    whole = tune_reranker(CONTRASTS, tiny_bert, tmp_path / "whole", recipe=short)
    times = 0

    def killing(read: Read) -> float:
        nonlocal times
        times += 1
        if times == 3:
            raise KilledError
        return 1.0 / times

    with pytest.raises(KilledError):
        tune_reranker(CONTRASTS, tiny_bert, tmp_path / "killed", recipe=short, judge=killing)
    resumed = tune_reranker(CONTRASTS, tiny_bert, tmp_path / "killed", recipe=short, judge=lambda _: 0.9)
    assert [score.dev for score in resumed.training.epochs] == [1.0, 0.5, 0.9, 0.9]
    assert resumed.training.chosen_epoch == 1
    assert [score.loss for score in resumed.training.epochs] == [score.loss for score in whole.training.epochs]


def test_one_pair_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="1 pairs are too few"):
        tune_reranker(CONTRASTS[:1], tiny_bert, tmp_path / "tuned", recipe=RECIPE)
