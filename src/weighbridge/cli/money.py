"""The commands about money: the total cost of the strategies, and the price book."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.markup import escape
from rich.table import Table

from weighbridge.cli.console import Console, open_console
from weighbridge.cli.options import HERE, Json, Root

if TYPE_CHECKING:
    from weighbridge.decide.money.ownership import ArmOwnership, Ownership
    from weighbridge.decide.money.price_book import PriceBook
    from weighbridge.decide.money.price_refresh import RefreshedPrices
    from weighbridge.decide.money.uncertainty import Swing

prices = typer.Typer(
    no_args_is_help=True,
    help="The price book: tokens of hosted models, machines, storage and people, each with its date and source.",
)

_LONG = 1000
"""From here on a number has no decimals."""
_SWINGS = 6
"""Inputs that the table of uncertainty shows: those below move the result less than all of these."""


def cost_command(
    workspace: Root = HERE,
    years: Annotated[
        float | None, typer.Option(min=0.01, help="Years to pay for.", show_default="ownership.years")
    ] = None,
    volume: Annotated[
        float | None,
        typer.Option(min=1, help="Answers in the first month.", show_default="needs.answers_per_month"),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(help="Show the break-evens of this strategy.", show_default="the cheapest"),
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="A TOML file of arms by hand: setup, per_year, per_answer. No workspace.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Total cost over years: people, tokens, machines, upkeep; break-even; and how sure it is."""
    from weighbridge.workflow.cost import CostQuestion, price_scenario, price_workspace
    from weighbridge.workspace import Workspace

    question = CostQuestion(years=years, volume=volume, today=_today())
    with open_console(as_json=as_json) as console:
        if scenario is None:
            own = price_workspace(Workspace(workspace), question)
        else:
            own = price_scenario(scenario, question)
        names = [arm.name for arm in own.arms]
        if against is not None and against not in names:
            raise typer.BadParameter(f"'{against}' is not one of {', '.join(names)}", param_hint="--against")
        if as_json:
            console.result(own)
        else:
            _show_ownership(own, against or own.cheapest, console)


def _today() -> date:
    return datetime.now(tz=UTC).date()


def _show_ownership(own: "Ownership", against: str, console: Console) -> None:
    """Show the result in sentences, the breakdown, the break-evens, the uncertainty and the assumptions."""
    from weighbridge.decide.money.cost_sentences import (
        break_even_sentence,
        cost_headline,
        pairs_with,
        telling_swings,
    )

    for sentence in cost_headline(own):
        _say(sentence, console)
    console.out.print()
    console.out.print(_breakdown(own))
    if own.alternatives:
        console.out.print()
        _say("Other ways to run them, computed and not measured, against the way they were measured:", console)
        console.out.print(_other_ways(own))
    if len(own.arms) > 1:
        console.out.print()
        _say("Break-even:", console)
        for by_volume, by_time in pairs_with(own, against):
            _say(f"- {break_even_sentence(by_volume, by_time, own)}", console)
    heading, swings = telling_swings(own)
    if swings:
        console.out.print()
        _say(heading, console)
        console.out.print(_tornado(swings[:_SWINGS], own))
    console.out.print()
    for note in own.notes:
        _say(f"- {note}", console)


def _say(sentence: str, console: Console) -> None:
    console.out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _breakdown(own: "Ownership") -> Table:
    """Return the table of costs: a row for each kind of cost, a column for each arm."""
    from weighbridge.decide.money.cost_sentences import rounded_amounts, total_scale, write_years
    from weighbridge.formatting import percentage

    table = Table(box=None, pad_edge=False)
    table.add_column(f"{own.currency} over {write_years(own.months)}")
    for arm in own.arms:
        table.add_column(escape(arm.name), justify="right")
    scale = total_scale(max(arm.total for arm in own.arms), own.currency)
    cells = {
        arm.name: {row.label: amount for row, amount in zip(arm.rows, rounded_amounts(arm.rows, scale), strict=True)}
        for arm in own.arms
    }
    for label in _row_labels(own.arms):
        amounts = [cells[arm.name].get(label) for arm in own.arms]
        table.add_row(label, *("" if amount is None else scale.number(amount) for amount in amounts))
    table.add_row("[bold]total[/]", *(f"[bold]{scale.number(arm.total)}[/]" for arm in own.arms))
    if own.draws > 1:
        table.add_row("with 90 % between", *(scale.number(arm.band.low) for arm in own.arms))
        table.add_row("and", *(scale.number(arm.band.high) for arm in own.arms))
        table.add_row("chance to cost least", *(percentage(arm.chance or 0.0) for arm in own.arms))
    if any(arm.per_right_answer for arm in own.arms):
        right = [arm.per_right_answer for arm in own.arms]
        table.add_row("for each right answer", *("" if one is None else f"{one:.3g}" for one in right))
    return table


def _row_labels(arms: "tuple[ArmOwnership, ...]") -> list[str]:
    """Return the labels of all arms' rows, in the order of the arms with the most of them."""
    labels = dict.fromkeys(row.label for arm in sorted(arms, key=lambda arm: -len(arm.rows)) for row in arm.rows)
    return list(labels)


def _other_ways(own: "Ownership") -> Table:
    """Return the table of alternatives, each compared with the arm as measured."""
    from weighbridge.decide.money.cost_sentences import alternative_sentence, write_total

    table = Table(box=None, pad_edge=False, show_header=False)
    for justify in ("left", "right", "left"):
        table.add_column(justify=justify)
    for other, by_volume in zip(own.alternatives, own.alternatives_over_volume, strict=True):
        words = alternative_sentence(by_volume, own, other.name)
        table.add_row(f"  {escape(other.name)}", write_total(other.total, own.currency), f"  {words}")
    return table


def _tornado(swings: "Sequence[Swing]", own: "Ownership") -> Table:
    """Return the widest swings: the ends of each number, and the money there."""
    from weighbridge.decide.money.cost_sentences import total_scale

    table = Table(box=None, pad_edge=False)
    table.add_column("  number")
    for heading in ("from", "to", own.currency, "likely", "to"):
        table.add_column(heading, justify="right")
    scale = total_scale(max(max(abs(swing.low), abs(swing.high)) for swing in swings), own.currency)
    for swing in swings:
        given = own.inputs[swing.input]
        ends = [f"{end:,.4g}" if end < _LONG else f"{end:,.0f}" for end in (given.band.low, given.band.high)]
        money = (scale.number(amount) for amount in (swing.low, swing.likely, swing.high))
        table.add_row(f"  {escape(given.label)}", *ends, *money)
    return table


@prices.command("show", epilog="Example: weighbridge prices show --workspace mine")
def show_command(workspace: Root = HERE, as_json: Json = False) -> None:
    """Show every price, with its date and source."""
    from weighbridge.workflow.prices import load_price_book
    from weighbridge.workspace import Workspace

    with open_console(as_json=as_json) as console:
        book = load_price_book(Workspace(workspace))
        if as_json:
            console.result(book)
        else:
            _say(f"{book.place}, in {book.currency}; hosted models by the million tokens", console)
            console.out.print(_hosted_table(book))
            console.out.print()
            console.out.print(_price_table(book))
            sources = (*(machine.source for machine in book.machines.values()), book.storage.source)
            for source in (*sources, book.vector_database.source):
                if "https" in source:
                    _say(f"- {source}", console)


def _hosted_table(book: "PriceBook") -> Table:
    """Return the table of hosted models, their prices for a million tokens, and their last days."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))  # one column less between: it fits a terminal of 80
    for heading in ("hosted model", "in", "cached", "out", "off on", "dated"):
        justify: Literal["left", "right"] = "right" if heading in ("in", "cached", "out") else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    table.add_column("source", overflow="fold")
    for name, model in book.hosted.items():
        amounts = ("" if price is None else f"{price:,g}" for price in (model.input, model.cached, model.output))
        days = ("" if day is None else day.isoformat() for day in (model.retires, model.dated))
        table.add_row(escape(name), *amounts, *days, escape(model.source))
    return table


def _price_table(book: "PriceBook") -> Table:
    """Return the table of all other prices."""
    storage, database = book.storage, book.vector_database
    rows: list[tuple[str, float, str, date, str]] = []
    for name, machine in book.machines.items():
        rows.append((name, machine.per_hour, "an hour", machine.dated, machine.source))
    rows.append(("storage", storage.per_gib_month, "a GiB and month", storage.dated, storage.source))
    rows.append(("vector database", database.per_month, "a month", database.dated, database.source))
    rows.append(("vector database", database.per_gib_month, "a GiB and month", database.dated, database.source))
    for role, wage in book.people.items():
        rows.append((role.replace("_", " "), wage.per_hour, "an hour", wage.dated, wage.source))
    for name, rate in book.exchange.items():
        rows.append((name, rate.rate, f"for one {book.currency}", rate.dated, rate.source))
    table = Table(box=None, pad_edge=False)
    for heading in ("price", "amount", "unit", "dated"):
        table.add_column(heading, justify="right" if heading == "amount" else "left", no_wrap=True)
    table.add_column("source", overflow="fold")
    for label, amount, unit, dated, source in rows:
        table.add_row(escape(label), f"{amount:,g}", unit, dated.isoformat(), escape(source.split(": https")[0]))
    return table


@prices.command("write", epilog="Example: weighbridge prices write --workspace mine")
def write_command(workspace: Root = HERE) -> None:
    """Copy the price book into the workspace as prices.toml, for editing. That copy is then used."""
    from weighbridge.workflow.prices import copy_price_book
    from weighbridge.workspace import Workspace

    place = Workspace(workspace)
    with open_console(as_json=False) as console:
        copy_price_book(place)
        console.reporter.say(
            f"Wrote {place.prices_file}. Edit it; weighbridge cost and weighbridge prices show use it."
        )


@prices.command("refresh", epilog="Example: weighbridge prices refresh --from genai-prices")
def refresh_command(
    source: Annotated[
        str, typer.Option("--from", help="Where from: genai-prices, an installed package.")
    ] = "genai-prices",
    workspace: Root = HERE,
    as_json: Json = False,
) -> None:
    """Update the token prices of hosted models in prices.toml. Your own entries stay as they are."""
    from weighbridge.workflow.prices import refresh_price_book
    from weighbridge.workspace import Workspace

    if source != "genai-prices":
        raise typer.BadParameter(f"'{source}' is no known source; use genai-prices", param_hint="--from")
    place = Workspace(workspace)
    with open_console(as_json=as_json) as console:
        refreshed = refresh_price_book(place, _today())
        if as_json:
            console.result({"file": str(place.prices_file), "refreshed": refreshed})
        else:
            _show_refresh(refreshed, console)
            console.reporter.say(f"Wrote {place.prices_file}")


def _show_refresh(refreshed: "RefreshedPrices", console: Console) -> None:
    for change in refreshed.changes:
        before, after = (("none" if price is None else f"{price:g}") for price in (change.before, change.after))
        _say(f"{change.model}, {change.key}: {before} is now {after}", console)
    for words, names in (
        ("unchanged", refreshed.confirmed),
        ("not in genai-prices, kept", refreshed.unlisted),
        ("yours, kept", refreshed.own),
    ):
        if names:
            _say(f"{words}: {', '.join(names)}", console)
