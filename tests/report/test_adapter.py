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
from weighbridge.report.adapter import adapter_page, adapter_terminal
from weighbridge.report.adapter_figures import verdict

from .adapter_sample import BARE, BROKEN, CARD, FORGETTING, HOSTILE, parity


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
    ],
)
def test_the_verdict_comes_first(card: AdapterCard, text: str) -> None:
    assert verdict(card).text == text
    assert LexborHTMLParser(adapter_page(card)).css_first("h1").text() == text
    assert printed(card).splitlines()[2] == text


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
        "Dev score: 32 examples 25%; 64 examples 40%; 128 examples 55%"
    ]


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("card", [CARD, BROKEN, BARE], ids=["all", "broken", "bare"])
def test_nothing_is_wider_than_the_console(card: AdapterCard, width: int) -> None:
    text = printed(card, width)
    assert max(map(len, text.splitlines())) <= width
    assert "\x1b" not in text


@settings(max_examples=20, deadline=None)
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
