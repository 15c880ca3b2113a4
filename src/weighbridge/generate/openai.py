"""Any endpoint that speaks the chat completions API: a vLLM or llama.cpp server, a gateway, or a vendor.

What an endpoint's weights are, it alone knows: the fingerprint covers its address, the model's name and the sampling
settings, and a vendor may change the model behind a name. Few endpoints honour `seed` to the letter.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from weighbridge.errors import ModelError, PromptTooLongError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.settings import ModelSettings
from weighbridge.types import Completion, Finish, Message, Usage

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_RETRIES = 2
"""How often a request that got no answer, or a busy one, is sent again; each try has the whole time limit."""
_LONGEST_QUOTE = 200
_FINISHES: Mapping[str, Finish] = {"stop": "stop", "length": "length"}
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ADVICE = "check model.base_url and model.reference in weighbridge.yaml, and the endpoint's own log"


def is_local(base_url: str) -> bool:
    """Tell whether an endpoint is on this machine."""
    return (urlsplit(base_url).hostname or "") in _LOCAL


def open_openai(settings: ModelSettings, *, environment: Mapping[str, str] = os.environ) -> "OpenAICompatible":
    """Return the model that `settings` name, with the key from the environment variable they name.

    An endpoint on this machine needs no key. Raises `UserError` where a key is needed and absent.
    """
    from openai import OpenAI

    key = environment.get(settings.key_variable, "")
    local = is_local(settings.base_url)
    if not key and not local:
        raise UserError(
            f"the environment variable {settings.key_variable} is not set; it should hold the key of "
            f"{settings.base_url or 'the endpoint'} (model.key_variable in weighbridge.yaml names another)"
        )
    client = OpenAI(
        api_key=key or "none",
        base_url=settings.base_url or None,
        timeout=settings.timeout_seconds,
        max_retries=_RETRIES,
    )
    return OpenAICompatible(name=settings.reference.removeprefix("openai:"), settings=settings, client=client, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAICompatible:
    """A `Model` behind a chat completions endpoint. Refusals, timeouts and nonsense are a `ModelError`."""

    name: str
    settings: ModelSettings
    client: "OpenAI" = field(repr=False)
    key: str = field(repr=False)

    @property
    def fingerprint(self) -> str:
        how = self.settings
        return fingerprint("openai", how.base_url, self.name, how.temperature, how.seed, how.maximum_tokens)

    @property
    def _where(self) -> str:
        return f"{self.name} at {self.settings.base_url or 'the default endpoint'}"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        from openai import APIStatusError, APITimeoutError, OpenAIError

        try:
            return self._stream(messages, emit)
        except APITimeoutError as error:
            raise self._timeout() from error
        except APIStatusError as error:
            raise self._refusal(error) from None
        except (OpenAIError, ValueError) as error:
            raise ModelError(f"{self._where}: {self._safe(str(error))}; {_ADVICE}") from None

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def _stream(self, messages: Sequence[Message], emit: Emit) -> Completion:
        deadline = monotonic() + self.settings.timeout_seconds
        sent: Any = [{"role": message.role, "content": message.content} for message in messages]
        said: list[str] = []
        finish, usage = "", None
        with self.client.chat.completions.create(
            model=self.name,
            messages=sent,
            max_tokens=self.settings.maximum_tokens,
            temperature=self.settings.temperature,
            seed=self.settings.seed,
            stream=True,
            stream_options={"include_usage": True},
        ) as chunks:
            for chunk in chunks:
                if monotonic() > deadline:
                    raise self._timeout()
                usage = getattr(chunk, "usage", None) or usage
                for choice in getattr(chunk, "choices", None) or ():
                    if text := choice.delta.content:
                        said.append(text)
                        emit(text)
                    finish = choice.finish_reason or finish
        return self._whole("".join(said), finish, usage)

    def _whole(self, text: str, finish: str, usage: Any) -> Completion:
        if not finish:
            raise ModelError(f"{self._where}: the answer broke off, or is no chat completion stream at all; {_ADVICE}")
        if finish not in _FINISHES:
            raise ModelError(f"{self._where}: the endpoint stopped with {self._safe(finish)!r} instead of an answer")
        if not text:
            raise ModelError(f"{self._where}: the endpoint sent an answer without any text; {_ADVICE}")
        if usage is None:
            raise ModelError(f"{self._where}: the endpoint reports no token usage, so no cost can be known; {_ADVICE}")
        details = usage.prompt_tokens_details
        return Completion(
            text=text,
            usage=Usage(
                input_tokens=usage.prompt_tokens,
                output_tokens=usage.completion_tokens,
                cached_tokens=(details.cached_tokens or 0) if details else 0,
            ),
            finish=_FINISHES[finish],
        )

    def _timeout(self) -> ModelError:
        seconds = self.settings.timeout_seconds
        advice = f"raise model.timeout_seconds, or {_ADVICE}"
        return ModelError(f"{self._where}: no answer within {seconds:g} seconds; {advice}")

    def _refusal(self, error: "APIStatusError") -> ModelError:
        said = self._safe(error.message)
        if too_long := _too_long(error.code or "", error.body, said):
            return too_long
        return ModelError(f"{self._where}: the endpoint answered HTTP {error.status_code}: {said}; {_ADVICE}")

    def _safe(self, text: str) -> str:
        """Return one short line, without the key."""
        line = " ".join((text.replace(self.key, "***") if self.key else text).split())
        return line if len(line) <= _LONGEST_QUOTE else f"{line[:_LONGEST_QUOTE]}..."


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
