"""Prints the registry: each model with its checks, and adapters side by side.

The tables fit 80 columns and more. No value is cut, and no word is broken.
"""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from weighbridge.adapters import AdapterCard, access_words
from weighbridge.report.adapter.adapter_figures import recipe_rows
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import count_noun, one_line
from weighbridge.wiring.tuned_retrievers import RetrieverCard
from weighbridge.workflow.known_models import KnownModel
from weighbridge.workflow.models import Listed, ListedRetriever

_HEADS = ("adapter", "strategy", "method", "dev score", "made", "")
_GAP = 2
_LABEL = 26
"""The width of the longest setting name, and a gap."""
_COLUMN = 18
"""The width of an adapter in a comparison: a dev score with its interval, and a gap."""


def base_lines(models: Sequence[KnownModel]) -> Iterator[str]:
    """Yield models, each with its reference, a description, its licence and its path."""
    for known in models:
        model = known.model
        yield f"{model.name} ({model.reference})" if model.reference != model.name else model.name
        yield f"  {model.what}: {model.good_for}"
        where = known.path or f"not here yet; weighbridge models fetch {model.name}"
        yield f"  {model.licence}, {model.download_bytes / 1e6:.0f} MB: {where}"


def known_table(models: Sequence[KnownModel]) -> RenderableType:
    """Return the catalogue: two lines a model, under a heading for each kind."""
    lines: list[RenderableType] = []
    for kind, heading in _KINDS.items():
        of_kind = [known for known in models if known.model.kind == kind]
        rows = [_known_row(known) for known in of_kind]
        heads = (heading, "download", "memory", "context", "tokens/s", "licence", "")
        widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
        lines += [Text()] if lines else []
        lines.append(_line(heads, widths, "bold"))
        for known, row in zip(of_kind, rows, strict=True):
            gated = "; its licence must be accepted on the hub" if known.model.gated else ""
            lines += [_line(row, widths), _note(f"{known.model.what}: {known.model.good_for}{gated}")]
    lines += [Text(), Sentence(_LEGEND, "dim")]
    return Group(*lines)


_LEGEND = (
    "~: reckoned from the parameters. tokens/s: reading a prompt / writing an answer, measured on this machine; "
    "- where it was not. To use one: model.reference or retrieval.embedder in weighbridge.yaml"
)
_KINDS = {"generator": "generators", "embedder": "embedders", "reranker": "rerankers"}


def _known_row(known: KnownModel) -> tuple[str, ...]:
    model, speed = known.model, known.speed
    about = "" if model.parts else "~"
    return (
        model.name,
        f"{about}{model.download_bytes / 1e9:.2f} GB",
        f"{'' if model.memory == 'measured' else '~'}{model.memory_bytes / 1e9:.1f} GB",
        f"{model.context:,}",
        f"{speed.prompt_tokens_per_second:.0f}/{speed.answer_tokens_per_second:.0f}" if speed else "-",
        model.licence,
        "here" if known.path else "",
    )


def listing(known: Sequence[Listed], tuned: Sequence[ListedRetriever]) -> RenderableType:
    """Return all adapters and tuned models of the search, two lines or more each; empty without any."""
    rows = [_adapter_row(each) for each in known] + [_retriever_row(each) for each in tuned]
    if not rows:
        return Group()
    widths = [max(map(len, column)) for column in zip(_HEADS, *rows, strict=True)]
    notes = [_adapter_note(each) for each in known] + [_retriever_note(each.card) for each in tuned]
    shown = (each for row, note in zip(rows, notes, strict=True) for each in (_line(row, widths), note))
    return Group(_line(_HEADS, widths, "bold"), *shown)


def side_by_side(found: Sequence[Listed], width: int) -> RenderableType:
    """Return adapters side by side, as many in a table as `width` columns allow."""
    at_once = max(2, (width - _LABEL) // _COLUMN)
    rows = _comparison_rows(found)
    tables: list[RenderableType] = []
    for start in range(0, len(found), at_once):
        table = Table(box=None, pad_edge=False)
        table.add_column("")
        for each in found[start : start + at_once]:
            table.add_column(each.card.id, overflow="fold")
        for name, *values in rows:
            table.add_row(*map(Text, (name, *values[start : start + at_once])))
        tables += [Text(), table] if tables else [table]
    return Group(*tables)


def status_lines(found: Listed) -> RenderableType:
    """Return sentences that tell whether an adapter serves, and whether it is stale."""
    sentences = ["It serves." if found.promoted else "It does not serve."]
    if found.stale is None:
        sentences.append("There is no index to tell whether its documents changed.")
    elif found.stale:
        more = f" and {len(found.stale) - _NAMED:,} more" if len(found.stale) > _NAMED else ""
        named = ": " + ", ".join(map(one_line, found.stale[:_NAMED])) + more
        shown = "" if found.card.learnt.access else named  # the names are restricted too
        sentences.append(f"Stale: {count_noun(len(found.stale), 'document')} of its training changed{shown}.")
    elif found.card.learnt.documents:
        count = count_noun(len(found.card.learnt.documents), "document")
        sentences.append(f"None of the {count} it learnt from has changed.")
    if found.other_search is None:
        sentences.append("Its card does not say which search it learnt to read; to know, train it again.")
    elif found.other_search:
        sentences.append(
            f"Stale: it learnt to read the passages of another search; changed since: {', '.join(found.other_search)}."
        )
    if found.stale or found.other_search:
        sentences.append(f"To train it again: weighbridge train {found.card.strategy}")
    return Group(*map(Sentence, sentences))


_NAMED = 5
"""Changed documents to name: about one line of a terminal. The rest are counted."""


def _line(row: Sequence[str], widths: Sequence[int], style: str = "") -> Text:
    cells = (cell.ljust(width + _GAP) for cell, width in zip(row, widths, strict=True))
    return Text("".join(cells).rstrip(), style=style)


def _adapter_row(each: Listed) -> tuple[str, ...]:
    card = each.card
    # An adapter with a parent was trained on by preferences, so its method is that of the second training.
    second = card.recipe.get("preference", {}).get("method", "") if card.parent else ""
    method = "hosted" if card.hosted else str(second or card.recipe.get("method", "-"))
    return card.id, card.strategy, method, _dev(card), card.made_at[:10], "serves" if each.promoted else ""


def _retriever_row(each: ListedRetriever) -> tuple[str, ...]:
    card = each.card
    after = card.verdict.after
    dev = f"nDCG {after.value:.3f}" if after else "-"
    return card.id, card.which, "", dev, card.made_at[:10], "serves" if each.in_force else ""


def _adapter_note(each: Listed) -> Sentence:
    card = each.card
    hosted = (f"the endpoint's {one_line(card.hosted)}",) if card.hosted else ()
    onward = (f"goes on from {card.parent}",) if card.parent else ()
    access = (f"for {one_line(access_words(card.learnt.access))} only",) if card.learnt.access else ()
    return _note(*hosted, *onward, *access, _guards(card), _parity(card), _stale(each))


def _retriever_note(card: RetrieverCard) -> Sentence:
    verdict = card.verdict
    state = "kept" if verdict.kept else "reverted"
    if not (verdict.before and verdict.after and verdict.difference):
        return _note(f"{state}: there was too little to decide by")
    change = verdict.difference
    interval = f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]"
    against = f" with {' and '.join(card.against)}" if card.against else ""
    return _note(f"{state}: nDCG@10 was {verdict.before.value:.3f}{against}, a difference of {interval}")


def _note(*notes: str) -> Sentence:
    return Sentence("; ".join(filter(None, notes)), "dim", "  ")


def _dev(card: AdapterCard) -> str:
    return f"{card.dev.value:.2f} ({card.dev.low:.2f}-{card.dev.high:.2f})" if card.dev else "-"


def _guards(card: AdapterCard) -> str:
    if failed := [guard.name for guard in card.guards if guard.passed is False]:
        return f"guards FAILED: {', '.join(failed)}"
    if any(guard.passed for guard in card.guards):
        return "guards passed"
    return "guards gave no verdict" if card.guards else "no guards were run"


def _parity(card: AdapterCard) -> str:
    if not card.parity:
        return ""
    parted = [form.form for form in card.parity if not form.ok]
    if not parted:
        return f"all {len(card.parity)} forms agree" if len(card.parity) > 1 else f"{card.parity[0].form} agrees"
    text = f"{', '.join(parted)} {'differs' if len(parted) == 1 else 'differ'}"
    return f"{text}, so it may not serve" if card.differing_forms else text


def _stale(each: Listed) -> str:
    changed = [count_noun(len(each.stale), "document")] if each.stale else []
    changed += [f"the search ({', '.join(each.other_search)})"] if each.other_search else []
    if changed:
        return f"STALE: {' and '.join(changed)} changed since"
    return "" if each.stale is not None and each.other_search is not None else "not known whether stale"


def _comparison_rows(found: Sequence[Listed]) -> Sequence[tuple[str, ...]]:
    """Return the rows of a comparison. Of the recipes only the settings that differ are shown."""
    cards = [each.card for each in found]
    recipes = [dict(recipe_rows(card.recipe)) for card in cards]
    names = dict.fromkeys(name for recipe in recipes for name in recipe)
    settings = [(name, *(recipe.get(name, "-") for recipe in recipes)) for name in names]
    labels = [one_line(access_words(card.learnt.access)) for card in cards]
    return (
        ("strategy", *(card.strategy for card in cards)),
        *(row for row in settings if len(set(row[1:])) > 1),
        ("examples", *(f"{card.learnt.examples:,}" for card in cards)),
        ("first loss", *(f"{card.training.first_loss:.2f}" for card in cards)),
        ("last loss", *(f"{card.training.last_loss:.2f}" for card in cards)),
        ("seconds", *(f"{card.seconds:,.0f}" for card in cards)),
        ("dev score", *map(_dev, cards)),
        ("checks", *("; ".join(filter(None, (_guards(card), _parity(card)))) for card in cards)),
        *((("answers", *labels),) if any(card.learnt.access for card in cards) else ()),
        ("stale", *(_stale(each) or "no" for each in found)),
        ("made", *(card.made_at[:10] for card in cards)),
        ("serves", *("yes" if each.promoted else "no" for each in found)),
    )
