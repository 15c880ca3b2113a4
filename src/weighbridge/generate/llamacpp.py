"""llama.cpp in this process: the default engine.

The same prompt gives the same text, whatever was asked before and however many ask at once: each worker has an engine
of its own with one slot and one thread, so no answer shares a batch with another, and nothing is kept between answers
unless `reuse_prefix` says so. docs/adr/0002-llamacpp-determinism.md has the measurements behind this.

The library opens a socket for its HTTP server even when it is only called in-process: a Unix socket in a private
folder where the system has them, else a random port of 127.0.0.1; both ask for a random key that nobody is told.
"""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

from weighbridge.errors import MissingExtraError, ModelError, PromptTooLongError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Completion, Finish, Message, Usage

_SILENT = -1
_LONGEST_SOCKET_PATH = 100
"""Bytes: the address of a Unix socket holds 108 on Linux and 104 on macOS."""
_TOO_LONG = "exceed_context_size_error"
_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCpp:
    """A `Model` of one GGUF file and its own chat template. See `open_llamacpp`; close it, or use it in a `with`."""

    name: str
    settings: ModelSettings
    fingerprint: str
    reuse_prefix: bool
    idle: "SimpleQueue[Any]" = field(repr=False)
    workers: int
    sockets: Path = field(repr=False)

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        with self._engine() as engine:
            reply = _Reply(emit)
            engine.handle_chat_completions(self._request(messages), reply.take)
        if reply.failure:
            raise reply.failure
        completion = reply.completion(self.name)
        if _was_cut(completion, self.settings):
            wanted = completion.usage.input_tokens + self.settings.maximum_tokens
            raise PromptTooLongError(wanted, self.settings.context)
        return completion

    def close(self) -> None:
        """Free the weights, once every answer under way is done. Asking afterwards is a `ModelError`."""
        engines = [self.idle.get() for _ in range(self.workers)]
        engines.clear()
        for _ in range(self.workers):
            self.idle.put(None)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def _engine(self) -> Iterator[Any]:
        engine = self.idle.get()
        try:
            if engine is None:
                raise ModelError(f"{self.name}: the model is closed")
            yield engine
        finally:
            self.idle.put(engine)

    def _request(self, messages: Sequence[Message]) -> dict[str, Any]:
        return {
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": self.settings.maximum_tokens,
            "temperature": self.settings.temperature,
            "seed": self.settings.seed,
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "cache_prompt": self.reuse_prefix,
            "stream": True,
            "stream_options": {"include_usage": True},
        }


def open_llamacpp(
    gguf: Path,
    *,
    settings: ModelSettings,
    workers: int = 1,
    name: str,
    reuse_prefix: bool = False,
    adapter: Path | None = None,
) -> LlamaCpp:
    """Load a GGUF file to answer `workers` questions at once, one thread each; more callers wait their turn.

    Each worker holds its own weights and context, and uses one core: more threads for one answer would change its
    text with the number of cores. `reuse_prefix` keeps the common prefix of two prompts in a row: the second is read
    faster, but its text may then depend on the prompt before it, so it is meant for serving and not for measuring.
    `adapter` is a LoRA adapter as a GGUF file; llama.cpp adds it to the weights as it reads them.

    Raises:
        UserError: a file is missing or llama.cpp cannot load it.
    """
    if missing := [path for path in (gguf, adapter) if path is not None and not path.is_file()]:
        raise UserError(f"{missing[0]}: there is no such GGUF file")
    how = (settings.context, settings.maximum_tokens, settings.temperature, settings.seed, reuse_prefix)
    added = () if adapter is None else (file_fingerprint(adapter),)
    wanted = [engine_parameters(gguf, context=settings.context, adapter=adapter) for _ in range(workers)]
    sockets = Path(tempfile.mkdtemp(prefix="weighbridge-"))
    idle: SimpleQueue[Any] = SimpleQueue()
    try:
        for number, parameters in enumerate(wanted):
            socket = sockets / f"{number}.sock"
            if os.name == "posix" and len(str(socket)) <= _LONGEST_SOCKET_PATH:
                parameters.hostnames = [str(socket)]
            idle.put(start_engine(parameters))
    except RuntimeError as error:
        shutil.rmtree(sockets, ignore_errors=True)
        extra = "" if adapter is None else f", or {adapter} as its adapter"
        raise UserError(
            f"{gguf}: llama.cpp cannot load this file as a model{extra}; is it a whole GGUF of a supported "
            f"architecture, and is there memory for {workers} x {settings.context:,} tokens of context?"
        ) from error
    return LlamaCpp(
        name=name,
        settings=settings,
        fingerprint=fingerprint("llamacpp", version("xllamacpp"), name, file_fingerprint(gguf), how, *added),
        reuse_prefix=reuse_prefix,
        idle=idle,
        workers=workers,
        sockets=sockets,
    )


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


def engine_parameters(gguf: Path, *, context: int, adapter: Path | None = None) -> Any:
    """Return llama.cpp's parameters for one engine with one thread, listening at a free port of 127.0.0.1."""
    try:
        import xllamacpp
    except ImportError:
        raise MissingExtraError("the llamacpp engine", "local") from None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(gguf)
    parameters.n_ctx = context
    parameters.n_parallel = 1
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


class _Reply:
    """Collects the pieces that the engine sends: text to emit, and then how it ended."""

    def __init__(self, emit: Emit) -> None:
        self.failure: BaseException | None = None
        self._emit = emit
        self._said: list[str] = []
        self._thought: list[str] = []
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def take(self, chunk: dict[str, Any]) -> bool:
        """Take one piece; True asks the engine to stop. It swallows exceptions, so they are kept for the caller."""
        if "error" in chunk:
            told = chunk["error"]
            if told.get("type") == _TOO_LONG:
                self.failure = PromptTooLongError(told["n_prompt_tokens"], told["n_ctx"])
            else:
                self.failure = ModelError(f"llama.cpp could not answer: {told.get('message', told)}")
            return True
        try:
            self._read(chunk)
        except BaseException as error:  # noqa: BLE001 - raised again by `generate`, outside the engine
            self.failure = error
        return self.failure is not None

    def completion(self, name: str) -> Completion:
        """Return the whole answer; `ModelError` where the engine stopped without saying how."""
        if self._finish is None or self._usage is None:
            raise ModelError(f"{name}: llama.cpp stopped without finishing its answer")
        return Completion(
            text="".join(self._said), usage=self._usage, finish=self._finish, thinking="".join(self._thought)
        )

    def _read(self, chunk: dict[str, Any]) -> None:
        for choice in chunk["choices"]:
            if thought := choice["delta"].get("reasoning_content"):
                self._thought.append(thought)
                self._emit("")
            if text := choice["delta"].get("content"):
                self._said.append(text)
                self._emit(text)
            if finish := choice["finish_reason"]:
                self._finish = _FINISHES[finish]
        if usage := chunk.get("usage"):
            self._usage = Usage(
                input_tokens=usage["prompt_tokens"],
                output_tokens=usage["completion_tokens"],
                cached_tokens=usage["prompt_tokens_details"]["cached_tokens"],
            )


def _was_cut(completion: Completion, settings: ModelSettings) -> bool:
    """Tell whether the context, and not the limit of the answer, ended it; the engine rounds its context up."""
    usage = completion.usage
    ended_early = completion.finish == "length" and usage.output_tokens < settings.maximum_tokens
    return ended_early or usage.input_tokens + usage.output_tokens > settings.context
