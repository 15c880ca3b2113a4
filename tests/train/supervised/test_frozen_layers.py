"""Training on the kept states of the lower blocks is training on the whole network, and leaves nothing behind."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from weighbridge.train.data.tokens import Encoded
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.frozen_layers import keep_lower
from weighbridge.train.supervised.methods import blocks_of, prepare
from weighbridge.train.supervised.prefix_packing import pack
from weighbridge.train.supervised.train import Job, train
from weighbridge.train.supervised.trainer import row_loss
from weighbridge.types import Progress


@pytest.fixture(scope="module")
def texts() -> tuple[Encoded, ...]:
    """Prompts with a long beginning in common, one of them twice."""
    random = np.random.default_rng(2)
    system = tuple(int(token) for token in random.integers(3, 261, 40))
    made = [(*system, *(int(token) for token in random.integers(3, 261, random.integers(4, 20))), 2) for _ in range(7)]
    return tuple(Encoded(example_id=str(n), tokens=one, start=len(one) - 3) for n, one in enumerate([*made, made[3]]))


def upper(recipe: Recipe, **changes: object) -> Recipe:
    return replace(recipe, training=recipe.training.model_copy(update={"layers": 1, "epochs": 2, **changes}))


def silent(progress: Progress) -> None:
    """Hear nothing."""


@pytest.mark.parametrize("method", ["lora", "ia3", "full"])
def test_loss_and_gradients_are_those_of_the_whole(recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path, method):
    with quiet():
        whole = prepare(recipe.base, upper(recipe, method=method).training, exact=True)
        cut = keep_lower(whole, texts, tmp_path, layers=1, key="a", notify=silent)
    assert cut is not whole
    found = []
    for recipient in (whole, cut):
        losses = []
        for row in pack(texts, among=[6, 3, 7, 0], limit=60):
            loss = row_loss(recipient, row)
            loss.backward()
            losses.append(loss.item())
        grown = {n: w.grad.numpy().copy() for n, w in whole.network.named_parameters() if w.grad is not None}
        whole.network.zero_grad(set_to_none=True)
        found.append((losses, grown))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    assert found[0][1].keys() == found[1][1].keys()
    for name, values in found[0][1].items():
        np.testing.assert_allclose(found[1][1][name], values, rtol=1e-4, atol=1e-5)
    assert len(blocks_of(whole.network)) == 2


def test_states_are_computed_once_also_when_killed(recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path):
    job = Job(encoded=texts, folder=tmp_path / "whole", recipe=upper(recipe))
    train(job)
    seen: list[Progress] = []

    def kill(progress: Progress) -> None:
        seen.append(progress)
        if progress.note and progress.done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(replace(job, folder=tmp_path / "cut", notify=kill))
    assert (tmp_path / "cut" / "lower.bin").is_file()
    assert "computing the lower blocks" in {one.task for one in seen}
    seen.clear()
    train(replace(job, folder=tmp_path / "cut", notify=seen.append))
    assert {one.task for one in seen} == {"training"}
    for name in ("lower.bin", "lower.json", "checkpoints"):
        assert not (tmp_path / "cut" / name).exists()
    name = "adapter/adapter_model.safetensors"
    assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_where_nothing_is_below_nothing_is_kept(recipe: Recipe, texts: Sequence[Encoded], tmp_path: Path):
    with quiet():
        whole = prepare(recipe.base, upper(recipe, layers=2).training)
    assert keep_lower(whole, texts, tmp_path, layers=2, key="a", notify=silent) is whole
    assert not list(tmp_path.iterdir())
