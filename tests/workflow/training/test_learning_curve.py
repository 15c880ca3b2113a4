"""A learning curve asks of each point what the arm is taught to say."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.protocols import NOTHING
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.settings.training import RaftSettings
from weighbridge.train.prepare import Material, prepare_exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Example
from weighbridge.workflow.training.learning_curve import references

from ...tiny_llama import examples, no_model, one_thread, recipe, tiny

__all__ = ["examples", "no_model", "one_thread", "recipe", "tiny"]


@pytest.mark.parametrize(("withheld", "said"), [("abstain", {ABSTENTION}), ("answer", {"Ta", "Sk"})])
def test_what_is_to_be_said_without_the_evidence_is_what_is_taught(
    no_model, examples: Sequence[Example], recipe: Recipe, withheld: Literal["abstain", "answer"], said: set[str]
) -> None:
    how = recipe.training.model_copy(update={"raft": RaftSettings(withheld=0.5, withheld_target=withheld)})
    strategy = Composed(
        name="raft", model=no_model, instructions=instructions_for("answer", reads=True), retriever=NOTHING
    )
    proved = [replace(example, evidence=("ports.md",)) for example in examples]
    exercise = prepare_exercise(
        strategy, Material(examples=proved), recipe=replace(recipe, training=how), metric=Accuracy("answer")
    )
    assert {one.target for one in references(exercise)} == said
