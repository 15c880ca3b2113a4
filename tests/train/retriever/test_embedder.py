"""A tuned embedder: better where it was taught, opened by our own graph, the same after a kill."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from weighbridge.errors import MissingExtraError, TrainingError, UnfinishedError
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.train.retriever.contrastive import RetrieverRecipe
from weighbridge.train.retriever.embedder import Encode, tune_embedder
from weighbridge.train.retriever.negatives import Contrast

PORTS = ["tarrow", "skelly", "brannoch", "orma", "lunday", "hask", "vell", "dunnet"]
HOURS = ["dawn", "noon", "dusk", "night", "three", "four", "eight", "nine"]
CONTRASTS = [
    Contrast(
        question=f"when does {port} close?",
        positive=f"{hour}: {port}",
        negatives=(f"{HOURS[(place + 3) % 8]}: {PORTS[(place + 5) % 8]} again",),
    )
    for place, (port, hour) in enumerate(zip(PORTS, HOURS, strict=True))
]
RECIPE = RetrieverRecipe(epochs=3, batch_size=4, learning_rate=3e-3, precision="float32")


class KilledError(Exception):
    """Stands for a process that ends in the middle."""


def found(encode: Encode) -> float:
    """Return the mean likeness of questions to their texts less that to all texts."""
    questions = encode([one.question for one in CONTRASTS])
    likeness = questions @ encode([one.positive for one in CONTRASTS]).T
    return float(np.diag(likeness).mean() - likeness.mean())


def test_what_was_taught_is_nearer_and_our_graph_agrees(tiny_bert: Path, tmp_path: Path) -> None:
    folder, asked = tmp_path / "tuned", []

    def judge(encode: Encode) -> float:
        asked.append(found(encode))
        return asked[-1]

    tuned = tune_embedder(CONTRASTS, tiny_bert, folder, recipe=RECIPE, judge=judge)
    training = tuned.training
    assert [score.dev for score in training.epochs] == asked
    assert training.epochs[training.chosen_epoch - 1].dev == max(asked)
    assert training.last_loss < training.first_loss
    assert (training.steps, training.examples) == (6, 8)
    assert tuned.agreement > 0.999
    ours = open_embedder(folder, precision="float32")
    base = open_embedder(tiny_bert, precision="float32")
    assert found(lambda texts: ours.embed(texts, kind="document")) == pytest.approx(max(asked), abs=1e-4)
    assert max(asked) > found(lambda texts: base.embed(texts, kind="document")) + 0.05
    assert {file.name for file in tiny_bert.iterdir()} <= {file.name for file in folder.iterdir()}
    assert list(tmp_path.iterdir()) == [folder]
    assert tune_embedder(CONTRASTS, tiny_bert, folder, recipe=RECIPE, judge=None) == tuned


@pytest.mark.parametrize("best", [1, 2, 3])
def test_the_embedder_of_the_best_epoch_is_kept(tiny_bert: Path, tmp_path: Path, best: int) -> None:
    """Judged by a script, so that the best epoch is known, and is not always the last."""
    questions = [one.question for one in CONTRASTS]
    vectors = []

    def judge(encode: Encode) -> float:
        vectors.append(encode(questions))
        return 0.9 if len(vectors) == best else 0.1 / len(vectors)

    training = tune_embedder(CONTRASTS, tiny_bert, tmp_path / "tuned", recipe=RECIPE, judge=judge).training
    assert training.chosen_epoch == best
    kept = open_embedder(tmp_path / "tuned", precision="float32").embed(questions, kind="query")
    likeness = [float((kept * each).sum(axis=1).mean()) for each in vectors]
    assert likeness[best - 1] == pytest.approx(1.0, abs=1e-4)
    assert max(value for epoch, value in enumerate(likeness, 1) if epoch != best) < 0.9999


def test_a_killed_training_ends_with_the_same_weights(tiny_bert: Path, tmp_path: Path) -> None:
    tune_embedder(CONTRASTS, tiny_bert, tmp_path / "whole", recipe=RECIPE, judge=found)
    times = 0

    def killing(encode: Encode) -> float:
        nonlocal times
        times += 1
        if times == 2:
            raise KilledError
        return found(encode)

    with pytest.raises(KilledError):
        tune_embedder(CONTRASTS, tiny_bert, tmp_path / "killed", recipe=RECIPE, judge=killing)
    resumed = tune_embedder(CONTRASTS, tiny_bert, tmp_path / "killed", recipe=RECIPE, judge=found)
    assert len(resumed.training.epochs) == 3
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]


def test_one_pair_is_refused(tiny_bert: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="1 pairs are too few"):
        tune_embedder(CONTRASTS[:1], tiny_bert, tmp_path / "tuned", recipe=RECIPE)


def test_without_the_library_the_extra_is_named(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'weighbridge\[retriever\]'"):
        tune_embedder(CONTRASTS, tiny_bert, tmp_path / "tuned", recipe=RECIPE)


def test_a_time_limit_stops_it_after_a_step_and_it_goes_on_to_the_same_weights(tiny_bert: Path, tmp_path: Path) -> None:
    whole = tune_embedder(CONTRASTS, tiny_bert, tmp_path / "whole", recipe=RECIPE, judge=found)
    hasty = replace(RECIPE, seconds=1e-6)
    for step in range(1, 6):
        with pytest.raises(UnfinishedError, match=f"stopped at step {step} of 6"):
            tune_embedder(CONTRASTS, tiny_bert, tmp_path / "cut", recipe=hasty, judge=found)
        assert not (tmp_path / "cut").exists()
    done = tune_embedder(CONTRASTS, tiny_bert, tmp_path / "cut", recipe=hasty, judge=found)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "cut")]
    assert weights[0] == weights[1]
    assert replace(done.training, seconds=0.0) == replace(whole.training, seconds=0.0)
    assert done.fingerprint == whole.fingerprint
