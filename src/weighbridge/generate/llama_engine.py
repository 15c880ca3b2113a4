"""One running llama.cpp with one thread and one slot, asked over a private socket.

It reads every prompt in segments of `SEGMENT` tokens, counted from the start of the prompt. So the arithmetic of a
segment is the same whether the segments before it were read just now or kept from another prompt, and the text of an
answer does not depend on the prompts before it. docs/adr/0034-llamacpp-build-and-prefix.md has the measurements.

llama.cpp listens at a Unix socket in a private folder where the system has them, else at a random port of 127.0.0.1.
Both require a random key that nobody is told.
"""

import json
import os
import secrets
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from weighbridge.errors import MissingExtraError, ModelError, PromptTooLongError
from weighbridge.generate.chat_template import thinking_arguments

if TYPE_CHECKING:
    from httpx2 import Client, Response

SEGMENT = 32
"""Tokens read at once. Smaller ones keep more of a prompt; below 32 rows the kernels multiply more slowly."""
_SILENT = -1
_LONGEST_SOCKET_PATH = 100
"""Bytes: the address of a Unix socket holds 108 on Linux and 104 on macOS."""
_TOO_LONG = "exceed_context_size_error"
_ANY_TOKENS = (0, 1)
"""Tokens that every vocabulary has; at most one of them is the next token of a prompt."""


@dataclass(slots=True, kw_only=True)
class LlamaEngine:
    """A running llama.cpp, for one caller at a time."""

    client: "Client" = field(repr=False)
    owner: Any = field(repr=False)
    """Ends llama.cpp when it is freed."""
    held: list[int] = field(default_factory=list, repr=False)
    """The tokens of the last prompt, or none: then all of the next one is read."""
    _keeps: bool = True

    def chat(self, request: Mapping[str, Any]) -> Generator[dict[str, Any]]:
        """Yield the pieces of an answer to `request["messages"]`, in OpenAI's form; the last one has the usage.

        Raises:
            PromptTooLongError: the context does not hold the prompt.
            ModelError: llama.cpp cannot answer.
        """
        tokens = self.prompt_tokens(request["messages"])
        kept = self._keep(tokens)
        streamed = {"stream": True, "stream_options": {"include_usage": True}}
        body = {**request, **streamed, "cache_prompt": kept > 0}
        with self.client.stream("POST", "/v1/chat/completions", json=body) as response:
            _raise_for_status(response)
            for line in response.iter_lines():
                piece = line.partition(":")[2].strip()
                if not piece.startswith("{"):  # an empty line, or the end
                    continue
                chunk = json.loads(piece)
                if "error" in chunk or line.startswith("error"):
                    raise _error_of(chunk)
                if usage := chunk.get("usage"):
                    self._check(usage, tokens)
                yield chunk
        self.held = tokens

    def complete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Return llama.cpp's answer to a chat request in one piece. The whole prompt is read."""
        self.held = []
        return self._post("/v1/chat/completions", {**request, "cache_prompt": False})

    def close(self) -> None:
        """End llama.cpp and free its weights."""
        self.client.close()
        self.owner = None

    def prompt_tokens(self, messages: Sequence[Mapping[str, str]]) -> list[int]:
        """Return the tokens that llama.cpp reads for these messages, up to where the answer begins."""
        prompt = self._post("/apply-template", {"messages": messages})["prompt"]
        made = self._post("/tokenize", {"content": prompt, "add_special": True, "parse_special": True})["tokens"]
        return list(made)

    def _keep(self, tokens: list[int]) -> int:
        """Cut llama.cpp's state back to the whole segments that the last prompt shares with these tokens.

        Return how many tokens that leaves. llama.cpp itself would keep all common tokens, and so read the rest in
        other segments. Any other token behind the segments makes it forget what follows them.
        """
        pairs = zip(self.held, tokens, strict=False)
        shared = next((n for n, (ours, theirs) in enumerate(pairs) if ours != theirs), min(len(self.held), len(tokens)))
        self.held = []
        kept = min(shared, len(tokens) - 1) // SEGMENT * SEGMENT if self._keeps else 0
        if kept:
            other = next(token for token in _ANY_TOKENS if token != tokens[kept])
            self._post("/completion", {"prompt": [*tokens[:kept], other], "n_predict": 0, "cache_prompt": True})
        return kept

    def _check(self, usage: Mapping[str, Any], tokens: list[int]) -> None:
        """Keep nothing from now on if the prompt was not the foreseen one; `ModelError` if that changed the answer."""
        if usage["prompt_tokens"] != len(tokens):
            self._keeps = False
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        if cached % SEGMENT:
            self._keeps = False
            raise ModelError(f"llama.cpp kept {cached} tokens of another prompt, not whole segments; ask again")

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        response = self.client.post(path, json=body)
        _raise_for_status(response)
        return dict(response.json())


def _raise_for_status(response: "Response") -> None:
    if response.is_success:
        return
    response.read()
    try:
        raise _error_of(response.json())
    except ValueError:
        raise ModelError(f"llama.cpp could not answer: status {response.status_code}") from None


def _error_of(reply: Mapping[str, Any]) -> ModelError:
    problem = reply.get("error", reply)
    if isinstance(problem, Mapping):
        if problem.get("type") == _TOO_LONG:
            return PromptTooLongError(problem["n_prompt_tokens"], problem["n_ctx"])
        problem = problem.get("message", problem)
    return ModelError(f"llama.cpp could not answer: {problem}")


def open_llama_engine(
    gguf: Path,
    *,
    context: int,
    sockets: Path,
    adapter: Path | None = None,
    thinking: Literal["off", "on"] = "off",
) -> LlamaEngine:
    """Load a GGUF file in this process. Its socket lies in the folder `sockets`.

    Raises `RuntimeError` if llama.cpp cannot load the file.
    """
    from httpx2 import Client, HTTPTransport, Limits

    parameters = engine_parameters(gguf, context=context, adapter=adapter, thinking=thinking)
    socket = sockets / f"{secrets.token_hex(4)}.sock"
    local = os.name == "posix" and len(str(socket)) <= _LONGEST_SOCKET_PATH
    if local:
        parameters.hostnames = [str(socket)]
    server = start_engine(parameters)
    # llama.cpp closes an idle connection, maybe just as we send the next request over it: so each has its own.
    limits = Limits(max_keepalive_connections=0)
    client = Client(
        transport=HTTPTransport(uds=str(socket) if local else None, limits=limits),
        base_url="http://llama.cpp" if local else server.listening_address,
        headers={"Authorization": f"Bearer {parameters.api_keys[0]}"},
        trust_env=False,
        timeout=None,  # an answer takes as long as it takes; its length is limited
    )
    return LlamaEngine(client=client, owner=server)


def start_engine(parameters: Any) -> Any:
    """Return an engine that has answered once: one freed before its loop runs would wait for that loop for ever.

    A thread of its own starts it. Ctrl-C interrupts the main thread alone, and so cannot free an engine half started.

    Raises `RuntimeError` if llama.cpp cannot load the files of the parameters.
    """
    import xllamacpp

    def start() -> Any:
        engine = xllamacpp.Server(parameters)
        engine.handle_completions({"prompt": "Hello", "n_predict": 1, "cache_prompt": False})
        return engine

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(start).result()


def engine_parameters(
    gguf: Path, *, context: int, adapter: Path | None = None, thinking: Literal["off", "on"] = "off"
) -> Any:
    """Return llama.cpp's parameters for one engine with one thread, listening at a free port of 127.0.0.1."""
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("the llamacpp engine", "local") from None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(gguf)
    parameters.n_ctx = context
    parameters.n_parallel = 1
    parameters.n_batch = parameters.n_ubatch = SEGMENT
    parameters.n_ctx_checkpoints = 0  # they would cut a prompt into other segments, depending on those before it
    parameters.default_template_kwargs = {name: json.dumps(on) for name, on in thinking_arguments(thinking).items()}
    parameters.enable_reasoning = int(thinking == "on")
    parameters.cpuparams.n_threads = 1
    parameters.cpuparams_batch.n_threads = 1
    parameters.cache_ram_mib = 0
    parameters.fit_params = False
    parameters.warmup = False
    parameters.verbosity = _SILENT
    parameters.api_keys = [secrets.token_urlsafe(24)]
    parameters.ui = False
    parameters.endpoint_slots = False
    if adapter is not None:
        added = xllamacpp.CommonAdapterLoraInfo()
        added.path, added.scale = str(adapter), 1.0
        parameters.lora_adapters = [added]
    return parameters
