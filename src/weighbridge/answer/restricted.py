"""A tuned strategy with an adapter that learnt from restricted documents, and the base model for all other askers.

An adapter repeats its training documents to every asker, and no filter removes them from its weights. So it answers
only an asker who may see all of them. The base model answers the others, as if nothing had been trained.
"""

from dataclasses import dataclass, replace

from weighbridge.adapters import Access, admits
from weighbridge.answer.composed import Composed
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.types import Answer, Question

NOTE = "answered by the base model: the tuned one learnt from documents that not every asker may see"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A `Strategy` made of two: the tuned one for admitted askers, and one on the base model for the others."""

    tuned: Composed
    base: Composed
    access: Access
    """The label of the documents that the tuned model learnt from."""

    @property
    def name(self) -> str:
        return self.tuned.name

    @property
    def fingerprint(self) -> str:
        label = [sorted(one) for one in self.access]
        return fingerprint("admitted", self.tuned.fingerprint, self.base.fingerprint, label)

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        if admits(self.access, question.groups):
            return self.tuned.answer(question, emit=emit)
        return replace(self.base.answer(question, emit=emit), note=NOTE)
