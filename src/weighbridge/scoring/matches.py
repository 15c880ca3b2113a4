"""The match of one typed value of a reference with an answer."""

from dataclasses import dataclass
from typing import Literal

Relation = Literal["same", "different", "missing"]
"""The answer gives the value; it gives another value of the kind in this place (a contradiction); it gives none."""
ValueKind = Literal["number", "quantity", "money", "date", "weekday", "time", "code", "polarity", "name", "list"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueMatch:
    """One typed value of a reference, with the answer's value in its place."""

    kind: ValueKind
    reference: str
    """The value as the reference writes it, after NFKC."""
    answer: str
    """The value as the answer writes it; empty where the answer gives none."""
    relation: Relation
    partial: bool = False
    """Where the value is missing: the answer agrees but says less ("2024" for "5 March 2024", "5" for "5 mg")."""
    reason: str
    """A sentence for people: "5 g is 1,000 times 5 mg"."""
