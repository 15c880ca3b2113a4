"""llama.cpp in this process: the default engine.

The same prompt gives the same text, whatever was asked before and however many ask at once: each worker has an engine
of its own with one slot and one thread, so no answer shares a batch with another, and what two prompts in a row have in
common is kept in whole segments. docs/adr/0002-llamacpp-determinism.md and 0034 have the measurements behind this.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Self

from weighbridge.errors import ModelError, PromptTooLongError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.llama_engine import SEGMENT, LlamaEngine, open_llama_engine
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Completion, Finish, Message, Usage

_FINISHES: dict[str, Finish] = {"stop": "stop", "length": "length"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCpp:
    """A `Model` of one GGUF file and its own chat template. See `open_llamacpp`; close it, or use it in a `with`."""

    name: str
    settings: ModelSettings
    fingerprint: str
    idle: "SimpleQueue[LlamaEngine | None]" = field(repr=False)
    workers: int
    sockets: Path = field(repr=False)

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        reply = _Reply(emit)
        with self.engine() as engine, closing(engine.chat(self._request(messages))) as chunks:
            for chunk in chunks:
                reply.take(chunk)
        completion = reply.completion(self.name)
        if _was_cut(completion, self.settings):
            wanted = completion.usage.input_tokens + self.settings.maximum_tokens
            raise PromptTooLongError(wanted, self.settings.context)
        return completion

    def close(self) -> None:
        """Free the weights, once every answer under way is done. Asking afterwards is a `ModelError`."""
        for engine in [self.idle.get() for _ in range(self.workers)]:
            if engine is not None:
                engine.close()
            self.idle.put(None)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @contextmanager
    def engine(self) -> Iterator[LlamaEngine]:
        """Lend an idle engine, and wait for one if there is none."""
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
        }


def open_llamacpp(
    gguf: Path,
    *,
    settings: ModelSettings,
    workers: int = 1,
    name: str,
    adapter: Path | None = None,
) -> LlamaCpp:
    """Load a GGUF file to answer `workers` questions at once, one thread each; more callers wait their turn.

    Each worker holds its own weights and context, and uses one core: more threads for one answer would change its
    text with the number of cores.
    `adapter` is a LoRA adapter as a GGUF file; llama.cpp adds it to the weights as it reads them.

    Raises:
        UserError: a file is missing or llama.cpp cannot load it.
    """
    if missing := [path for path in (gguf, adapter) if path is not None and not path.is_file()]:
        raise UserError(f"{missing[0]}: there is no such GGUF file")
    how = (settings.context, settings.maximum_tokens, settings.temperature, settings.seed, settings.thinking, SEGMENT)
    added = () if adapter is None else (file_fingerprint(adapter),)
    sockets = Path(tempfile.mkdtemp(prefix="weighbridge-"))
    idle: SimpleQueue[LlamaEngine | None] = SimpleQueue()
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, sockets, ignore_errors=True)
        try:
            for _ in range(workers):
                engine = open_llama_engine(
                    gguf, context=settings.context, sockets=sockets, adapter=adapter, thinking=settings.thinking
                )
                undo.callback(engine.close)
                idle.put(engine)
        except RuntimeError as error:
            extra = "" if adapter is None else f", or {adapter} as its adapter"
            raise UserError(
                f"{gguf}: llama.cpp cannot load this file as a model{extra}; is it a whole GGUF of a supported "
                f"architecture, and is there memory for {workers} x {settings.context:,} tokens of context?"
            ) from error
        undo.pop_all()
    return LlamaCpp(
        name=name,
        settings=settings,
        fingerprint=fingerprint("llamacpp", version("xllamacpp"), name, file_fingerprint(gguf), how, *added),
        idle=idle,
        workers=workers,
        sockets=sockets,
    )


class _Reply:
    """Collects the pieces that the engine sends: text to emit, and then how it ended."""

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._said: list[str] = []
        self._thought: list[str] = []
        self._finish: Finish | None = None
        self._usage: Usage | None = None

    def take(self, chunk: dict[str, Any]) -> None:
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

    def completion(self, name: str) -> Completion:
        """Return the whole answer; `ModelError` where the engine stopped without saying how."""
        if self._finish is None or self._usage is None:
            raise ModelError(f"{name}: llama.cpp stopped without finishing its answer")
        return Completion(
            text="".join(self._said), usage=self._usage, finish=self._finish, thinking="".join(self._thought)
        )


def _was_cut(completion: Completion, settings: ModelSettings) -> bool:
    """Tell whether the context, and not the limit of the answer, ended it; the engine rounds its context up."""
    usage = completion.usage
    ended_early = completion.finish == "length" and usage.output_tokens < settings.maximum_tokens
    return ended_early or usage.input_tokens + usage.output_tokens > settings.context
