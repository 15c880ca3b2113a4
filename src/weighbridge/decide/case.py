"""The measurements, limits, leads and doubt that a decision rests on, for the sentences that explain it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.decide.leads import Lead
from weighbridge.decide.limits import Broken
from weighbridge.decide.more_questions import QuestionsNeeded
from weighbridge.decide.points import Ranking
from weighbridge.results import Comparison, Estimate, Measurement
from weighbridge.settings.needs import Needs
from weighbridge.verdicts import FrontPlace, StakeholderAgreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Measurements by strategy, the limits each breaks, the ranking of those that break none, and the first's leads."""

    by_name: Mapping[str, Measurement]
    broken: Mapping[str, Sequence[Broken]]
    ranking: Ranking
    leads: tuple[Lead, ...]
    comparisons: tuple[Comparison, ...]
    needs: Needs
    needed: QuestionsNeeded
    """Questions that would settle the uncertain leads."""
    equals: tuple[str, ...]
    """The first and those that are equal to it for practical purposes, the cheapest first; empty where a lead that may
    be chance may also be large."""
    front: tuple[FrontPlace, ...]
    agreement: StakeholderAgreement | None

    @property
    def margin(self) -> float:
        """Leads that are certainly smaller than this share of all points count as equal."""
        return self.needs.indifference / 100

    @property
    def subject(self) -> Measurement:
        """The strategy that the sentences speak of: the cheapest of the equals, or the first in the ranking."""
        return self.by_name[self.equals[0]] if self.equals else self.first

    @property
    def rival(self) -> Measurement | None:
        """The next after the subject in the ranking; None where there is no other."""
        rest = (row.strategy for row in self.ranking.rows if row.strategy != self.subject.strategy)
        return next((self.by_name[name] for name in rest), None)

    @property
    def first(self) -> Measurement:
        """The first in the ranking."""
        return self.by_name[self.ranking.rows[0].strategy]

    @property
    def others(self) -> tuple[Measurement, ...]:
        """The others that keep every limit, in the order of the ranking."""
        return tuple(self.by_name[ranked.strategy] for ranked in self.ranking.rows[1:])

    @property
    def unsure(self) -> tuple[Lead, ...]:
        """The leads that may be chance and large; none where the strategies are equal for practical purposes."""
        return () if self.equals else tuple(lead for lead in self.leads if not lead.certain)

    @property
    def currency(self) -> str:
        """The currency of all costs."""
        return next((m.cost.currency for m in self.by_name.values() if m.cost), "USD")

    def figure(self, strategy: str, name: str) -> Estimate | None:
        """Return a strategy's figure; None where it was not taken."""
        return self.by_name[strategy].figures.get(name)
