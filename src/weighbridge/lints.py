"""The nouns of a lint: what a model is about to learn, token by token, and what is wrong with it. Reports see these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Token:
    """One token as text: whether the loss counts it, and whether it ends the answer."""

    text: str
    trained: bool
    stop: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as the model sees it."""

    example_id: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the training data. An error stops the training; a warning is shown."""

    severity: Literal["error", "warning"]
    message: str
    """What is wrong, where, and what to do."""


class Linted(Protocol):
    """What can be shown of a lint."""

    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def rows(self) -> Sequence[Row]: ...
