"""Objects of two real stores of fsspec: one in memory, and a web server on this machine."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import pytest
from pydantic import ValidationError

from weighbridge.errors import DataError, UserError
from weighbridge.ingest.sources.objects import mirror_objects
from weighbridge.settings.sources import ObjectSource
from weighbridge.types import Progress


@pytest.fixture
def bucket() -> Iterator[fsspec.AbstractFileSystem]:
    """A store in memory with two objects and the marker of a folder."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pipe("/bucket/manuals/a.md", b"# A\n\nBerth one.")
    store.pipe("/bucket/manuals/deep/b.txt", b"Berth two.")
    store.pipe("/bucket/other/c.txt", b"Not asked for.")
    yield store
    store.store.clear()
    store.pseudo_dirs[:] = [""]


def names(files: Path) -> list[str]:
    return sorted(path.relative_to(files).as_posix() for path in files.rglob("*") if path.is_file())


SOURCE = ObjectSource(objects="memory://bucket/manuals")


def test_objects_become_files_below_their_names(bucket: fsspec.AbstractFileSystem, tmp_path: Path):
    seen: list[Progress] = []
    files = mirror_objects(SOURCE, tmp_path, notify=seen.append)
    assert names(files) == ["a.md", "deep/b.txt"]
    assert (files / "a.md").read_bytes() == b"# A\n\nBerth one."
    assert (seen[-1].done, seen[-1].total, seen[-1].unit) == (2, 2, "objects")


def test_only_changed_objects_are_fetched_again(
    bucket: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    fetched: list[str] = []
    fetch = type(bucket).get_file

    def note(store: fsspec.AbstractFileSystem, path: str, *rest: object, **options: object) -> None:
        fetched.append(path)
        fetch(store, path, *rest, **options)

    monkeypatch.setattr(type(bucket), "get_file", note)
    files = mirror_objects(SOURCE, tmp_path)
    mirror_objects(SOURCE, tmp_path)
    assert fetched == ["/bucket/manuals/a.md", "/bucket/manuals/deep/b.txt"]
    bucket.pipe("/bucket/manuals/a.md", b"# A\n\nBerth 1.")
    bucket.rm("/bucket/manuals/deep/b.txt")
    mirror_objects(SOURCE, tmp_path)
    assert fetched[2:] == ["/bucket/manuals/a.md"]
    assert names(files) == ["a.md"]


def test_an_interruption_keeps_what_was_fetched(bucket: fsspec.AbstractFileSystem, tmp_path: Path):
    def interrupt(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        mirror_objects(SOURCE, tmp_path, notify=interrupt)
    assert names(tmp_path / "files") == ["a.md"]
    before = (tmp_path / "files" / "a.md").stat().st_ino
    assert names(mirror_objects(SOURCE, tmp_path)) == ["a.md", "deep/b.txt"]
    assert (tmp_path / "files" / "a.md").stat().st_ino == before


def test_a_web_server_is_a_store(tmp_path: Path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a.md").write_text("# A")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site"))) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        source = ObjectSource(objects=f"http://127.0.0.1:{server.server_port}/")
        files = mirror_objects(source, tmp_path / "kept")
        assert (files / "a.md").read_text() == "# A"
        server.shutdown()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (ObjectSource(objects="memory://bucket/nothing"), "there is no such place"),
        (ObjectSource(objects="nosuch://bucket/x"), "no store has such a URL"),
        (ObjectSource(objects="http://127.0.0.1:9/${SECRET}/"), "cannot be read"),
    ],
)
def test_a_store_that_fails_is_an_error_without_secrets(
    bucket: fsspec.AbstractFileSystem, tmp_path: Path, source: ObjectSource, message: str
):
    with pytest.raises(DataError) as raised:
        mirror_objects(source, tmp_path, environment={"SECRET": "hush-hush"})
    assert message in str(raised.value)
    assert "hush-hush" not in str(raised.value)
    assert not (tmp_path / "files").exists() or not names(tmp_path / "files")


def test_a_failure_deletes_nothing(bucket: fsspec.AbstractFileSystem, tmp_path: Path):
    files = mirror_objects(SOURCE, tmp_path)
    bucket.rm("/bucket/manuals", recursive=True)
    with pytest.raises(DataError):
        mirror_objects(SOURCE, tmp_path)
    assert names(files) == ["a.md", "deep/b.txt"]


def test_a_variable_that_is_not_set_is_named(tmp_path: Path):
    source = ObjectSource(objects="memory://bucket", options={"key": "${S3_KEY}"})
    with pytest.raises(UserError, match="S3_KEY is not set"):
        mirror_objects(source, tmp_path, environment={})


def test_a_url_with_a_login_is_refused():
    with pytest.raises(ValidationError, match="put the key into an environment variable"):
        ObjectSource(objects="s3://key:secret@bucket/manuals")
    assert ObjectSource(objects="ftp://${USER}:${PASSWORD}@host/manuals").label == "manuals"
    assert "secret" not in repr(ObjectSource(objects="s3://bucket", options={"key": "secret"}))
