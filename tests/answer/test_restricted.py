"""Who may not see what an adapter learnt from is answered by the base model, and told so."""

from collections.abc import Sequence
from dataclasses import replace

from weighbridge.adapters import access_words
from weighbridge.answer.build import SHAPES, Parts, build, untuned_arm
from weighbridge.answer.restricted import NOTE, Admitted
from weighbridge.evaluate.run import EvaluationSpec, evaluate, stored_records
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE, NOTHING
from weighbridge.types import Example, Message, Question

PARTS = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=3, quotes=True)
ACCESS = (frozenset({"finance", "board"}), frozenset({"people"}))
IN, OUT = frozenset({"board", "people"}), frozenset({"finance", "board"})


def saying(text: str) -> Scripted:
    def reply(messages: Sequence[Message]) -> str:
        return text

    return Scripted(reply=reply, name=text, version=text)


def admitted(arm: str = "fine-tuned") -> Admitted:
    tuned, base = build(arm, PARTS, saying("tuned")), build(untuned_arm(arm), PARTS, saying("base"))
    return Admitted(tuned=tuned, base=replace(base, name=arm), access=ACCESS)


def test_only_whom_the_label_admits_hears_the_adapter():
    strategy = admitted()
    for groups, said, note in ((IN, "tuned", ""), (OUT, "base", NOTE), (frozenset(), "base", NOTE)):
        heard: list[str] = []
        answer = strategy.answer(Question("Who?", groups=groups), emit=heard.append)
        assert (answer.text, answer.note, "".join(heard)) == (said, note, said)


def test_mixed_askers_are_answered_each_as_is_right_and_their_records_never_cross():
    asked = [
        Example(id=f"{n}", question=Question("Who?", groups=(IN, OUT, frozenset())[n % 3]), answers=("x",))
        for n in range(24)
    ]
    exam = EvaluationSpec(task="answer", examples=asked, metrics=(), reads=False, seed=1, workers=4)
    records = {record.key: record for record in evaluate(admitted(), exam)}
    said = [record.answer.text for record in stored_records(admitted(), exam, records) if record.answer]
    assert said == ["tuned", "base", "base"] * 8
    for other in (replace(admitted(), access=ACCESS[:1]), admitted().tuned, admitted().base):
        assert not stored_records(other, exam, records)
    moved = replace(exam, examples=[replace(e, question=replace(e.question, groups=OUT)) for e in asked[::3]])
    assert not stored_records(admitted(), moved, records)


def test_the_others_are_asked_as_the_untuned_arm_asks():
    assert {arm: untuned_arm(arm) for arm, shape in SHAPES.items() if shape.tuned} == {
        "fine-tuned": "prompt",
        "raft": "rag",
    }
    strategy = admitted("raft")
    assert strategy.tuned.instructions.quotes
    assert not strategy.base.instructions.quotes
    assert strategy.base.instructions.illustrations
    assert strategy.name == strategy.base.name == "raft"


def test_a_label_in_words():
    assert access_words(()) == "everybody"
    assert access_words(ACCESS[1:]) == "people"
    assert access_words(ACCESS[:1]) == "board or finance"
    assert access_words(ACCESS) == "(board or finance) and people"
