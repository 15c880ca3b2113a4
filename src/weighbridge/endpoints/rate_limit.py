"""Rate limits: all requests to one endpoint wait together, for as long as it asks.

A refused request says how long in Retry-After or `retry-after-ms`. Any reply may say in `x-ratelimit-remaining-*` that
none is left, and in `x-ratelimit-reset-*` when there will be. Where nothing is said, the wait doubles. After a refusal
requests also keep a distance from each other, which shrinks with every reply that succeeds.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from threading import Lock
from time import monotonic, sleep

from weighbridge.protocols import Clock

LONGEST_WAIT = 600.0
"""Seconds that one request waits at most for its turn: a limit a minute ends sooner, and a daily one does not."""
_FIRST_WAIT, _LONGEST_GUESS = 1.0, 60.0
_FIRST_DISTANCE, _LONGEST_DISTANCE = 0.1, 10.0
_SHRINK = 0.8
_NEGLIGIBLE = 0.02
_TICK = 0.2
"""Seconds between two calls of `waiting`: short enough for Ctrl-C to feel immediate."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_KINDS = ("requests", "tokens")


class RateLimiter:
    """Lets requests through one by one, and none while the endpoint asks to wait. Safe to use from several threads."""

    def __init__(self, clock: Clock = monotonic, pause: Callable[[float], None] = sleep) -> None:
        self._clock, self._pause, self._lock = clock, pause, Lock()
        self._next = 0.0
        self._distance = 0.0
        self._guess = _FIRST_WAIT

    def wait(self, waiting: Callable[[], None]) -> float:
        """Wait for a turn, and return the seconds it took. `waiting` is called meanwhile, and may end it by raising."""
        start = self._clock()
        while True:
            with self._lock:
                now = self._clock()
                left = self._next - now
                if left <= 0:
                    self._next = now + self._distance
                    return now - start
            waiting()
            self._pause(min(left, _TICK))

    def succeed(self, headers: Mapping[str, str]) -> None:
        """Note a reply: later requests come closer together again, unless the reply says that none is left."""
        with self._lock:
            self._guess = _FIRST_WAIT
            self._distance = self._distance * _SHRINK if self._distance > _NEGLIGIBLE else 0.0
            if seconds := seconds_until_reset(headers):
                self._next = max(self._next, self._clock() + min(seconds, LONGEST_WAIT))

    def refuse(self, headers: Mapping[str, str]) -> float:
        """Note a refusal for too many requests, and return the seconds that all of them wait now."""
        with self._lock:
            seconds = seconds_to_wait(headers) or seconds_until_reset(headers)
            if not seconds:
                seconds, self._guess = self._guess, min(2 * self._guess, _LONGEST_GUESS)
            self._distance = min(max(2 * self._distance, _FIRST_DISTANCE), _LONGEST_DISTANCE)
            if seconds <= LONGEST_WAIT:
                self._next = max(self._next, self._clock() + seconds)
            return seconds


def seconds_to_wait(headers: Mapping[str, str]) -> float:
    """Return the seconds of Retry-After, a number or a date, or of `retry-after-ms`; 0 where neither says any."""
    with suppress(ValueError):
        return max(0.0, float(headers.get("retry-after-ms", "")) / 1000)
    given = headers.get("retry-after", "")
    with suppress(ValueError):
        return max(0.0, float(given))
    with suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
    return 0.0


def seconds_until_reset(headers: Mapping[str, str]) -> float:
    """Return the seconds until an exhausted limit is reset, by the `x-ratelimit` headers; 0 where none is exhausted."""
    exhausted = [kind for kind in _KINDS if headers.get(f"x-ratelimit-remaining-{kind}", "").strip() == "0"]
    return max((_read_duration(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in exhausted), default=0.0)


def _read_duration(text: str) -> float:
    """Return the seconds of 6m0s, 20ms or 1.5; 0 for anything else."""
    with suppress(ValueError):
        return max(0.0, float(text))
    parts = _DURATION.findall(text)
    whole = "".join(number + unit for number, unit in parts)
    return sum(float(number) * _UNITS[unit] for number, unit in parts) if whole == text.strip() else 0.0
