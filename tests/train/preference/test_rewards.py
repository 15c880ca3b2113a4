"""Each reward on answers that earn it, that do not, and that it does not apply to."""

from collections.abc import Callable

import pytest

from weighbridge.answer.composed import Composed
from weighbridge.answer.prompt import Instructions
from weighbridge.errors import TrainingError
from weighbridge.results import Score
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.settings.training import Reward
from weighbridge.train.preference.rewards import Grounds, Rewarding, rewards_of
from weighbridge.types import Answer, Chunk, Example, Message, Passage, Prompt, Question

KNOWN = Example(id="k", question=Question("Where?"), answers=("in room 4",))
UNKNOWN = Example(id="u", question=Question("Why?"), answers=(), answerable=False)
TEXT = "The desk is in room 4 of the east wing."
PROMPT = Prompt(
    (Message("user", "Where?"),),
    (Passage(Chunk(id="c", document_id="d", text=TEXT, start=0, end=len(TEXT)), 1.0),),
)
SCHEMA = {"type": "object", "required": ["a"]}


class Exact:
    """1 for the first reference to the letter; it cannot tell where there is none."""

    name = "exact"

    def score(self, example: Example, answer: Answer) -> Score:
        if not example.answers:
            return Score(self.name, None, "no reference")
        return Score(self.name, float(answer.text == example.answers[0]))


@pytest.fixture
def rewarded(no_model) -> Callable[..., Rewarding]:
    def make(*names: Reward, marks: bool = True, **grounds: object) -> Rewarding:
        instructions = Instructions(system="", reads=marks, marks=marks)
        strategy = Composed(name="raft", model=no_model, instructions=instructions)
        return rewards_of(strategy, names, Grounds(metric=Exact(), **grounds))

    return make


@pytest.mark.parametrize(
    ("name", "example", "text", "value"),
    [
        ("accuracy", KNOWN, "in room 4 [1]", 1.0),
        ("accuracy", KNOWN, "in room 5", 0.0),
        ("accuracy", UNKNOWN, "in room 5", None),
        ("citation", KNOWN, "in room 4 [1]", 1.0),
        ("citation", KNOWN, "in room 5 [1]", 0.0),
        ("citation", KNOWN, ABSTENTION, 0.0),
        ("citation", UNKNOWN, "in room 4 [1]", None),
        ("json", KNOWN, '{"a": 1}', 1.0),
        ("json", KNOWN, '{"b": 1}', 0.0),
        ("json", KNOWN, '{"a": NaN}', 0.0),
        ("json", KNOWN, '```{"a": 1}```', 0.0),
        ("json", KNOWN, "[" * 100_000, 0.0),
        ("json", UNKNOWN, ABSTENTION, None),
        ("abstention", UNKNOWN, ABSTENTION, 1.0),
        ("abstention", UNKNOWN, "in room 4", 0.0),
        ("abstention", KNOWN, ABSTENTION, -1.0),
        ("abstention", KNOWN, "in room 4", 0.0),
    ],
)
def test_rewards(rewarded, name: Reward, example: Example, text: str, value: float | None):
    made = rewarded(name, schema=SCHEMA)
    assert made.each(example, PROMPT, text) == {name: value}
    assert made.total(example, PROMPT, text) == value


def test_json_needs_no_schema(rewarded):
    assert rewarded("json").total(KNOWN, PROMPT, "3") == 1.0


def test_a_schema_that_points_elsewhere_judges_nothing(rewarded):
    made = rewarded("json", schema={"$ref": "https://example.org/elsewhere.json"})
    assert made.total(KNOWN, PROMPT, "3") is None
    assert made.total(KNOWN, PROMPT, "three") == 0.0


def test_the_sum_of_those_that_apply_counts(rewarded):
    made = rewarded("accuracy", "citation", "abstention")
    assert made.total(KNOWN, PROMPT, "in room 4 [1]") == 2.0
    assert made.total(UNKNOWN, PROMPT, ABSTENTION) == 1.0


def test_a_reward_model_judges_the_whole_text(rewarded):
    asked: list[tuple[tuple[Message, ...], str]] = []

    def judge(prompt: tuple[Message, ...], answer: str) -> float:
        asked.append((prompt, answer))
        return 0.25

    assert rewarded("model", judge=judge).total(UNKNOWN, PROMPT, "in room 4 [1]") == 0.25
    assert asked == [(PROMPT.messages, "in room 4 [1]")]


def test_what_cannot_be_earned_is_refused(rewarded):
    with pytest.raises(TrainingError, match="citation cannot be earned by raft, which does not cite"):
        rewarded("citation", marks=False)
    with pytest.raises(TrainingError, match="model needs a reward model"):
        rewarded("model")


def test_rewards_are_told_from_each_other_by_what_they_go_by(rewarded: Callable[..., Rewarding]):
    def judge(*_: object) -> float:
        return 0.0

    keys = [
        rewarded("json").fingerprint,
        rewarded("json", "accuracy").fingerprint,
        rewarded("json", schema=SCHEMA).fingerprint,
        rewarded("model", judge=judge, judged_by="one").fingerprint,
        rewarded("model", judge=judge, judged_by="other").fingerprint,
    ]
    assert len(set(keys)) == len(keys)
    assert rewarded("json").fingerprint == keys[0]
