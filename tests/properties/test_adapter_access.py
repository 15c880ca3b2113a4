"""Whoever an adapter answers may see all that it learnt from; nobody else is answered by it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, combinations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.adapters import admits, inherit_access
from weighbridge.answer.build import Parts, build, untuned_arm
from weighbridge.answer.restricted import NOTE, Admitted
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE
from weighbridge.train.prepare import Material, prepare_exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Chunk, Document, Example, Message, Passage, Question

from ..tiny_llama import one_thread, recipe, tiny

__all__ = ["one_thread", "recipe", "tiny"]
NAMES = ("crew", "board", "hr")
EVERYBODY = [frozenset(some) for some in chain(*(combinations(NAMES, size) for size in range(len(NAMES) + 1)))]
some_groups = st.frozensets(st.sampled_from(NAMES), max_size=2)


def visible(groups: frozenset[str], asker: frozenset[str]) -> bool:
    return not groups or bool(groups & asker)


class Library:
    """A retriever over documents of a chunk each: whoever asks finds all that they may read."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.fingerprint = "library"
        self._documents = documents

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        found = [each for each in self._documents if visible(each.groups, question.groups)]
        return tuple(
            Passage(Chunk(id=e.id, document_id=e.id, text=e.text, start=0, end=len(e.text), groups=e.groups), 1.0)
            for e in found[:limit]
        )


def saying(text: str) -> Scripted:
    def reply(messages: Sequence[Message]) -> str:
        return text

    return Scripted(reply=reply, name=text, version=text)


@given(sets=st.lists(some_groups, max_size=6), asker=st.frozensets(st.sampled_from(NAMES)))
def test_a_label_admits_whoever_may_see_everything(sets: list[frozenset[str]], asker: frozenset[str]) -> None:
    assert admits(inherit_access(sets), asker) == all(visible(groups, asker) for groups in sets)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    readers=st.lists(some_groups, min_size=1, max_size=5),
    askers=st.lists(some_groups, min_size=1, max_size=4),
    allowed=st.frozensets(st.sampled_from(NAMES)),
    arm=st.sampled_from(["fine-tuned", "raft"]),
    on=st.sampled_from(["answers", "documents", "both"]),
)
def test_whom_an_adapter_answers_may_see_all_that_it_learnt_from(
    recipe: Recipe,
    readers: list[frozenset[str]],
    askers: list[frozenset[str]],
    allowed: frozenset[str],
    arm: str,
    on: str,
) -> None:
    documents = [
        Document(id=f"d{n}", text=f"The harbour {n} is open.", groups=each, version="1")
        for n, each in enumerate(readers)
    ]
    asked = [
        Example(id=f"e{n}", question=Question(f"Is {n} open?", groups=each), answers=("open",), split="train")
        for n, each in enumerate((frozenset[str](), *askers))
    ]
    proofs = [[each.id for each in documents if visible(each.groups, one.question.groups)] for one in asked]
    asked = [replace(one, evidence=tuple(ids[-1:])) for one, ids in zip(asked, proofs, strict=True)]
    library = Library(documents)
    parts = Parts(task="answer", about="", choices=(), retriever=library, demonstrations=NONE, limit=3)
    how = recipe.training.model_copy(update={"groups": tuple(sorted(allowed)), "on": on})
    made = prepare_exercise(
        build(arm, parts, saying("tuned")),
        Material(examples=asked, documents=documents),
        recipe=replace(recipe, training=how),
        metric=Accuracy("answer"),
    )
    known = {document.id: document for document in documents}
    learnt = {name for lesson in made.lessons for name in (*lesson.evidence, *(s.document_id for s in lesson.spans))}
    base = replace(build(untuned_arm(arm), parts, saying("base")), name=arm)
    served = Admitted(tuned=made.strategy, base=base, access=made.learnt.access)
    assert all(visible(known[name].groups, allowed) for name in learnt)
    assert allowed or made.learnt.access == ()
    for asker in EVERYBODY:
        answer = served.answer(Question("Is 0 open?", groups=asker))
        if answer.raw == "tuned":
            assert all(visible(known[name].groups, asker) for name in learnt)
        else:
            assert answer.note == NOTE
            assert not admits(made.learnt.access, asker)
        for lesson in made.lessons:
            if admits(lesson.access, asker):
                assert all(visible(known[span.document_id].groups, asker) for span in lesson.spans)
    if allowed:
        assert admits(made.learnt.access, allowed)
