"""A tuned strategy that learnt from what not everybody may read, and who answers the others.

An adapter says what it learnt to whoever asks it, and no filter takes that out of its weights again. So it is never
asked for somebody who may not see all that it learnt from: the base model is, as if nothing had been trained.
"""

from dataclasses import dataclass, replace

from weighbridge.adapters import Access, admits
from weighbridge.answer.composed import Composed
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.types import Answer, Question

NOTE = "answered by the base model: the tuned one learnt from what not every asker may see"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A `Strategy` made of two: the tuned one for those whom its label admits, and one on the base model."""

    tuned: Composed
    base: Composed
    access: Access
    """The label of what the tuned one's model learnt."""

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
