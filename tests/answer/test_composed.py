"""A strategy's own clock."""

from collections.abc import Sequence
from time import sleep

from weighbridge.answer.build import Parts, build
from weighbridge.measure.latency import time_alone
from weighbridge.protocols import NONE, NOTHING, Emit, ignore
from weighbridge.types import Completion, Message, Question, Usage


class Hesitant:
    """Has nothing to say at first, and says that it is still there."""

    name = fingerprint = "hesitant"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        emit("")
        sleep(0.02)
        emit("six")
        return Completion(text="six", usage=Usage())


def test_silence_is_no_first_token() -> None:
    parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=1)
    strategy = build("prompt", parts, Hesitant())
    assert strategy.answer(Question("When?")).timing.first_token >= 0.02
    (timing,) = time_alone(strategy, [Question("When?")] * 2)
    assert timing.first_token >= 0.02
