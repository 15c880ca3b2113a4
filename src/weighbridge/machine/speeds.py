"""Keeps how fast a model answers on this machine, and the memory it takes, for estimates before a long run.

The cache folder has a folder for each machine, by the fingerprint of its hardware, and a file in it for each model and
engine: an upgrade of torch or another processor does not inherit the figures of the old one.
"""

from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from weighbridge.fingerprint import fingerprint
from weighbridge.machine.hardware import this_hardware
from weighbridge.models import cache_folder
from weighbridge.workspace import load_json, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpeed:
    """The speed of one model with one engine on this machine, one question at a time.

    It serves estimates and tables only: no result depends on it.
    """

    model: str
    """The fingerprint of the model's files."""
    engine: str
    prompt_tokens_per_second: float
    """How fast a prompt is read."""
    answer_tokens_per_second: float
    """How fast an answer is written."""
    peak_bytes: int
    """The most memory that the process took."""
    measured_at: str
    """Date and time, ISO 8601 with the zone."""


def model_speed(model: str, engine: str, *, cache: Path | None = None) -> ModelSpeed | None:
    """Return the kept speed of a model with an engine on this machine; None if it was not measured here.

    Args:
        model: the fingerprint of the model's files.
        engine: the engine's name in the settings.
        cache: the cache folder, if not the user's own.
    """
    kept = load_json(_file(model, engine, cache))
    with suppress(ValidationError):
        return TypeAdapter(ModelSpeed).validate_python(kept)
    return None  # there is none, or another version or a hand wrote it


def save_model_speed(speed: ModelSpeed, *, cache: Path | None = None) -> None:
    """Keep the speed of a model. It takes the place of an earlier one.

    Args:
        speed: what was measured, on this machine.
        cache: the cache folder, if not the user's own.
    """
    file = _file(speed.model, speed.engine, cache)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_json(file, asdict(speed))


def _file(model: str, engine: str, cache: Path | None) -> Path:
    machine = (cache or cache_folder()) / "machines" / this_hardware().fingerprint
    return machine / f"{fingerprint(model, engine)}.json"
