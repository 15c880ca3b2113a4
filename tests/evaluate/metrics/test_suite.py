"""Which metrics a task has, and how each scores."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from weighbridge.errors import DataError
from weighbridge.evaluate.metrics.suite import OwnMetric, metrics_for
from weighbridge.figures import FIGURES
from weighbridge.results import Score
from weighbridge.types import Answer, Example, Task

Make = Callable[..., Answer]
MakeExample = Callable[..., Example]
SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


def scores(
    task: Task, asked: Example, given: Answer, *, reads: bool = True, schema: dict[str, object] | None = None
) -> dict[str, Score]:
    return {metric.name: metric.score(asked, given) for metric in metrics_for(task, reads=reads, schema=schema)}


@pytest.mark.parametrize("task", ["answer", "label", "json"])
@pytest.mark.parametrize("reads", [True, False])
def test_all_names_are_figures_and_distinct(task: Task, *, reads: bool):
    names = [metric.name for metric in metrics_for(task, reads=reads)]
    assert set(names) <= set(FIGURES)
    assert len(set(names)) == len(names)
    assert ("citation" in names) == (task == "answer" and reads)


def test_a_right_cited_answer(answered: Make, example: MakeExample):
    asked = example("Paris", evidence=("d", "e"))
    found = scores("answer", asked, answered("Paris", documents=("d",), cited=True))
    values = {name: score.value for name, score in found.items()}
    assert values == {
        "accuracy": 1.0,
        "form": 1.0,
        "exact_match": 1.0,
        "token_f1": 1.0,
        "citation": 1.0,
        "hallucination": 0.0,
        "needless_abstention": 0.0,
        "missed_abstention": None,
        "recall": 0.5,
        "truncated": 0.0,
    }
    assert all(score.reason for score in found.values() if score.value is None)


def test_an_answer_to_an_unanswerable_question(answered: Make, example: MakeExample):
    found = scores("answer", example(), answered("Paris"))
    assert found["missed_abstention"].value == 1.0
    assert found["hallucination"].value == 1.0
    assert found["citation"].value == 0.0
    assert found["exact_match"].value is None
    assert found["needless_abstention"].value is None


def test_a_search_with_no_hits_has_recall_zero_and_a_closed_book_none(answered: Make, example: MakeExample):
    asked = example("Paris", evidence=("d",))
    assert scores("answer", asked, answered("Paris"))["recall"].value == 0.0
    assert scores("answer", asked, answered("Paris"), reads=False)["recall"].value is None


@pytest.mark.parametrize("task", ["answer", "label", "json"])
def test_an_answer_that_was_cut_is_counted_whatever_it_says(answered: Make, example: MakeExample, task: Task):
    cut = replace(answered("I don't know.", abstained=True), finish="length")
    assert scores(task, example("Paris"), cut)["truncated"].value == 1.0


def test_a_reference_that_sounds_like_an_abstention_is_scored_as_an_answer(answered: Make, example: MakeExample):
    found = scores("answer", example("not stated"), answered("Not stated.", abstained=True))
    told = {name: found[name].value for name in ("accuracy", "exact_match", "needless_abstention", "citation")}
    assert told == {"accuracy": 1.0, "exact_match": 1.0, "needless_abstention": 0.0, "citation": 0.0}


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_answer_asserts_nothing(answered: Make, example: MakeExample, text: str):
    found = scores("answer", example("Paris"), answered(text))
    assert (found["accuracy"].value, found["hallucination"].value) == (0.0, 0.0)
    assert found["citation"].value is None
    assert found["needless_abstention"].value == 0.0


@pytest.mark.parametrize(
    ("text", "valid"), [('{"a": 1}', 1.0), ('{"a": "1"}', 0.0), ("{}", 0.0), ("[1]", 0.0), ("{", 0.0), ("NaN", 0.0)]
)
def test_json_valid_holds_an_answer_against_the_schema(answered: Make, example: MakeExample, text: str, valid: float):
    found = scores("json", example('{"a": 1}'), answered(text), schema=SCHEMA)
    assert found["json_valid"].value == valid
    assert bool(found["json_valid"].reason) == (valid == 0)


def test_json_valid_without_a_schema_wants_json(answered: Make, example: MakeExample):
    assert scores("json", example("[1]"), answered("[2]"))["json_valid"].value == 1.0
    assert scores("json", example("[1]"), answered("I don't know.", abstained=True))["json_valid"].value is None


def test_a_schema_elsewhere_is_never_fetched(answered: Make, example: MakeExample):
    schema = {"$ref": "https://example.org/schema.json"}
    found = scores("json", example("[1]"), answered("[1]"), schema=schema)["json_valid"]
    assert found.value is None
    assert "https://example.org/schema.json" in found.reason


def test_a_schema_that_is_none_is_refused_where_it_is_given():
    with pytest.raises(DataError, match=r"json_schema: not a JSON Schema: \$\.type"):
        metrics_for("json", reads=False, schema={"type": "objekt"})


def test_a_long_right_answer_is_right_and_not_in_the_asked_form(answered: Make, example: MakeExample):
    sentence = "The capital of France, as everybody learns at school sooner or later, is the city of Paris."
    found = scores("answer", example("Paris"), answered(sentence))
    assert (found["accuracy"].value, found["hallucination"].value, found["form"].value) == (1.0, 0.0, 0.0)
    assert found["exact_match"].value == 0.0


def test_a_label_in_a_sentence_is_right_and_not_in_the_asked_form(answered: Make, example: MakeExample):
    metrics = metrics_for("label", reads=False, labels=("spam", "ham"))
    asked = example("spam")
    told = {m.name: m.score(asked, answered("This is spam.")).value for m in metrics}
    assert (told["accuracy"], told["hallucination"], told["form"]) == (1.0, 0.0, 0.0)
    told = {m.name: m.score(asked, answered("ham")).value for m in metrics}
    assert (told["accuracy"], told["hallucination"], told["form"]) == (0.0, 1.0, 1.0)
    told = {m.name: m.score(asked, answered("Either spam or ham.")).value for m in metrics}
    assert (told["accuracy"], told["hallucination"]) == (0.0, 1.0)


@pytest.mark.parametrize(("words", "kept"), [(9, 1.0), (10, 0.0)])
def test_the_asked_form_is_at_most_twice_the_reference_and_five_words(
    answered: Make, example: MakeExample, words: int, kept: float
):
    assert scores("answer", example("two words"), answered(" ".join(["word"] * words)))["form"].value == kept
    assert scores("answer", example("two words"), answered("I don't know.", abstained=True))["form"].value is None


@pytest.mark.parametrize("marked", [True, False])
def test_an_answer_is_cited_whether_or_not_the_model_marked_the_passage(
    answered: Make,
    example: MakeExample,
    marked: bool,  # noqa: FBT001 - the parameter of the test
):
    said = answered("Paris", documents=("d",), cited=True)
    said = replace(said, citations=tuple(replace(citation, marked=marked) for citation in said.citations))
    assert scores("answer", example("Paris"), said)["citation"].value == 1.0
    assert scores("answer", example("Paris"), answered("Paris", documents=("d",)))["citation"].value == 0.0


@dataclass(frozen=True)
class Careless:
    """A metric of another distribution that gives what is no score."""

    given: object
    name: str = "careless"

    def score(self, example: Example, answer: Answer) -> Score:
        return self.given  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("given", "value", "reason"),
    [
        (Score("another name", 1), 1.0, ""),
        (Score("careless", None, "no reference"), None, "no reference"),
        (Score("careless", float("nan")), None, "tides 2.1 gave nan, which is not between 0 and 1"),
        (Score("careless", 1.5), None, "tides 2.1 gave 1.5, which is not between 0 and 1"),
        (Score("careless", "half"), None, "tides 2.1 failed: ValueError: could not convert string to float: 'half'"),  # type: ignore[arg-type]
        (0.5, None, "tides 2.1 failed: AttributeError: 'float' object has no attribute 'value'"),
        (None, None, "tides 2.1 failed: AttributeError: 'NoneType' object has no attribute 'value'"),
    ],
)
def test_what_another_distributions_metric_gives_costs_its_own_figure_alone(
    answered: Make, example: MakeExample, given: object, value: float | None, reason: str
):
    assert OwnMetric(Careless(given), "tides 2.1").score(example("Paris"), answered("Paris")) == Score(
        "careless", value, reason
    )
