"""The nouns of a lint: training data token by token, and its faults. Reports see these."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class LintToken:
    """One token as text: whether the loss counts it, and whether it ends the answer."""

    text: str
    trained: bool
    stop: bool


@dataclass(frozen=True, slots=True)
class LintRow:
    """One conversation as the model sees it."""

    example_id: str
    tokens: tuple[LintToken, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the training data. An error stops the training; a warning is shown."""

    severity: Literal["error", "warning"]
    message: str
    """The fault, its place, and advice."""


class Linted(Protocol):
    """The part of a lint that reports show."""

    @property
    def findings(self) -> Sequence[Finding]: ...
    @property
    def rows(self) -> Sequence[LintRow]: ...
