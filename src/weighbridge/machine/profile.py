"""Chooses the precisions and the threads that suit this machine, by a short measurement that is made once.

The cache folder keeps the measurement under the fingerprint of the machine, so that a later run, or one under load,
chooses the same. A choice enters the fingerprint of what is computed with it as a precision, never as a speed. These
environment variables choose instead, for example for all machines of a cluster:

- WEIGHBRIDGE_TRAINING_PRECISION: float32 or bfloat16, also for what stays in floats where vectors are made in int8
- WEIGHBRIDGE_EMBEDDING_PRECISION: float32, bfloat16 or int8
- WEIGHBRIDGE_THREADS: how many processor threads compute at the same time

`training.precision` and `retrieval.precision` in weighbridge.yaml come before both.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.machine.hardware import Hardware, this_hardware
from weighbridge.machine.rates import ProductRates, measure_embedding_rates, measure_training_rates
from weighbridge.models import cache_folder
from weighbridge.workspace import load_json, write_json

TorchPrecision = Literal["float32", "bfloat16"]
VectorPrecision = Literal["float32", "bfloat16", "int8"]

_MARGIN = 1.2
"""How many times as fast a lesser precision must be to be chosen: a tie goes to the more precise one.

Two measurements of one machine under different load differed by less than 10 % in their ratios.
"""
TRAINING, EMBEDDING, THREADS = (
    "WEIGHBRIDGE_TRAINING_PRECISION",
    "WEIGHBRIDGE_EMBEDDING_PRECISION",
    "WEIGHBRIDGE_THREADS",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineProfile:
    """The measured rates of a machine, and what is chosen by them."""

    machine: str
    """The fingerprint of the hardware."""
    threads: int
    """A thread for each core that this process may use."""
    training_rates: ProductRates
    """Of torch, on one core."""
    embedding_rates: ProductRates | None
    """Of OpenVINO, on one core; None where it is not installed."""

    @property
    def training_precision(self) -> TorchPrecision:
        """The precision of the frozen weights that torch computes with."""
        rates = self.training_rates
        return "bfloat16" if rates.bfloat16 >= _MARGIN * rates.float32 else "float32"

    @property
    def embedding_floats(self) -> TorchPrecision:
        """The precision of all that an encoder leaves in floats where it runs in int8."""
        rates = self.embedding_rates or self.training_rates
        return "bfloat16" if rates.bfloat16 >= _MARGIN * rates.float32 else "float32"

    @property
    def embedding_precision(self) -> VectorPrecision:
        """The precision of the vectors of documents, for an encoder that runs in all three."""
        rates = self.embedding_rates
        if rates and rates.int8 >= _MARGIN * max(rates.float32, rates.bfloat16):
            return "int8"
        return self.embedding_floats


def machine_profile(
    *,
    cache: Path | None = None,
    hardware: Hardware | None = None,
    training: Callable[[], ProductRates] = measure_training_rates,
    embedding: Callable[[], ProductRates | None] = measure_embedding_rates,
) -> MachineProfile:
    """Return the profile of this machine. The first call measures for about two seconds, and keeps the result.

    Args:
        cache: the cache folder, if not the user's own.
        hardware: the machine, if not this one.
        training: measures torch.
        embedding: measures OpenVINO.

    Raises:
        WorkspaceError: the cache folder cannot be written.
    """
    hardware = hardware or this_hardware()
    file = (cache or cache_folder()) / "machines" / f"{hardware.fingerprint}.json"
    try:
        if (kept := _read_profile(file, hardware.fingerprint)) is not None:
            return kept
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_suffix(".lock")):  # of two commands that start together, one measures
            if (kept := _read_profile(file, hardware.fingerprint)) is not None:
                return kept
            made = MachineProfile(
                machine=hardware.fingerprint,
                threads=hardware.cores,
                training_rates=training(),
                embedding_rates=embedding(),
            )
            write_json(file, {**asdict(made), "hardware": asdict(hardware)})
    except OSError as error:
        raise WorkspaceError(
            f"{error.filename or file.parent}: the measurement of this machine cannot be kept ({error.strerror}); set "
            "WEIGHBRIDGE_CACHE to a folder you own"
        ) from error
    return made


def training_precision() -> TorchPrecision:
    """Return the precision to train in: that of the environment, or the one chosen by measurement."""
    return cast("TorchPrecision", _from_environment(TRAINING, get_args(TorchPrecision))) or (
        machine_profile().training_precision
    )


def embedding_precision() -> VectorPrecision:
    """Return the precision of documents' vectors: that of the environment, or the one chosen by measurement."""
    return cast("VectorPrecision", _from_environment(EMBEDDING, get_args(VectorPrecision))) or (
        machine_profile().embedding_precision
    )


def embedding_floats() -> TorchPrecision:
    """Return the precision of what an encoder in int8 leaves in floats, chosen like the two others."""
    return cast("TorchPrecision", _from_environment(TRAINING, get_args(TorchPrecision))) or (
        machine_profile().embedding_floats
    )


def choose_threads() -> int:
    """Return how many threads to compute with: as the environment says, or one for each core."""
    chosen = os.environ.get(THREADS, "")
    if not chosen:
        return this_hardware().cores
    if not (chosen.isascii() and chosen.isdigit()) or int(chosen) < 1:
        raise UserError(f"{THREADS} is {chosen!r}; set it to a number of threads, or unset it")
    return int(chosen)


def _from_environment(variable: str, possible: tuple[str, ...]) -> str:
    chosen = os.environ.get(variable, "")
    if chosen and chosen not in possible:
        raise UserError(f"{variable} is {chosen!r}; set it to one of {', '.join(possible)}, or unset it")
    return chosen


def _read_profile(file: Path, machine: str) -> MachineProfile | None:
    """Return a kept profile; None if there is none of this machine that this version can read."""
    kept = load_json(file)
    if not isinstance(kept, dict):
        return None
    with suppress(ValidationError):
        profile = TypeAdapter(MachineProfile).validate_python({name: kept.get(name) for name in _FIELDS})
        return profile if profile.machine == machine else None
    return None


_FIELDS = tuple(MachineProfile.__dataclass_fields__)
