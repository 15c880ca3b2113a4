"""An adapter's report: the verdict first, every figure with its interval, and nothing in it that runs."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from selectolax.lexbor import LexborHTMLParser

from weighbridge.adapters import AdapterCard
from weighbridge.report.adapter.adapter_figures import relevant, verdict
from weighbridge.report.adapter.adapter_page import adapter_page, adapter_terminal
from weighbridge.train.export.model_card import model_card

from .adapter_sample import BARE, BROKEN, CARD, FORGETTING, HOSTILE, parity

EPOCHS = tuple(replace(epoch, dev=0.5) for epoch in CARD.training.epochs)


def reading(html: str) -> str:
    """Return the words of a page, a line each."""
    tree = LexborHTMLParser(html)
    tree.strip_tags(["style", "head"])
    lines = tree.body.text(separator="\n").replace("\u00a0", " ").splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.strip())


def printed(card: AdapterCard, width: int = 100) -> str:
    """Return what a console of this width shows, with plain spaces."""
    file = StringIO()
    Console(file=file, width=width, color_system=None, legacy_windows=False).print(adapter_terminal(card))
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().replace("\u00a0", " ").splitlines())


def test_the_page_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("adapter_page.txt"), reading(adapter_page(CARD)))


def test_the_terminal_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("adapter_terminal.txt"), printed(CARD))


@pytest.mark.parametrize(
    ("card", "text"),
    [
        (CARD, "It may be served, but a guard failed: refusals."),
        (replace(CARD, guards=(FORGETTING,)), "Served as it was trained."),
        (BROKEN, "Do not serve it: GGUF Q8_0 says something else."),
        (
            replace(CARD, guards=(), parity=(parity("GGUF Q8_0"), parity("GGUF Q4_0", "it parted"))),
            "Served as it was trained; but it should not be exported as GGUF Q4_0.",
        ),
        (BARE, "Nothing was checked yet."),
        (replace(BARE, hosted="ft:m"), "It answers at its endpoint; no check was run there."),
    ],
)
def test_the_verdict_comes_first(card: AdapterCard, text: str) -> None:
    assert verdict(card).text == text
    assert LexborHTMLParser(adapter_page(card)).css_first("h1").text() == text
    assert printed(card).splitlines()[2] == text


@pytest.mark.parametrize(
    ("card", "chosen"),
    [
        (CARD, "the seed"),
        (replace(CARD, searched=8), "the settings and the seed"),
        (replace(CARD, parent="", training=replace(CARD.training, epochs=EPOCHS)), "the seed and the epoch"),
        (replace(CARD, seeds=(), recipe={"seed": 7, "epochs": 2}), "the epoch"),
    ],
)
def test_a_score_that_chose_is_said_to_be_too_good(card: AdapterCard, chosen: str) -> None:
    said = f"The dev questions also chose {chosen}, so expect a lower score than theirs on others"
    assert said in reading(adapter_page(card))
    assert said in " ".join(printed(card).split())
    assert said in model_card(card)


@pytest.mark.parametrize("card", [BARE, replace(CARD, seeds=()), replace(CARD, dev=None)])
def test_a_score_that_chose_nothing_is_left_alone(card: AdapterCard) -> None:
    assert "The dev questions also chose" not in reading(adapter_page(card))


def test_settings_that_had_no_part_are_left_out() -> None:
    idle = {"preference": {"method": "none", "beta": 0.1}, "hosted": {"suffix": "x"}, "raft": {"withheld": 0.2}}
    card = replace(CARD, recipe={"seed": 7, **idle})
    assert list(relevant(card)) == [("seed", "7")]
    assert list(relevant(replace(card, strategy="raft"))) == [("seed", "7"), ("raft.withheld", "0.2")]


def test_the_page_is_inert() -> None:
    html = adapter_page(CARD)
    tree = LexborHTMLParser(html)
    assert not tree.css("script, img, iframe, link, object, embed, [onload], [style], [src]")
    assert all(tree.css_first(node.attributes["href"]) for node in tree.css("a"))
    policy = tree.css_first("meta[http-equiv]").attributes["content"]
    digest = b64encode(hashlib.sha256(tree.css_first("style").text().encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_it_can_be_read_aloud() -> None:
    tree = LexborHTMLParser(adapter_page(CARD))
    assert [len(tree.css(tag)) for tag in ("h1", "main", "nav")] == [1, 1, 1]
    assert all("scope" in node.attributes for node in tree.css("th"))
    assert all("aria-label" in node.attributes or node.attributes.get("aria-hidden") for node in tree.css("svg"))


def test_a_learning_curve_is_drawn_once() -> None:
    charts = LexborHTMLParser(adapter_page(CARD)).css("svg.chart")
    assert [node.attributes["aria-label"].replace("\u00a0", " ") for node in charts] == [
        "Dev score by training examples: 32 25%; 64 40%; 128 55%"
    ]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("card", [CARD, BROKEN, BARE], ids=["all", "broken", "bare"])
def test_nothing_is_wider_than_the_console(card: AdapterCard, width: int) -> None:
    text = printed(card, width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


@settings(max_examples=20)
@given(st.text())
def test_any_text_anywhere_stays_text(text: str) -> None:
    hostile = f"{text}{HOSTILE}"
    guard = replace(FORGETTING, summary=hostile, shown=(hostile,), figures={hostile: FORGETTING.figures["base"]})
    html = adapter_page(
        replace(
            CARD,
            strategy=hostile,
            id=hostile,
            licence=hostile,
            base_reference=hostile,
            recipe={"seed": 1, hostile: hostile},
            warnings=(hostile,),
            guards=(guard,),
            learnt=replace(CARD.learnt, documents={hostile: hostile}, access=(frozenset({hostile}),)),
            parity=(replace(CARD.parity[0], form=hostile, ok=False, reasons=(hostile,)),),
        )
    )
    assert not LexborHTMLParser(html).css("script, [onload]")
