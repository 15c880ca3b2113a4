"""A fine-tuning endpoint, asked through OpenAI's own client: each call a function, each failure one sentence."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from json import JSONDecodeError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from weighbridge.endpoints.connect import open_connection
from weighbridge.errors import TrainingError
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.hosted.wire import HostedEvent, HostedJob, NonsenseError, read_event, read_id, read_job

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

T = TypeVar("T")
_LONGEST_QUOTE = 400
_LOOKED_THROUGH = 1000
"""Jobs, newest first, searched for one that was begun."""
_MOST_EVENTS = 10_000
_UNSUPPORTED = frozenset({404, 405, 501})
_KEYLESS = frozenset({401, 403})
_BUSY = frozenset({408, 409, 429})
_BROKEN = 500
_GATEWAY = frozenset({408, 502, 504})
"""Statuses of a gateway before an endpoint. The endpoint itself may have received the request."""
_LONGEST_WAIT = 60.0


class EndpointAwayError(TrainingError):
    """The endpoint gave no answer that can be used, or has no time; to ask again later may help.

    `unread` is set if the endpoint may carry out the request all the same. `after` holds the seconds to wait before
    the next request.
    """

    def __init__(self, message: str, *, unread: bool, after: float = 0.0) -> None:
        super().__init__(message)
        self.unread, self.after = unread, after


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
class HostedEndpoint:
    """Where jobs run. The key is shown by nothing."""

    client: "OpenAI" = field(repr=False)
    key: str = field(repr=False)
    where: str

    def call(self, doing: str, ask: Callable[["OpenAI"], T], *, retries: int | None = None) -> T:
        """Call the client and return its result.

        `doing` begins the messages of errors. The client retries busy endpoints as often as it is set to, or
        `retries` times.

        Raises:
            EndpointAwayError: no connection, no answer in time, an answer that is none, or the endpoint is busy.
            UnsupportedError: the endpoint does not know this request.
            TrainingError: the endpoint refuses; in its own words.
        """
        from openai import APIConnectionError, APIStatusError, OpenAIError

        from weighbridge.endpoints.http import error_with_cause, never_connected

        client = self.client if retries is None else self.client.with_options(max_retries=retries)
        try:
            return ask(client)
        except APIStatusError as error:
            raise self._error_for(doing, error) from None
        except APIConnectionError as error:
            told = f"{self.where}: {doing}: {self.safe(error_with_cause(error))}"
            raise EndpointAwayError(told, unread=not never_connected(error)) from None
        except (OpenAIError, NonsenseError) as error:
            raise self._senseless(doing, str(error)) from None
        except JSONDecodeError:
            raise self._senseless(doing, "it is not JSON, or broke off") from None
        except (ValueError, TypeError, AttributeError):
            raise self._senseless(doing, "it is not what the fine-tuning API promises") from None

    def safe(self, text: str) -> str:
        """Return one printable line of bounded length, without the key."""
        without = text.replace(self.key, "***") if self.key else text
        line = " ".join("".join(c if c.isprintable() else " " for c in without).split())
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."

    def _senseless(self, doing: str, why: str) -> EndpointAwayError:
        return EndpointAwayError(f"{self.where}: {doing}: the reply makes no sense ({self.safe(why)})", unread=True)

    def _error_for(self, doing: str, error: "APIStatusError") -> TrainingError:
        from weighbridge.endpoints.http import refusal_text, retry_after_seconds

        told = f"{self.where}: {doing}: HTTP {error.status_code}: {self.safe(refusal_text(error))}"
        if error.status_code in _UNSUPPORTED:
            return UnsupportedError(told)
        if error.status_code in _KEYLESS:
            return TrainingError(f"{told}; the key is read from the environment variable that model.key_variable names")
        if error.status_code in _BUSY or error.status_code >= _BROKEN:
            wait = min(retry_after_seconds(error), _LONGEST_WAIT)
            return EndpointAwayError(told, unread=error.status_code in _GATEWAY, after=wait)
        return TrainingError(told)


def open_endpoint(settings: ModelSettings, *, environment: Mapping[str, str] = os.environ) -> HostedEndpoint:
    """Return the endpoint that `settings` name; `UserError` where a key is needed and absent."""
    connection = open_connection(settings, environment=environment)
    return HostedEndpoint(client=connection.client, key=connection.key, where=connection.where)


def upload(endpoint: HostedEndpoint, file: Path) -> str:
    """Send a file to learn from, and return its id there."""

    def send(client: "OpenAI") -> str:
        with file.open("rb") as opened:
            return read_id(client.files.create(file=(file.name, opened), purpose="fine-tune"))

    return endpoint.call(f"uploading {file.name}", send)


def create(endpoint: HostedEndpoint, order: Order, training_file: str, validation_file: str) -> HostedJob:
    """Ask for a job once. Nothing is retried, because a request with a lost answer may have begun one."""
    from openai import omit

    def ask(client: "OpenAI") -> HostedJob:
        return read_job(
            client.fine_tuning.jobs.create(
                model=order.model,
                training_file=training_file,
                validation_file=validation_file or omit,
                suffix=order.suffix or omit,
                seed=order.seed,
                method=_method(order),
            ),
            endpoint.safe,
        )

    return endpoint.call("starting the job", ask, retries=0)


def find(endpoint: HostedEndpoint, training_file: str) -> HostedJob | None:
    """Return the job that learns from an uploaded file; None where there is none."""

    def ask(client: "OpenAI") -> HostedJob | None:
        recent = islice(client.fine_tuning.jobs.list(limit=100), _LOOKED_THROUGH)
        own = (raw for raw in recent if getattr(raw, "training_file", None) == training_file)
        return next((read_job(raw, endpoint.safe) for raw in own), None)

    return endpoint.call("looking for a job that was begun", ask)


def job_of(endpoint: HostedEndpoint, name: str, *, retries: int | None = None) -> HostedJob:
    """Return the endpoint's description of a job."""

    def ask(client: "OpenAI") -> HostedJob:
        return read_job(client.fine_tuning.jobs.retrieve(name), endpoint.safe)

    return endpoint.call(f"asking about {name}", ask, retries=retries)


def events_since(endpoint: HostedEndpoint, name: str, last: str) -> tuple[HostedEvent, ...]:
    """Return the events of a job after the one with the id `last`, oldest first; none where they cannot be had."""

    def ask(client: "OpenAI") -> tuple[HostedEvent, ...]:
        new: dict[str, HostedEvent] = {}
        for raw in islice(client.fine_tuning.jobs.list_events(name, limit=100), _MOST_EVENTS):  # newest first
            event = read_event(raw, endpoint.safe)
            if event.id == last or event.id in new:  # a page that comes again would come for ever
                break
            new[event.id] = event
        return tuple(reversed(new.values()))

    try:
        return endpoint.call(f"reading what happened to {name}", ask, retries=0)
    except TrainingError:
        return ()


def cancel(endpoint: HostedEndpoint, name: str) -> HostedJob:
    """Stop a job for good."""
    return endpoint.call(
        f"cancelling {name}", lambda client: read_job(client.fine_tuning.jobs.cancel(name), endpoint.safe)
    )


def pause(endpoint: HostedEndpoint, name: str) -> HostedJob:
    """Stop a job for now."""
    return endpoint.call(f"pausing {name}", lambda client: read_job(client.fine_tuning.jobs.pause(name), endpoint.safe))


def unpause(endpoint: HostedEndpoint, name: str) -> HostedJob:
    """Let a paused job go on."""
    return endpoint.call(
        f"resuming {name}", lambda client: read_job(client.fine_tuning.jobs.resume(name), endpoint.safe)
    )


def content(endpoint: HostedEndpoint, file: str) -> bytes:
    """Return a file that lies at the endpoint, or where the endpoint redirects to for it."""
    from httpx2 import Response

    def ask(client: "OpenAI") -> bytes:
        options: Any = {"follow_redirects": True}  # nothing but the file's name is sent there
        return client.get(f"/files/{quote(file, safe='')}/content", cast_to=Response, options=options).content

    return endpoint.call(f"fetching {file}", ask)


def _method(order: Order) -> Any:
    chosen = {
        "n_epochs": order.epochs,
        "batch_size": order.batch_size,
        "learning_rate_multiplier": order.learning_rate_multiplier,
        **({"beta": order.beta} if order.method == "dpo" else {}),
    }
    hyperparameters = {name: "auto" if value is None else value for name, value in chosen.items()}
    return {"type": order.method, order.method: {"hyperparameters": hyperparameters}}
