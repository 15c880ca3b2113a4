"""References to a model hub, fetched for real over HTTP from a stand-in of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from huggingface_hub import constants

from weighbridge.errors import DownloadError, UserError
from weighbridge.models import fetch, file_fingerprint, find_local
from weighbridge.models.hub import SET_OFFLINE, HubFile, HubReference, choose_files
from weighbridge.types import Progress

from .hub_server import COMMIT, HubServer

WEIGHTS = bytes(range(256)) * 8
SINGLE = {"config.json": b"{}", "tokenizer.json": b'{"model": {}}', "model.safetensors": WEIGHTS}
SHARDED = {
    "config.json": b"{}",
    "tokenizer_config.json": b"{}",
    "chat_template.jinja": b"{{ messages }}",
    "model.safetensors.index.json": b'{"weight_map": {}}',
    "model-00001-of-00002.safetensors": WEIGHTS,
    "model-00002-of-00002.safetensors": WEIGHTS[::-1],
    "pytorch_model.bin": WEIGHTS,
    "pytorch_model.bin.index.json": b"{}",
    "consolidated.safetensors": WEIGHTS,
    "onnx/model.onnx": WEIGHTS,
    "onnx/config.json": b"{}",
    "1_Pooling/config.json": b"{}",
    "LICENSE": b"Apache",
    ".gitattributes": b"*.bin",
}


@contextmanager
def serve(monkeypatch: pytest.MonkeyPatch, server: HubServer, account: str = "") -> Iterator[HubServer]:
    """Run a hub, and make it the one that references mean."""
    with server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere/token")
        if account:
            monkeypatch.setenv("HF_TOKEN", account)
        yield server


def test_a_sharded_repository_is_fetched_without_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    seen: list[Progress] = []
    with serve(monkeypatch, HubServer(SHARDED)):
        folder = fetch("hf:owner/model", cache=tmp_path, say=said.append, notify=seen.append)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    unwanted = {"pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.safetensors", ".gitattributes"}
    assert names == set(SHARDED) - unwanted - {"onnx/model.onnx", "onnx/config.json"} | {"manifest.json"}
    assert (folder / "model-00002-of-00002.safetensors").read_bytes() == WEIGHTS[::-1]
    assert f"commit {COMMIT} (licence apache-2.0)" in said[0]
    assert "main is pinned to it here" in said[0]
    assert seen[-1].done == seen[-1].total > 2 * len(WEIGHTS)
    assert json.loads((folder / "manifest.json").read_text())["publisher"]["revision"] == COMMIT


def test_afterwards_no_network_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(monkeypatch, HubServer(SINGLE)) as hub:
        folder = fetch("hf:owner/model", cache=tmp_path)
        asked = len(hub.requests)
        assert fetch("hf:owner/model", cache=tmp_path) == folder
        assert len(hub.requests) == asked
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.delenv(SET_OFFLINE, raising=False)
    assert fetch("hf:owner/model", cache=tmp_path) == fetch(f"hf:owner/model@{COMMIT}", cache=tmp_path) == folder
    assert len(file_fingerprint(folder)) == 64
    with pytest.raises(DownloadError, match="hf:owner/other: it was not fetched here before, and HF_HUB"):
        fetch("hf:owner/other", cache=tmp_path)


def test_a_model_is_fetched_after_the_training_libraries_were_kept_offline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv(SET_OFFLINE, "1")
    with serve(monkeypatch, HubServer(SINGLE)):
        assert fetch("hf:owner/model", cache=tmp_path).is_dir()
    assert constants.HF_HUB_OFFLINE, "the libraries stay offline"


def test_a_branch_stays_at_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(monkeypatch, HubServer(SINGLE)):
        old = fetch("hf:owner/model", cache=tmp_path)
    with serve(monkeypatch, HubServer({**SINGLE, "model.safetensors": WEIGHTS * 2}, commit="d" * 40)):
        assert fetch("hf:owner/model", cache=tmp_path) == old
        assert find_local("hf:owner/model@dev", cache=tmp_path) is None
        new = fetch(f"hf:owner/model@{'d' * 40}", cache=tmp_path)
    assert (new / "model.safetensors").read_bytes() == WEIGHTS * 2
    assert file_fingerprint(new) != file_fingerprint(old)


def test_a_branch_stays_at_its_commit_where_files_were_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = HubServer(SINGLE, cut={"model.safetensors"})
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    with serve(monkeypatch, hub), pytest.raises(DownloadError, match="what was downloaded is kept"):
        fetch("hf:owner/model", cache=tmp_path)
    hub.branch = "v2"  # the hub answers for its commit, and for main no longer
    with serve(monkeypatch, hub):
        begun = fetch("hf:owner/model", cache=tmp_path)
    assert COMMIT in str(begun)
    (begun / "model.safetensors").unlink()
    with serve(monkeypatch, hub):
        assert fetch("hf:owner/model", cache=tmp_path) == begun
    assert (begun / "model.safetensors").read_bytes() == WEIGHTS


def test_one_file_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(monkeypatch, HubServer({"q4.gguf": WEIGHTS, "q8.gguf": WEIGHTS[::-1]})) as hub:
        path = fetch("hf:owner/model/q8.gguf", cache=tmp_path)
        assert path.read_bytes() == WEIGHTS[::-1]
        assert not any("q4" in request for request, _ in hub.requests)
        with pytest.raises(UserError, match=r"holds no q9.gguf; it holds q4.gguf, q8.gguf"):
            fetch("hf:owner/model/q9.gguf", cache=tmp_path)
        with pytest.raises(UserError, match=r"name one of them:\n  hf:owner/model@main/q4.gguf"):
            fetch("hf:owner/model", cache=tmp_path)


def test_a_cut_download_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 128)  # else all is one chunk
    with serve(monkeypatch, HubServer(SHARDED, cut={"model-00002-of-00002.safetensors"})) as hub:
        with pytest.raises(DownloadError, match="the hub answered 500; try again, what was downloaded is kept"):
            fetch("hf:owner/model", cache=tmp_path)
        assert find_local("hf:owner/model", cache=tmp_path) is None
        first = len(hub.requests)
        folder = fetch("hf:owner/model", cache=tmp_path)
        again = [(path.rpartition("/")[2], span) for path, span in hub.requests[first:] if "safetensors" in path]
    assert again == [("model-00002-of-00002.safetensors", f"bytes={len(WEIGHTS) // 2}-")]
    assert (folder / "model-00002-of-00002.safetensors").read_bytes() == WEIGHTS[::-1]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_with_another_hash_is_not_kept(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        serve(monkeypatch, HubServer(SINGLE, broken={name})),
        pytest.raises(DownloadError, match=rf"{name}: the download's checksum is wrong: the hub lists [0-9a-f]+, got"),
    ):
        fetch("hf:owner/model", cache=tmp_path)
    assert not list(tmp_path.rglob(f"{name}*"))


def test_a_gated_repository_needs_a_token_with_access(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(monkeypatch, HubServer(SINGLE, gated=True)), pytest.raises(DownloadError, match=r"gated.*set.*HF_TOKEN"):
        fetch("hf:owner/model", cache=tmp_path)
    with (
        serve(monkeypatch, HubServer(SINGLE, gated=True, allowed=False), account="good"),
        pytest.raises(DownloadError, match="your token has no access to it yet; accept its licence at http"),
    ):
        fetch("hf:owner/model", cache=tmp_path)
    with serve(monkeypatch, HubServer(SINGLE, gated=True), account="good"):
        assert (fetch("hf:owner/model", cache=tmp_path) / "model.safetensors").read_bytes() == WEIGHTS


def test_what_the_hub_does_not_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(monkeypatch, HubServer(SINGLE)):
        with pytest.raises(DownloadError, match=r"hf:owner/typo: the hub shows no such repository.*HF_TOKEN"):
            fetch("hf:owner/typo", cache=tmp_path)
        with pytest.raises(DownloadError, match="hf:owner/model: has no revision v9"):
            fetch("hf:owner/model@v9", cache=tmp_path)
    with pytest.raises(DownloadError, match="check the network and try again"):
        fetch("hf:owner/model", cache=tmp_path)


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("pytorch_model.bin", "config.json"), "only there as pickles"),
        (("README.md",), "holds no model.safetensors; it holds README.md"),
        (("consolidated.safetensors",), "holds no model.safetensors"),
    ],
)
def test_without_safetensors_a_repository_is_refused(names: tuple[str, ...], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        choose_files(HubReference("owner/model", "main", ""), [HubFile(name, 1, "") for name in names])


def test_weights_beyond_the_memory_are_not_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("weighbridge.models.hub.machine_memory", lambda: 1000)
    with (
        serve(monkeypatch, HubServer(SINGLE)) as hub,
        pytest.raises(UserError, match=r"its weights take 0\.0 GB and this machine has 0\.0 GB of memory"),
    ):
        fetch("hf:owner/model", cache=tmp_path)
    assert not any("resolve" in path for path, _ in hub.requests)
