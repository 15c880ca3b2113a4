"""Any endpoint that speaks the chat completions API: a vLLM or llama.cpp server, a gateway, or a vendor.

Only the endpoint knows its weights: the fingerprint covers its address, the model's name and the sampling settings, and
a vendor may change the model behind a name. Few endpoints honour `seed` to the letter.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from weighbridge.errors import ModelError, PromptTooLongError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.sources import address_problem
from weighbridge.types import Completion, Finish, Message, Usage

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_RETRIES = 2
"""How often a request that got no answer, or a busy one, is sent again; each try has the whole time limit."""
_LONGEST_QUOTE = 200
"""Characters of an endpoint's own words in an error: some send a whole page."""
_FINISHES: Mapping[str, Finish] = {"stop": "stop", "length": "length"}
_DEFAULT = "https://api.openai.com/v1"
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_SETTINGS = "model.base_url and model.reference in weighbridge.yaml"


def is_local(base_url: str) -> bool:
    """Tell whether an endpoint is on this machine."""
    return (urlsplit(base_url).hostname or "") in _LOCAL


def address(settings: ModelSettings, *, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address for requests: `model.base_url`, else OPENAI_BASE_URL of the environment, else OpenAI.

    Raises:
        UserError: the environment's is no address, or holds a secret.
    """
    if settings.base_url:
        return settings.base_url.rstrip("/")
    given = environment.get("OPENAI_BASE_URL") or _DEFAULT
    if wrong := address_problem(given):
        raise UserError(f"the environment variable OPENAI_BASE_URL {wrong}")
    return given.rstrip("/")


def open_openai(
    settings: ModelSettings, *, environment: Mapping[str, str] = os.environ, option: str = ""
) -> "OpenAICompatible":
    """Return the model that `settings` name, with the key from the environment variable they name.

    `option` is the command line's option that named the endpoint, if weighbridge.yaml did not: errors tell the user to
    check it. An endpoint on this machine needs no key. Raises `UserError` where a key is needed and absent.
    """
    from openai import OpenAI

    from weighbridge.generate.http import http_client

    where = address(settings, environment=environment)
    if where != _DEFAULT:  # another model behind the same name has another fingerprint
        settings = settings.model_copy(update={"base_url": settings.base_url or where})
    key = environment.get(settings.key_variable, "")
    if not key and not is_local(where):
        other = "" if option else " (model.key_variable in weighbridge.yaml names another)"
        told = f"the environment variable {settings.key_variable} is not set; it should hold the key of {where}"
        raise UserError(f"{told}{other}")
    client = OpenAI(
        api_key=key or "none",
        base_url=where,
        timeout=settings.timeout_seconds,
        max_retries=_RETRIES,
        http_client=http_client(direct=_LOCAL),
    )
    name = settings.reference.removeprefix("openai:")
    return OpenAICompatible(name=name, settings=settings, client=client, key=key, option=option)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatible:
    """A `Model` behind a chat completions endpoint. Refusals, timeouts and nonsense are a `ModelError`.

    While the endpoint is silent, `emit` gets an empty text now and then, so that it can end the answer by raising.
    """

    name: str
    settings: ModelSettings
    client: "OpenAI" = field(repr=False)
    key: str = field(repr=False)
    option: str = ""
    """Of the command line, where that named the endpoint; else the settings did."""

    @property
    def fingerprint(self) -> str:
        how = self.settings
        return fingerprint("openai", how.base_url, self.name, how.temperature, how.seed, how.maximum_tokens)

    @property
    def _where(self) -> str:
        return f"{self.name} at {self.settings.base_url or 'the default endpoint'}"

    @property
    def _advice(self) -> str:
        return f"check {self.option or _SETTINGS}, and the endpoint's own log"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        from openai import APIStatusError, APITimeoutError, OpenAIError

        from weighbridge.generate.http import error_with_cause

        try:
            return self._stream(messages, emit)
        except APITimeoutError as error:
            raise self._timeout() from error
        except APIStatusError as error:
            raise self._refusal(error) from None
        except (OpenAIError, ValueError) as error:
            raise ModelError(f"{self._where}: {self._safe(error_with_cause(error))}; {self._advice}") from None

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _stream(self, messages: Sequence[Message], emit: Emit) -> Completion:
        from weighbridge.generate.http import iterate_interruptibly

        deadline = monotonic() + self.settings.timeout_seconds
        reply = _Reply()
        with closing(iterate_interruptibly(partial(self._chunks, messages), partial(emit, ""))) as chunks:
            for chunk in chunks:
                if monotonic() > deadline:
                    raise self._timeout()
                emit(reply.take(chunk))
        return self._whole(reply)

    def _chunks(self, messages: Sequence[Message]) -> Iterator[Any]:
        sent: Any = [{"role": message.role, "content": message.content} for message in messages]
        with self.client.chat.completions.create(
            model=self.name,
            messages=sent,
            max_tokens=self.settings.maximum_tokens,
            temperature=self.settings.temperature,
            seed=self.settings.seed,
            stream=True,
            stream_options={"include_usage": True},
        ) as chunks:
            yield from chunks

    def _whole(self, reply: "_Reply") -> Completion:
        """Return the answer that a reply holds. An empty one is an answer too, and a wrong one; see `_Reply`."""
        if not reply.finish:
            told = "the answer broke off, or is no chat completion stream at all"
            raise ModelError(f"{self._where}: {told}; {self._advice}")
        if reply.finish == "content_filter":
            told = "the endpoint's own filter withheld the answer (content_filter)"
            raise ModelError(f"{self._where}: {told}; see the endpoint's content policy")
        if reply.calls or reply.finish not in _FINISHES:
            ended = "a call of a tool" if reply.calls else repr(self._safe(reply.finish))
            raise ModelError(f"{self._where}: the endpoint stopped with {ended} instead of an answer")
        usage = reply.usage
        if usage is None:
            told = "the endpoint reports no token usage, so no cost can be known"
            raise ModelError(f"{self._where}: {told}; {self._advice}")
        read, written = usage.prompt_tokens_details, usage.completion_tokens_details
        refusal = "".join(reply.refusal)
        return Completion(
            text="".join(reply.said) or refusal,
            usage=Usage(
                input_tokens=usage.prompt_tokens,
                output_tokens=usage.completion_tokens,
                cached_tokens=(read.cached_tokens or 0) if read else 0,
                thinking_tokens=(written.reasoning_tokens or 0) if written else 0,
            ),
            finish=_FINISHES[reply.finish],
            thinking="".join(reply.thought),
            refused=bool(refusal),
        )

    def _timeout(self) -> ModelError:
        seconds = self.settings.timeout_seconds
        advice = self._advice if self.option else f"raise model.timeout_seconds, or {self._advice}"
        return ModelError(f"{self._where}: no answer within {seconds:g} seconds; {advice}")

    def _refusal(self, error: "APIStatusError") -> ModelError:
        from weighbridge.generate.http import refusal_text

        said = self._safe(refusal_text(error, setting=self.option or "model.base_url"))
        if too_long := _too_long(error.code or "", error.body, said):
            return too_long
        return ModelError(f"{self._where}: the endpoint answered HTTP {error.status_code}: {said}; {self._advice}")

    def _safe(self, text: str) -> str:
        """Return one short line, without the key."""
        line = " ".join((text.replace(self.key, "***") if self.key else text).split())
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."


@dataclass(slots=True)
class _Reply:
    """Collects the pieces that an endpoint sends.

    Thinking comes beside the answer in `reasoning_content` (DeepSeek, and vLLM until its issue 27755) or `reasoning`
    (vLLM since then, OpenRouter); some send both, with the same text. OpenAI puts a refusal into a field of its own.
    """

    said: list[str] = field(default_factory=list)
    thought: list[str] = field(default_factory=list)
    refusal: list[str] = field(default_factory=list)
    calls: bool = False
    """Whether it calls a tool, though nobody offered it one."""
    finish: str = ""
    usage: Any = None

    def take(self, chunk: Any) -> str:
        """Take one piece; return the text of the answer, or of a refusal, that it holds; empty where it holds none."""
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


def _too_long(code: str, body: object, said: str) -> PromptTooLongError | None:
    """Recognise a prompt beyond the context: llama.cpp reports it in fields, OpenAI and vLLM in words."""
    if isinstance(body, Mapping) and "n_prompt_tokens" in body and "n_ctx" in body:
        return PromptTooLongError(int(body["n_prompt_tokens"]), int(body["n_ctx"]))
    context = re.search(r"maximum context length is ([\d,]+)", said)
    if not context and code != "context_length_exceeded":
        return None
    numbers = [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", said)]
    limit = int(context[1].replace(",", "")) if context else min(numbers, default=0)
    return PromptTooLongError(max(numbers, default=0), limit)
