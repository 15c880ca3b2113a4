"""Reads environment variables that the settings name, as late as possible, and keeps their values out of messages."""

import os
from collections.abc import Callable, Mapping

from weighbridge.errors import UserError
from weighbridge.settings.sources import VARIABLE

ENVIRONMENT: Mapping[str, str] = os.environ
_LONGEST = 300


def read_variable(name: str, environment: Mapping[str, str]) -> str:
    """Return the value of an environment variable; `UserError` where it is not set, or empty."""
    if value := environment.get(name, "").strip():
        return value
    raise UserError(f"the environment variable {name} is not set; weighbridge.yaml names it under documents")


def fill_secrets(text: str, environment: Mapping[str, str], *, quoted: Callable[[str], str] = str) -> str:
    """Return a text with the value of each environment variable in place of its ${NAME}."""
    return VARIABLE.sub(lambda match: quoted(read_variable(match[1], environment)), text)


def hide_secrets(said: object, secrets: frozenset[str]) -> str:
    """Return the words of another program as one short line without the secrets."""
    line = str(said)
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(secret, "***")
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
