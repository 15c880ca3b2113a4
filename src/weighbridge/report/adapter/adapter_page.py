"""An adapter's card as one self-contained web page without any script, and as it is printed."""

from collections.abc import Iterator, Sequence

from markupsafe import Markup
from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weighbridge import formatting as words
from weighbridge.adapters import AdapterCard, EpochScore, Guard, Parity, access_words, optimism
from weighbridge.formatting import NB
from weighbridge.report.adapter.adapter_figures import (
    VERDICTS,
    curve_chart,
    figure_lines,
    figure_share,
    relevant,
    share_drawn,
    verdict,
)
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import ABSENT, count_noun, one_line
from weighbridge.report.web_page import environment, policy, source

_MARKS = {True: "\N{CHECK MARK}", False: "\N{MULTIPLICATION X}", None: "\N{WHITE CIRCLE}"}
_STYLES = {True: "green", False: "bold red", None: "dim"}
_DOCUMENTS = 12
"""Documents named before the rest is only counted."""


def adapter_page(card: AdapterCard) -> str:
    """Return an adapter's report as HTML. Needs no file beside it; its policy forbids scripts, and to fetch any."""
    style = "\n".join((source("report.css"), source("adapter.css")))
    written = environment().get_template("adapter.html.j2").render(
        card=card,
        said=verdict(card),
        verdicts=VERDICTS,
        marks=_MARKS,
        guards=[(guard, figure_lines(guard), curve_chart(guard)) for guard in card.guards],
        dev=None if card.dev is None else (figure_share(card.dev), share_drawn(card.dev)),
        optimism=optimism(card),
        seeds=[(one.id, one.seed, _dev_score(one.dev), one.id == card.id) for one in card.seeds],
        documents=_documents(card),
        more=max(0, len(card.learnt.documents) - _DOCUMENTS) if not card.learnt.access else 0,
        access=_access(card),
        epochs=[(epoch, _dev_score(epoch.dev)) for epoch in card.training.epochs],
        recipe=tuple(relevant(card)),
        share=words.percentage,
        style=Markup(style),  # noqa: S704 - our own files
        policy=policy(style),
    )  # fmt: skip
    return written.encode("utf-8", "replace").decode("utf-8")


def adapter_terminal(card: AdapterCard) -> RenderableType:
    """Return an adapter's card as a rich renderable for a console of at least 80 columns."""
    said = verdict(card)
    return Group(
        Sentence(f"{one_line(card.strategy)} {one_line(card.id)}, made {one_line(card.made_at)}", "dim"),
        Text(),
        Sentence(said.text, "bold"),
        Sentence(said.sure),
        *(Sentence(one_line(warning), first="\N{BULLET} ") for warning in card.warnings),
        *_section("Regressions after tuning", [line for guard in card.guards for line in _guard(guard)]),
        *_section("Does the served model answer like the adapter?", [_parity(card.parity)] if card.parity else []),
        *_section(
            "Training",
            [
                Sentence(_training_line(card)),
                *map(Sentence, optimism(card)),
                _epochs(card.training.epochs, card.training.chosen_epoch),
            ],
        ),
        *_section("Learnt from", [Sentence(line, first="\N{BULLET} ") for line in _learnt_lines(card)]),
        *_section("Recipe", [Sentence("; ".join(f"{key}{NB}{one_line(v)}" for key, v in relevant(card)))]),
    )


def _guard(guard: Guard) -> Iterator[RenderableType]:
    yield Sentence(
        f"{guard.name}, {VERDICTS[guard.passed]}: {one_line(guard.summary)}",
        _STYLES[guard.passed] if guard.passed is False else "",
        f"{_MARKS[guard.passed]} ",
    )
    yield from (Sentence(one_line(case, 300), "dim", "    - ") for case in guard.shown)


def _parity(compared: Sequence[Parity]) -> Table:
    table = _table(("form", "verdict", "tokens agree", "nats apart", "from the base", "why not"))
    for parity in compared:
        told = (
            one_line(parity.form, 24),
            f"{_MARKS[parity.ok]} {'agrees' if parity.ok else 'differs'}",
            words.percentage(parity.agreement),
            f"{parity.divergence:.4f}",
            f"{parity.divergence_from_base:.3f}",
        )
        table.add_row(*map(Text, told), Text(one_line("; ".join(parity.reasons))), style=_STYLES[parity.ok])
    return table


def _epochs(scores: Sequence[EpochScore], chosen: int) -> Table:
    table = _table(("epoch", "loss", "dev score", ""))
    for score in scores:
        kept = "kept" if score.epoch == chosen else ""
        table.add_row(*map(Text, (str(score.epoch), f"{score.loss:.3f}", _dev_score(score.dev), kept)))
    return table


def _training_line(card: AdapterCard) -> str:
    training = card.training
    dev = "" if card.dev is None else f"; dev score {figure_share(card.dev)}"
    return (
        f"{count_noun(training.examples, 'example')}, {count_noun(training.tokens, 'token')}, "
        f"{count_noun(training.steps, 'step')} in {words.seconds(training.seconds)} ({one_line(training.precision)}), "
        f"seed{NB}{card.recipe.get('seed', ABSENT)}; loss {training.first_loss:.2f} to {training.last_loss:.2f}{dev}"
    )


def _learnt_lines(card: AdapterCard) -> Iterator[str]:
    learnt = card.learnt
    yield f"{count_noun(learnt.examples, 'example')} and the text of {count_noun(len(learnt.documents), 'document')}"
    yield _access(card)
    licence = one_line(card.licence) or "not known"
    yield f"base model {one_line(card.base_reference)} ({one_line(card.base_fingerprint, 17)}), licence: {licence}"
    if card.parent:
        yield f"goes on from adapter {one_line(card.parent)}"
    others = [f"{one_line(one.id)} (seed{NB}{one.seed}, dev {_dev_score(one.dev)})" for one in card.seeds]
    if others:
        yield f"chosen from {words.join_words(others)}"


def _documents(card: AdapterCard) -> list[str]:
    """Return the first documents; none of an adapter with a label, for not everybody may know their names."""
    if card.learnt.access:
        return []
    return [f"{name} ({version})" for name, version in sorted(card.learnt.documents.items())][:_DOCUMENTS]


def _access(card: AdapterCard) -> str:
    if not card.learnt.access:
        return "it speaks to everybody"
    needed = one_line(access_words(card.learnt.access), 300)
    return f"it answers only askers of {needed}, since it learnt from their documents; the base model answers others"


def _dev_score(dev: float | None) -> str:
    return ABSENT if dev is None else words.percentage(dev)


def _table(heads: Sequence[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="")
    for head in heads:
        table.add_column(head)
    return table


def _section(title: str, told: Sequence[RenderableType]) -> list[RenderableType]:
    return [Text(), Text(title, style="bold"), *told] if told else []
