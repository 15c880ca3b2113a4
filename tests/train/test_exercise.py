"""What a tuning is about to learn: which examples choose the checkpoint, and what the card says of what is learnt."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from weighbridge.adapters import Span
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.measure.metrics.behaviour import Accuracy
from weighbridge.train.exercise import Exercise, Material, prepare
from weighbridge.train.recipe import Recipe
from weighbridge.types import Document, Example, Message, Question

DOCUMENTS = (
    Document(id="ports.md", text="The code of Tarrow is Ta.", title="Ports"),
    Document(id="closed.md", text="The code of Hask is Ha.", title="Closed", groups=frozenset({"crew"})),
)


@pytest.fixture(scope="module")
def strategy(no_model) -> Composed:
    return Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))


def exercise(strategy: Composed, material: Material, recipe: Recipe, **training: object) -> Exercise:
    chosen = replace(recipe, training=recipe.training.model_copy(update=training))
    return prepare(strategy, material, recipe=chosen, metric=Accuracy("answer"))


def many(split: str, count: int = 40) -> list[Example]:
    return [
        Example(id=f"{split}{n}", question=Question(f"Code of the {split} port {n}?"), answers=(str(n),), split=split)
        for n in range(count)
    ]


def test_trainings_of_all_seeds_are_scored_on_the_same_dev_questions(strategy: Composed, recipe: Recipe) -> None:
    material = Material(examples=(*many("train"), *many("dev")))
    one, other = (exercise(strategy, material, recipe, seed=seed, dev_examples=5) for seed in (7, 8))
    assert one.asked == other.asked
    assert len(one.asked) == 5
    assert one.id != other.id


def test_what_a_dev_question_is_asked_after_belongs_to_the_training(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    said = (Message("user", "It is about ships."), Message("assistant", "Go on."))
    later = [replace(e, question=replace(e.question, history=said)) if e.split == "dev" else e for e in examples]
    one, other = (exercise(strategy, Material(examples=each), recipe) for each in (examples, later))
    assert one.id != other.id


def test_the_fingerprint_of_what_is_learnt_is_that_of_the_data(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    one, other = (exercise(strategy, Material(examples=examples), recipe, learning_rate=rate) for rate in (1e-3, 1e-4))
    assert one.learnt == other.learnt
    assert one.id != other.id
    fewer = exercise(strategy, Material(examples=examples[1:]), recipe)
    assert fewer.learnt.fingerprint != one.learnt.fingerprint


def test_where_only_documents_are_learnt_the_card_names_no_examples(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    made = exercise(strategy, Material(examples=examples, documents=DOCUMENTS), recipe, on="documents")
    assert made.learnt.examples == 0
    assert set(made.learnt.documents) == {"ports.md"}
    assert [lesson.target for lesson in made.lessons] == [""] * len(made.rows)


def test_documents_that_examples_were_made_of_are_on_the_card(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    spans = {"t0": (Span("ports.md", 0, 25, "v1"),), "t1": (Span("nobody knows.md", 0, 3),)}
    made = exercise(strategy, Material(examples=examples, spans=spans), recipe)
    assert made.learnt.documents == {"ports.md": "v1"}
