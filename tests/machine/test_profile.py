"""The choices by measured rates: made once for a machine, kept, and overridden by the environment."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

import pytest
from filelock import FileLock

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.machine import (
    Hardware,
    MachineProfile,
    ProductRates,
    choose_threads,
    embedding_precision,
    machine_profile,
    training_precision,
)
from weighbridge.machine.hardware import _usable_cores, this_hardware

HARDWARE = Hardware(processor="a Xeon", flags=("avx512f",), cores=2, memory_gib=16, libraries={"numpy": "2.0"})
RATES = ProductRates(float32=100.0, bfloat16=180.0, int8=400.0)


def profile(torch: ProductRates = RATES, openvino: ProductRates | None = RATES) -> MachineProfile:
    return MachineProfile(machine="m", threads=2, training_rates=torch, embedding_rates=openvino)


@pytest.mark.parametrize(
    ("rates", "training", "embedding"),
    [
        (ProductRates(float32=100, bfloat16=180, int8=400), "bfloat16", "int8"),
        (ProductRates(float32=300, bfloat16=163, int8=802), "float32", "int8"),
        (ProductRates(float32=100, bfloat16=600, int8=610), "bfloat16", "bfloat16"),
        (ProductRates(float32=100, bfloat16=110, int8=115), "float32", "float32"),
        (ProductRates(float32=100, bfloat16=5, int8=50), "float32", "float32"),
    ],
)
def test_the_fastest_precision_is_chosen_and_a_tie_goes_to_the_more_precise(
    rates: ProductRates, training: str, embedding: str
) -> None:
    assert (profile(rates).training_precision, profile(openvino=rates).embedding_precision) == (training, embedding)


def test_without_openvino_an_encoder_runs_as_torch_trains() -> None:
    assert profile(openvino=None).embedding_precision == "bfloat16"


def test_a_machine_is_measured_once_and_chooses_the_same_afterwards(tmp_path: Path) -> None:
    asked = []

    def measure() -> ProductRates:
        asked.append(1)
        return ProductRates(float32=100.0 / len(asked), bfloat16=180.0)

    def chosen(hardware: Hardware) -> MachineProfile:
        return machine_profile(cache=tmp_path, hardware=hardware, training=measure, embedding=lambda: RATES)

    assert chosen(HARDWARE) == chosen(HARDWARE)
    assert len(asked) == 1
    updated = replace(HARDWARE, libraries={"numpy": "2.1"})
    assert chosen(updated).machine != chosen(HARDWARE).machine
    assert len(asked) == 2


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda _: "[]",
        lambda text: text.replace('"float32": 100.0', '"float32": "fast"'),
        lambda text: text.replace('"training_rates"', '"rates"'),
        lambda text: text.replace(HARDWARE.fingerprint, "another machine"),
    ],
)
def test_a_damaged_profile_and_one_of_another_machine_are_measured_again(
    tmp_path: Path, damage: Callable[[str], str]
) -> None:
    asked = []

    def measure() -> ProductRates:
        asked.append(1)
        return RATES

    def chosen() -> MachineProfile:
        return machine_profile(cache=tmp_path, hardware=HARDWARE, training=measure, embedding=lambda: None)

    first = chosen()
    file = tmp_path / "machines" / f"{HARDWARE.fingerprint}.json"
    file.write_text(damage(file.read_text()))
    assert chosen() == first
    assert len(asked) == 2


def test_of_two_commands_that_start_together_one_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    locks: list[FileLock] = []
    asked: list[int] = []
    second_waits = Event()

    def lock(path: Path) -> FileLock:
        locks.append(FileLock(path))
        if len(locks) > 1:
            second_waits.set()
        return locks[-1]

    def chosen() -> MachineProfile:
        return machine_profile(cache=tmp_path, hardware=HARDWARE, training=measure, embedding=lambda: None)

    second = Thread(target=chosen)

    def measure() -> ProductRates:
        asked.append(1)
        if len(asked) == 1:
            second.start()
            assert second_waits.wait(10)
        return RATES

    monkeypatch.setattr("weighbridge.machine.profile.FileLock", lock)
    chosen()
    second.join()
    assert len(asked) == 1


def test_a_cache_that_cannot_be_written_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "machines").write_text("a file where a folder should be")
    with pytest.raises(WorkspaceError, match=r"the measurement .* set WEIGHBRIDGE_CACHE to a folder you own"):
        machine_profile(cache=tmp_path, hardware=HARDWARE, training=lambda: RATES, embedding=lambda: None)


def test_the_environment_chooses_without_a_measurement(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    monkeypatch.setenv("WEIGHBRIDGE_TRAINING_PRECISION", "float32")
    monkeypatch.setenv("WEIGHBRIDGE_EMBEDDING_PRECISION", "bfloat16")
    monkeypatch.setenv("WEIGHBRIDGE_THREADS", "3")
    assert (training_precision(), embedding_precision(), choose_threads()) == ("float32", "bfloat16", 3)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("variable", "choose"),
    [
        ("WEIGHBRIDGE_TRAINING_PRECISION", training_precision),
        ("WEIGHBRIDGE_EMBEDDING_PRECISION", embedding_precision),
        ("WEIGHBRIDGE_THREADS", choose_threads),
    ],
)
def test_an_impossible_choice_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, choose: Callable[[], object]
) -> None:
    for impossible in ("int4", "\N{SUPERSCRIPT TWO}", "0"):
        monkeypatch.setenv(variable, impossible)
        with pytest.raises(UserError, match=variable):
            choose()


def test_threads_of_one_core_and_a_container_s_share_count_once(tmp_path: Path) -> None:
    for number in os.sched_getaffinity(0):
        folder = tmp_path / f"cpu{number}" / "topology"
        folder.mkdir(parents=True)
        (folder / "core_cpus_list").write_text("0-7\n")
    quota = tmp_path / "cpu.max"
    assert _usable_cores(tmp_path, quota) == 1
    quota.write_text("max 100000\n")
    assert _usable_cores(tmp_path / "absent", quota) == len(os.sched_getaffinity(0))
    quota.write_text("150000 100000\n")
    assert _usable_cores(tmp_path / "absent", quota) == 1


def test_this_machine_has_a_core_and_a_fingerprint_that_stays() -> None:
    assert this_hardware().cores >= 1
    assert this_hardware().fingerprint == this_hardware().fingerprint
