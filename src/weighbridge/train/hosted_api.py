"""A fine-tuning endpoint, asked through OpenAI's own client: each call as one function, each failure as one sentence.

What an endpoint sends is not trusted to have the shape that its API promises.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from weighbridge.errors import TrainingError
from weighbridge.generate.openai import open_openai
from weighbridge.settings import ModelSettings

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

T = TypeVar("T")
_DEFAULT = "https://api.openai.com/v1"
_LONGEST_QUOTE = 400
_LOOKED_THROUGH = 1000
"""Jobs, newest first, among which one that was begun is looked for."""
_UNSUPPORTED = frozenset({404, 405, 501})
_BUSY = frozenset({408, 409, 429})
_BROKEN = 500


class EndpointAwayError(TrainingError):
    """The endpoint gave no answer that can be used, or has no time; to ask again later may help.

    `unread` where it may have done, or may yet do, what it was asked all the same.
    """

    def __init__(self, message: str, *, unread: bool) -> None:
        super().__init__(message)
        self.unread = unread


class UnsupportedError(TrainingError):
    """The endpoint does not know such a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A job as it is asked for. A hyper-parameter that is None is left to the endpoint ("auto")."""

    model: str
    method: Literal["supervised", "dpo"]
    suffix: str
    seed: int
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate_multiplier: float | None = None
    beta: float | None = None
    """dpo only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostedJob:
    """What an endpoint says about a job."""

    id: str
    status: str
    """validating_files, queued, running, paused, succeeded, failed or cancelled; an endpoint may have more."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where jobs run. The key is shown by nothing."""

    client: "OpenAI" = field(repr=False)
    key: str = field(repr=False)
    where: str

    def call(self, doing: str, ask: Callable[["OpenAI"], T], *, retries: int | None = None) -> T:
        """Return what the client returns.

        `doing` begins the messages of errors. The client itself retries what was busy, as often as it is set to, or
        `retries` times.

        Raises:
            EndpointAwayError: no connection, no answer in time, an answer that is none, or the endpoint is busy.
            UnsupportedError: the endpoint does not know this request.
            TrainingError: the endpoint refuses; in its own words.
        """
        from openai import APIConnectionError, APIStatusError, OpenAIError

        client = self.client if retries is None else self.client.with_options(max_retries=retries)
        try:
            return ask(client)
        except APIStatusError as error:
            raise self._refused(doing, error) from None
        except APIConnectionError as error:
            raise EndpointAwayError(f"{self.where}: {doing}: {self.safe(str(error))}", unread=True) from None
        except (OpenAIError, ValueError, TypeError, AttributeError) as error:
            told = f"{self.where}: {doing}: the reply makes no sense ({self.safe(str(error))})"
            raise EndpointAwayError(told, unread=True) from None

    def safe(self, text: str) -> str:
        """Return one line of bounded length, without the key."""
        line = " ".join((text.replace(self.key, "***") if self.key else text).split())
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."

    def _refused(self, doing: str, error: "APIStatusError") -> TrainingError:
        told = f"{self.where}: {doing}: HTTP {error.status_code}: {self.safe(error.message)}"
        if error.status_code in _UNSUPPORTED:
            return UnsupportedError(told)
        busy = error.status_code in _BUSY or error.status_code >= _BROKEN
        return EndpointAwayError(told, unread=False) if busy else TrainingError(told)


def open_endpoint(settings: ModelSettings, *, environment: Mapping[str, str] = os.environ) -> Endpoint:
    """Return the endpoint that `settings` name; `UserError` where a key is needed and absent."""
    model = open_openai(settings, environment=environment)
    return Endpoint(client=model.client, key=model.key, where=address(settings, environment=environment))


def address(settings: ModelSettings, *, environment: Mapping[str, str] = os.environ) -> str:
    """Return where the client will send what it is given."""
    return (settings.base_url or environment.get("OPENAI_BASE_URL") or _DEFAULT).rstrip("/")


def upload(endpoint: Endpoint, file: Path) -> str:
    """Send a file to learn from, and return its id there."""

    def send(client: "OpenAI") -> str:
        with file.open("rb") as opened:
            return _id(client.files.create(file=(file.name, opened), purpose="fine-tune"))

    return endpoint.call(f"uploading {file.name}", send)


def create(endpoint: Endpoint, order: Order, training_file: str, validation_file: str) -> HostedJob:
    """Ask for a job, once: nothing is retried, because a request whose answer was lost may have begun one."""
    from openai import omit

    def ask(client: "OpenAI") -> HostedJob:
        return _job(
            client.fine_tuning.jobs.create(
                model=order.model,
                training_file=training_file,
                validation_file=validation_file or omit,
                suffix=order.suffix or omit,
                seed=order.seed,
                method=_method(order),
            )
        )

    return endpoint.call("starting the job", ask, retries=0)


def find(endpoint: Endpoint, training_file: str) -> HostedJob | None:
    """Return the job that learns from an uploaded file; None where there is none."""

    def ask(client: "OpenAI") -> HostedJob | None:
        recent = islice(client.fine_tuning.jobs.list(limit=100), _LOOKED_THROUGH)
        return next((_job(raw) for raw in recent if raw.training_file == training_file), None)

    return endpoint.call("looking for a job that was begun", ask)


def job_of(endpoint: Endpoint, name: str, *, retries: int | None = None) -> HostedJob:
    """Return what the endpoint says about a job."""
    return endpoint.call(
        f"asking about {name}", lambda client: _job(client.fine_tuning.jobs.retrieve(name)), retries=retries
    )


def events_since(endpoint: Endpoint, name: str, last: str) -> tuple[HostedEvent, ...]:
    """Return the events of a job after the one with the id `last`, oldest first; none where they cannot be had."""

    def ask(client: "OpenAI") -> tuple[HostedEvent, ...]:
        new: list[HostedEvent] = []
        for raw in client.fine_tuning.jobs.list_events(name, limit=100):  # newest first
            if (event := _event(raw)).id == last:
                break
            new.append(event)
        return tuple(reversed(new))

    try:
        return endpoint.call(f"reading what happened to {name}", ask, retries=0)
    except TrainingError:
        return ()


def cancel(endpoint: Endpoint, name: str) -> HostedJob:
    """Stop a job for good."""
    return endpoint.call(f"cancelling {name}", lambda client: _job(client.fine_tuning.jobs.cancel(name)))


def pause(endpoint: Endpoint, name: str) -> HostedJob:
    """Stop a job for now."""
    return endpoint.call(f"pausing {name}", lambda client: _job(client.fine_tuning.jobs.pause(name)))


def unpause(endpoint: Endpoint, name: str) -> HostedJob:
    """Let a paused job go on."""
    return endpoint.call(f"resuming {name}", lambda client: _job(client.fine_tuning.jobs.resume(name)))


def content(endpoint: Endpoint, file: str) -> bytes:
    """Return a file that lies at the endpoint."""
    return endpoint.call(f"fetching {file}", lambda client: client.files.content(file).read())


def _method(order: Order) -> Any:
    chosen = {
        "n_epochs": order.epochs,
        "batch_size": order.batch_size,
        "learning_rate_multiplier": order.learning_rate_multiplier,
        **({"beta": order.beta} if order.method == "dpo" else {}),
    }
    hyperparameters = {name: "auto" if value is None else value for name, value in chosen.items()}
    return {"type": order.method, order.method: {"hyperparameters": hyperparameters}}


def _job(raw: Any) -> HostedJob:
    epochs, tokens = getattr(getattr(raw, "hyperparameters", None), "n_epochs", None), raw.trained_tokens
    status = raw.status
    if not isinstance(status, str):
        raise TypeError("a job without a status")
    return HostedJob(
        id=_id(raw),
        status=status,
        model=raw.fine_tuned_model or "",
        error=_told(getattr(raw, "error", None)),
        training_file=str(raw.training_file),
        result_files=tuple(str(file) for file in raw.result_files or ()),
        trained_tokens=tokens if isinstance(tokens, int) else None,
        epochs=epochs if isinstance(epochs, int) else None,
        seconds=_seconds(getattr(raw, "created_at", None), getattr(raw, "finished_at", None)),
    )


def _seconds(begun: Any, ended: Any) -> float | None:
    both = isinstance(begun, (int, float)) and isinstance(ended, (int, float))
    return float(ended - begun) if both and ended >= begun else None


def _event(raw: Any) -> HostedEvent:
    figures = raw.data
    return HostedEvent(id=_id(raw), message=str(raw.message), figures=figures if isinstance(figures, Mapping) else {})


def _told(error: Any) -> str:
    message, code, wrong = (getattr(error, name, None) or "" for name in ("message", "code", "param"))
    return str(message or code) + (f" (in {wrong})" if wrong else "")


def _id(raw: Any) -> str:
    name = raw.id
    if not isinstance(name, str) or not name:
        raise TypeError("no id")
    return name
