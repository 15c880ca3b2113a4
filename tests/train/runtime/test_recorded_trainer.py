"""No library spreads a training by itself, and a launcher that starts many is refused."""

from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.runtime.checkpoints import CheckpointStore
from weighbridge.train.runtime.recorded_trainer import one_device, shared_arguments


def test_transformers_sees_one_gpu_at_most(tmp_path: Path):
    """Where it saw four, its trainer would wrap the network in `nn.DataParallel`."""
    import torch
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(output_dir=str(tmp_path), report_to="none", per_device_train_batch_size=2)
    arguments._n_gpu = 4  # noqa: SLF001 - as it is on a machine of four
    assert arguments.train_batch_size == 8
    network = torch.nn.Linear(2, 2)
    trainer = Trainer(network, one_device(arguments))
    assert arguments.n_gpu <= 1
    assert arguments.train_batch_size == 2
    assert trainer._wrap_model(trainer.model) is network  # noqa: SLF001 - it is where it would be wrapped


def test_processes_of_a_launcher_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    store = CheckpointStore(folder=tmp_path, fingerprint="a", ends=(1,))
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="without it"):
        shared_arguments(store, seed=7)
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert shared_arguments(store, seed=7)["seed"] == 7
