"""Checks the models, packages, memory and disk of this machine."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from weighbridge.errors import ModelError, SettingsError, UserError
from weighbridge.machine import (
    ProductRates,
    choose_threads,
    embedding_precision,
    machine_profile,
    this_hardware,
    this_machine,
    training_precision,
)
from weighbridge.models import cache_folder
from weighbridge.settings.file import load_settings
from weighbridge.workflow.endpoint_check import tiny_requests
from weighbridge.workflow.known_models import default_models
from weighbridge.workspace import Workspace

ENOUGH_MEMORY = 6 * 2**30
"""Training the default model takes up to 6 GiB."""
ENOUGH_DISK = 3 * 2**30
"""The downloads, their converted forms and some adapters, each with a merged GGUF."""
PACKAGES = {
    "faiss": "the index",
    "xllamacpp": "answering with llama.cpp",
    "gguf": "exporting models",
    "torch": "embeddings and training",
    "transformers": "embeddings and training",
    "peft": "training adapters",
    "trl": "training adapters",
}

_UNUSED = "its wheel leaves AVX-512 unused; with it, prompts were read 1.1 to 1.6 times as fast on a Xeon"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorCheck:
    """One finding of the doctor."""

    what: str
    state: Literal["good", "warning", "missing"]
    detail: str
    remedy: str = ""
    """The command or action that solves the problem; empty if there is none."""


def examine(root: Path) -> tuple[DoctorCheck, ...]:
    """Check this machine and a workspace. Each problem comes with its remedy."""
    return (*_machine(), *_packages(), *_models(), *_workspace(Workspace(root)))


def _machine() -> Iterator[DoctorCheck]:
    machine = this_machine()
    yield DoctorCheck(
        what="processor", state="good", detail=f"{machine.processor}, {machine.cores} cores, {machine.system}"
    )
    profile = machine_profile()
    embeds = profile.embedding_rates
    yield DoctorCheck(
        what="precision",
        state="good",
        detail=f"trains in {training_precision()} and embeds in {embedding_precision()}, the fastest of a short "
        f"measurement, on {choose_threads()} threads; one core multiplies {_rates(profile.training_rates)} with torch"
        + (f" and {_rates(embeds)} with OpenVINO" if embeds else ""),
    )
    enough = machine.memory_bytes >= ENOUGH_MEMORY
    yield DoctorCheck(
        what="memory",
        state="good" if enough else "warning",
        detail=f"{machine.memory_bytes / 2**30:.1f} GiB",
        remedy="" if enough else "training the default model takes up to 6 GiB; leave out fine-tuned and raft",
    )
    cache = cache_folder()
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    good = free >= ENOUGH_DISK and os.access(there, os.W_OK)
    yield DoctorCheck(
        what="model cache",
        state="good" if good else "warning",
        detail=f"{cache}, {free / 2**30:.1f} GiB free",
        remedy="" if good else "set WEIGHBRIDGE_CACHE to a writable folder with 3 GiB free",
    )


def _rates(rates: ProductRates) -> str:
    found = {"float32": rates.float32, "bfloat16": rates.bfloat16, "int8": rates.int8}
    each = ", ".join(f"{rate:,.0f} in {name}" for name, rate in found.items() if rate)
    return f"{each} (GFLOP/s)"


def _packages() -> Iterator[DoctorCheck]:
    flags = this_hardware().flags
    for package, use in PACKAGES.items():
        here = find_spec(package) is not None
        yield DoctorCheck(
            what=package,
            state="good" if here else "missing",
            detail=f"{use}; {_UNUSED}" if package == "xllamacpp" and "avx512_vnni" in flags else use,
            remedy="" if here else "pip install 'weighbridge[local]'",
        )


def _models() -> Iterator[DoctorCheck]:
    for known in default_models():
        here = known.path is not None
        where = str(known.path) if here else f"{known.model.download_bytes / 1e6:.0f} MB to download"
        yield DoctorCheck(
            what=known.model.name,
            state="good" if here else "warning",
            detail=f"{known.model.what}; {where}",
            remedy="" if here else "weighbridge models fetch",
        )


def _workspace(workspace: Workspace) -> Iterator[DoctorCheck]:
    if not workspace.settings_file.exists():
        return
    writable = os.access(workspace.root, os.W_OK)
    yield DoctorCheck(
        what="workspace",
        state="good" if writable else "missing",
        detail=str(workspace.root),
        remedy="" if writable else f"chmod u+w {workspace.root}",
    )
    yield from _endpoints(workspace)


def _endpoints(workspace: Workspace) -> Iterator[DoctorCheck]:
    """Ask each endpoint of a workspace something tiny."""
    try:
        settings = load_settings(workspace.settings_file)
    except SettingsError as error:
        yield DoctorCheck(what="weighbridge.yaml", state="missing", detail=str(error), remedy="correct these lines")
        return
    for name, ask in tiny_requests(settings):
        what = f"{name} at its endpoint"
        try:
            yield DoctorCheck(what=what, state="good", detail=ask())
        except (ModelError, UserError) as error:
            problem, _, remedy = str(error).rpartition("; ")
            yield DoctorCheck(what=what, state="missing", detail=problem or remedy, remedy=remedy)
