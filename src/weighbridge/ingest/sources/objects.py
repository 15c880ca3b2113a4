"""Mirrors the objects of a store (S3, Google Cloud, HTTP, all that fsspec knows) as files, to be read as a folder.

An object is fetched again when its version changes: its entity tag or checksum, size and time, as the store lists them.
Where a store tells none of these, each object is fetched each time, and its file changes only with its bytes.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from weighbridge.errors import DataError, MissingExtraError, WorkspaceError
from weighbridge.ingest.sources.secret import ENVIRONMENT, fill_secrets, hide_secrets, read_variable
from weighbridge.protocols import Notify, silent
from weighbridge.settings.sources import VARIABLE, ObjectSource
from weighbridge.types import Progress
from weighbridge.workspace import load_json, write_json

_VERSION_FIELDS = ("etag", "md5hash", "crc32c", "content-md5", "digest", "lastmodified", "last-modified")
_TIMES = ("mtime", "updated", "created")
_STATE = "objects.json"
_FILES = "files"


@dataclass(frozen=True, slots=True)
class _Listed:
    """An object: its path in the store, its name below the source's URL, and its version; empty if it has none."""

    path: str
    name: str
    version: str


def mirror_objects(
    source: ObjectSource, folder: Path, *, environment: Mapping[str, str] = ENVIRONMENT, notify: Notify = silent
) -> Path:
    """Make a folder hold exactly the objects below the source's URL, and return it. Unchanged ones are not fetched.

    An interruption keeps what was fetched. A store that does not answer is an error: it never looks empty.

    Raises:
        UserError: an environment variable that the source names is not set.
        MissingExtraError: fsspec is not installed.
        DataError: the store cannot be reached, refuses, or holds nothing there. No message holds a secret.
        WorkspaceError: the objects cannot be written.
    """
    with _hiding_secrets(source, environment):
        store, root = _open(source, environment)
        listed = list(_list_objects(store, root))
        if not listed:
            raise DataError("holds no objects; correct 'objects' under documents")
        known = load_json(folder / _STATE)
        versions = dict(known) if isinstance(known, dict) else {}
        files = folder / _FILES
        try:
            _remove_others(files, frozenset(each.name for each in listed))
            for number, each in enumerate(listed, start=1):
                target = files / each.name
                if not (each.version and versions.get(each.name) == each.version and target.is_file()):
                    _fetch(store, each, target)
                    versions[each.name] = each.version
                notify(Progress(task=f"fetching {source.label}", done=number, total=len(listed), unit="objects"))
        finally:
            names = {each.name for each in listed}
            with suppress(OSError):
                write_json(folder / _STATE, {name: value for name, value in versions.items() if name in names})
    return files


@contextmanager
def _hiding_secrets(source: ObjectSource, environment: Mapping[str, str]) -> Iterator[None]:
    """Word every error of the store as one of the source, without what the environment variables hold."""
    texts = (source.objects, *(value for value in source.options.values() if isinstance(value, str)))
    named = [read_variable(name, environment) for text in texts for name in VARIABLE.findall(text)]
    secrets = frozenset({*named, *(quote(secret, safe="") for secret in named)})
    where = f"{source.label} ({hide_secrets(VARIABLE.sub('***', source.objects), secrets)})"
    try:
        yield
    except (MissingExtraError, WorkspaceError):
        raise
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    except ImportError as error:  # fsspec knows the store, and its package is not here
        raise DataError(f"{where}: needs another package: {hide_secrets(error, secrets)}") from None
    except FileNotFoundError:
        raise DataError(f"{where}: there is no such place in the store; correct 'objects' under documents") from None
    except PermissionError as error:
        said = hide_secrets(error, secrets)
        raise DataError(f"{where}: the store refuses ({said}); check the key, and 'options' under documents") from None
    except Exception as error:  # noqa: BLE001 - each store raises errors of its own package
        said = hide_secrets(f"{type(error).__name__}: {error}", secrets)
        raise DataError(f"{where}: cannot be read ({said}); try again, or correct it under documents") from None


def _open(source: ObjectSource, environment: Mapping[str, str]) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise MissingExtraError("a source of objects", "objects") from None
    url = fill_secrets(source.objects, environment, quoted=partial(quote, safe=""))
    options = {
        name: fill_secrets(value, environment) if isinstance(value, str) else value
        for name, value in source.options.items()
    }
    try:
        store, root = url_to_fs(url, **options)
    except ValueError as error:
        raise DataError(f"no store has such a URL ({hide_secrets(error, frozenset({url}))})") from None
    store.invalidate_cache()
    return store, str(root)


def _list_objects(store: Any, root: str) -> Iterator[_Listed]:
    """Yield the objects in the order of their names, without markers of folders and names that no file can have."""
    found: dict[str, Mapping[str, Any]] = {}
    # Not `find`: it leaves out a folder that cannot be listed, and its documents would be deleted from the index.
    for _, _, objects in store.walk(root, detail=True, on_error="raise"):
        found.update((str(info["name"]), info) for info in objects.values())
    if not found and store.isfile(root):
        found[root] = store.info(root)
    base = root.rstrip("/")
    for path, info in sorted(found.items()):
        name = path.removeprefix(base).lstrip("/") or PurePosixPath(path).name
        parts = PurePosixPath(name).parts
        if path.endswith("/") or ".." in parts or "\0" in name or not parts:
            continue
        version = _version_of(info) or _version_of(store.info(path))  # a listing of links has no versions
        yield _Listed(path, name, version)


def _version_of(info: Mapping[str, Any]) -> str:
    marks = {str(key).lower(): str(value) for key, value in info.items() if value is not None}
    chosen = {name: marks[name] for name in _VERSION_FIELDS if name in marks}
    if not chosen:
        chosen = {name: marks[name] for name in _TIMES if name in marks}
    return json.dumps([chosen, marks.get("size", "")], sort_keys=True) if chosen else ""


def _remove_others(files: Path, names: frozenset[str]) -> None:
    for path in sorted(files.rglob("*"), reverse=True):
        if path.is_dir():
            with suppress(OSError):  # it is not empty
                path.rmdir()
        elif path.relative_to(files).as_posix() not in names:
            path.unlink()


def _fetch(store: Any, listed: _Listed, target: Path) -> None:
    """Fetch an object beside its file, and put it into its place unless the bytes are the same."""
    beside = target.with_name(f".fetching-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkspaceError(f"{target.parent}: objects cannot be written there ({error.strerror})") from error
    try:
        store.get_file(listed.path, str(beside))
        if target.is_file() and target.read_bytes() == beside.read_bytes():
            beside.unlink()
        else:
            beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
