"""Database connections, one for each thread that is at work, kept for the next one."""

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    """What a pool needs of a connection."""

    def close(self) -> None: ...


Connection = TypeVar("Connection", bound=Closable)


class Pool(Generic[Connection]):
    """Lends connections, opening one where none is idle. All are closed when the pool goes."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: list[Connection] = []
        weakref.finalize(self, close_all, self._idle)

    @contextmanager
    def lend(self) -> Iterator[Connection]:
        """Lend a connection; it is closed, and what it had begun undone, where an error leaves the block."""
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
        """Close what is idle: what a server has dropped must not be lent again."""
        close_all(self._idle)


def close_all(connections: list[Connection]) -> None:
    """Close connections and take them off their list."""
    while connections:
        connections.pop().close()
