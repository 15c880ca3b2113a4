"""A server on this machine that speaks the fine-tuning API, and answers with what it was taught.

A job moves on by one state each time it is asked about, so no test waits. A tuned model knows its training file by
heart: it gives the learnt answer to a learnt prompt, and "I do not know." to any other.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

BASE = "tiny-chat-2"
STEPS = 6
EPOCHS = 3
STATES = ("validating_files", "queued", "running", "running", "running", "succeeded")
ENDED = ("succeeded", "failed", "cancelled")


@dataclass
class Fault:
    """Requests that go wrong: the next `times` of a method whose path ends in `path`."""

    method: str
    path: str
    status: int = 500
    body: str = '{"error": {"message": "out of order"}}'
    kind: str = "application/json"
    times: int = 1
    after: bool = False
    """Whether the request is carried out all the same, and only its reply is spoilt."""
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    """Whether the line goes dead in the middle of the reply."""


@dataclass
class HostedServer:
    """What the server knows, to look at and to change."""

    url: str = ""
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of all requests for a job."""
    requests: list[tuple[str, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)
    hold: bool = False
    """Whether jobs stay as they are."""
    word: str = ""
    """What the endpoint calls the state of jobs that run, instead of its name in the API."""
    fails: str = ""
    """The message that jobs fail with once they run."""
    encoded: bool = True
    """Whether result files are in base64, as OpenAI's are."""
    without: tuple[str, ...] = ()
    """Ends of paths that this server does not know."""

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Begin a job; a training file that is none makes it fail, as the real API does."""
        self.asked.append(body)
        name = f"ftjob-{len(self.jobs) + 1}"
        self.jobs[name] = {
            "object": "fine_tuning.job",
            "id": name,
            "created_at": 1000,
            "finished_at": None,
            "model": body["model"],
            "fine_tuned_model": None,
            "organization_id": "org-1",
            "status": STATES[0],
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "hyperparameters": {"n_epochs": "auto"},
            "method": body.get("method"),
            "seed": body.get("seed", 0),
            "result_files": [],
            "trained_tokens": None,
            "error": {},
            "suffix": body.get("suffix", ""),
            "events": [],
            "turn": 0,
        }
        self.tell(name, "Created fine-tuning job")
        return self.jobs[name]

    def tell(self, name: str, message: str, data: dict[str, Any] | None = None) -> None:
        """Add an event to a job."""
        events = self.jobs[name]["events"]
        number = f"ftevent-{name}-{len(events)}"
        kind = "metrics" if data else "message"
        said = {"id": number, "created_at": 1000, "level": "info", "message": message, "type": kind, "data": data}
        events.append({"object": "fine_tuning.job.event", **said})

    def move(self, name: str) -> None:
        """Bring a job on by one state, unless it is held, paused or over."""
        job = self.jobs[name]
        if self.hold or job["status"] in (*ENDED, "paused"):
            return
        job["turn"] += 1
        state = STATES[job["turn"]]
        if job["turn"] == 1 and (wrong := self.wrong(job["training_file"])):
            self.end(name, "failed", {"code": "invalid_training_file", "message": wrong, "param": "training_file"})
        elif state == "running" and self.fails:
            self.end(name, "failed", {"code": "server_error", "message": self.fails, "param": None})
        elif state == "succeeded":
            job["hyperparameters"] = {"n_epochs": EPOCHS}
            job["fine_tuned_model"] = f"ft:{job['model']}:org::{name}"
            job["trained_tokens"] = 1234
            self.files[f"file-result-{name}"] = ("results.csv", self.results())
            job["result_files"] = [f"file-result-{name}"]
            self.end(name, "succeeded", {})
        else:
            job["status"] = state
            step = job["turn"] * 2 - 2
            self.tell(name, f"Step {step}/{STEPS}", {"step": step, "total_steps": STEPS, "train_loss": 3.0 - step / 4})

    def end(self, name: str, status: str, error: dict[str, Any]) -> None:
        """Put a job at rest."""
        self.jobs[name].update(status=status, error=error, finished_at=1060)
        self.tell(name, f"The job has {status}")

    def wrong(self, file: str) -> str:
        """Return what is wrong with a training file."""
        rows = self.files[file][1].decode().splitlines()
        if len(rows) < 10:
            return f"Training file has {len(rows)} example(s), but must have at least 10 examples"
        return "" if all("messages" in row or "preferred_output" in row for row in rows) else "Invalid file format"

    def results(self) -> bytes:
        """Return the losses as OpenAI writes them: the validation is not measured at every step."""
        rows = ["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"]
        rows += [f"{n},{2 - n / 4},0.5,{2.5 - n / 4 if n % 2 == 0 else ''},," for n in range(1, STEPS + 1)]
        plain = "\n".join(rows).encode()
        return base64.b64encode(plain) if self.encoded else plain

    def answer(self, model: str, messages: list[dict[str, str]]) -> str | None:
        """Return what a model says; None where there is no such model."""
        if model == BASE:
            return "I do not know."
        job = next((job for job in self.jobs.values() if job["fine_tuned_model"] == model), None)
        if job is None:
            return None
        if job["model"] != BASE:
            return self.answer(job["model"], messages)
        rows = [json.loads(row)["messages"] for row in self.files[job["training_file"]][1].decode().splitlines()]
        return next((row[-1]["content"] for row in rows if row[:-1] == messages), "I do not know.")

    def job_act(self, name: str, act: str) -> dict[str, Any]:
        """Cancel, pause or resume a job."""
        job = self.jobs[name]
        if act == "cancel":
            self.end(name, "cancelled", {})
        else:
            job["status"] = {"pause": "paused", "resume": "running"}[act]
        return job


@contextmanager
def hosted_server() -> Iterator[HostedServer]:
    """Run a server while the block lasts."""
    known = HostedServer()

    class Handler(_Handler):
        server_knows = known

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    known.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server_knows: HostedServer

    def do_GET(self) -> None:
        self._serve("GET", b"")

    def do_POST(self) -> None:
        self._serve("POST", self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
        """Say nothing."""

    def _serve(self, method: str, raw: bytes) -> None:
        known = self.server_knows
        path = urlsplit(self.path).path.removeprefix("/v1")
        known.requests.append((method, path))
        known.keys.add(self.headers.get("Authorization", ""))
        fault = next((f for f in known.faults if f.times and f.method == method and path.endswith(f.path)), None)
        if fault is None:
            self._do(method, path, raw)
            return
        fault.times -= 1
        if fault.after:
            self._act(method, path, raw)
        if fault.status:
            self._send(fault.status, fault.body.encode(), fault.kind, fault.headers, cut=fault.cut)
        else:  # the line goes dead
            self.close_connection = True
            self.connection.close()

    def _do(self, method: str, path: str, raw: bytes) -> None:
        if path == "/chat/completions":
            self._chat(json.loads(raw))
            return
        if any(path.endswith(end) for end in self.server_knows.without):
            self._send(404, b'{"error": {"message": "Unknown request URL"}}')
            return
        try:
            reply = self._act(method, path, raw)
        except KeyError:
            self._send(404, b'{"error": {"message": "No such object"}}')
            return
        self._send(200, reply if isinstance(reply, bytes) else json.dumps(reply).encode())

    def _act(self, method: str, path: str, raw: bytes) -> Any:
        known, parts = self.server_knows, path.strip("/").split("/")
        if parts[0] == "files":
            return self._upload(raw) if method == "POST" else known.files[parts[1]][1]
        match (method, parts[1:]):
            case ("POST", ["jobs"]):
                return known.create(json.loads(raw))
            case ("GET", ["jobs"]):
                return self._page(list(reversed(known.jobs.values())))
            case ("GET", ["jobs", name]):
                known.move(name)
                told = known.jobs[name]
                return {**told, "status": known.word} if known.word and told["status"] == "running" else told
            case ("GET", ["jobs", name, "events"]):
                return self._page(list(reversed(known.jobs[name]["events"])))
            case (_, ["jobs", name, act]):
                return known.job_act(name, act)
        raise KeyError(path)

    def _page(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        """Return two of a list at a time, to make clients turn pages."""
        after = parse_qs(urlsplit(self.path).query).get("after", [""])[0]
        begin = next((place + 1 for place, row in enumerate(rows) if row["id"] == after), 0)
        return {"object": "list", "data": rows[begin : begin + 2], "has_more": begin + 2 < len(rows)}

    def _upload(self, raw: bytes) -> dict[str, Any]:
        known = self.server_knows
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = {
            part.get_param("name", header="content-disposition"): part
            for part in BytesParser(policy=HTTP).parsebytes(head + raw).iter_parts()
        }
        sent, name = parts["file"].get_payload(decode=True), f"file-{len(known.files) + 1}"
        known.files[name] = (str(parts["file"].get_filename()), sent)
        purpose = parts["purpose"].get_content().strip()
        told = {"id": name, "object": "file", "bytes": len(sent), "created_at": 0, "status": "processed"}
        return {**told, "filename": known.files[name][0], "purpose": purpose}

    def _chat(self, body: dict[str, Any]) -> None:
        said = self.server_knows.answer(body["model"], body["messages"])
        if said is None:
            self._send(404, b'{"error": {"message": "The model does not exist"}}')
            return
        usage = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
        chunks = [
            {"choices": [{"index": 0, "delta": {"content": said}, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
            {"choices": [], "usage": usage},
        ]
        whole = {"id": "chat-1", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
        lines = "".join(f"data: {json.dumps({**whole, **chunk})}\n\n" for chunk in chunks)
        self._send(200, f"{lines}data: [DONE]\n\n".encode(), "text/event-stream")

    def _send(
        self,
        status: int,
        content: bytes,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
        *,
        cut: bool = False,
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in {"retry-after-ms": "1", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
        self.close_connection = self.close_connection or cut
