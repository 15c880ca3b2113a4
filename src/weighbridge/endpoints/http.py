"""The HTTP under OpenAI's client: no redirect is followed, no reply may be endless, and failures say their cause.

A redirect would send questions, examples and files to an address that nobody agreed to.
"""

from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from httpx2 import ConnectError, ConnectTimeout, Request, Response, SyncByteStream

if TYPE_CHECKING:
    from httpx2 import Client
    from openai import APIConnectionError, APIStatusError

LARGEST_REPLY = 64 * 1024 * 1024
"""Bytes of one reply, as they come over the wire."""
_MOVED = range(300, 400)
_ATTENTION_SECONDS = 0.2
"""Between two calls of `waiting`: short enough for Ctrl-C to feel immediate."""
_OVER = object()


class _Bounded(SyncByteStream):
    def __init__(self, stream: SyncByteStream, limit: int) -> None:
        self.stream, self.limit = stream, limit

    def __iter__(self) -> Iterator[bytes]:
        from openai import OpenAIError

        seen = 0
        for piece in self.stream:
            seen += len(piece)
            if seen > self.limit:
                raise OpenAIError(f"a reply of more than {self.limit / 1024**2:g} MiB")
            yield piece

    def close(self) -> None:
        self.stream.close()


def http_client(*, limit: int = LARGEST_REPLY, direct: Collection[str] = (), keyless: bool = False) -> "Client":
    """Return the HTTP client that an OpenAI client is to use; it is closed with that one.

    A reply of more than `limit` bytes is an `OpenAIError` and is not tried again. Requests to the hosts in `direct`
    bypass every proxy of the environment, NO_PROXY or not: text sent to this machine must not leave it. With `keyless`
    the key of the OpenAI client is taken out of requests.
    """
    from openai import DefaultHttpxClient

    def bound(response: Response) -> None:
        if isinstance(response.stream, SyncByteStream):
            response.stream = _Bounded(response.stream, limit)

    def strip(request: Request) -> None:
        request.headers.pop("authorization", None)

    hooks: dict[str, list[Callable[..., Any]]] = {"request": [strip] if keyless else [], "response": [bound]}
    unproxied = {f"all://[{host}]" if ":" in host else f"all://{host}": None for host in direct}
    return DefaultHttpxClient(follow_redirects=False, event_hooks=hooks, mounts=unproxied)


def iterate_interruptibly(begin: Callable[[], Iterable[Any]], waiting: Callable[[], None]) -> Generator[Any]:
    """Yield the pieces of a reply, and call `waiting` a few times a second while there are none.

    They are read in a thread of their own, because nothing interrupts a read from a silent endpoint: so `waiting` can
    end it by raising, and Ctrl-C is heard at once. A thread that is left behind ends with its time limit, or with the
    process. Whatever reading raises is raised here.
    """
    pieces: SimpleQueue[Any] = SimpleQueue()
    left = Event()
    Thread(target=_read, args=(begin, pieces, left), name="endpoint", daemon=True).start()
    try:
        while True:
            try:
                piece = pieces.get(timeout=_ATTENTION_SECONDS)
            except Empty:
                waiting()
                continue
            if piece is _OVER:
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece
    finally:
        left.set()


def _read(begin: Callable[[], Iterable[Any]], pieces: SimpleQueue[Any], left: Event) -> None:
    try:
        for piece in begin():
            if left.is_set():
                return
            pieces.put(piece)
        pieces.put(_OVER)
    except Exception as error:  # noqa: BLE001 - raised again where it is waited for
        pieces.put(error)


def error_with_cause(error: BaseException) -> str:
    """Return an error's text with that of its cause: "Connection error (Connection refused)"."""
    said, under = str(error).rstrip("."), error.__cause__
    reason = str(under).strip() if under else ""
    return f"{said} ({reason})" if reason and reason != said else said


def refusal_text(error: "APIStatusError", *, setting: str = "model.base_url") -> str:
    """Return an endpoint's own words for its refusal, or the target of its redirect.

    `setting` is the name of the setting that holds its address.
    """
    if error.status_code in _MOVED:
        there = urlsplit(error.response.headers.get("location", ""))
        to = f" to {there.scheme}://{there.hostname}{there.path}" if there.hostname else ""
        return f"it redirects{to}, and is not followed; if that is the right address, set {setting} accordingly"
    if "html" in error.response.headers.get("content-type", ""):
        return "a web page instead of an answer"
    match error.body:
        case str(said) | {"message": str(said)} | {"detail": str(said)} if said:
            return said
    return error.message


def never_connected(error: "APIConnectionError") -> bool:
    """Tell whether a request cannot have reached the endpoint, because there was no connection to it."""
    return isinstance(error.__cause__, ConnectError | ConnectTimeout)


def retry_after_seconds(error: "APIStatusError") -> float:
    """Return the seconds that a busy endpoint asks us to wait; 0 where it does not say."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return 0.0
