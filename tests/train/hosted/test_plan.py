"""What would be sent: the strategy's own prompts, public ones, of the train split; and what it would cost."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.adapters import Span
from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import instructions_for
from weighbridge.errors import DataError, SettingsError, TrainingError
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import HostedSettings, PreferenceSettings, TrainingSettings
from weighbridge.train.card import read_lessons
from weighbridge.train.hosted.files import Counted
from weighbridge.train.hosted.plan import Teaching, prepare_hosted, public, read_plan
from weighbridge.types import Chunk, Example, Passage, Question


class Found:
    """A retriever that finds a passage of the ferry document."""

    fingerprint = "found"

    def search(self, question: Question, *, limit: int) -> tuple[Passage, ...]:
        return (Passage(Chunk(id="c", document_id="ferry", text="Ta, Sk.", start=3, end=10, version="v1"), 1.0),)


@pytest.fixture
def teaching(examples, no_model) -> Teaching:
    tested = Example(id="x", question=Question("Which ferry is the last one?"), answers=("A",), split="test")
    return Teaching(
        strategy=Composed(name="fine-tuned", model=no_model, instructions=instructions_for("answer", reads=False)),
        examples=(*examples, tested),
        split="s",
        model=ModelSettings(engine="openai", reference="openai:gpt-small"),
        training=TrainingSettings(),
        endpoint="http://127.0.0.1/v1",
        tokens=Counted(lambda text: -(-len(text.encode()) // 4), "a quarter of the bytes"),
    )


def with_training(teaching: Teaching, **changed: object) -> Teaching:
    return replace(teaching, training=TrainingSettings(**changed))


def test_train_is_learnt_dev_is_validated_on_and_test_stays_here(teaching):
    made = prepare_hosted(teaching)
    training, validation = made.files["supervised"]
    (stage,) = made.plan.stages
    assert (stage.examples, stage.validated) == (10, 2)
    assert "last one" not in training + validation
    first = json.loads(training.splitlines()[0])["messages"]
    assert first[:-1] == [
        {"role": turn.role, "content": turn.content}
        for turn in teaching.strategy.prompt_for(Question("Code of Tarrow?")).messages
    ]
    assert first[-1] == {"role": "assistant", "content": "Ta"}


def test_what_the_file_does_not_name_is_left_to_the_endpoint(teaching):
    (stage,) = prepare_hosted(teaching).plan.stages
    order = stage.order
    assert (order.epochs, order.batch_size, order.learning_rate_multiplier) == (None, None, None)
    assert (order.model, order.suffix, order.seed) == ("gpt-small", "weighbridge", 7)
    assert (stage.tokens.epochs, stage.tokens.epochs_are_guessed) == (10, True)
    set_ = with_training(teaching, epochs=2, batch_size=4, seed=9, hosted=HostedSettings(suffix="mine"))
    (stage,) = prepare_hosted(set_).plan.stages
    assert (stage.order.epochs, stage.order.batch_size, stage.order.seed, stage.order.suffix) == (2, 4, 9, "mine")
    assert stage.tokens.total == 2 * stage.tokens.per_pass > 0


def test_the_same_data_is_the_same_adapter_and_other_data_another(teaching):
    one = prepare_hosted(teaching).plan
    assert prepare_hosted(teaching).plan == one
    others = [
        with_training(teaching, seed=8),
        replace(teaching, endpoint="https://api.example/v1"),
        replace(teaching, examples=(replace(teaching.examples[0], answers=("Xy",)), *teaching.examples[1:])),
    ]
    assert len({one.id, *(prepare_hosted(other).plan.id for other in others)}) == 4
    assert prepare_hosted(with_training(teaching, hosted=HostedSettings(poll_seconds=1))).plan.id == one.id


def test_what_restricted_askers_may_be_taught_is_never_sent(teaching):
    with pytest.raises(SettingsError, match=r"training\.groups .* an endpoint is sent public ones alone"):
        prepare_hosted(with_training(teaching, groups=("board",)))


def test_restricted_examples_are_left_out_and_said_so(teaching):
    closed = [
        replace(teaching.examples[n], id=f"c{n}", question=Question(f"Secret {n}?", groups=frozenset({"board"})))
        for n in (0, 1, 10)
    ]
    made = prepare_hosted(replace(teaching, examples=(*teaching.examples, *closed)))
    assert "Secret" not in "".join(made.files["supervised"])
    assert any(line.startswith("3 examples of restricted askers are left out") for line in made.plan.warnings)


def test_the_plan_remembers_what_it_learnt_from(teaching, tmp_path):
    reads = Composed(
        name="raft",
        model=teaching.strategy.model,
        instructions=instructions_for("answer", reads=True),
        retriever=Found(),
    )
    learnt = [replace(example, evidence=("ferry",)) for example in teaching.examples]
    made = prepare_hosted(replace(teaching, strategy=reads, examples=learnt))
    assert read_plan(tmp_path) is None
    made.write(tmp_path)
    assert read_plan(tmp_path) == made.plan
    assert (tmp_path / "supervised" / "train.jsonl").read_text() == made.files["supervised"][0]
    assert dict(made.plan.learnt.documents) == {"ferry": "v1"}
    lesson = next(read_lessons(tmp_path))
    assert (lesson.example_id, lesson.spans[0].document_id, lesson.spans[0].end) == ("t0", "ferry", 10)


def test_too_few_examples_are_refused_with_what_to_do(teaching):
    with pytest.raises(DataError, match=r"supervised/train\.jsonl: 4 examples; .* at least 10"):
        prepare_hosted(with_training(teaching, maximum_examples=4))


def test_a_test_question_among_the_train_ones_is_refused(teaching):
    leak = replace(teaching.examples[0], id="leak", split="test")
    with pytest.raises(TrainingError, match=r"test questions are among those to learn"):
        prepare_hosted(replace(teaching, examples=(*teaching.examples, leak)))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"on": "documents"}, r"training\.on is documents"),
        ({"preference": PreferenceSettings(method="kto")}, "the fine-tuning API has dpo"),
        ({"preference": PreferenceSettings(method="dpo")}, "needs a file of pairs"),
    ],
)
def test_what_the_api_has_not_is_refused(teaching, changed, why):
    with pytest.raises(SettingsError, match=why):
        prepare_hosted(with_training(teaching, **changed))


def test_settings_that_are_not_sent_are_named(teaching):
    made = prepare_hosted(with_training(teaching, rank=8, method="dora"))
    assert "training.method, training.rank: not sent; an endpoint trains in its own way" in made.plan.warnings


def test_examples_beyond_the_context_are_told(teaching):
    small = replace(teaching, model=teaching.model.model_copy(update={"context": 10}))
    assert any("more than model.context (10)" in line for line in prepare_hosted(small).plan.warnings)


def test_pairs_are_a_second_job_in_their_own_format(teaching, tmp_path):
    rows = [{"question": f"Code of ship {n}?", "chosen": "Sh", "rejected": "Ship"} for n in range(10)]
    path = write_pairs(tmp_path, rows)
    how = PreferenceSettings(method="dpo", pairs=path, beta=0.3, epochs=4)
    made = prepare_hosted(with_training(teaching, preference=how))
    assert [stage.name for stage in made.plan.stages] == ["supervised", "dpo"]
    second = made.plan.stages[1]
    assert (second.order.method, second.order.beta, second.order.epochs, second.examples) == ("dpo", 0.3, 4, 10)
    row = json.loads(made.files["dpo"][0].splitlines()[0])
    assert row["preferred_output"] == [{"role": "assistant", "content": "Sh"}]
    assert row["input"]["messages"][-1]["role"] == "user"


def test_thumbs_of_one_kind_make_no_pairs(teaching, tmp_path):
    path = write_pairs(tmp_path, [{"question": f"Ship {n}?", "answer": "Sh", "thumb": "up"} for n in range(10)])
    how = PreferenceSettings(method="dpo", pairs=path)
    with pytest.raises(TrainingError, match="holds no pair"):
        prepare_hosted(with_training(teaching, preference=how))


def test_the_sample_is_drawn_with_the_seed(examples):
    assert public(examples, "train", 99, 7) == tuple(examples[:10])
    few = public(examples, "train", 4, 7)
    assert len(few) == 4
    assert few == public(examples, "train", 4, 7) != public(examples, "train", 4, 8)
    assert [examples.index(one) for one in few] == sorted(examples.index(one) for one in few)


def write_pairs(folder: Path, rows: list[dict[str, str]]) -> Path:
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_lineage_knows_where_made_examples_stand_and_what_pairs_prefer(teaching, tmp_path):
    rows = [{"question": f"Code of ship {n}?", "chosen": f"Sh{n}", "rejected": "Ship"} for n in range(10)]
    how = PreferenceSettings(method="dpo", pairs=write_pairs(tmp_path, rows))
    spans = {"t0": (Span("ferry", 3, 10, "v1"),)}
    made = prepare_hosted(replace(with_training(teaching, preference=how), spans=spans))
    made.write(tmp_path)
    lessons = list(read_lessons(tmp_path))
    assert lessons[0].spans == spans["t0"]
    assert [one.target for one in lessons[-10:]] == [f"Sh{n}" for n in range(10)]
    assert dict(made.plan.learnt.documents) == {"ferry": "v1"}


def test_every_training_seed_is_validated_on_the_same_dev_questions(teaching):
    dev = [replace(teaching.examples[10], id=f"d{n}", question=Question(f"Berth {n}?")) for n in range(20)]
    many = replace(teaching, examples=(*teaching.examples[:10], *dev))
    asked = {
        prepare_hosted(with_training(many, seed=seed, dev_examples=5)).files["supervised"][1] for seed in (7, 8, 9)
    }
    assert len(asked) == 1


def test_the_card_claims_no_recipe_that_the_endpoint_was_not_told(teaching):
    recipe = prepare_hosted(with_training(teaching, rank=8, epochs=3)).plan.recipe
    assert (recipe["epochs"], recipe["seed"]) == (3, 7)
    assert not {"method", "rank", "alpha", "learning_rate", "patience", "layers", "batch_size"} & recipe.keys()
    assert TrainingSettings.model_validate(recipe).epochs == 3
