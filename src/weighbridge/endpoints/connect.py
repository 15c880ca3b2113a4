"""Connects to an endpoint: its address and key, retries that keep its rate limit, and failures in one sentence."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from weighbridge.endpoints.rate_limit import LONGEST_WAIT, RateLimiter, seconds_to_wait
from weighbridge.errors import ModelError, PromptTooLongError, RefusedRequestError, UserError
from weighbridge.settings.endpoints import EndpointSettings
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.sources import VARIABLE, address_problem

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

T = TypeVar("T")
Tell = Callable[[str], None]
_RETRIES = 2
"""How often a request that got no answer, or a failure of the server, is sent again; each has the whole time limit."""
_RETRIED = frozenset({408, 409})
_TOO_MANY, _BROKEN = 429, 500
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached"})
"""Codes of a 429 that no waiting heals."""
_FIRST_PAUSE, _LONGEST_PAUSE, _TICK = 0.5, 60.0, 0.2
_WORTH_TELLING = 2.0
"""Seconds of waiting from which a sentence says why."""
_GRACE = 1.0
"""Seconds beyond the time limit, so that the client's own limit, after which is tried again, ends a silent request."""
_LONGEST_QUOTE = 200
"""Characters of an endpoint's own words in an error: some send a whole page."""
_DEFAULT = "https://api.openai.com/v1"
FIRST_FAILED = "a first tiny request failed, so nothing else was sent."
"""Begins the error of an endpoint that is looked at before much is asked of it."""
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_KEY_HEADERS = frozenset({"authorization", "api-key", "x-api-key"})


def is_local(base_url: str) -> bool:
    """Tell whether an endpoint is on this machine."""
    return (urlsplit(base_url).hostname or "") in LOCAL


def remote_address(settings: ModelSettings) -> str:
    """Return the address that the questions of a model are sent to; empty if that is this machine."""
    if settings.engine not in ("openai", "vllm") or (settings.engine == "vllm" and not settings.base_url):
        return ""
    return "" if is_local(where := address(settings)) else where


def address(settings: ModelSettings | EndpointSettings, *, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address for requests: that of the settings, else OPENAI_BASE_URL of the environment, else OpenAI.

    Raises:
        UserError: the environment's is no address, or holds a secret.
    """
    if settings.base_url:
        return settings.base_url.rstrip("/")
    given = environment.get("OPENAI_BASE_URL") or _DEFAULT
    if wrong := address_problem(given):
        raise UserError(f"the environment variable OPENAI_BASE_URL {wrong}")
    return given.rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An endpoint with its open client. Keys, and the values of headers, are shown by nothing."""

    where: str
    client: "OpenAI" = field(repr=False)
    key: str = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    """The key, and the values of environment variables in headers."""
    limiter: RateLimiter = field(repr=False)
    told: set[str] = field(repr=False)
    """What was told about this endpoint, once for all who use it."""
    timeout_seconds: float
    advice: str
    """How the user can mend a failure."""
    setting: str
    """The setting, or the option, that holds the address."""
    tell: Tell = field(repr=False)

    def send(
        self,
        name: str,
        attempt: Callable[["OpenAI"], T],
        waiting: Callable[[], None] = lambda: None,
        *,
        again: Callable[[], bool] = lambda: True,
    ) -> T:
        """Return the result of `attempt`, which is made again while the endpoint is busy, limited or silent.

        `name` begins the messages of errors. `waiting` is called several times a second between two attempts and may
        end it by raising. `again` tells whether another attempt repeats nothing that was passed on.

        Raises:
            ModelError: the endpoint refuses, is silent, or asks to wait longer than `LONGEST_WAIT`.
        """
        from openai import APIConnectionError, APIStatusError, OpenAIError

        from weighbridge.endpoints.http import error_with_cause

        client, waited, tries = self.client.with_options(max_retries=0), 0.0, 0
        while True:
            waited += self.limiter.wait(waiting)
            try:
                return attempt(client)
            except APIStatusError as error:
                if error.status_code == _TOO_MANY and error.code not in _NO_CREDIT and again():
                    self._keep_limit(name, error, waited)
                    continue
                tries += 1
                if not (again() and tries <= _RETRIES and _is_passing(error)):
                    raise self._refusal(name, error) from None
                _pause(seconds_to_wait(error.response.headers) or _FIRST_PAUSE * 2 ** (tries - 1), waiting)
            except APIConnectionError as error:
                tries += 1
                if not again() or tries > _RETRIES:
                    raise self._unreachable(name, error) from None
                _pause(_FIRST_PAUSE * 2 ** (tries - 1), waiting)
            except (OpenAIError, ValueError) as error:
                raise ModelError(f"{self.at(name)}: {self.safe(error_with_cause(error))}; {self.advice}") from None

    def post(self, name: str, path: str, body: Mapping[str, Any]) -> Any:
        """Return the parsed reply to one request whose answer comes whole, as `send` does."""
        from httpx2 import Response

        from weighbridge.endpoints.http import iterate_interruptibly

        def attempt(client: "OpenAI") -> Any:
            deadline = monotonic() + self.timeout_seconds + _GRACE

            def begin() -> Iterator[Any]:
                response = client.post(path, cast_to=Response, body=body)
                self.limiter.succeed(response.headers)
                yield response.json()

            def check() -> None:
                if monotonic() > deadline:  # a reply that comes in drops outlasts the client's limit on silence
                    raise self.timeout(name)

            return next(iterate_interruptibly(begin, check))

        return self.send(name, attempt)

    def at(self, name: str) -> str:
        """Return a model's name with its address."""
        return f"{name} at {self.where}"

    def timeout(self, name: str) -> ModelError:
        """Return the error of a reply that took too long."""
        advice = self.advice
        if self.setting.endswith("base_url"):
            advice = f"raise {self.setting.replace('base_url', 'timeout_seconds')}, or {advice}"
        return ModelError(f"{self.at(name)}: no answer within {self.timeout_seconds:g} seconds; {advice}")

    def tell_once(self, sentence: str) -> None:
        """Tell a sentence about this endpoint, unless it was told before."""
        if sentence not in self.told:
            self.told.add(sentence)
            self.tell(sentence)

    def safe(self, text: str) -> str:
        """Return one short line, without secrets."""
        for secret in sorted(filter(None, self.secrets), key=len, reverse=True):
            text = text.replace(secret, "***")
        line = " ".join(text.split())
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _unreachable(self, name: str, error: Exception) -> ModelError:
        from openai import APITimeoutError

        from weighbridge.endpoints.http import error_with_cause

        if isinstance(error, APITimeoutError):
            return self.timeout(name)
        return ModelError(f"{self.at(name)}: {self.safe(error_with_cause(error))}; {self.advice}")

    def _keep_limit(self, name: str, error: "APIStatusError", waited: float) -> None:
        """Make all requests wait as the endpoint asks; `ModelError` where that is longer than anybody should wait."""
        from weighbridge.endpoints.http import refusal_text

        seconds = self.limiter.refuse(error.response.headers)
        words = self.safe(refusal_text(error, setting=self.setting))
        if waited + seconds > LONGEST_WAIT:
            asked = f"it asks to wait {seconds:,.0f} seconds" if seconds > LONGEST_WAIT else "its rate limit stays"
            advice = "lower measure.workers, or run the same command later: finished answers are kept"
            raise ModelError(f"{self.at(name)}: HTTP {_TOO_MANY}: {words}; {asked}; {advice}") from None
        if seconds >= _WORTH_TELLING:
            self.tell(f"{self.where} limits the rate of requests; all of them wait {seconds:.0f} s ({words})")

    def _refusal(self, name: str, error: "APIStatusError") -> ModelError:
        from weighbridge.endpoints.http import refusal_text

        words = self.safe(refusal_text(error, setting=self.setting))
        if too_long := _too_long(error.code or "", error.body, words):
            return too_long
        status = f"the endpoint answered HTTP {error.status_code}: {words}"
        return RefusedRequestError(f"{self.at(name)}: {status}; {_remedy(words) or self.advice}", error.status_code)


def open_connection(
    settings: ModelSettings | EndpointSettings,
    *,
    environment: Mapping[str, str] = os.environ,
    option: str = "",
    section: str = "model",
    tell: Tell = lambda _: None,
) -> Connection:
    """Return a connection to the endpoint that `settings` name, with the key from the environment variable they name.

    `section` is the place of these settings in weighbridge.yaml; `option` is the command line's option that named the
    endpoint instead. `tell` gets sentences for the user. An endpoint on this machine needs no key, nor does one whose
    headers hold it.

    Raises:
        UserError: a key, or another variable of a header, is needed and absent.
    """
    from openai import OpenAI

    from weighbridge.endpoints.http import http_client

    where = address(settings, environment=environment)
    key = environment.get(settings.key_variable, "")
    headers, values = _fill_headers(settings.headers, environment, section)
    own_keys = _KEY_HEADERS & {name.lower() for name in headers}
    if not key and not own_keys and not is_local(where):
        other = "" if option else f" ({section}.key_variable in weighbridge.yaml names another)"
        missing = f"the environment variable {settings.key_variable} is not set; it should hold the key of {where}"
        raise UserError(f"{missing}{other}")
    parts = urlsplit(where)
    client = OpenAI(
        api_key=key or "none",
        base_url=parts._replace(query="").geturl(),
        default_query=dict(parse_qsl(parts.query)),
        default_headers=headers,
        timeout=settings.timeout_seconds,
        max_retries=_RETRIES,
        # A key in a header of its own stands alone: a second one may be another endpoint's.
        http_client=http_client(direct=LOCAL, keyless=bool(own_keys - {"authorization"})),
    )
    named = section.removesuffix("_endpoint") if section.endswith("_endpoint") else f"{section}.reference"
    fields = f"{section}.base_url and {named} in weighbridge.yaml"
    shared = _share(where, key)
    return Connection(
        where=where,
        client=client,
        key=key,
        secrets=frozenset({key, *values} - {""}),
        limiter=shared.limiter,
        told=shared.told,
        timeout_seconds=settings.timeout_seconds,
        advice=f"check {option or fields}, and the endpoint's own log",
        setting=option or f"{section}.base_url",
        tell=tell,
    )


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all users of an endpoint in this process share: a provider's limit is that of the key."""

    where: str
    key: str = field(repr=False)
    limiter: RateLimiter = field(default_factory=RateLimiter)
    told: set[str] = field(default_factory=set)


_share = cache(_Shared)


def _fill_headers(
    headers: Mapping[str, str], environment: Mapping[str, str], section: str
) -> tuple[dict[str, str], set[str]]:
    """Return headers with the values of environment variables, and these values."""
    values: set[str] = set()

    def read(match: re.Match[str]) -> str:
        value = environment.get(match[1], "").strip()
        if not value:
            raise UserError(
                f"the environment variable {match[1]} is not set; {section}.headers in weighbridge.yaml names it"
            )
        values.add(value)
        return value

    return {name: VARIABLE.sub(read, value) for name, value in headers.items()}, values


def _pause(seconds: float, waiting: Callable[[], None]) -> None:
    end = monotonic() + min(seconds, _LONGEST_PAUSE)
    while (left := end - monotonic()) > 0:
        waiting()
        sleep(min(left, _TICK))


def _is_passing(error: "APIStatusError") -> bool:
    """Tell whether a failure may pass by itself."""
    return error.status_code in _RETRIED or error.status_code >= _BROKEN


def _remedy(words: str) -> str:
    """Return the setting that mends a refusal of one of our request fields; empty where it is none."""
    if "max_completion_tokens" in words:
        return "put max_completion_tokens under model.parameters in weighbridge.yaml, with room for its thinking"
    refused = re.search(r"[Uu]n(?:supported|known|recognized)\b.*?['\"`](temperature|seed|stream_options)\b", words)
    return f"put `{refused[1]}: omit` under model.parameters in weighbridge.yaml" if refused else ""


def _too_long(code: str, body: object, said: str) -> PromptTooLongError | None:
    """Recognise a prompt beyond the context: llama.cpp reports it in fields, OpenAI and vLLM in words."""
    if isinstance(body, Mapping) and "n_prompt_tokens" in body and "n_ctx" in body:
        return PromptTooLongError(int(body["n_prompt_tokens"]), int(body["n_ctx"]))
    context = re.search(r"maximum context length is ([\d,]+)", said)
    if not context and code != "context_length_exceeded":
        return None
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", said)]
    limit = int(context[1].replace(",", "")) if context else min(numbers, default=0)
    return PromptTooLongError(max(numbers, default=0), limit)
