"""A server with vLLM's LoRA API, to import or to run as a program: python tests/lora_server.py --model M --port P ...

The base model answers "base"; an adapter answers with what its file `answer.txt` says, read when it is loaded.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


@dataclass
class LoraServer:
    """What the server knows, to look at and to change."""

    url: str = ""
    model: str = "base"
    root: str = "/models/base"
    key: str = ""
    updates: bool = True
    """Whether adapters may be loaded while it runs."""
    adapters: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    unhealthy: int = 0
    """Requests for its health that it answers with 503 first."""

    def load(self, body: dict[str, str]) -> tuple[int, Any]:
        name, folder = body["lora_name"], Path(body["lora_path"])
        if name in self.adapters:
            return 400, _error(f"The lora adapter '{name}' has already been loaded.")
        if not (folder / "answer.txt").is_file():
            return 404, _error(f"Loading lora {name} failed: No adapter found for {folder}")
        self.adapters[name] = (folder / "answer.txt").read_text(encoding="utf-8")
        return 200, f"Success: LoRA adapter '{name}' added successfully."

    def unload(self, body: dict[str, str]) -> tuple[int, Any]:
        if self.adapters.pop(body["lora_name"], None) is None:
            return 404, _error("The lora adapter cannot be found.")
        return 200, "Success"

    def models(self) -> dict[str, Any]:
        rows = [{"id": self.model, "root": self.root, "parent": None}]
        rows += [{"id": name, "root": "/adapters", "parent": self.model} for name in self.adapters]
        return {"object": "list", "data": [{"object": "model", "created": 0, "owned_by": "me", **row} for row in rows]}

    def say(self, model: str) -> str | None:
        return "base" if model == self.model else self.adapters.get(model)


def _error(message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": "InvalidUserInput", "param": None, "code": 400}}


def handler_of(known: LoraServer) -> type[BaseHTTPRequestHandler]:  # noqa: C901 - a class with its methods
    """Return a handler of requests to a server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/health":
                known.unhealthy -= 1
                self._send(503 if known.unhealthy >= 0 else 200, "")
            elif self._is_allowed():
                self._send(200, known.models())

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            known.calls.append(self.path)
            if not self._is_allowed():
                return
            if self.path == "/v1/chat/completions":
                self._chat(body)
            elif known.updates and self.path in ("/v1/load_lora_adapter", "/v1/unload_lora_adapter"):
                act = known.load if self.path == "/v1/load_lora_adapter" else known.unload
                self._send(*act(body))
            else:
                self._send(404, {"detail": "Not Found"})

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

        def _is_allowed(self) -> bool:
            allowed = not known.key or self.headers["Authorization"] == f"Bearer {known.key}"
            if not allowed:
                self._send(401, {"error": "Unauthorized"})
            return allowed

        def _chat(self, body: dict[str, Any]) -> None:
            text = known.say(body["model"])
            if text is None:
                self._send(404, _error(f"The model `{body['model']}` does not exist."))
                return
            chunks = [
                {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": "stop"}]},
                {"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}},
            ]
            whole = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
            self._send(
                200, "".join(f"data: {json.dumps({**whole, **chunk})}\n\n" for chunk in chunks), "text/event-stream"
            )

        def _send(self, status: int, content: Any, kind: str = "text/plain") -> None:
            raw = content if isinstance(content, str) else json.dumps(content)
            self.send_response(status)
            self.send_header("Content-Type", kind if isinstance(content, str) else "application/json")
            self.send_header("Content-Length", str(len(raw.encode())))
            self.end_headers()
            self.wfile.write(raw.encode())

    return Handler


def main(arguments: list[str]) -> None:
    """Serve until somebody ends the process, as the arguments say."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    print("Loading the weights", flush=True)  # noqa: T201 - its log
    if "--fail" in arguments:
        sys.exit("no memory for the weights")
    known = LoraServer(
        model=given["--served-model-name"], root=given["--model"], key=os.environ["VLLM_API_KEY"], unhealthy=2
    )
    ThreadingHTTPServer(("127.0.0.1", int(given["--port"])), handler_of(known)).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
