"""Which questions are learnt, choose and decide: test questions never, and none of them twice."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.checks.retrieval import FEWEST
from weighbridge.types import Chunk, Example, Question, Split
from weighbridge.workflow.training.retriever_data import ENOUGH, Division, divide_examples, pairs_of, with_made


class Apart:
    """An embedder to which no two texts are alike."""

    name = "apart"
    fingerprint = "apart"
    dimensions = 256

    def embed(self, texts: Sequence[str], *, kind: str) -> NDArray[np.float32]:
        rows = np.array([np.random.default_rng(sum(map(ord, text)) * 7919).normal(size=256) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def examples(split: Split, count: int, *, paraphrases: int = 1, evidence: bool = True) -> list[Example]:
    return [
        Example(
            id=f"{split}-{n}-{m}", question=Question(f"{split} {n * 13 + m * 1009} {chr(97 + n % 26) * (n % 40 + 1)}?"),
            answers=("yes",), evidence=(f"doc-{split}-{n}",) if evidence else (), family=f"{split}-{n}", split=split,
        )
        for n in range(count)
        for m in range(paraphrases)
    ]  # fmt: skip


def divided(*given: list[Example]) -> Division:
    return divide_examples([one for each in given for one in each], Apart(), similarity=1.0, seed=7)


def test_many_dev_questions_decide_alone() -> None:
    found = divided(examples("train", 60), examples("dev", ENOUGH), examples("test", 9))
    assert {example.split for example in found.deciding} == {"dev"}
    assert len(found.choosing) == 6
    assert len(found.taught) == 54
    assert found.decidable
    assert found.sentence == ("54 train questions are learnt; 40 dev questions decide; 6 others choose the epoch")


def test_few_dev_questions_decide_with_train_questions_that_are_not_learnt() -> None:
    found = divided(examples("train", 60, paraphrases=2), examples("dev", 10), examples("test", 9))
    held = {example.family for example in found.deciding} - {f"dev-{n}" for n in range(10)}
    assert 15 <= len(held) <= 20
    assert not held & {example.family for example in found.taught}
    assert "dev questions and" in found.sentence
    assert found.decidable


def test_too_few_labelled_questions_all_decide_and_nothing_of_them_is_learnt() -> None:
    found = divided(examples("train", 12), examples("dev", 10), examples("test", 9))
    assert found.taught == ()
    assert len(found.deciding) == 22
    assert found.decidable
    assert found.sentence.startswith("too few train questions name their evidence, so pairs made from the documents")


def test_without_evidence_it_cannot_be_decided() -> None:
    found = divided(examples("train", 60, evidence=False), examples("dev", 60, evidence=False))
    assert (found.taught, found.deciding, found.decidable) == ((), (), False)


@settings(max_examples=20)
@given(st.integers(0, 60), st.integers(0, 45), st.integers(0, 5), st.integers(1, 2))
def test_no_question_is_on_two_sides(train: int, dev: int, test: int, paraphrases: int) -> None:
    found = divided(examples("train", train, paraphrases=paraphrases), examples("dev", dev), examples("test", test))
    sides = [[example.id for example in side] for side in (found.taught, found.choosing, found.deciding)]
    together = [name for side in sides for name in side]
    assert len(set(together)) == len(together) == train * paraphrases + dev
    assert not any(name.startswith("test") for name in together)
    assert all(example.split == "train" for example in found.taught)
    if dev + train >= FEWEST:
        assert found.decidable


def test_examples_made_from_documents_are_learnt_but_never_decide() -> None:
    found = divided(examples("train", 40), examples("dev", 10))
    made = [replace(example, id=f"made-{example.id}", family="") for example in examples("train", 80)]
    both = with_made(found, made, Apart(), similarity=0.99)
    assert (both.choosing, both.deciding) == (found.choosing, found.deciding)
    held = {example.question.text for example in (*found.choosing, *found.deciding)}
    added = both.taught[len(found.taught) :]
    assert {example.question.text for example in added} == {example.question.text for example in made} - held


def test_documents_that_no_pair_is_made_from_are_counted(monkeypatch) -> None:
    """They are sampled down to bound the time, and the sentence under the pairs says so."""
    monkeypatch.setattr("weighbridge.workflow.training.retriever_data._MOST_DOCUMENTS", 2)

    class Shelf:
        def documents(self):
            return {"a": "1", "b": "1", "c": "1"}

        def chunks_of(self, name, *, groups):
            text = f"The ship {name} sails at six. The fare of {name} is four pounds. Children of {name} sail free."
            return [Chunk(id=f"{name}#0", document_id=name, text=text, start=0, end=len(text), title=name)]

    untaught = Division(taught=(), choosing=(), deciding=())
    assert pairs_of(untaught, Shelf(), None, seed=7).attrition["a document beyond the 2 that pairs are made from"] == 1
    monkeypatch.setattr("weighbridge.workflow.training.retriever_data._MOST_DOCUMENTS", 3)
    assert not any("beyond" in reason for reason in pairs_of(untaught, Shelf(), None, seed=7).attrition)
