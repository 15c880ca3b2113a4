"""The measurement itself, once and short: rates of the precisions that can be had here."""

import pytest

from weighbridge.machine import rates
from weighbridge.machine.rates import measure_embedding_rates, measure_training_rates


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "_ROWS", 16)
    monkeypatch.setattr(rates, "_CHANNELS", 64)
    monkeypatch.setattr(rates, "_TURNS", 2)


def test_training_rates_leave_torch_as_it_was() -> None:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        found = measure_training_rates()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert found.float32 > 0
    assert found.bfloat16 > 0


def test_embedding_rates_are_of_all_three_precisions() -> None:
    pytest.importorskip("openvino")
    found = measure_embedding_rates()
    assert found is not None
    assert min(found.float32, found.bfloat16, found.int8) > 0


def test_without_the_libraries_numpy_is_measured_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "find_spec", lambda _: None)
    assert measure_training_rates().float32 > 0
    assert measure_training_rates().bfloat16 == 0
    assert measure_embedding_rates() is None
