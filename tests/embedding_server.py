"""A server with OpenAI's /embeddings, over HTTP, for suites that need one; it refuses what real ones refuse."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Embed = Callable[[Sequence[str]], list[list[float]]]


@dataclass(slots=True)
class EmbeddingServer:
    """What it embeds with and refuses, and the requests that it got."""

    embed: Embed
    most_texts: int = 2048
    most_words: int = 8192
    usage: bool = True
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def reply(self, body: dict[str, Any]) -> tuple[int, Any]:
        """Return the status and the body of a reply."""
        texts = body["input"]
        if len(texts) > self.most_texts:  # in the words of Text Embeddings Inference
            said = f"batch size {len(texts)} > maximum allowed batch size {self.most_texts}"
            return 422, {"error": said, "error_type": "Validation"}
        if "" in texts:
            return 400, {"error": {"message": "Invalid 'input': input cannot be an empty string."}}
        if (longest := max(len(text.split()) for text in texts)) > self.most_words:
            told = f"This model's maximum context length is {self.most_words} tokens, however you requested {longest}"
            return 400, {"error": {"message": told}}
        rows = [{"index": n, "embedding": row, "object": "embedding"} for n, row in enumerate(self.embed(texts))]
        usage = {"prompt_tokens": sum(len(text.split()) for text in texts)} if self.usage else None
        return 200, {"object": "list", "data": rows[::-1], "model": body["model"], "usage": usage}


@contextmanager
def serve_embeddings(embed: Embed, **limits: Any) -> Iterator[EmbeddingServer]:
    """Serve on 127.0.0.1 until the end of the block."""
    state = EmbeddingServer(embed, **limits)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.bodies.append(body)
            state.headers.append(dict(self.headers))
            status, said = state.reply(body) if self.path == "/v1/embeddings" else (404, {"error": "no such path"})
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield state
    server.shutdown()
    thread.join()
    server.server_close()
