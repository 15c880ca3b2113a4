"""Fetches pages of JSON: with retries for a busy server, within limits, and without showing a secret elsewhere."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from weighbridge.errors import DataError
from weighbridge.ingest.sources.secret import hide_secrets

if TYPE_CHECKING:
    from httpx2 import URL, Client

LARGEST_PAGE = 50_000_000
"""Bytes that one answer may have."""
# With waits of 0.5, 1 and 2 seconds: enough for a restart, short enough for somebody who waits.
_TRIES = 4
_FIRST_WAIT = 0.5
"""Seconds before the second try; twice as long before each further one."""
_LONGEST_WAIT = 60.0
"""Seconds that a server may ask us to wait; where it asks for more, we give up."""
# Servers need one or two; a loop ends here.
_REDIRECTS = 5
_BUSY = frozenset({429, 500, 502, 503, 504})
_MOVED = frozenset({301, 302, 303, 307, 308})
_DENIED = frozenset({401, 403})
_PAST_THE_END = frozenset({400, 404})
"""Statuses that servers answer to the number of a page that is not there."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer of a server."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class _TryAgainError(Exception):
    """A try that failed, and may not the next time; `wait` is how long the server asked for, in seconds."""

    def __init__(self, said: str, wait: float = 0.0) -> None:
        super().__init__(said)
        self.wait = wait


@dataclass(frozen=True, slots=True, kw_only=True)
class RestEndpoint:
    """A server that is asked for pages. Its `header` goes to the origin of `start` alone, redirects included."""

    client: "Client"
    where: str
    start: "URL"
    header: Mapping[str, str]
    secrets: frozenset[str]
    timeout_seconds: float
    sleep: Callable[[float], None]

    def page(self, url: "URL", *, may_be_absent: bool = False) -> bytes | None:
        """Return the body of a page; None where there is no such page and that may be.

        Busy servers and broken connections are tried again, as late as `Retry-After` says.

        Raises:
            DataError: the server refuses, does not answer in time, or sends more than `LARGEST_PAGE`.
        """
        answer = self._request_with_retries(url)
        if may_be_absent and answer.status in _PAST_THE_END:
            return None
        if answer.status != 200:  # noqa: PLR2004 - HTTP
            raise self._refusal(answer)
        return answer.content

    def _request_with_retries(self, url: "URL") -> HttpAnswer:
        wait = _FIRST_WAIT
        for _ in range(_TRIES - 1):
            try:
                return self._follow_redirects(url)
            except _TryAgainError as error:
                if error.wait > _LONGEST_WAIT:
                    raise self._wrong(f"{error}; it asks to wait {error.wait:,.0f} seconds, so try then") from None
                self.sleep(max(error.wait, wait))
                wait *= 2
        try:
            return self._follow_redirects(url)
        except _TryAgainError as error:
            raise self._wrong(f"{error}, {_TRIES} times; try again later") from None

    def _follow_redirects(self, url: "URL") -> HttpAnswer:
        header = self.header
        for _ in range(_REDIRECTS + 1):
            if _origin(url) != _origin(self.start):
                header = {}
            answer = self._request(url, header)
            if answer.status in _BUSY:
                said = f"the server answered HTTP {answer.status}"
                raise _TryAgainError(said, _seconds(answer.headers.get("retry-after", "")))
            if answer.status not in _MOVED or "location" not in answer.headers:
                return answer
            url = self.join_url(url, answer.headers["location"])
        raise self._wrong(f"the server redirects more than {_REDIRECTS} times")

    def join_url(self, url: "URL", target: str) -> "URL":
        """Return the URL that a server names; it may be relative to one of its pages."""
        from httpx2 import InvalidURL

        try:
            there = url.join(target)
        except (InvalidURL, ValueError):
            raise self._wrong(f"the server names {self.safe(target)!r}, which is no URL") from None
        if there.scheme not in {"http", "https"} or not there.host:
            raise self._wrong(f"the server names {self.safe(target)!r}, which is no http or https URL")
        return there

    def _request(self, url: "URL", header: Mapping[str, str]) -> HttpAnswer:
        from httpx2 import HTTPError, TimeoutException

        deadline = monotonic() + self.timeout_seconds
        content = bytearray()
        late = f"no answer within {self.timeout_seconds:g} seconds"
        try:
            with self.client.stream("GET", url, headers=dict(header)) as response:
                for piece in response.iter_bytes():
                    content += piece
                    if len(content) > LARGEST_PAGE:
                        most = LARGEST_PAGE // 1_000_000
                        raise self._wrong(f"a page is larger than {most} MB; ask for smaller pages")
                    if monotonic() > deadline:
                        raise _TryAgainError(late)
                return HttpAnswer(response.status_code, dict(response.headers), bytes(content))
        except TimeoutException:
            raise _TryAgainError(late) from None
        except HTTPError as error:
            raise _TryAgainError(f"the server cannot be reached: {self.safe(error)}") from None

    def json(self, content: bytes) -> Any:
        """Return the JSON value of a page; `DataError` where it is not JSON."""
        try:
            return json.loads(content)
        except json.JSONDecodeError as error:
            if content.lstrip()[:1] == b"<":
                raise self._wrong("the answer is a web page, not JSON; is there a login before it?") from None
            raise self._wrong(f"the answer is not JSON ({error.msg} at character {error.pos:,})") from None
        except UnicodeDecodeError:
            raise self._wrong("the answer is not UTF-8, as JSON must be") from None
        except (ValueError, RecursionError):
            raise self._wrong("the answer is not usable JSON (too deep, or a number too long)") from None

    def safe(self, said: object) -> str:
        """Return the words of a server without the secrets."""
        return hide_secrets(said, self.secrets)

    def _wrong(self, what: str) -> DataError:
        return DataError(f"{self.where}: {what}")

    def _refusal(self, answer: HttpAnswer) -> DataError:
        text = answer.content[:2000].decode("utf-8", "replace")
        said = "" if text.lstrip().startswith("<") else self.safe(text)
        advice = "check 'header' and 'header_variable'" if answer.status in _DENIED else "check 'rest'"
        return self._wrong(
            f"the server answered HTTP {answer.status}{f': {said}' if said else ''}; {advice} under documents"
        )


def _origin(url: "URL") -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)


def _seconds(after: str) -> float:
    """Return the seconds that a `Retry-After` header asks for as a number or a date; 0 for anything else."""
    if after.strip().isdecimal():
        return float(after)
    try:
        moment = parsedate_to_datetime(after)
        return max(0.0, (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds())
    except ValueError:
        return 0.0
