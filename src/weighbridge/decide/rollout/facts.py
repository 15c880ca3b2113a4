"""The measured facts of the strategy to roll out, in the form that tasks, gates and risks ask for them."""

from dataclasses import dataclass
from textwrap import shorten

from weighbridge.arms import base_of, find_arm, strategy_of, words_about
from weighbridge.decide.limits import FLOOR, broken_limits
from weighbridge.decide.rollout.rollout_plan import Basis
from weighbridge.errors import DataError, UserError
from weighbridge.figures import figure_kind
from weighbridge.formatting import NB, figure, join_words, money_scale, percentage, seconds
from weighbridge.results import Decision, Estimate, Measurement, Measurements, Verdict
from weighbridge.settings.schema import Settings

FEW_EXAMPLES = 500
"""Fewer training examples than this count as few: published scales put 100 to 500 at 2 of 5 points."""
WANTED_REACH = 0.1
"""The interval of accuracy that gates need: 10 points to each side. A wider one passes nearly everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFacts:
    """Everything saved about one strategy, and the strategy to fall back on."""

    taken: Measurements
    decision: Decision | None
    settings: Settings
    chosen: Measurement
    by_you: bool
    """Whether the user named the strategy."""

    @property
    def arm(self) -> str:
        """The name of the strategy."""
        return self.chosen.strategy

    @property
    def reads(self) -> bool:
        """Whether it reads passages."""
        return "recall" in self.chosen.figures or self.chosen.cites or strategy_of(self.arm) in {"rag", "raft"}

    @property
    def trains(self) -> bool:
        """Whether it has an adapter of its own."""
        usage = self.chosen.usage
        return strategy_of(self.arm) in {"fine-tuned", "raft"} or bool(
            usage and (usage.training_seconds or usage.training_paid)
        )

    @property
    def demonstrates(self) -> bool:
        """Whether it shows worked examples in its prompt."""
        return strategy_of(self.arm) == "few-shot"

    @property
    def is_settled(self) -> bool:
        """Whether the decision recommends this strategy, or the user took it in spite of the decision."""
        return self.by_you or (self.decision is not None and self.decision.recommended == self.arm)

    @property
    def is_hosted(self) -> bool:
        """Whether the model runs at an endpoint of others."""
        return not self.chosen.offline

    @property
    def model(self) -> str:
        """The base model in words."""
        told = words_about(base_of(self.arm), self.taken.settings.get("model", ""))
        return told or self.settings.model.reference

    @property
    def currency(self) -> str:
        """The currency of the costs."""
        return self.chosen.cost.currency if self.chosen.cost else self.settings.prices.currency

    @property
    def limits_broken(self) -> tuple[str, ...]:
        """The limits that the strategy breaks, as sentences: by the decision, or by the needs where it says nothing."""
        if verdict := self._verdict(self.arm):
            return verdict.broken_limits
        return tuple(limit.sentence for limit in broken_limits(self.chosen, self.settings.needs.limits))

    @property
    def fallback(self) -> Measurement | None:
        """The best other strategy by the decision that keeps every limit, and is right on half of the questions."""
        others = {one.strategy: one for one in self.taken.measurements if one.strategy != self.arm}
        for verdict in self.decision.verdicts if self.decision else ():
            other = others.get(verdict.strategy)
            if other and not verdict.broken_limits and _accuracy(other) >= FLOOR:
                return other
        return None

    def estimate(self, name: str) -> Estimate | None:
        """Return a figure of the strategy; None where it was not taken."""
        return self.chosen.figures.get(name)

    def count(self, *outcomes: str) -> int:
        """Return how many answers fell into these classes, each "<retrieval>/<outcome>"."""
        return sum(self.chosen.outcomes.get(outcome, 0) for outcome in outcomes)

    def figure_basis(self, name: str) -> Basis:
        """Return a figure as the origin of a task, its interval included; it says so where it was not measured."""
        kind, estimate = figure_kind(name), self.estimate(name)
        written = figure(kind, estimate, self.currency) if estimate else "not measured"
        return Basis(figure=f"measurements.{self.arm}.figures.{name}", words=f"{kind.label}: {written}")

    def outcome_basis(self, *outcomes: str) -> Basis:
        """Return classes of answers as the origin of a task: the number of answers in them, and their share."""
        seen = [outcome for outcome in outcomes if self.chosen.outcomes.get(outcome)]
        answered = sum(self.chosen.outcomes.values())
        words = f"{join_words(seen)}: {share_of(self.count(*seen), answered)} answers"
        return Basis(figure=f"measurements.{self.arm}.outcomes.{seen[0] if seen else outcomes[0]}", words=words)

    def indexing_basis(self) -> Basis:
        """Return the seconds of one indexing as the origin of a task."""
        usage = self.chosen.usage
        if usage and usage.indexing_seconds:
            words = f"one indexing: {seconds(usage.indexing_seconds)}"
            return Basis(figure=f"measurements.{self.arm}.usage.indexing_seconds", words=words)
        return self.figure_basis("setup")

    def training_basis(self) -> Basis:
        """Return the seconds of one training as the origin of a task, or the money paid for one."""
        usage = self.chosen.usage
        if usage and usage.training_paid:
            words = f"one training: {money_scale(usage.training_paid, self.currency).write(usage.training_paid)}"
            return Basis(figure=f"measurements.{self.arm}.usage.training_paid", words=words)
        if usage and usage.training_seconds:
            words = f"one training: {seconds(usage.training_seconds)}"
            return Basis(figure=f"measurements.{self.arm}.usage.training_seconds", words=words)
        return self.figure_basis("setup")

    def _verdict(self, strategy: str) -> Verdict | None:
        verdicts = self.decision.verdicts if self.decision else ()
        return next((verdict for verdict in verdicts if verdict.strategy == strategy), None)


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun."""
    return f"{number:,}{NB}{noun if number == 1 else plural or noun + 's'}"


def shorten_text(text: str, limit: int) -> str:
    """Return a text from a file on one line, cut at a word."""
    return shorten(text, limit, placeholder=" \N{HORIZONTAL ELLIPSIS}")


def share_of(part: int, whole: int) -> str:
    """Return a part of a whole: ``7 of 48 (15 %)`` without the brackets where the whole is empty."""
    percent = f" ({percentage(part / whole)})" if whole else ""
    return f"{part:,}{NB}of{NB}{whole:,}{percent}"


def choose_facts(
    taken: Measurements, decision: Decision | None, settings: Settings, *, strategy: str = ""
) -> RolloutFacts:
    """Return the facts of the strategy that the user names, or else of the one that the decision comes nearest to.

    That is the recommended one, or the first contender, or the first verdict, or the one right most often.

    Raises:
        DataError: nothing was measured, or not this strategy.
    """
    measured = {one.strategy: one for one in taken.measurements}
    if not measured:
        raise DataError("there are no measurements to plan from; run: weighbridge compare")
    if strategy:
        try:
            unknown = f"'{strategy}' was not measured; measured are {join_words(list(measured))}"
            strategy = find_arm(strategy, list(measured), unknown=unknown)
        except UserError as error:
            raise DataError(f"--strategy: {error}") from None
    by_accuracy = sorted(measured, key=lambda name: (-_accuracy(measured[name]), name))
    nearest = [strategy]
    if decision is not None:
        nearest += [decision.recommended or "", *decision.contenders]
        nearest += [verdict.strategy for verdict in decision.verdicts]
    name = next(one for one in (*nearest, *by_accuracy) if one in measured)
    own = settings.for_arm(name)  # what is rolled out runs on one base model
    return RolloutFacts(taken=taken, decision=decision, settings=own, chosen=measured[name], by_you=bool(strategy))


def _accuracy(measurement: Measurement) -> float:
    accuracy = measurement.figures.get("accuracy")
    return accuracy.value if accuracy else 0.0
