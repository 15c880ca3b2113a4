"""An adapter's verdict, its guards' figures in words, and their charts, for the page and the terminal."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from weighbridge import formatting as words
from weighbridge.adapters import AdapterCard, Guard
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, Scale, join_words
from weighbridge.report.charts.drawing import Axis, Reach, axis, difference_bar, whisker
from weighbridge.report.charts.scatter import Point, scatter
from weighbridge.report.safe_text import count_noun
from weighbridge.results import Estimate

_SHARE, _SECONDS = FIGURES["accuracy"], FIGURES["latency_p50"]
_WHOLE = Axis(0.0, 1.0, logarithmic=False, ticks=())
_LEAST_REACH = 0.1
"""Differences are drawn on an axis that reaches at least so far both ways, or the smallest would look large."""
_SERIES = {"base": 0, "plain": 0, "merged": 0}
_TUNED = 2
_NOT_DRAWN = Markup()
_POINT = "score at "
_LABELS = {"doubling": "Score, with each doubling", "doubling, loss": "Loss, with each doubling"}
VERDICTS = {True: "passed", False: "failed", None: "no verdict"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureLine:
    """One figure of a guard: its name, its value with the interval in words, and both drawn (empty: not drawn)."""

    label: str
    words: str
    drawn: Markup = _NOT_DRAWN


@dataclass(frozen=True, slots=True)
class AdapterVerdict:
    """The verdict on an adapter, with its reasons."""

    text: str
    sure: str


def verdict(card: AdapterCard) -> AdapterVerdict:
    """Return whether an adapter is fit to be served, in a sentence, and how many checks that rests on."""
    parted = [parity.form for parity in card.differing_forms]
    others = [parity.form for parity in card.parity if not parity.ok and parity not in card.differing_forms]
    failed = [guard.name for guard in card.guards if guard.passed is False]
    if parted:
        text = f"Do not serve it: {join_words(parted)} {'says' if len(parted) == 1 else 'say'} something else."
    elif failed:
        text = f"It may be served, but {'a guard' if len(failed) == 1 else 'guards'} failed: {join_words(failed)}."
    elif not card.guards and not card.parity:
        text = "It answers at its endpoint; no check was run there." if card.hosted else "Nothing was checked yet."
    elif others:
        text = f"Served as it was trained; but it should not be exported as {join_words(others)}."
    else:
        text = "Served as it was trained."
    return AdapterVerdict(text, f"{_agreement_words(card)}; {_guard_counts(card)}.")


def figure_lines(guard: Guard) -> tuple[FigureLine, ...]:
    """Return the figures of a guard in their order."""
    return tuple(_line(name, estimate) for name, estimate in guard.figures.items())


def figure_share(estimate: Estimate) -> str:
    """Return a share with its interval."""
    return words.figure(_SHARE, estimate)


def share_drawn(estimate: Estimate) -> Markup:
    """Return a share and its interval as a line from 0 to 1."""
    return whisker(_reach(estimate), _WHOLE, _TUNED)


def curve_chart(guard: Guard) -> Markup | None:
    """Return the dev score over the number of training examples; None of a guard that has no such figures."""
    found = {int(name.removeprefix(_POINT)): e for name, e in guard.figures.items() if name.startswith(_POINT)}
    if not found:
        return None
    along = axis([Reach(size, size, size) for size in found], logarithmic_from=1.0)
    points = [
        Point(name=f"{size:,}", series=_TUNED, x=Reach(size, size, size), y=_reach(e))
        for size, e in sorted(found.items())
    ]
    ticks = [f"{tick:,.0f}" for tick in along.ticks]
    title = "Dev score by training examples"
    return scatter(points, title=title, x_label="training examples", ticks=ticks, along=along)


def recipe_rows(recipe: Mapping[str, object], before: str = "") -> Iterator[tuple[str, str]]:
    """Yield the settings of a recipe by their full names, those of inner sections too."""
    for key, value in recipe.items():
        if isinstance(value, Mapping):
            yield from recipe_rows(value, f"{before}{key}.")
        else:
            told = join_words([str(one) for one in value]) if isinstance(value, list | tuple) else str(value)
            yield f"{before}{key}", "none" if value is None else told or "none"


def relevant(card: AdapterCard) -> Iterator[tuple[str, str]]:
    """Yield the settings that an adapter was made by; of RAFT, preferences and endpoints only where they had a part."""
    preferred = card.recipe.get("preference")
    idle = {
        "raft": card.strategy != "raft",
        "preference": isinstance(preferred, Mapping) and preferred.get("method") == "none",
        "hosted": not card.hosted,
    }
    yield from recipe_rows({key: value for key, value in card.recipe.items() if not idle.get(key)})


def _agreement_words(card: AdapterCard) -> str:
    if not card.parity:
        return "No form of it was compared with the adapter"
    agree = sum(parity.ok for parity in card.parity)
    return f"{agree} of {count_noun(len(card.parity), 'form')} {'agrees' if agree == 1 else 'agree'} with the adapter"


def _guard_counts(card: AdapterCard) -> str:
    if not card.guards:
        return "no guard was run"
    passed, failed, without = (sum(guard.passed is value for guard in card.guards) for value in VERDICTS)
    told = [f"{passed} passed", f"{failed or 'none'} failed", *([f"{without} gave no verdict"] if without else [])]
    return f"of {count_noun(len(card.guards), 'guard')} {join_words(told)}"


def _line(name: str, estimate: Estimate) -> FigureLine:
    label = _LABELS.get(name, name.capitalize())
    if "difference" in name or name == "doubling":
        return _difference_line(label, estimate)
    if "loss" in name:
        return FigureLine(label=label, words=_with_bounds(estimate, Scale(1, 2, after=f"{NB}nats")))
    if "per second" in name or name == "ratio":
        return FigureLine(label=label, words=_with_bounds(estimate, Scale(1, 2 if name == "ratio" else 0)))
    if "seconds" in name:
        return FigureLine(label=label, words=words.figure(_SECONDS, estimate))
    series = next((place for word, place in _SERIES.items() if word in name.replace(",", "").split()), _TUNED)
    return FigureLine(label=label, words=figure_share(estimate), drawn=whisker(_reach(estimate), _WHOLE, series))


def _difference_line(label: str, estimate: Estimate) -> FigureLine:
    widest = max(abs(estimate.low), abs(estimate.high), _LEAST_REACH)
    return FigureLine(
        label=label, words=words.write_difference(_SHARE, estimate), drawn=difference_bar(_reach(estimate), widest)
    )


def _with_bounds(estimate: Estimate, scale: Scale) -> str:
    return f"{scale.write(estimate.value)}{NB}({scale.number(estimate.low)}{NB}to{NB}{scale.number(estimate.high)})"


def _reach(estimate: Estimate) -> Reach:
    return Reach(estimate.value, estimate.low, estimate.high)
