"""Records on disk: one line of JSON an attempt, there for good as soon as it is written.

A run that is killed leaves at most a torn last line, one without its line end. Readers leave it out and the next
writer cuts it off. Every other line must be whole.
"""

import os
from collections.abc import Generator, Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import BinaryIO

from pydantic import TypeAdapter, ValidationError

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.evaluate.encode import to_json
from weighbridge.results import Record


def append(path: Path, records: Iterable[Record]) -> int:
    """Write each record as it comes, onto the disk before the next is asked for; return how many were written.

    A generator of records is closed when writing fails or is interrupted, so that nothing goes on behind it.

    Raises:
        WorkspaceError: the file cannot be written; the records stored before are kept.
    """
    written = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as file:
            _cut_torn_line(file)
            for record in records:
                _write_line(file, record)
                written += 1
    except OSError as error:
        raise WorkspaceError(
            f"{path}: a record cannot be written ({error.strerror or error}). The records stored before it are kept: "
            "free some space or make the file writable, then run the same command again; finished work is kept"
        ) from error
    finally:
        if isinstance(records, Generator):
            records.close()
    return written


def load(path: Path) -> dict[str, Record]:
    """Return the stored records by key, of each the latest; none where there is no file.

    Raises:
        DataError: a line is not a record.
        WorkspaceError: the file cannot be read.
    """
    try:
        *lines, _torn = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise WorkspaceError(f"{path}: cannot be read ({error.strerror}); make it readable for you") from error
    records = (_parse(path, number, line) for number, line in enumerate(lines, start=1))
    return {record.key: record for record in records}


@cache
def _adapter() -> TypeAdapter[Record]:
    return TypeAdapter(Record)


def _parse(path: Path, number: int, line: bytes) -> Record:
    try:
        return _adapter().validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise DataError(
            f"{path}:{number}: not a record{f' (at {where})' if where else ''}: {problem['msg']}; "
            "delete this line and run again: only missing answers are asked for"
        ) from error


def _write_line(file: BinaryIO, record: Record) -> None:
    end = file.seek(0, os.SEEK_END)
    line = memoryview((to_json(record) + "\n").encode("utf-8", errors="replace"))
    try:
        while line:
            line = line[file.write(line) :]
        os.fsync(file.fileno())
    except OSError:
        with suppress(OSError):
            file.truncate(end)
        raise


def _cut_torn_line(file: BinaryIO) -> None:
    end = file.seek(0, os.SEEK_END)
    kept = end
    while kept:
        start = max(0, kept - 65536)
        file.seek(start)
        line_end = file.read(kept - start).rfind(b"\n")
        if line_end >= 0:
            kept = start + line_end + 1
            break
        kept = start
    if kept < end:
        file.truncate(kept)
