"""What a tuning is about to learn: which examples choose the checkpoint, and what the card says of what is learnt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from weighbridge.adapters import Span
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import TrainingError
from weighbridge.evaluate.metrics.behaviour import Accuracy
from weighbridge.protocols import Metric
from weighbridge.results import Score
from weighbridge.settings.training import HostedSettings, PreferenceSettings, RaftSettings, TrainingSettings
from weighbridge.train.prepare import Exercise, Material, prepare_exercise
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Answer, Document, Example, Message, Question

DOCUMENTS = (
    Document(id="ports.md", text="The code of Tarrow is Ta.", title="Ports"),
    Document(id="closed.md", text="The code of Hask is Ha.", title="Closed", groups=frozenset({"crew"})),
)


@pytest.fixture(scope="module")
def strategy(no_model) -> Composed:
    return Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False))


def exercise(strategy: Composed, material: Material, recipe: Recipe, **training: object) -> Exercise:
    chosen = replace(recipe, training=recipe.training.model_copy(update=training))
    return prepare_exercise(strategy, material, recipe=chosen, metric=Accuracy("answer"))


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


@dataclass(frozen=True)
class Other:
    """Another metric than accuracy, which gives the same scores."""

    name: str = "other"

    def score(self, example: Example, answer: Answer) -> Score:
        return Accuracy("answer").score(example, answer)


@pytest.mark.parametrize(
    "change",
    [
        lambda recipe, metric: (replace(recipe, base=replace(recipe.base, fingerprint="another model")), metric),
        lambda recipe, metric: (replace(recipe, model=recipe.model.model_copy(update={"context": 400})), metric),
        lambda recipe, metric: (replace(recipe, model=recipe.model.model_copy(update={"maximum_tokens": 9})), metric),
        lambda recipe, _: (recipe, Other()),
    ],
    ids=["base model", "context of the served model", "answers of the served model", "metric on dev"],
)
def test_another_model_or_metric_is_another_adapter(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe, change: Callable[..., tuple[Recipe, Metric]]
) -> None:
    material, metric = Material(examples=examples), Accuracy("answer")
    changed, other = change(recipe, metric)
    before = prepare_exercise(strategy, material, recipe=recipe, metric=metric)
    after = prepare_exercise(strategy, material, recipe=changed, metric=other)
    assert before.id != after.id


SETTINGS = {
    "method": "dora", "on": "both", "rank": 3, "alpha": 3, "layers": 1, "learning_rate": 0.1, "epochs": 3,
    "patience": 3, "batch_size": 3, "maximum_examples": 3, "dev_examples": 1, "seed": 3,
    "precision": "bfloat16",
    "raft": RaftSettings(withheld=0.5),
}  # fmt: skip
AFTERWARDS = {
    "seconds": 3.0, "learning_curve": False, "made": Path("made.jsonl"), "groups": ("crew",),
    "preference": PreferenceSettings(method="dpo"), "hosted": HostedSettings(suffix="mine"),
}  # fmt: skip


def test_every_setting_of_a_training_is_said_to_shape_it_or_not() -> None:
    assert SETTINGS.keys() | AFTERWARDS.keys() == TrainingSettings.model_fields.keys()


@pytest.mark.parametrize("name", [*SETTINGS, *AFTERWARDS])
def test_what_shapes_a_training_is_in_its_id_and_what_does_not_is_not(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe, name: str
) -> None:
    material = Material(examples=examples, documents=DOCUMENTS)
    value = {**SETTINGS, **AFTERWARDS}[name]
    one, other = exercise(strategy, material, recipe), exercise(strategy, material, recipe, **{name: value})
    assert (one.id != other.id) == (name in SETTINGS)


def test_a_test_question_among_those_to_learn_is_found_before_anything_is_trained(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    again = replace(examples[0], id="later", split="test")
    with pytest.raises(TrainingError, match="test questions are among those to learn"):
        _ = exercise(strategy, Material(examples=(*examples, again)), recipe).rows
    assert exercise(strategy, Material(examples=examples), recipe).rows


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


def test_what_is_shown_before_the_first_step_is_what_is_learnt(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    material = Material(examples=examples, documents=DOCUMENTS)
    answers, read, both = (exercise(strategy, material, recipe, on=on) for on in ("answers", "documents", "both"))
    assert [row.example_id for row in read.checked.rows] == [row.example_id for row in read.text_rows[:2]]
    assert [row.example_id for row in both.checked.rows][-1] == both.text_rows[0].example_id
    assert both.checked.rows[0] == answers.checked.rows[0]
    assert all(token.trained for token in read.checked.rows[0].tokens)
    assert not read.checked.findings


@pytest.mark.parametrize(
    ("method", "rate", "said"),
    [
        ("lora", 1e-3, ""),
        ("lora", 1e-6, "1e-06 is low for training.method: lora, so it may learn next to nothing; 0.0001 to 0.005"),
        ("full", 1e-3, "0.001 is high for training.method: full, so it may lose what it knew"),
        ("ia3", 1e-3, "0.001 is low for training.method: ia3"),
    ],
)
def test_a_learning_rate_that_does_not_go_with_its_method_is_told(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe, method: str, rate: float, said: str
) -> None:
    made = exercise(strategy, Material(examples=examples), recipe, method=method, learning_rate=rate)
    told = [finding.message for finding in made.checked.findings if "learning_rate" in finding.message]
    assert [said in message for message in told] == ([True] if said else [])


def test_documents_that_examples_were_made_of_are_on_the_card(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    spans = {"t0": (Span("ports.md", 0, 25, "v1"),), "t1": (Span("nobody knows.md", 0, 3),)}
    made = exercise(strategy, Material(examples=examples, spans=spans), recipe)
    assert made.learnt.documents == {"ports.md": "v1"}


CREW, BOARD = frozenset({"crew"}), frozenset({"board"})


def asked_by(groups: frozenset[str], examples: Sequence[Example]) -> list[Example]:
    """Return the examples, the second of each split asked by somebody of these groups."""
    seconds = {"t1", "d1"}
    return [replace(e, question=replace(e.question, groups=groups)) if e.id in seconds else e for e in examples]


def test_groups_change_nothing_where_nothing_is_restricted(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    one, other = (exercise(strategy, Material(examples=examples), recipe, groups=groups) for groups in ((), ("crew",)))
    assert one.learnt == other.learnt
    assert one.fingerprint == other.fingerprint
    assert one.learnt.access == ()


def test_what_restricted_askers_are_told_is_learnt_where_their_groups_are_named_and_labelled(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    material = Material(examples=asked_by(CREW | BOARD, examples))
    public, some, both = (
        exercise(strategy, material, recipe, groups=groups) for groups in ((), ("crew",), ("crew", "board"))
    )
    assert public.fingerprint == some.fingerprint  # the asker has another group that is not named
    assert [example.id for example in some.left_out] == ["t1"]
    assert not some.learnt.access
    assert not both.left_out
    assert [example.id for example in both.asked] == ["d0", "d1"]
    assert both.learnt.access == (BOARD, CREW)
    assert [lesson.access for lesson in both.lessons][:3] == [(), (BOARD, CREW), ()]


def test_documents_of_the_groups_are_learnt_and_labelled(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    shared = replace(DOCUMENTS[1], id="shared.md", groups=CREW | BOARD)
    material = Material(examples=examples, documents=(*DOCUMENTS, shared))
    for groups, ids, access in (
        ((), {"ports.md"}, ()),
        (("board",), {"ports.md", "shared.md"}, (CREW | BOARD,)),
        (("crew",), {"ports.md", "shared.md", "closed.md"}, (CREW,)),
    ):
        made = exercise(strategy, material, recipe, on="documents", groups=groups)
        assert set(made.learnt.documents) == ids
        assert made.learnt.access == access
        assert {span.document_id for lesson in made.lessons for span in lesson.spans} == ids


def test_the_same_words_for_other_readers_are_another_adapter(
    strategy: Composed, examples: Sequence[Example], recipe: Recipe
) -> None:
    ids = {
        exercise(strategy, Material(examples=asked_by(groups, examples)), recipe, groups=("crew", "board")).id
        for groups in (frozenset(), CREW, BOARD, CREW | BOARD)
    }
    assert len(ids) == 4


def test_where_nobody_may_be_learnt_from_the_setting_is_named(strategy: Composed, recipe: Recipe) -> None:
    closed = [replace(e, question=replace(e.question, groups=CREW)) for e in many("train", 3)]
    with pytest.raises(TrainingError, match=r"all 3 training examples .* training\.groups does not name"):
        exercise(strategy, Material(examples=closed), recipe)
