"""Describes this machine: its processor, cores and memory, and the libraries that compute on it."""

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

from weighbridge.fingerprint import fingerprint
from weighbridge.results import Machine

_LIBRARIES = ("numpy", "openvino", "torch")
"""The libraries that multiply matrices here. Another version may bring other kernels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """All that decides how fast this machine computes."""

    processor: str
    flags: tuple[str, ...]
    """The features of the processor, sorted; empty where they cannot be read."""
    cores: int
    """The processor cores that this process may use. Two threads of one core count once."""
    memory_gib: int
    """Rounded, because the memory of a virtual machine differs by some kilobytes from start to start."""
    libraries: Mapping[str, str]
    """The versions of the installed libraries that multiply matrices."""

    @property
    def fingerprint(self) -> str:
        """16 hex digits, the same for equal machines with equal libraries."""
        return fingerprint(asdict(self))


@cache
def this_hardware() -> Hardware:
    """Return the hardware that this process runs on."""
    return Hardware(
        processor=_processor(),
        flags=_flags(),
        cores=_usable_cores(),
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        libraries={name: found for name in _LIBRARIES if (found := _version(name))},
    )


def this_machine() -> Machine:
    """Return the processor, the cores this process may use, and the memory, as reports show them."""
    return Machine(
        processor=_processor(),
        cores=len(_allowed_processors()),
        memory_bytes=int(psutil.virtual_memory().total),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )


def _processor() -> str:
    for line in _cpuinfo():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _flags() -> tuple[str, ...]:
    for line in _cpuinfo():
        if line.startswith(("flags", "Features")):
            return tuple(sorted(line.split(":", 1)[1].split()))
    return ()


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []


def _allowed_processors() -> frozenset[int]:
    """Return the numbers of the processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def _usable_cores(
    topology: Path = Path("/sys/devices/system/cpu"), quota: Path = Path("/sys/fs/cgroup/cpu.max")
) -> int:
    """Count the cores that this process may use, within the share that a container grants it.

    Two threads of one core count once: they share the units that multiply matrices.
    """
    siblings = {
        _read(topology / f"cpu{number}" / "topology" / "core_cpus_list") or number for number in _allowed_processors()
    }
    granted, _, period = _read(quota).partition(" ")
    if granted.isdigit() and period.isdigit():
        return max(1, min(len(siblings), int(granted) // int(period)))
    return len(siblings)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        return ""
