"""Worked examples to show before a question: the nearest of the train split that the asker may see."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Embedder
from weighbridge.types import Example, Question

if TYPE_CHECKING:
    from weighbridge.protocols import Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """Shows the `count` training examples with questions most like the one asked, the most alike last.

    A question is compared together with the asker's earlier turns, since a follow-up alone may mean little.

    An example asked by somebody with access groups is shown only to an asker who has all of these groups, because its
    answer comes from documents that others may not read.
    """

    examples: tuple[Example, ...]
    vectors: "Vectors" = field(repr=False)
    """Shape (len(examples), dimensions): the unit vectors of the examples' questions."""
    embedder: Embedder
    count: int

    @property
    def fingerprint(self) -> str:
        shown = [
            (e.id, [(turn.role, turn.content) for turn in e.question.history], e.question.text, e.answers,
             sorted(e.question.groups))
            for e in self.examples
        ]  # fmt: skip
        return fingerprint(shown, self.embedder.fingerprint, self.count)

    def choose(self, question: Question) -> Sequence[Example]:
        likeness = self.vectors @ self.embedder.embed([_user_words(question)], kind="query")[0]
        allowed = [n for n, example in enumerate(self.examples) if example.question.groups <= question.groups]
        best = sorted(allowed, key=lambda n: (-likeness[n], self.examples[n].id))[: self.count]
        return [self.examples[n] for n in reversed(best)]


def nearest(examples: Sequence[Example], embedder: Embedder, *, count: int) -> Nearest:
    """Return demonstrations drawn from the training examples; ValueError if another split is among them."""
    for example in examples:
        if example.split != "train":
            raise ValueError(f"example {example.id!r} is in split {example.split!r}; only 'train' may be shown")
    vectors = embedder.embed([_user_words(example.question) for example in examples], kind="query")
    return Nearest(tuple(examples), vectors, embedder, count)


def _user_words(question: Question) -> str:
    before = (turn.content for turn in question.history if turn.role == "user")
    return " ".join([*before, question.text])
