"""Parses the replies of a fine-tuning endpoint. No reply is trusted to have the promised shape."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Safe = Callable[[str], str]
"""Shortens an endpoint's text to one line without the key."""

ENDED = frozenset({"succeeded", "failed", "cancelled"})
KNOWN = frozenset({*ENDED, "validating_files", "queued", "running", "paused"})
"""The states of a job that the API has. An endpoint may have more."""
_SAME = {"canceled": "cancelled", "completed": "succeeded"}
_LONGEST_QUOTE = 60


class NonsenseError(ValueError):
    """A reply has not the shape that the API promises."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedJob:
    """A fine-tuning job as the endpoint describes it."""

    id: str
    status: str
    """One of `KNOWN`, or another word for a state that is not the end."""
    model: str
    """The tuned model's name; empty until the job has succeeded."""
    error: str
    training_file: str
    result_files: tuple[str, ...]
    trained_tokens: int | None
    epochs: int | None
    seconds: float | None
    """From its creation to its end, by the endpoint's clock; None until then, or where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedEvent:
    """Something that happened to a job, and the figures that came with it."""

    id: str
    message: str
    figures: Mapping[str, Any]


def read_job(raw: Any, safe: Safe) -> HostedJob:
    """Read a job; `NonsenseError` where it is none."""
    name, status = read_id(raw), _of(raw, "status")
    if not isinstance(status, str) or not status:
        raise NonsenseError("a job without a status")
    epochs, tokens = _of(_of(raw, "hyperparameters"), "n_epochs"), _of(raw, "trained_tokens")
    model = safe(str(_of(raw, "fine_tuned_model") or ""))
    message, code, parameter = (_of(_of(raw, "error"), part) or "" for part in ("message", "code", "param"))
    error = safe(str(message or code) + (f" (in {parameter})" if parameter else ""))
    files = _of(raw, "result_files")
    begun, ended = _of(raw, "created_at"), _of(raw, "finished_at")
    timed = isinstance(begun, (int, float)) and isinstance(ended, (int, float)) and ended >= begun
    word = _SAME.get(status.lower(), status.lower())
    if word not in KNOWN and _of(raw, "finished_at"):
        word, error = ("succeeded", error) if model else ("failed", error or f"it ended as {safe(status)}")
    return HostedJob(
        id=name,
        status=safe(word),
        model=model,
        error=error,
        training_file=str(_of(raw, "training_file")),
        result_files=tuple(str(file) for file in files) if isinstance(files, list) else (),
        trained_tokens=tokens if isinstance(tokens, int) else None,
        epochs=epochs if isinstance(epochs, int) else None,
        seconds=float(ended - begun) if timed else None,
    )


def read_event(raw: Any, safe: Safe) -> HostedEvent:
    """Read an event; `NonsenseError` where it is none."""
    figures = _of(raw, "data")
    return HostedEvent(
        id=read_id(raw),
        message=safe(str(_of(raw, "message") or "")),
        figures=figures if isinstance(figures, Mapping) else {},
    )


def read_id(raw: Any) -> str:
    """Return the name of a file, a job or an event; `NonsenseError` where there is none."""
    if isinstance(raw, str):
        begins = f"{raw[:_LONGEST_QUOTE]}{'...' if len(raw) > _LONGEST_QUOTE else ''}"
        raise NonsenseError(f"not JSON of the fine-tuning API, but {begins!r}")
    name = _of(raw, "id")
    if not isinstance(name, str) or not name or not name.isprintable():
        raise NonsenseError("it has no id")
    return name


def _of(raw: Any, name: str) -> Any:
    return getattr(raw, name, None)
