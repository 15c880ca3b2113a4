"""All requests to an endpoint wait together, and no longer than anybody should."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from weighbridge.endpoints.rate_limit import RateLimiter, seconds_to_wait, seconds_until_reset


class Time:
    """A clock that goes on only when somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += seconds


def nothing() -> None:
    pass


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def limiter(time: Time) -> RateLimiter:
    return RateLimiter(clock=time, pause=time.pause)


def test_nobody_waits_before_a_refusal(limiter: RateLimiter) -> None:
    assert [limiter.wait(nothing) for _ in range(5)] == [0.0] * 5


def test_all_wait_as_long_as_the_endpoint_asks_and_then_one_by_one(limiter: RateLimiter) -> None:
    assert limiter.refuse({"retry-after": "20"}) == 20.0
    assert limiter.wait(nothing) == pytest.approx(20.0)
    assert limiter.wait(nothing) == pytest.approx(0.1), "the next keeps a distance"
    for _ in range(20):
        limiter.succeed({})
    limiter.wait(nothing)
    assert limiter.wait(nothing) == 0.0, "after replies enough there is none left"


def test_without_a_hint_the_wait_doubles_up_to_a_minute(limiter: RateLimiter) -> None:
    assert [limiter.refuse({}) for _ in range(8)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    limiter.succeed({})
    assert limiter.refuse({}) == 1.0


def test_an_exhausted_limit_is_waited_for_before_it_is_broken(limiter: RateLimiter) -> None:
    limiter.succeed({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "9s"})
    assert limiter.wait(nothing) == 0.0
    limiter.succeed({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"})
    assert limiter.wait(nothing) == pytest.approx(90.0)


def test_a_wait_of_a_day_stops_nobody_else(limiter: RateLimiter) -> None:
    assert limiter.refuse({"retry-after": "86400"}) == 86400.0
    assert limiter.wait(nothing) < 1.0


def test_whoever_waits_can_be_interrupted(limiter: RateLimiter) -> None:
    def stop() -> None:
        raise InterruptedError

    limiter.refuse({"retry-after": "20"})
    with pytest.raises(InterruptedError):
        limiter.wait(stop)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-1"}, 0.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
    ],
)
def test_the_wait_is_read_from_the_headers(headers: dict[str, str], seconds: float) -> None:
    assert seconds_to_wait(headers) == seconds


def test_the_wait_may_be_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    assert 35 < seconds_to_wait({"retry-after": later}) <= 40


@pytest.mark.parametrize(
    ("reset", "seconds"), [("6m0s", 360.0), ("20ms", 0.02), ("1.5", 1.5), ("1h", 3600.0), ("later", 0.0), ("", 0.0)]
)
def test_the_reset_is_read_in_every_form(reset: str, seconds: float) -> None:
    headers = {"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": reset}
    assert seconds_until_reset(headers) == pytest.approx(seconds)
