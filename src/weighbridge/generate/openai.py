"""Any endpoint that speaks the chat completions API: a vLLM or llama.cpp server, a gateway, or a vendor.

Only the endpoint knows its weights: the fingerprint covers its address, the model's name and the sampling settings, and
a vendor may change the model behind a name. Few endpoints honour `seed` to the letter.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from os import environ
from time import monotonic
from typing import Any

from weighbridge.endpoints.connect import Connection, Tell, address, open_connection
from weighbridge.endpoints.tokens import ESTIMATE, TokenCounter
from weighbridge.errors import ModelError
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.chat_template import thinking_arguments
from weighbridge.protocols import Emit, ignore
from weighbridge.settings.endpoints import LENGTH, OMIT
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Completion, Finish, Message, Usage

_FINISHES: Mapping[str, Finish] = {"stop": "stop", "length": "length"}

_OPENS_THINKING = "<think>"
_SWITCHES = (
    "to switch it off, put under model.parameters what your server knows: `chat_template_kwargs: {enable_thinking: "
    "false}` (vLLM, llama.cpp), or `reasoning_effort: none` (OpenAI, Ollama). The thought is kept out of the answer, "
    "and counts in its length"
)


def open_openai(
    settings: ModelSettings,
    *,
    environment: Mapping[str, str] = environ,
    option: str = "",
    tell: Tell = lambda _: None,
) -> "OpenAICompatible":
    """Return the model that `settings` name, with the key from the environment variable they name.

    `option` is the command line's option that named the endpoint, if weighbridge.yaml did not: errors tell the user to
    check it. An endpoint on this machine needs no key. `tell` gets sentences for the user. Raises `UserError` where a
    key is needed and absent.
    """
    connection = open_connection(settings, environment=environment, option=option, tell=tell)
    if connection.where != address(ModelSettings(), environment={}):
        # Another model behind the same name has another fingerprint.
        settings = settings.model_copy(update={"base_url": settings.base_url or connection.where})
    name = settings.reference.removeprefix("openai:")
    return OpenAICompatible(name=name, settings=settings, connection=connection)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatible:
    """A `Model` behind a chat completions endpoint. Refusals, timeouts and nonsense are a `ModelError`.

    While the endpoint is silent, `emit` gets an empty text now and then, so that it can end the answer by raising.
    """

    name: str
    settings: ModelSettings
    connection: Connection = field(repr=False)
    counter: TokenCounter = ESTIMATE
    """Counts the tokens of answers whose endpoint reports no usage."""
    weights: str = ""
    """The fingerprint of the weights, where they are known; else the address stands for them."""

    @property
    def fingerprint(self) -> str:
        how = self.settings
        extra = [dict(how.headers), dict(how.parameters)] if how.headers or how.parameters else []
        known = [self.weights] if self.weights else []
        if how.engine == "vllm":
            extra.append({"thinking": how.thinking})
        sampling = (how.temperature, how.seed, how.maximum_tokens)
        return fingerprint("openai", "" if known else how.base_url, self.name, *sampling, *extra, *known)

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        reply = _Reply()
        self.connection.send(
            self.name,
            lambda client: self._stream(client, messages, reply, emit),
            partial(emit, ""),
            again=lambda: not reply.begun,
        )
        return self._whole(reply, messages)

    def close(self) -> None:
        """Close the connections."""
        self.connection.close()

    def request(self, messages: Sequence[Message]) -> dict[str, Any]:
        """Return the body of a request: our fields, with those of `model.parameters` beside or in place of them."""
        how, parameters = self.settings, self.settings.parameters
        length = {} if LENGTH in parameters else {"max_tokens": how.maximum_tokens}
        ours: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            **length,
            "temperature": how.temperature,
            "seed": how.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if how.engine == "vllm":  # of other servers the settings do not tell whether they know this field
            ours["chat_template_kwargs"] = dict(thinking_arguments(how.thinking))
        return {name: value for name, value in {**ours, **parameters}.items() if value != OMIT}

    def _stream(self, client: Any, messages: Sequence[Message], reply: "_Reply", emit: Emit) -> None:
        from weighbridge.endpoints.http import iterate_interruptibly

        deadline = monotonic() + self.settings.timeout_seconds
        with closing(iterate_interruptibly(partial(self._chunks, client, messages), partial(emit, ""))) as chunks:
            for chunk in chunks:
                if monotonic() > deadline:
                    raise self.connection.timeout(self.name)
                emit(reply.take(chunk))

    def _chunks(self, client: Any, messages: Sequence[Message]) -> Iterator[Any]:
        body = self.request(messages)
        known = {"model": body.pop("model"), "messages": body.pop("messages"), "stream": body.pop("stream")}
        with client.chat.completions.create(**known, extra_body=body) as chunks:
            self.connection.limiter.succeed(chunks.response.headers)
            yield from chunks

    def _whole(self, reply: "_Reply", messages: Sequence[Message]) -> Completion:
        """Return the answer that a reply holds. An empty one is an answer too, and a wrong one; see `_Reply`."""
        where = self.connection.at(self.name)
        if not reply.finish:
            told = "the answer broke off, or is no chat completion stream at all"
            raise ModelError(f"{where}: {told}; {self.connection.advice}")
        if reply.finish == "content_filter":
            told = "the endpoint's own filter withheld the answer (content_filter)"
            raise ModelError(f"{where}: {told}; see the endpoint's content policy")
        if reply.calls or reply.finish not in _FINISHES:
            ended = "a call of a tool" if reply.calls else repr(self.connection.safe(reply.finish))
            raise ModelError(f"{where}: the endpoint stopped with {ended} instead of an answer")
        if self.settings.thinking == "off" and (reply.thought or _OPENS_THINKING in "".join(reply.said)):
            self.connection.tell_once(f"{where} thinks before it answers, though model.thinking is off; {_SWITCHES}")
        refusal = "".join(reply.refusal)
        return Completion(
            text="".join(reply.said) or refusal,
            usage=self._usage(reply, messages),
            finish=_FINISHES[reply.finish],
            thinking="".join(reply.thought),
            refused=bool(refusal),
        )

    def _usage(self, reply: "_Reply", messages: Sequence[Message]) -> Usage:
        """Return the tokens that the endpoint reports; where it reports none, our own count, which is told once."""
        usage = reply.usage
        if usage is None:
            how = self.counter.how
            self.connection.tell_once(
                f"{self.connection.where} reports no token usage: tokens, and what follows from them, are {how}"
            )
            written = "".join([*reply.said, *reply.refusal])
            thinking = self.counter.count("".join(reply.thought))
            return Usage(
                input_tokens=self.counter.prompt(messages),
                output_tokens=self.counter.count(written) + thinking,
                thinking_tokens=thinking,
                estimated=True,
            )
        read, said = usage.prompt_tokens_details, usage.completion_tokens_details
        return Usage(
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            cached_tokens=(read.cached_tokens or 0) if read else 0,
            thinking_tokens=(said.reasoning_tokens or 0) if said else 0,
        )


@dataclass(slots=True)
class _Reply:
    """Collects the pieces that an endpoint sends.

    Thinking comes beside the answer in `reasoning_content` (DeepSeek, and vLLM until its issue 27755) or `reasoning`
    (vLLM since then, OpenRouter); some send both, with the same text. OpenAI puts a refusal into a field of its own.
    """

    begun: bool = False
    """Whether anything came."""
    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: bool = False
    """Whether it calls a tool, though nobody offered it one."""
    finish: str = ""
    usage: Any = None

    def take(self, chunk: Any) -> str:
        """Take one piece; return the text of the answer, or of a refusal, that it holds; empty where it holds none."""
        self.begun = True
        self.usage = getattr(chunk, "usage", None) or self.usage
        texts: list[str] = []
        refusals: list[str] = []
        for choice in getattr(chunk, "choices", None) or ():
            delta = choice.delta
            texts.append(delta.content or "")
            thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
            if isinstance(thought, str):
                self.thought.append(thought)
            refusals.append(delta.refusal or "")
            self.calls = self.calls or bool(delta.tool_calls or delta.function_call)
            self.finish = choice.finish_reason or self.finish
        self.said += texts
        self.refusal += refusals
        return "".join([*texts, *refusals])
