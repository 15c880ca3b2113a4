"""No library spreads a training by itself, and a launcher that starts many is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.runtime.devices import devices, one_device, require_devices


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


@pytest.fixture
def seeing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes torch see so many GPUs: this machine may have none, and another four."""
    import torch

    def see(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    return see


@pytest.mark.parametrize(("gpus", "expected"), [(0, 1), (1, 1), (4, 4)])
def test_a_training_uses_every_gpu_or_else_the_processor(seeing: Callable[[int], None], gpus: int, expected: int):
    seeing(gpus)
    assert devices() == expected
    require_devices(expected)


def test_each_process_needs_a_gpu_of_its_own_but_processes_may_share_the_processor(seeing: Callable[[int], None]):
    seeing(4)
    with pytest.raises(TrainingError, match="5 processes need a GPU each, and 4 are visible"):
        require_devices(5)
    seeing(0)
    require_devices(5)


def test_processes_of_a_launcher_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match="without it"):
        require_devices(1)
    monkeypatch.setenv("WORLD_SIZE", "1")
    require_devices(1)
