"""No library spreads a training by itself, and a launcher that starts many is refused."""

from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.devices import devices, one_device, require_devices


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


def test_a_processor_is_one_device():
    import torch

    assert devices() == max(1, torch.cuda.device_count())
    require_devices(devices())


def test_processes_of_a_launcher_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="without it"):
        require_devices(1)
    monkeypatch.setenv("WORLD_SIZE", "1")
    require_devices(1)
