"""Prices the measured strategies of a workspace over years, or arms that are given by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from weighbridge.decide.money.measured_costs import Pricing, money_case
from weighbridge.decide.money.other_ways import alternative_model, with_other_ways
from weighbridge.decide.money.ownership import Ownership, ownership
from weighbridge.decide.money.scenario import SAMPLE, read_scenario
from weighbridge.errors import SettingsError, UserError
from weighbridge.evaluate.weighing import load_measurements
from weighbridge.results import Measurement
from weighbridge.settings.file import load_settings, setting_line
from weighbridge.settings.money import MOST_YEARS, volume_problem
from weighbridge.settings.needs import MOST_ANSWERS
from weighbridge.settings.schema import Settings
from weighbridge.workflow.prices import load_price_book
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class CostQuestion:
    """What to change before pricing. None: as in the files."""

    years: float | None = None
    volume: float | None = None
    """Answers a month."""
    today: date
    """The first day, unless ownership.start names another."""


def price_workspace(workspace: Workspace, question: CostQuestion) -> Ownership:
    """Return the total cost of every measured strategy. Reads saved files only.

    Raises:
        SettingsError: a setting or a price is impossible; the message names file and line.
        UserError: nothing has been weighed here, or the volume or the years make no sense.
        DataError: nothing that was measured can be priced.
    """
    for name, given, most in (("volume", question.volume, MOST_ANSWERS), ("years", question.years, MOST_YEARS)):
        if given is not None and not 0 < given <= most:
            raise UserError(f"{name} must be more than 0 and at most {most:,}, not {given:g}")
    settings = load_settings(workspace.settings_file)
    if question.volume is not None:
        needs = settings.needs.model_copy(update={"answers_per_month": question.volume})
        settings = settings.model_copy(update={"needs": needs})
    if question.years is not None:
        own = settings.ownership.model_copy(update={"years": question.years})
        settings = settings.model_copy(update={"ownership": own})
    own = settings.ownership
    if problem := volume_problem(settings.needs.answers_per_month, own.growth, own.years):
        raise UserError(problem)
    taken = load_measurements(workspace)
    weighed = date.fromisoformat(taken.taken_at[:10])
    if own.start and date.fromisoformat(own.start) < weighed:  # not before today: the clock changes no result
        place = f"{workspace.settings_file}:{setting_line(workspace.settings_file, ('ownership', 'start'))}"
        raise SettingsError(
            f"{place}: ownership.start: {own.start} is before the comparison of {weighed}, and the prices of that time "
            "are not known; give that day or a later one, or leave it empty for today"
        )
    return price_measurements(taken.measurements, settings, workspace, question.today)


def price_measurements(
    measurements: Sequence[Measurement], settings: Settings, workspace: Workspace, today: date
) -> Ownership:
    """Return the total cost of measured strategies, by these settings and the price book of the workspace.

    Raises:
        SettingsError: a setting or a price is impossible; the message names file and line.
        DataError: nothing that was measured can be priced.
    """
    first = settings.ownership.start
    start = date.fromisoformat(first) if first else today
    pricing = Pricing(settings=settings, book=load_price_book(workspace), start=start)
    _check_prices(pricing, workspace.settings_file)
    return ownership(with_other_ways(money_case(measurements, pricing), measurements, pricing))


def _check_prices(pricing: Pricing, file: Path) -> None:
    """Refuse a currency or a hosted model that the price book does not have, with the line of the setting."""
    for keys, known in (
        (("prices", "currency"), lambda: pricing.rate),
        (("ownership", "alternative"), lambda: alternative_model(pricing)),
    ):
        try:
            known()
        except SettingsError as error:
            raise SettingsError(f"{file}:{setting_line(file, keys)}: {'.'.join(keys)}: {error}") from None


def price_scenario(file: Path, question: CostQuestion) -> Ownership:
    """Return the total cost of arms that a TOML file gives by hand.

    Raises:
        UserError: the file cannot be read.
        SettingsError: a value in it is missing or impossible; the message names the line.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UserError(f"{file}: there is no such file; write one like this:\n\n{SAMPLE}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read ({error})") from None
    return ownership(read_scenario(text, str(file), volume=question.volume, years=question.years))
