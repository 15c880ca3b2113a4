"""Rewards of answers: rules that check them, and a reward model.

A reward that does not apply to an answer is None, never 0: a citation asked of a question that cannot be answered. The
sum of those that apply counts.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.answer.composed import Composed
from weighbridge.errors import TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Metric
from weighbridge.settings.training import Reward
from weighbridge.types import Answer, Completion, Example, Finish, Message, Prompt, Timing, Usage

Rule = Callable[[Example, Answer], float | None]
"""Rewards one answer to one example; None where it does not apply."""

Judge = Callable[[tuple[Message, ...], str], float]
"""A reward model: how good this answer to these messages is, without a scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """The parts that rewards are computed from."""

    metric: Metric
    """The metric behind `accuracy` for this task."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema of the reward `json`."""
    judge: Judge | None = None
    """The reward model behind `model`."""
    judged_by: str = ""
    """Fingerprint of the reward model's files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewarding:
    """How the answers of one strategy are rewarded."""

    strategy: Composed
    rules: Mapping[Reward, Rule]
    fingerprint: str = ""
    """Fingerprint of the inputs of the rules, because functions themselves have none."""

    def each(
        self, example: Example, prompt: Prompt, text: str, finish: Finish = "stop"
    ) -> Mapping[Reward, float | None]:
        """Return every reward of a text that the model wrote to a prompt of this strategy."""
        said = Completion(text=text, usage=Usage(), finish=finish)
        answer = self.strategy.read_completion(prompt, said, Timing())
        return {name: rule(example, answer) for name, rule in self.rules.items()}

    def total(self, example: Example, prompt: Prompt, text: str, finish: Finish = "stop") -> float | None:
        """Return the sum of the rewards that apply; None where none does."""
        applying = [value for value in self.each(example, prompt, text, finish).values() if value is not None]
        return sum(applying) if applying else None


def rewards_of(strategy: Composed, names: Sequence[Reward], grounds: Grounds) -> Rewarding:
    """Return how a strategy is rewarded by `training.preference.rewards`.

    Raises:
        TrainingError: a reward is asked for that this strategy cannot earn, or that there is no model for.
    """
    if "citation" in names and not strategy.instructions.marks:
        raise TrainingError(
            f"training.preference.rewards: citation cannot be earned by {strategy.name}, which does not cite; train "
            "raft on an answer task, or take citation out"
        )
    return Rewarding(
        strategy=strategy,
        rules={name: _RULES[name](grounds) for name in names},
        fingerprint=fingerprint(list(names), grounds.metric.name, grounds.schema, grounds.judged_by),
    )


def by_metric(metric: Metric) -> Rule:
    """Return the reward of a metric: its score."""

    def rule(example: Example, answer: Answer) -> float | None:
        return metric.score(example, answer).value

    return rule


def citation_reward(example: Example, answer: Answer) -> float | None:
    """Return 1 where the answer stands verbatim in a passage it was shown, else 0; None where none can be expected."""
    return float(bool(answer.citations)) if example.answerable else None


def by_schema(schema: Mapping[str, Any] | None) -> Rule:
    """Return the reward of valid JSON: 1 where the answer is JSON by RFC 8259 and satisfies the schema, else 0."""

    def rule(example: Example, answer: Answer) -> float | None:
        valid = _satisfies(answer.text, schema) if example.answerable else None
        return None if valid is None else float(valid)

    return rule


def rightly_abstained(example: Example, answer: Answer) -> float | None:
    """Return 1 for abstaining where the question cannot be answered, -1 where it can, and 0 for any answer."""
    if not answer.abstained:
        return 0.0
    return -1.0 if example.answerable else 1.0


def by_judge(judge: Judge) -> Rule:
    """Return the reward of a reward model."""

    def rule(_: Example, answer: Answer) -> float | None:
        return judge(answer.prompt.messages, answer.raw)

    return rule


def _satisfies(text: str, schema: Mapping[str, Any] | None) -> bool | None:
    """Tell whether a text is JSON that satisfies a schema; None if the schema has an unresolved reference."""
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return False
    if schema is None:
        return True
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        return bool(validator_for(schema)(schema, registry=Registry()).is_valid(value))
    except Unresolvable:
        return None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _by_judge(grounds: Grounds) -> Rule:
    if grounds.judge is None:
        raise TrainingError("training.preference.rewards: model needs a reward model, and none was trained")
    return by_judge(grounds.judge)


_RULES: Mapping[Reward, Callable[[Grounds], Rule]] = {
    "accuracy": lambda grounds: by_metric(grounds.metric),
    "citation": lambda _: citation_reward,
    "json": lambda grounds: by_schema(grounds.schema),
    "abstention": lambda _: rightly_abstained,
    "model": _by_judge,
}
