"""Pools database connections: each thread at work has one, and the next thread reuses it."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """The part of a connection that a pool uses."""

    def close(self) -> None: ...


Connection = TypeVar("Connection", bound=Closable)


class Pool(Generic[Connection]):
    """Lends connections, and opens one if none is idle. All are closed when the pool is garbage-collected."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: list[Connection] = []
        weakref.finalize(self, close_all, self._idle)

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection. If an error leaves the block, it is closed, and the database undoes its transaction."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def close(self) -> None:
        """Close idle connections, so that none that a server has dropped is lent again."""
        close_all(self._idle)


def close_all(connections: list[Connection]) -> None:
    """Close connections and take them off their list."""
    while connections:
        connections.pop().close()
