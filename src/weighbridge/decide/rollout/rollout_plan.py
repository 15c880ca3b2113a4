"""The nouns of a roll-out plan. Each task, gate, risk and target names the measured figure that it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

Role = Literal["product owner", "engineer", "ML engineer", "domain expert", "operations", "security"]
Level = Literal["low", "medium", "high"]
Direction = Literal["at least", "at most"]
GateUnit = Literal["share", "points", "seconds", "bytes", "money", "count", "days"]
Hazard = Literal["data quality", "integration", "drift", "compliance", "provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The origin of a task, gate, risk or target."""

    figure: str
    """Its place in the saved files, as a path: `measurements.rag.outcomes.missed/wrong`, `needs.limits.offline`."""
    words: str
    """The figure in words, with its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutTask:
    """One piece of work, on the work days from `start` to `end`, both included."""

    key: str
    """The same for the same work in every plan of a workspace; calendars know it by this."""
    title: str
    detail: str
    """Instructions, with the command to run where there is one."""
    phase: int
    """1 to 6."""
    role: Role
    hours: float
    basis: Basis
    start: date
    end: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A figure that must reach its threshold before a phase begins (entry), or ends (exit)."""

    kind: Literal["entry", "exit"]
    label: str
    unit: GateUnit
    direction: Direction
    threshold: float
    measured: float | None
    """The figure now; None if it has not been measured."""
    basis: Basis
    """The origin of the threshold: a limit of the user, or a measured figure with its interval."""

    @property
    def is_open(self) -> bool:
        """Whether the figure of now already reaches the threshold."""
        if self.measured is None:
            return False
        return self.measured >= self.threshold if self.direction == "at least" else self.measured <= self.threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """Two weeks of the plan, longer where its work does not fit; `tasks` in the order of their start."""

    number: int
    title: str
    weeks: tuple[int, int]
    """The first and the last week of the plan, by number."""
    start: date
    end: date
    """The first and the last work day."""
    tasks: tuple[RolloutTask, ...]
    entry: tuple[Gate, ...]
    exit: tuple[Gate, ...]
    hours: Mapping[Role, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Something that may go wrong, how likely, by the measured facts, and the answer to it."""

    hazard: Hazard
    title: str
    likelihood: Level
    impact: Level
    why: str
    """The facts behind likelihood and impact."""
    sign: str
    """The sign to watch."""
    answer: str
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A figure to watch in operation, with its target, and the value that raises an alarm."""

    name: str
    """`accuracy`, `latency_p95`, `cost_per_answer`, `needless_abstention`, `satisfaction` or `time_to_market`."""
    label: str
    unit: GateUnit
    direction: Direction
    target: float
    alarm: float
    """A value beyond it in operation starts the rollback; never better than the target."""
    measured: float | None
    currency: str
    """For money; else empty."""
    how: str
    """How and how often to measure it in operation."""
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """The way back: to which state, on which signals, by which steps."""

    to: str
    signals: tuple[str, ...]
    steps: tuple[str, ...]
    basis: Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPlan:
    """The roll-out of one strategy over twelve weeks in six phases, and the review after 90 days."""

    name: str
    """The workload."""
    strategy: str
    chosen_by: Literal["decision", "you", "nobody"]
    """`nobody`: the decision recommends none, and the plan prepares the strategy that comes nearest."""
    headline: str
    made_on: date
    start: date
    end: date
    """The last work day of the last phase."""
    review: date
    """The review of all targets: the 90th day, or the work day after it; later if the plan lasts longer."""
    working_days: tuple[int, ...]
    """0 is Monday."""
    holidays: tuple[date, ...]
    """Those that fall on a working day of the plan."""
    notes: tuple[str, ...]
    """Remarks on the calendar and the people, as sentences."""
    phases: tuple[Phase, ...]
    hours: Mapping[Role, float]
    risks: tuple[Risk, ...]
    rollback: Rollback
    kpis: tuple[Kpi, ...]

    @property
    def tasks(self) -> tuple[RolloutTask, ...]:
        """The tasks of all phases, in their order."""
        return tuple(task for phase in self.phases for task in phase.tasks)

    @property
    def total_hours(self) -> float:
        """The hours of everybody."""
        return sum(self.hours.values())
