"""Fetches a repository of a model hub: the safetensors with their tokenizer and settings, or one file of it.

The listing, the addresses and the token are huggingface_hub's. The partial files are ours, because its own downloads
start again from zero after an interruption (huggingface_hub#4228 gave each process a file of its own). Every file is
compared with the hash that the hub lists for it. A branch is pinned to its commit at the first fetch.
"""

import errno
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from filelock import FileLock

from weighbridge.errors import DownloadError, MissingExtraError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.models.kept import find_complete, is_inside, machine_memory, place, require_space, sha256
from weighbridge.protocols import Emit, Notify
from weighbridge.types import Progress

SET_OFFLINE = "WEIGHBRIDGE_SET_HF_HUB_OFFLINE"
"""The environment variable that says that HF_HUB_OFFLINE was set by us, to keep libraries from asking the hub."""

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_HUB = re.compile(r"hf:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w.-]+))?(/(?P<file>.+))?", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_WEIGHTS = re.compile(r"model(-\d+-of-\d+)?\.safetensors")
_SMALL = re.compile(r"[^/]+\.(json|txt|model|jinja)|(LICENSE|NOTICE|USE_POLICY)[^/]*|README\.md", re.IGNORECASE)
"""Settings, tokenizers, templates and the words on the licence, all at the top of the repository."""
_MODULES = re.compile(r"\d+_[A-Z]\w+/(config\.json|model\.safetensors)")
"""The modules of sentence-transformers: 1_Pooling/config.json."""
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")


@dataclass(frozen=True, slots=True)
class HubReference:
    """A repository of a hub at a revision (a branch, a tag or a commit), and maybe one file of it."""

    repository: str
    revision: str
    file: str

    @property
    def folder(self) -> str:
        """The name of the folder of this repository in the cache."""
        return self.repository.replace("/", "--")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository as the hub lists it. `digest` is a SHA-256, or the id of a Git blob if it is small."""

    path: str
    bytes: int
    digest: str


def parse_hub(reference: str) -> HubReference:
    """Return the parts of an `hf:` reference; `UserError` if it is malformed."""
    match = _HUB.fullmatch(reference)
    if not match or (match["file"] and not is_inside(match["file"])):
        raise UserError(f"{reference}: not a model reference; expected hf:<owner>/<repo>[@revision][/<file>]")
    return HubReference(match["repo"], match["revision"] or "main", match["file"] or "")


def find_repository(wanted: HubReference, models: Path) -> Path | None:
    """Return the folder or file of a repository if it was fetched, without any network; None otherwise."""
    home = models / "hf" / wanted.folder
    commit = wanted.revision if _COMMIT.fullmatch(wanted.revision) else _pins(home).get(wanted.revision, "")
    return find_complete(home / _version(wanted, commit), wanted.file) if commit else None


def fetch_repository(wanted: HubReference, models: Path, *, notify: Notify, say: Emit) -> Path:
    """Download what is missing of a repository, verify it, and say which commit it is.

    Raises:
        UserError: the repository has no safetensors, or its weights exceed the memory of this machine.
        DownloadError: the hub refuses or does not answer, or a file has another hash than the hub lists.
    """
    home = models / "hf" / wanted.folder
    home.mkdir(parents=True, exist_ok=True)
    hub = _open_hub()
    with FileLock(home / ".lock"):
        if path := find_repository(wanted, models):
            return path
        notify(Progress(task=f"fetch {wanted.repository}", done=0, total=0, unit="bytes"))
        with _online(), _explain_hub_errors(wanted):
            # A branch that was fetched, or begun, stays at its commit, also where files of it were lost since.
            pinned = _pins(home).get(wanted.revision, wanted.revision)
            listing = hub.model_info(wanted.repository, revision=pinned, files_metadata=True)
        commit = str(listing.sha)
        target = home / _version(wanted, commit)
        if not find_complete(target, wanted.file):
            files = choose_files(wanted, [_read_sibling(sibling) for sibling in listing.siblings or ()])
            _require_fit(wanted, files)
            _pin(home, wanted.revision, commit)
            incoming = home / f".incoming-{target.name}"
            _download(hub, wanted.repository, commit, files, incoming, notify)
            manifest = {
                "publisher": {"repository": wanted.repository, "revision": commit},
                "member": wanted.file,
                "files": {file.path: {"sha256": sha256(incoming / file.path), "bytes": file.bytes} for file in files},
            }
            place(incoming, target, manifest)
        _pin(home, wanted.revision, commit)
        say(_origin(wanted, commit, listing))
    path = find_repository(wanted, models)
    if path is None:
        raise DownloadError(f"{target}: the model is gone right after its download; does another program clean it?")
    return path


def choose_files(wanted: HubReference, listed: Sequence[HubFile]) -> list[HubFile]:
    """Return the files to download: the one that is asked for, or safetensors with all that describes them.

    Pickles are never taken, because opening one runs what its author put there.

    Raises:
        UserError: the file is not there, or there are no safetensors.
    """
    names = [file.path for file in listed]
    where = f"hf:{wanted.repository}@{wanted.revision}"
    if wanted.file:
        if wanted.file not in names:
            raise UserError(f"{where}: holds no {wanted.file}; it holds {', '.join(sorted(names)[:8])}")
        return [file for file in listed if file.path == wanted.file]
    weights = [name for name in names if _WEIGHTS.fullmatch(name)]
    shards = [name for name in weights if "-of-" in name]
    if "model.safetensors.index.json" in names and shards:
        weights = shards
    if weights:
        skip = {"pytorch_model.bin.index.json"} | (set(shards) - set(weights))
        return [
            file
            for file in listed
            if file.path in weights
            or (file.path not in skip and (_SMALL.fullmatch(file.path) or _MODULES.fullmatch(file.path)))
        ]
    if ggufs := sorted(name for name in names if name.endswith(".gguf")):
        named = "\n  ".join(f"{where}/{name}" for name in ggufs[:12])
        raise UserError(f"{where}: holds GGUF files; name one of them:\n  {named}")
    if any(name.endswith(_PICKLES) for name in names):
        raise UserError(
            f"{where}: its weights are only there as pickles, and opening one runs whatever code is in it; "
            "choose a repository or a revision (often @refs/pr/...) with safetensors"
        )
    raise UserError(f"{where}: holds no model.safetensors; it holds {', '.join(sorted(names)[:8]) or 'nothing'}")


def _version(wanted: HubReference, commit: str) -> str:
    return f"{commit}-{fingerprint(wanted.file)[:8]}" if wanted.file else commit


def _pins(home: Path) -> dict[str, str]:
    try:
        pins = json.loads((home / "pins.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return pins if isinstance(pins, dict) else {}


def _pin(home: Path, revision: str, commit: str) -> None:
    """Keep a branch or a tag at a commit. A torn file would forget all of them, so it is replaced whole."""
    pins = _pins(home)
    if commit != revision and pins.get(revision) != commit:
        whole = home / "pins.json.new"
        whole.write_text(json.dumps({**pins, revision: commit}, indent=2) + "\n", encoding="utf-8")
        whole.replace(home / "pins.json")


def _read_sibling(sibling: Any) -> HubFile:
    digest = sibling.lfs.sha256 if sibling.lfs else sibling.blob_id
    return HubFile(sibling.rfilename, int(sibling.size or 0), str(digest or ""))


def _open_hub() -> "HfApi":
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import logging
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise MissingExtraError("an hf: reference", "local") from None
    disable_progress_bars()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it retries by itself, and what fails in the end is said in our words
    return HfApi(endpoint=os.environ.get("HF_ENDPOINT"))


def _require_fit(wanted: HubReference, files: Sequence[HubFile]) -> None:
    weights = sum(file.bytes for file in files if file.path.endswith((".safetensors", ".gguf")))
    here = machine_memory()
    if weights > here:
        raise UserError(
            f"hf:{wanted.repository}: its weights take {weights / 1e9:.1f} GB and this machine has {here / 1e9:.1f} GB "
            "of memory, so it was not downloaded; choose a smaller model (weighbridge models known), "
            "or a model at an endpoint (model.engine: openai)"
        )


def _download(
    hub: "HfApi", repository: str, commit: str, files: Sequence[HubFile], incoming: Path, notify: Notify
) -> None:
    """Download and verify files into a folder. A file that is there already was verified, a `.part` goes on."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.file_download import http_get
    from huggingface_hub.utils._headers import build_hf_headers

    incoming.mkdir(parents=True, exist_ok=True)
    total = sum(file.bytes for file in files)
    done = sum(path.stat().st_size for path in incoming.rglob("*") if path.is_file())
    require_space(incoming, total - done, repository)
    done = 0
    for number, file in enumerate(files, start=1):
        target = incoming / file.path
        if not target.exists():
            part = target.with_name(f"{target.name}.part")
            part.parent.mkdir(parents=True, exist_ok=True)
            part.touch()
            url = hf_hub_url(repository, file.path, revision=commit, endpoint=hub.endpoint)
            report = _report(repository, total, done, f"file {number} of {len(files)}", notify)
            with part.open("r+b") as raw, _online(), _explain_hub_errors(HubReference(repository, commit, file.path)):
                raw.seek(0, os.SEEK_END)
                http_get(
                    url,
                    _Counted(raw, report),  # type: ignore[arg-type]  # the four methods of a file that it calls
                    resume_size=raw.tell(),
                    headers=build_hf_headers(),
                    expected_size=file.bytes,
                )
            _verify(part, file, repository)
            part.rename(target)
        done += file.bytes
    notify(Progress(task=f"fetch {repository}", done=total, total=total, unit="bytes"))


def _report(repository: str, total: int, before: int, note: str, notify: Notify) -> Callable[[int], None]:
    def report(length: int) -> None:
        done = min(before + length, total - 1)  # the last byte is reported after the last file was verified
        notify(Progress(task=f"fetch {repository}", done=done, total=total, unit="bytes", note=note))

    return report


class _Counted:
    """A file that reports its length with each write, as huggingface_hub's client downloads into it."""

    def __init__(self, file: BinaryIO, report: Callable[[int], None]) -> None:
        self.file, self.report = file, report
        self.tell, self.seek, self.truncate = file.tell, file.seek, file.truncate

    def write(self, data: bytes) -> int:
        written = self.file.write(data)
        self.report(self.file.tell())
        return written


def _verify(part: Path, file: HubFile, repository: str) -> None:
    """Compare a file with the hub's hash; delete it if they differ."""
    if len(file.digest) == 64:  # noqa: PLR2004 - a SHA-256 in hexadecimal
        actual = sha256(part)
    else:  # a Git blob: SHA-1 of its header and content
        content = part.read_bytes()
        blob = b"blob %d\0" % len(content) + content
        actual = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
    if actual != file.digest:
        part.unlink()
        raise DownloadError(
            f"hf:{repository}/{file.path}: the download's checksum is wrong: the hub lists {file.digest or 'none'}, "
            f"got {actual}. Nothing of it was kept; try again"
        )


def _origin(wanted: HubReference, commit: str, listing: Any) -> str:
    card = getattr(listing, "card_data", None)
    licence = str(card.get("license") or "") if card else ""
    pinned = (
        f"; {wanted.revision} is pinned to it here, and to take a newer one name its commit: "
        f"hf:{wanted.repository}@<commit>"
        if commit != wanted.revision
        else ""
    )
    stated = f"licence {licence}" if licence else "no licence stated"
    verified = "each file with the hash that the hub lists for it"
    return f"hf:{wanted.repository} is commit {commit} ({stated}), {verified}{pinned}"


@contextmanager
def _online() -> Iterator[None]:
    """Undo the offline mode that the training libraries are kept in, unless it is the user who set it."""
    from huggingface_hub import constants

    kept = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = kept and SET_OFFLINE not in os.environ
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = kept


@contextmanager
def _explain_hub_errors(wanted: HubReference) -> Iterator[None]:
    """Turn the hub's refusals into sentences with a remedy."""
    from httpx2 import HTTPError
    from huggingface_hub import errors, get_token

    where = f"hf:{wanted.repository}"
    page = f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/{wanted.repository}"
    try:
        yield
    except errors.OfflineModeIsEnabled:
        raise DownloadError(
            f"{where}: it was not fetched here before, and HF_HUB_OFFLINE is set; unset it once, or give a folder"
        ) from None
    except errors.GatedRepoError as error:
        remedy = (
            f"your token has no access to it yet; accept its licence at {page}, or wait until its owners agree"
            if get_token()
            else f"accept its licence at {page}, then set the environment variable HF_TOKEN to a token of your account"
        )
        raise DownloadError(f"{where}: this model is gated: {remedy}") from error
    except errors.RepositoryNotFoundError as error:
        token = "" if get_token() else ", and if it is private set the environment variable HF_TOKEN"
        raise DownloadError(f"{where}: the hub shows no such repository; check the name{token}") from error
    except errors.RevisionNotFoundError as error:
        raise DownloadError(f"{where}: has no revision {wanted.revision}; name a branch, tag or commit") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise DownloadError(
                f"{where}: the hub refuses ({status}): is the token in HF_TOKEN valid, and may it read {page}?"
            ) from error
        raise DownloadError(f"{where}: the hub answered {status}; try again, what was downloaded is kept") from error
    except (HTTPError, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        last = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise DownloadError(
            f"{where}: {last[0]}; check the network and try again, what was downloaded is kept"
        ) from error
