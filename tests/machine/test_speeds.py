"""The speed of a model: kept for this machine, by the model and the engine."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.machine import ModelSpeed, model_speed, save_model_speed, this_hardware

SPEED = ModelSpeed(
    model="a1",
    engine="llamacpp",
    prompt_tokens_per_second=400.0,
    answer_tokens_per_second=60.5,
    peak_bytes=3 * 2**28,
    measured_at="2026-12-01T12:00:00+00:00",
)


def test_a_speed_is_kept_by_model_and_engine(tmp_path: Path) -> None:
    save_model_speed(SPEED, cache=tmp_path)
    faster = replace(SPEED, engine="vllm", answer_tokens_per_second=90.0)
    save_model_speed(faster, cache=tmp_path)
    assert model_speed("a1", "llamacpp", cache=tmp_path) == SPEED
    assert model_speed("a1", "vllm", cache=tmp_path) == faster
    assert model_speed("a2", "vllm", cache=tmp_path) is None


def test_a_later_speed_takes_the_place_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    save_model_speed(SPEED, cache=tmp_path)
    save_model_speed(replace(SPEED, peak_bytes=1), cache=tmp_path)
    found = model_speed("a1", "llamacpp", cache=tmp_path)
    assert found is not None
    assert found.peak_bytes == 1
    for file in tmp_path.rglob("*.json"):
        whole = file.read_text()
        for damaged in ('{"model": "a1"}', "[]", whole.replace("400.0", '"fast"')):
            file.write_text(damaged)
            assert model_speed("a1", "llamacpp", cache=tmp_path) is None


def test_the_speed_of_another_machine_is_not_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_model_speed(SPEED, cache=tmp_path)
    other = replace(this_hardware(), libraries={"numpy": "0"})
    monkeypatch.setattr("weighbridge.machine.speeds.this_hardware", lambda: other)
    assert model_speed("a1", "llamacpp", cache=tmp_path) is None
