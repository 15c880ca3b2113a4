"""A stand-in for a model hub: the listing and the files of one repository, over HTTP, with its refusals and cuts."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Self
from urllib.parse import urlsplit

COMMIT = "c0ffee" + "0" * 34
LARGE = 200
"""Bytes from which a file is listed as Git LFS lists it, with a SHA-256."""


@dataclass
class HubServer:
    """Answers as the hub does for `owner/model`. Start it with `with`."""

    files: Mapping[str, bytes]
    branch: str = "main"
    commit: str = COMMIT
    gated: bool = False
    account: str = "good"
    """The token that a gated repository wants."""
    allowed: bool = True
    """Whether the account of the token accepted the licence."""
    cut: set[str] = field(default_factory=set)
    """Files of which half is sent before the connection is cut, once; after that the hub is out of order, once."""
    broken: set[str] = field(default_factory=set)
    """Files whose bytes differ from their hash."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    """Each request: its path and its Range."""
    _down: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.requests.append((urlsplit(self.path).path, self.headers.get("Range", "")))
                hub.answer(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *error: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = urlsplit(request.path).path
        for revision in (self.branch, self.commit):
            if path == f"/api/models/owner/model/revision/{revision}":
                self._send(request, json.dumps(self._listing()).encode())
                return
        if path.startswith("/api/models/owner/model/"):
            self._refuse(request, 404, "RevisionNotFound")
        elif path.startswith("/api/models/"):
            self._refuse(request, 401, "RepoNotFound")
        elif self.gated and request.headers.get("Authorization") != f"Bearer {self.account}":
            self._refuse(request, 401, "GatedRepo")
        elif self.gated and not self.allowed:
            self._refuse(request, 403, "GatedRepo")
        else:
            self._file(request, path.removeprefix(f"/owner/model/resolve/{self.commit}/"))

    def _listing(self) -> dict[str, object]:
        siblings = []
        for name, content in self.files.items():
            blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
            entry: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": blob}
            if len(content) >= LARGE:
                digest = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 134}
            siblings.append(entry)
        card = {"license": "apache-2.0"}
        return {"id": "owner/model", "sha": self.commit, "siblings": siblings, "cardData": card, "tags": []}

    def _file(self, request: BaseHTTPRequestHandler, name: str) -> None:
        if name in self._down:
            self._down.remove(name)
            self._refuse(request, 500, "")
            return
        content = self.files[name]
        if name in self.broken:
            content = content[:-1] + b"!"
        start = int(request.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-") or 0)
        body = content[start:]
        if name in self.cut:
            self.cut.remove(name)
            self._down.add(name)
            self._head(request, len(body))
            request.wfile.write(body[: len(body) // 2])
            request.wfile.flush()
            request.connection.close()
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _head(self, request: BaseHTTPRequestHandler, length: int) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(length))
        request.end_headers()

    def _send(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        self._head(request, len(body))
        request.wfile.write(body)

    def _refuse(self, request: BaseHTTPRequestHandler, status: int, code: str) -> None:
        request.send_response(status)
        request.send_header("X-Error-Code", code)
        request.send_header("Content-Length", "0")
        request.end_headers()
