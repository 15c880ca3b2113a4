"""All guards on a real adapter of the tiny Llama, by the engines that serve it."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from weighbridge.adapters import AdapterCard, EpochScore, Learnt, Training
from weighbridge.answer.build import Parts, build
from weighbridge.answer.composed import Composed
from weighbridge.checks.curve import CurvePoint
from weighbridge.checks.run_all import Examined, run_checks
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import NONE, NOTHING
from weighbridge.results import Score
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Answer, Example, Progress

from .conftest import Tuned, write_adapter

CARD = AdapterCard(
    id="a" * 12,
    strategy="fine-tuned",
    fingerprint="a" * 16,
    made_at="2026-11-20T12:00:00+00:00",
    base_reference="file:tiny.gguf",
    base_fingerprint="b" * 64,
    licence="",
    recipe={"seed": 7},
    learnt=Learnt(fingerprint="", split="", examples=0, documents={}),
    training=Training(
        epochs=(EpochScore(epoch=1, loss=1.0, dev=None),), chosen_epoch=1, examples=1, tokens=1, steps=1, seconds=1.0,
        first_loss=1.0, last_loss=1.0, precision="float32",
    ),
    dev=None,
    parity=(),
    seconds=1.0,
    quantisation="F16",
    warnings=(),
)  # fmt: skip


@pytest.fixture
def strategy() -> Composed:
    parts = Parts(task="answer", about="", choices=(), retriever=NOTHING, demonstrations=NONE, limit=1)
    return build("fine-tuned", parts, Scripted())


@pytest.fixture
def examined(
    recipe: Recipe, tuned: Tuned, strategy: Composed, examples: tuple[Example, ...], tmp_path: Path
) -> Examined:
    return Examined(
        strategy=strategy,
        recipe=recipe,
        folder=tuned.folder,
        card=CARD,
        base_gguf=tuned.base_gguf,
        examples=tuple(example for example in examples if example.split == "dev"),
        task="answer",
        metric=Accuracy("answer"),
        kept=tmp_path / "kept",
        workers=2,
        points=tuple(CurvePoint(share=n / 8, examples=n, scores=(0.0, 1.0), losses=(1.0, 1.0)) for n in (4, 8)),
    )


def test_every_guard_is_run_and_the_base_is_asked_once(examined: Examined) -> None:
    heard: list[Progress] = []
    guards = {guard.name: guard for guard in run_checks(examined, notify=heard.append).guards}
    assert list(guards) == [
        "forgetting", "refusals", "paraphrases", "repetition", "learning curve", "serving speed"
    ]  # fmt: skip
    assert guards["forgetting"].figures["base"].scored == 120
    assert guards["refusals"].figures["base"].scored == 40
    assert guards["repetition"].figures["endless base"].scored == 42
    assert guards["serving speed"].figures["ratio"].scored == 6
    kept = {path.name: path.read_bytes() for path in examined.kept.iterdir()}
    assert len(kept) == 2
    assert {progress.note for progress in heard if progress.task == "checking the adapter"} == {
        "general knowledge", "answers of the tuned model", "answers of the base model", "serving speed", "",
    }  # fmt: skip
    heard.clear()
    again = {guard.name: guard for guard in run_checks(examined, notify=heard.append).guards}
    assert {path.name: path.read_bytes() for path in examined.kept.iterdir()} == kept
    assert all(again[name] == guards[name] for name in guards if name != "serving speed")


@pytest.mark.usefixtures("few_guard_questions")
def test_test_questions_are_refused(examined: Examined) -> None:
    leaked = tuple(replace(example, split="test") for example in examined.examples)
    with pytest.raises(ValueError, match="dev examples only"):
        run_checks(replace(examined, examples=leaked))


@dataclass(frozen=True)
class AllRight:
    """A metric that finds no fault, so that even the tiny model has something to lose."""

    name: str = "accuracy"

    def score(self, example: Example, answer: Answer) -> Score:
        return Score(self.name, 1.0)


@pytest.mark.usefixtures("few_guard_questions")
def test_a_base_that_gets_some_right_is_asked_in_other_words_too(examined: Examined) -> None:
    guards = {guard.name: guard for guard in run_checks(replace(examined, metric=AllRight(), points=())).guards}
    assert guards["paraphrases"].figures["base difference"].value == 0
    assert guards["paraphrases"].figures["difference less the base's"].scored == 2
    none_right = {guard.name: guard for guard in run_checks(replace(examined, points=())).guards}
    assert "base difference" not in none_right["paraphrases"].figures


@pytest.mark.usefixtures("few_guard_questions")
def test_cases_with_restricted_questions_are_not_shown(examined: Examined) -> None:
    closed = tuple(
        replace(example, question=replace(example.question, groups=frozenset({"g"}))) for example in examined.examples
    )
    guards = {guard.name: guard for guard in run_checks(replace(examined, examples=closed, points=())).guards}
    assert guards["paraphrases"].figures["plain"].scored == 2
    assert guards["repetition"].figures["endless base"].scored == 5
    assert not any(guards[name].shown for name in ("refusals", "paraphrases", "repetition"))
    assert "learning curve" not in guards


@pytest.mark.usefixtures("few_guard_questions")
def test_cases_of_an_adapter_that_does_not_answer_everybody_are_not_shown(examined: Examined) -> None:
    label = replace(CARD, learnt=replace(CARD.learnt, access=(frozenset({"g"}),)))
    one = replace(examined, points=())
    assert any(guard.shown for guard in run_checks(one).guards if guard.name == "repetition")
    assert not any(guard.shown for guard in run_checks(replace(one, card=label)).guards if guard.name != "forgetting")


@pytest.mark.usefixtures("few_guard_questions")
def test_an_adapter_that_cannot_be_merged_is_asked_on_pytorch(examined: Examined, tmp_path: Path) -> None:
    from peft import PromptTuningConfig

    config = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    write_adapter(examined.recipe.base, tmp_path / "card" / "adapter", config)
    one = replace(examined, folder=tmp_path / "card", card=replace(CARD, gguf=""), points=())
    guards = {guard.name: guard for guard in run_checks(one).guards}
    assert guards["repetition"].figures["endless base"].scored == 5
    assert "one form only" in guards["serving speed"].summary


@pytest.mark.usefixtures("few_guard_questions")
def test_what_pytorch_serves_is_asked_on_pytorch(examined: Examined) -> None:
    import torch

    threads = torch.get_num_threads()
    model = examined.recipe.model.model_copy(update={"engine": "transformers"})
    recipe = replace(examined.recipe, model=model)
    one = replace(examined, recipe=recipe, base_gguf=recipe.base.hf, points=())
    guards = {guard.name: guard for guard in run_checks(one).guards}
    assert guards["repetition"].figures["endless base"].scored == 5
    assert "on transformers" in guards["serving speed"].summary
    assert torch.get_num_threads() == threads


@pytest.mark.usefixtures("few_guard_questions")
def test_a_model_tuned_as_a_whole_is_compared_with_the_base_beside_it(examined: Examined, tmp_path: Path) -> None:
    folder = tmp_path / "card"
    folder.mkdir()
    (folder / "adapter").symlink_to(examined.recipe.base.hf)
    (folder / "model.gguf").symlink_to(examined.base_gguf)
    guards = {guard.name: guard for guard in run_checks(replace(examined, folder=folder, points=())).guards}
    assert guards["forgetting"].figures["probability, difference"].value == 0
    assert guards["refusals"].figures["difference"].value == 0
