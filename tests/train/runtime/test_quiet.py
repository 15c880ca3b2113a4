"""Training libraries tell nobody of a training."""

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import _telemetry

from weighbridge.train.runtime.quiet import quiet


def test_no_training_is_reported_although_the_hub_is_online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", False)
    monkeypatch.setattr(_telemetry, "_start_telemetry_thread", lambda: None)
    monkeypatch.setattr(_telemetry, "_TELEMETRY_QUEUE", queue := _telemetry.Queue())
    _telemetry.send_telemetry("trl/test")
    assert queue.qsize() == 1
    with quiet():
        _telemetry.send_telemetry("trl/test")
    assert queue.qsize() == 1
