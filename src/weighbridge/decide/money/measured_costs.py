"""The costs of measured arms: what was measured, times the prices, plus people and upkeep as the settings say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from weighbridge.arms import base_of, bases_of, strategy_of
from weighbridge.decide.money.ledger import (
    DAYS_A_MONTH,
    SECONDS_AN_HOUR,
    ArmPlan,
    Band,
    Basis,
    CostInput,
    CostLine,
    MachineLine,
    around,
    exact,
)
from weighbridge.decide.money.ownership import MoneyCase
from weighbridge.decide.money.price_book import HostedModel, PriceBook
from weighbridge.decide.money.uncertainty import Trials
from weighbridge.errors import DataError
from weighbridge.formatting import join_words
from weighbridge.results import Estimate, Measurement
from weighbridge.settings.schema import Settings

SET_UP, UPKEEP = "people, set-up", "people, upkeep"
TOKENS_IN, TOKENS_OUT = "tokens in", "tokens out"
INDEXING, TRAINING, STORAGE, DATABASE, MIGRATION = "indexing", "training", "storage", "vector database", "migration"
_HOURS = {
    "setup": "hours to set up the service",
    "monthly": "hours a month for the service",
    "retrieval_setup": "hours to set up the search",
    "retrieval_monthly": "hours a month for the search",
    "reindexing": "hours for an indexing",
    "tuning_setup": "hours to set up the training",
    "tuning_monthly": "hours a month for a tuned model",
    "retraining": "hours for a training",
    "labelling": "hours to label examples",
    "migration": "hours to move to another model",
}
"""The settings of `ownership.hours`, as reports name them."""
_GIB = 2.0**30
_MILLION = 1e-6
_ENDPOINT = "openai:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """Everything beside measurements that decides a total cost."""

    settings: Settings
    book: PriceBook
    start: date
    """The first day. Sunset dates are counted from it."""

    def for_arm(self, arm: str) -> "Pricing":
        """Return the pricing with the settings of an arm's base model."""
        return replace(self, settings=self.settings.for_arm(arm))

    @property
    def rate(self) -> float:
        """Units of the settings' currency for one of the price book's."""
        return self.book.units_of(self.settings.prices.currency)

    @property
    def months(self) -> int:
        """Months to pay for, at least one."""
        return max(1, round(self.settings.ownership.years * 12))

    @property
    def hosted_model(self) -> HostedModel | None:
        """The hosted model that answers, if the price book has it; None where the model runs on a machine of yours."""
        if self.settings.model.engine != "openai":
            return None
        return self.book.hosted.get(self.hosted_name)

    @property
    def hosted_name(self) -> str:
        """The name of the model at its provider; of a tuned one, that of its base: ft:gpt-4o:mine:1 is ft:gpt-4o."""
        name = self.settings.model.reference.removeprefix(_ENDPOINT)
        found = [known for known in self.book.hosted if name == known or name.startswith((f"{known}-2", f"{known}:"))]
        return max(found, key=len, default=name)


def money_case(measurements: Sequence[Measurement], pricing: Pricing) -> MoneyCase:
    """Return the case of measured arms: inputs, lines and notes, all in the currency of the settings.

    An arm that was measured by an earlier release, or has no price for its answers, is left out with a note.

    Raises:
        SettingsError: the currency of the settings has no rate in the price book.
        DataError: no arm can be priced.
    """
    missing = {
        measurement.strategy: _unpriced_reason(measurement, pricing.for_arm(measurement.strategy))
        for measurement in measurements
    }
    priced = [measurement for measurement in measurements if not missing[measurement.strategy]]
    left_out = []
    for reason in dict.fromkeys(reason for reason in missing.values() if reason):
        names = [name for name, why in missing.items() if why == reason]
        left_out.append(f"Not priced: {join_words(names)}, because {reason}.")
    if not priced:
        raise DataError(" ".join(left_out) or "there is no measurement to price; run: weighbridge compare")
    inputs = dict(_shared_inputs(pricing))
    plans = []
    for base in bases_of(measurement.strategy for measurement in priced):
        own = [measurement for measurement in priced if base_of(measurement.strategy) == base]
        inputs |= _token_prices(pricing.for_arm(own[0].strategy), base)
        smallest = min(_gib(measurement).likely for measurement in own)
        for measurement in own:
            inputs |= _arm_inputs(measurement, smallest)
            plans.append(_plan(measurement, pricing.for_arm(measurement.strategy)))
    ownership = pricing.settings.ownership
    return MoneyCase(
        currency=pricing.settings.prices.currency,
        inputs=inputs,
        plans=tuple(plans),
        accuracy={m.strategy: m.figures["accuracy"].value for m in priced if "accuracy" in m.figures},
        trials=Trials(draws=ownership.draws, seed=ownership.seed, months=pricing.months, discount=ownership.discount),
        notes=(*left_out, *_notes(priced, pricing)),
    )


def reads_documents(measurement: Measurement) -> bool:
    """Tell whether a strategy searches in documents, so that they are indexed and kept up to date for it."""
    used = measurement.usage
    return strategy_of(measurement.strategy) in ("rag", "raft") or bool(used and used.indexing_seconds)


def is_tuned(measurement: Measurement) -> bool:
    """Tell whether a strategy was trained."""
    used = measurement.usage
    return strategy_of(measurement.strategy) in ("fine-tuned", "raft") or bool(
        used and (used.training_seconds or used.training_paid)
    )


def _unpriced_reason(measurement: Measurement, pricing: Pricing) -> str:
    """Return why a measurement cannot be priced; empty where it can."""
    used, figures = measurement.usage, measurement.figures
    if used is None:
        return "an earlier release measured that; run weighbridge compare, which uses the stored answers again"
    if used.by_token:
        if "input_tokens" not in figures or "output_tokens" not in figures:
            return "the tokens were not counted"
        if pricing.settings.prices.input_per_million is None and pricing.hosted_model is None:
            return (
                f"neither weighbridge.yaml (prices.input_per_million) nor {pricing.book.place} has a price for "
                f"{pricing.settings.model.reference}"
            )
    elif used.seconds_per_answer is None:
        return "no answer was timed"
    return ""


def _shared_inputs(pricing: Pricing) -> Iterable[tuple[str, CostInput]]:
    """Yield the inputs that all arms share, in the currency of the settings."""
    settings, book, rate = pricing.settings, pricing.book, pricing.rate
    own, needs, spread = settings.ownership, settings.needs, settings.ownership.spread

    def assume(name: str, label: str, unit: str, band: Band) -> tuple[str, CostInput]:
        return name, CostInput(label=label, unit=unit, band=band, basis="settings")

    def price(name: str, label: str, unit: str, amount: float) -> tuple[str, CostInput]:
        band = around(amount * rate, spread.prices)
        return name, CostInput(label=label, unit=unit, band=band, basis="price book")

    yield assume("volume", "answers a month", "answers", around(needs.answers_per_month, spread.volume))
    yield assume("growth", "growth of the volume", "a year", around(own.growth, spread.volume))
    utilisation = around(own.utilisation, spread.utilisation)
    utilisation = Band(utilisation.low, utilisation.likely, min(1.0, utilisation.high))
    yield assume("utilisation", "utilisation of machines", "share", utilisation)
    yield assume("idle_floor", "share of waiting hours that is paid", "share", exact(own.idle_floor))
    hour = around(settings.prices.machine_per_hour, spread.prices)
    yield assume("machine", "the machine", "money an hour", hour)
    yield assume("cached", "cached share of prompts", "share", exact(own.cached))
    yield assume("uncached", "uncached share of prompts", "share", exact(1 - own.cached))
    for name, days in (("reindexings", own.reindex_days), ("retrainings", own.retrain_days)):
        band = around(DAYS_A_MONTH / days if days else 0.0, spread.upkeep)
        yield assume(name, f"{name} a month", "a month", band)
    for name, label in _HOURS.items():
        yield assume(f"hours.{name}", label, "hours", around(getattr(own.hours, name), spread.hours))
    for role, wage in book.people.items():
        yield price(f"wage.{role}", f"an hour of the {role.replace('_', ' ')}", "money an hour", wage.per_hour)
    yield price("storage", "storage", "money a GiB and month", book.storage.per_gib_month)
    yield price("database", "vector database", "money a month", book.vector_database.per_month)
    yield price("database.gib", "vector database", "money a GiB and month", book.vector_database.per_gib_month)


def _token_prices(pricing: Pricing, model: str) -> dict[str, CostInput]:
    """Return the prices of tokens of a base model at its endpoint: those of the settings, else those of the price book.

    The settings have one price for all arms. The price book may have another one for a tuned model: `ft:` and its base.
    """
    prices, spread = pricing.settings.prices, pricing.settings.ownership.spread.prices
    own = (prices.input_per_million, prices.output_per_million)
    base, words = pricing.hosted_model, ("tokens in", "tokens out", "cached tokens in")
    tuned = pricing.book.hosted.get(f"ft:{pricing.hosted_name}", base)
    found = {}
    of = f"{model}: " if model else ""
    for name, hosted, label in (("price", base, of), ("tuned", tuned, f"{of}tuned model: ")):
        listed = (hosted.input, hosted.output) if hosted else (0.0, 0.0)
        basis: Basis = "settings" if own[0] is not None else "price book"
        read, written = (
            given if given is not None else amount * pricing.rate for given, amount in zip(own, listed, strict=True)
        )
        # The settings have no price of cached tokens: they get the same rebate that the book gives on its own price.
        share = hosted.cached / hosted.input if hosted and hosted.cached is not None and hosted.input else 1.0
        for key, word, amount in zip(("in", "out", "cached"), words, (read, written, read * share), strict=True):
            band = around(amount, spread)
            given = CostInput(label=f"{label}{word}", unit="money a million", band=band, basis=basis)
            found[f"{_at_base(name, model)}.{key}"] = given
    return found


def _at_base(name: str, model: str) -> str:
    """Return the name of an input of one base model."""
    return f"{name}@{model}" if model else name


def _arm_inputs(measurement: Measurement, smallest: float) -> dict[str, CostInput]:
    """Return the inputs that were measured for one arm. `smallest` is the least disk of all on its model, in GiB."""
    name, used, figures = measurement.strategy, measurement.usage, measurement.figures
    if used is None:  # `_unpriced_reason` has left such an arm out
        return {}
    bands = {
        "seconds": ("seconds of an answer", "seconds", _interval(used.seconds_per_answer)),
        "input_tokens": ("tokens in of an answer", "tokens", _interval(figures.get("input_tokens"))),
        "output_tokens": ("tokens out of an answer", "tokens", _interval(figures.get("output_tokens"))),
        "indexing_seconds": ("one indexing", "seconds", exact(used.indexing_seconds)),
        "training_seconds": ("one training", "seconds", exact(used.training_seconds)),
        "training_paid": ("one training at the endpoint", "money", exact(used.training_paid)),
        "gib": ("files", "GiB", _gib(measurement)),
        "index_gib": ("index", "GiB", exact(max(0.0, _gib(measurement).likely - smallest))),
    }
    return {
        f"{name}.{key}": CostInput(label=f"{name}: {label}", unit=unit, band=band, basis="measured")
        for key, (label, unit, band) in bands.items()
    }


def _interval(estimate: Estimate | None) -> Band:
    if estimate is None:
        return exact(0.0)
    low, high = min(estimate.low, estimate.value), max(estimate.high, estimate.value)
    return Band(max(0.0, low), max(0.0, estimate.value), max(0.0, high))


def _gib(measurement: Measurement) -> Band:
    disk = measurement.figures.get("disk")
    return exact(disk.value / _GIB if disk else 0.0)


def _plan(measurement: Measurement, pricing: Pricing) -> ArmPlan:
    """Return the lines of one measured arm."""
    name, used = measurement.strategy, measurement.usage
    by_token = bool(used and used.by_token)
    reads, tuned = reads_documents(measurement), is_tuned(measurement)
    lines = [*people_lines(reads=reads, tuned=tuned)]
    if by_token:
        lines += token_lines(name, _at_base("tuned" if tuned else "price", base_of(name)))
    lines += _upkeep_lines(name, reads=reads, tuned=tuned)
    lines.append(CostLine(label=STORAGE, timing="month", factors=(f"{name}.gib", "storage")))
    if reads and pricing.settings.retrieval.store != "faiss":
        lines.append(CostLine(label=DATABASE, timing="month", factors=("database",)))
        lines.append(CostLine(label=DATABASE, timing="month", factors=(f"{name}.index_gib", "database.gib")))
    if by_token:
        lines += _migration_lines(name, pricing, tuned=tuned)
    return ArmPlan(name=name, lines=tuple(lines), machine=None if by_token else machine_line(f"{name}.seconds"))


def machine_line(seconds: str, price: str = "machine") -> MachineLine:
    """Return the machines that answer, `seconds` and `price` being names of inputs."""
    return MachineLine(price=price, seconds=seconds, utilisation="utilisation", idle_floor="idle_floor")


def people_lines(*, reads: bool, tuned: bool) -> Iterable[CostLine]:
    """Yield the hours of people, for the service itself, for search and for tuning."""

    def line(label: str, hours: str, role: str, often: str = "") -> CostLine:
        factors = (f"hours.{hours}", f"wage.{role}", *((often,) if often else ()))
        return CostLine(label=label, timing="once" if label == SET_UP else "month", factors=factors)

    yield line(SET_UP, "setup", "engineer")
    yield line(UPKEEP, "monthly", "engineer")
    if reads:
        yield line(SET_UP, "retrieval_setup", "engineer")
        yield line(UPKEEP, "retrieval_monthly", "engineer")
        yield line(UPKEEP, "reindexing", "engineer", "reindexings")
    if tuned:
        yield line(SET_UP, "tuning_setup", "ml_engineer")
        yield line(SET_UP, "labelling", "expert")
        yield line(UPKEEP, "tuning_monthly", "ml_engineer")
        yield line(UPKEEP, "retraining", "ml_engineer", "retrainings")


def token_lines(tokens: str, price: str) -> Iterable[CostLine]:
    """Yield the tokens of an answer, from the measured ones of arm `tokens`, at the prices `price`.in and so on."""
    parts = (
        (TOKENS_IN, f"{tokens}.input_tokens", "uncached", f"{price}.in"),
        (TOKENS_IN, f"{tokens}.input_tokens", "cached", f"{price}.cached"),
        (TOKENS_OUT, f"{tokens}.output_tokens", f"{price}.out"),
    )
    for label, *factors in parts:
        yield CostLine(label=label, timing="answer", factors=tuple(factors), scale=_MILLION)


def _upkeep_lines(name: str, *, reads: bool, tuned: bool) -> Iterable[CostLine]:
    """Yield the machine hours of indexing and training, at first and again and again."""
    for wanted, label, seconds, often in (
        (reads, INDEXING, f"{name}.indexing_seconds", "reindexings"),
        (tuned, TRAINING, f"{name}.training_seconds", "retrainings"),
    ):
        if wanted:
            factors, scale = (seconds, "machine"), 1 / SECONDS_AN_HOUR
            yield CostLine(label=label, timing="once", factors=factors, scale=scale)
            yield CostLine(label=label, timing="month", factors=(*factors, often), scale=scale)
    if tuned:
        yield CostLine(label=TRAINING, timing="once", factors=(f"{name}.training_paid",))
        yield CostLine(label=TRAINING, timing="month", factors=(f"{name}.training_paid", "retrainings"))


def _migration_lines(name: str, pricing: Pricing, *, tuned: bool) -> Iterable[CostLine]:
    """Yield the move to another model, at the end of the month in which the present one is switched off."""
    month = migration_month(pricing, tuned=tuned)
    if month is None:
        return
    yield CostLine(label=MIGRATION, timing="once", factors=("hours.migration", "wage.engineer"), month=month)
    if tuned:
        yield CostLine(label=MIGRATION, timing="once", factors=("hours.tuning_setup", "wage.ml_engineer"), month=month)
        yield CostLine(label=MIGRATION, timing="once", factors=(f"{name}.training_paid",), month=month)


def migration_month(pricing: Pricing, *, tuned: bool) -> int | None:
    """Return the month after whose end the arm runs on another model; None if it need not move within the time.

    A tuned arm that is trained again and again must move as soon as its provider takes no more trainings.
    """
    last = sunset(pricing, tuned=tuned)
    if last is None:
        return None
    days = max(0, (last - pricing.start).days)
    month = 1 + int(days / DAYS_A_MONTH)
    return month if month <= pricing.months else None


def sunset(pricing: Pricing, *, tuned: bool) -> date | None:
    """Return the day on which the present hosted model is no use any more; None where none is announced."""
    book, name = pricing.book, pricing.hosted_name
    hosted = pricing.hosted_model
    if tuned:
        hosted = book.hosted.get(f"ft:{name}", hosted)
    if hosted is None:
        return None
    days = [hosted.retires]
    if tuned and pricing.settings.ownership.retrain_days:
        days.append(hosted.no_training_from)
    return min((day for day in days if day), default=None)


def _sunset_notes(priced: Sequence[Measurement], pricing: Pricing) -> Iterable[str]:
    """Yield the moves to another model that the totals pay for."""
    for base in bases_of(measurement.strategy for measurement in priced):
        for tuned in (False, True):
            measured = [m for m in priced if base_of(m.strategy) == base and is_tuned(m) == tuned]
            if not measured:
                continue
            own = pricing.for_arm(measured[0].strategy)
            month, last = migration_month(own, tuned=tuned), sunset(own, tuned=tuned)
            if month is not None and last:
                names = join_words([m.strategy for m in measured])
                yield (
                    f"{own.hosted_name} serves {names} until {last.isoformat()}: the move to another model is paid "
                    f"in month {month}, and its tokens are priced as before."
                )


def _notes(priced: Sequence[Measurement], pricing: Pricing) -> Iterable[str]:
    """Yield what the totals take for granted."""
    own = pricing.settings.ownership
    if any(measurement.usage and measurement.usage.by_token for measurement in priced):
        yield "The machine that asks the endpoint and searches is not counted."
        yield from _sunset_notes(priced, pricing)
    else:
        yield (
            f"A machine is busy for at most {own.utilisation:.0%} of its time, and {own.idle_floor:.0%} of its waiting "
            "hours are paid."
        )
    if any(map(reads_documents, priced)) and own.reindex_days:
        yield f"All documents are indexed every {own.reindex_days:g} days; an update of the changed ones costs less."
    if any(map(is_tuned, priced)) and own.retrain_days:
        yield f"A tuned model is trained again every {own.retrain_days:g} days."
    yield f"Hours of people and prices of {pricing.book.place} marked {'assumption'!r} are guesses to be edited."
