"""From examples to a checked GGUF: complete, resumable, repeatable, and blind to the test split."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.adapters import AdapterCard
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError, UnfinishedError
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.protocols import silent
from weighbridge.results import Score
from weighbridge.train import tune as module
from weighbridge.train.card import read_adapter_card, read_lessons
from weighbridge.train.prepare import Exercise, Material, prepare_exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.tune import tune
from weighbridge.types import Answer, Example, Progress, Question

from . import cards


class Exact:
    """The metric of these tests."""

    name = "exact"

    def score(self, example: Example, answer: Answer) -> Score:
        return Score(self.name, float(answer.text in example.answers))


def exercise(strategy: Composed, examples, recipe: Recipe) -> Exercise:
    return prepare_exercise(strategy, Material(examples=examples), recipe=recipe, metric=Exact())


def tuned(strategy: Composed, examples, folder: Path, *, recipe: Recipe, notify=silent) -> AdapterCard:
    return tune(exercise(strategy, examples, recipe), folder, notify=notify)


@pytest.fixture(scope="module")
def strategy(no_model) -> Composed:
    return Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))


def test_tune_learns_exports_and_repeats(strategy, examples, recipe: Recipe, tmp_path: Path):
    card = tuned(strategy, examples, tmp_path, recipe=recipe)
    assert read_adapter_card(tmp_path) == card
    assert card.promotable
    assert card.parity[0].changed
    assert card.training.examples == 10
    assert card.training.epochs[card.training.chosen_epoch - 1].dev == max(e.dev for e in card.training.epochs)
    assert card.seed == recipe.training.seed
    with open_llamacpp(tmp_path / card.gguf, settings=recipe.model, name="tuned") as model:
        asked = strategy.prompt_for(examples[3].question).messages
        assert model.generate(asked).usage.output_tokens > 0
    seen: list[Progress] = []
    assert tuned(strategy, examples, tmp_path, recipe=recipe, notify=seen.append) == card
    assert not seen
    assert [lesson.example_id for lesson in read_lessons(tmp_path)] == [e.id for e in examples if e.split == "train"]


def test_the_same_words_from_another_search_are_not_learnt_again_but_noted(strategy, examples, recipe, tmp_path: Path):
    quick = replace(recipe, training=recipe.training.model_copy(update={"epochs": 1}))
    first = exercise(strategy, examples, quick)
    before = tune(first, tmp_path)
    learnt = replace(first.learnt, documents={"ferry": "2"}, search={"embedder": "tuned"})
    seen: list[Progress] = []
    after = tune(replace(first, learnt=learnt), tmp_path, notify=seen.append)
    assert after == replace(before, learnt=learnt) == read_adapter_card(tmp_path)
    assert not seen


@pytest.mark.parametrize("access", [(), (frozenset({"crew"}),)])
def test_a_card_quotes_no_answer_that_not_everybody_may_hear(
    strategy, examples, recipe, tmp_path: Path, monkeypatch, access
):
    """Everybody may read the card."""
    own = exercise(strategy, examples, recipe)
    own = replace(own, learnt=replace(own.learnt, access=access))
    told = cards.parity("GGUF F16", 'it says "vault"')
    monkeypatch.setattr(module, "_export_gguf", lambda folder, *_: folder / "model.gguf")
    monkeypatch.setattr(module, "check_forms", lambda *_, **__: (told,))
    card = module.train_and_check(own, tmp_path, lambda: cards.card(recipe.training).training)
    assert any("vault" in reason for form in card.parity for reason in form.reasons) == (not access)
    assert any("vault" in warning for warning in card.warnings) == (not access)


def test_a_tuning_killed_before_its_card_is_finished(strategy, examples, recipe: Recipe, tmp_path: Path):
    quick = replace(recipe, training=recipe.training.model_copy(update={"epochs": 2}))

    def kill(progress: Progress) -> None:
        if progress.task == "exporting":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tuned(strategy, examples, tmp_path, recipe=quick, notify=kill)
    before = (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes()
    assert read_adapter_card(tmp_path) is None
    seen: list[Progress] = []
    card = tuned(strategy, examples, tmp_path, recipe=quick, notify=seen.append)
    assert "training" not in {one.task for one in seen}
    assert len(card.training.epochs) == 2
    assert card.seconds > card.training.seconds > 0
    assert (tmp_path / "adapter" / "adapter_model.safetensors").read_bytes() == before
    (tmp_path / "model.gguf").unlink()
    assert read_adapter_card(tmp_path) is None


def test_a_finished_adapter_of_another_tuning_is_not_exported(strategy, examples, recipe: Recipe, tmp_path: Path):
    quick = replace(recipe, training=recipe.training.model_copy(update={"epochs": 2}))
    tuned(strategy, examples, tmp_path, recipe=quick)
    seen: list[Progress] = []
    tuned(strategy, examples[1:], tmp_path, recipe=quick, notify=seen.append)
    assert "training" in {one.task for one in seen}
    seen.clear()
    rounded = replace(quick, model=quick.model.model_copy(update={"quantisation": "Q8_0"}))
    card = tuned(strategy, examples[1:], tmp_path, recipe=rounded, notify=seen.append)
    assert card.quantisation == "Q8_0"
    assert "training" not in {one.task for one in seen}
    assert "exporting" in {one.task for one in seen}


CREW = frozenset({"crew"})


def restricted(example: Example) -> Example:
    return replace(example, id=f"crew-{example.id}", question=Question(example.question.text, groups=CREW))


class Heard:
    """A retriever that finds nothing and remembers who asked."""

    fingerprint = "heard"

    def __init__(self) -> None:
        self.asked: list[Question] = []

    def search(self, question: Question, *, limit: int) -> tuple[()]:
        self.asked.append(question)
        return ()


def test_what_only_some_may_hear_is_neither_learnt_nor_scored(strategy, examples, recipe: Recipe, tmp_path: Path):
    heard = Heard()
    quick = replace(recipe, training=recipe.training.model_copy(update={"epochs": 2}))
    mixed = (*examples, *(restricted(example) for example in examples))
    card = tuned(replace(strategy, retriever=heard), mixed, tmp_path, recipe=quick)
    assert card.training.examples == 10
    assert heard.asked
    assert not any(question.groups for question in heard.asked)
    assert "10 training examples of restricted askers were left out: an adapter speaks to everybody" in card.warnings
    fewer = tuned(strategy, mixed[:-2], tmp_path, recipe=quick)
    assert fewer.warnings == card.warnings


@given(st.lists(st.booleans(), min_size=1, max_size=12))
def test_only_public_examples_are_sampled(strategy, examples, recipe: Recipe, closed: list[bool]):
    mixed = [restricted(e) if shut else e for e, shut in zip(examples, closed, strict=False)]
    train = [example for example in mixed if example.split == "train"]
    if all(example.question.groups for example in train):
        with pytest.raises(TrainingError, match=r"access groups.*take fine-tuned and raft out of strategies"):
            exercise(strategy, mixed, recipe)
        return
    learnt = [one.example_id for one in exercise(strategy, mixed, recipe).made]
    assert learnt == [example.id for example in train if not example.question.groups]


def test_an_adapter_that_learnt_nothing_is_said_so(strategy, examples, recipe: Recipe, tmp_path: Path):
    timid = replace(recipe, training=recipe.training.model_copy(update={"learning_rate": 1e-9, "epochs": 1}))
    card = tuned(strategy, examples, tmp_path, recipe=timid)
    assert not card.parity[0].changed
    assert any("may have learnt nothing" in warning for warning in card.warnings)


def test_other_splits_are_left_alone(strategy, examples, recipe: Recipe, tmp_path: Path):
    test = [replace(example, id=f"x{example.id}", split="test") for example in examples]
    with pytest.raises(TrainingError, match="no training examples"):
        tuned(strategy, test, tmp_path, recipe=recipe)


def test_a_finished_adapter_is_refused_once_the_test_asks_what_it_learnt(
    strategy, examples, recipe: Recipe, tmp_path: Path
):
    quick = replace(recipe, training=recipe.training.model_copy(update={"epochs": 1}))
    tuned(strategy, examples, tmp_path, recipe=quick)
    asked = (*examples, replace(examples[0], id="later", split="test"))
    with pytest.raises(TrainingError, match=r"t0 \(as later\): test questions are among those to learn"):
        tuned(strategy, asked, tmp_path, recipe=quick)


def test_what_a_time_limit_stopped_has_no_card(strategy, examples, recipe: Recipe, tmp_path: Path):
    hasty = replace(recipe, training=recipe.training.model_copy(update={"seconds": 1e-6}))
    with pytest.raises(UnfinishedError, match="step 1 of 18"):
        tuned(strategy, examples, tmp_path, recipe=hasty)
    assert read_adapter_card(tmp_path) is None
    assert not (tmp_path / "model.gguf").exists()
    assert exercise(strategy, examples, hasty).fingerprint == exercise(strategy, examples, recipe).fingerprint
    seen: list[Progress] = []
    tuned(strategy, examples, tmp_path, recipe=recipe, notify=seen.append)
    assert next(one for one in seen if one.task == "training").done == 1
