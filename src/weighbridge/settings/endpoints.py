"""Settings that endpoints of models, embedders and rerankers share: extra headers and request parameters."""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field, JsonValue, field_validator

from weighbridge.settings.sources import VARIABLE, Section, address_problem

OMIT = "omit"
"""The value of a parameter that leaves a field of ours out of requests."""
LENGTH = "max_completion_tokens"
"""The newer name of `max_tokens`: models that think count their thinking in it."""
_SETTINGS = {
    "model": "model.reference",
    "temperature": "model.temperature",
    "seed": "model.seed",
    "max_tokens": "model.maximum_tokens",
}
"""Request fields with a setting of their own."""
_FIXED = {
    "messages": "the strategy writes the messages",
    "stream": "answers are always streamed",
    "stream_options": "they ask for the usage, so the one other value is omit",
    "n": "one answer to each question is read",
    "tools": "no tool is carried out",
    "tool_choice": "no tool is carried out",
    "functions": "no function is carried out",
}
_OMITTABLE = frozenset({"temperature", "seed", "max_tokens", "stream_options"})
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET = re.compile(r"auth|key|token|secret|password|cookie", re.IGNORECASE)
_VARIABLE_ALONE = re.compile(rf"(?:\w+ )?{VARIABLE.pattern}")


def _check_headers(headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not _HEADER.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a header")
        if not value.isprintable():
            raise ValueError(f"{name!r} must be one line of printable text")
        if _SECRET.search(name) and not _VARIABLE_ALONE.fullmatch(value):
            raise ValueError(
                f"{name!r} holds a secret by its name, and settings are stored and shown: write ${{NAME}}, the "
                "environment variable that holds it"
            )
    return headers


def _check_parameters(parameters: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    for name, value in parameters.items():
        if value == OMIT and name in _OMITTABLE:
            continue
        if setting := _SETTINGS.get(name):
            other = f", or write {OMIT} to leave it out of requests" if name in _OMITTABLE else ""
            raise ValueError(f"{name!r} has a setting of its own: set {setting}{other}")
        if reason := _FIXED.get(name):
            raise ValueError(f"{name!r} cannot be set: {reason}")
        if name == LENGTH and not (isinstance(value, int) and value > 0):
            raise ValueError(f"{name!r} must be a whole number above 0")
    return parameters


Headers = Annotated[Mapping[str, str], AfterValidator(_check_headers)]
Parameters = Annotated[Mapping[str, JsonValue], AfterValidator(_check_parameters)]


class EndpointSettings(Section):
    """The server of a model named openai:..."""

    base_url: str = ""
    """The address of the server. Empty: model.base_url."""
    key_variable: str = ""
    """The environment variable that holds the key. Empty: that of model.key_variable."""
    headers: Headers = Field(default={}, repr=False)
    """More headers of each request. ${NAME} is that environment variable's value."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The most seconds for a reply."""
    batch: Annotated[int, Field(ge=1)] = 64
    """Texts in a request."""

    @field_validator("base_url")
    @classmethod
    def _without_secrets(cls, url: str) -> str:
        if wrong := address_problem(url) if url else "":
            raise ValueError(wrong)
        return url


class EmbedderEndpointSettings(EndpointSettings):
    """The server of an embedder named openai:..."""

    query_prefix: str = ""
    """Words to put before a question, as the model's card says, like "query: "."""
    passage_prefix: str = ""
    """Words to put before a passage, like "passage: "."""
    dimensions: Annotated[int, Field(ge=0)] = 0
    """Asks for vectors of so many numbers, of models that offer a choice. 0: the model's own."""
