"""The page: one inert, complete, small file."""

import hashlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from weighbridge.report.page.weighing_page import page
from weighbridge.results import Weighing
from weighbridge.types import Passage, Prompt

from ..sample import PEOPLE, weighing
from ..sample_dossier import full_dossier, full_weighing

OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")
MEGABYTE = 1_000_000


def reading(html: str) -> str:
    """Return the words of a page, a line each, as a reader without scripts meets them."""
    tree = LexborHTMLParser(html)
    tree.strip_tags(["script", "style", "template", "head"])
    lines = tree.body.text(separator="\n").replace("\u00a0", " ").splitlines()
    return "".join(f"{line.strip()}\n" for line in lines if line.strip())


def test_it_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("report_page.txt"), reading(page(full_weighing(), full_dossier())))


def test_a_section_without_data_is_left_out() -> None:
    tree = LexborHTMLParser(page(weighing()))
    anchors = {section.attributes.get("id") for section in tree.css("section")}
    assert not anchors & {"claims", "money", "doubt", "sliders", "plan"}
    whole = LexborHTMLParser(page(full_weighing(), full_dossier()))
    assert {"claims", "money", "doubt", "sliders", "plan"} <= {
        node.attributes.get("id") for node in whole.css("section")
    }
    assert [node.attributes["href"] for node in whole.css("nav a")] == [
        f"#{node.attributes['id']}" for node in whole.css("section[id]")
    ]


@pytest.mark.parametrize("outlook", OUTLOOKS)
def test_headings_are_in_order(outlook: str) -> None:
    tree = LexborHTMLParser(page(full_weighing(outlook), full_dossier(outlook)))
    levels = [int(node.tag[1]) for node in tree.css("h1, h2, h3, h4")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@pytest.mark.parametrize("outlook", OUTLOOKS)
def test_hostile_text_is_inert(outlook: str) -> None:
    tree = LexborHTMLParser(page(full_weighing(outlook), full_dossier(outlook), groups=PEOPLE))
    kinds = [node.attributes.get("type") for node in tree.css("script")]
    assert kinds == ["application/json", "application/json", None]
    assert not tree.css("img, iframe, link, object, embed, [onerror], [onload], [style], [src]")
    assert all(node.attributes["href"].startswith("#") for node in tree.css("a"))


def test_its_policy_allows_its_own_style_and_script_and_nothing_else() -> None:
    tree = LexborHTMLParser(page(full_weighing(), full_dossier()))
    policy = tree.css_first("meta[http-equiv]").attributes["content"]
    assert policy.startswith("default-src 'none';")
    for node in (tree.css_first("style"), tree.css("script")[-1]):
        digest = b64encode(hashlib.sha256(node.text().encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_every_reference_within_the_page_leads_somewhere() -> None:
    tree = LexborHTMLParser(page(full_weighing(), full_dossier()))
    assert all(tree.css_first(node.attributes["href"]) for node in tree.css('a[href^="#"]'))


def test_tables_and_charts_can_be_read_aloud() -> None:
    tree = LexborHTMLParser(page(full_weighing(), full_dossier()))
    assert [len(tree.css(tag)) for tag in ("h1", "main", "nav")] == [1, 1, 1]
    assert all("scope" in node.attributes for node in tree.css("th"))
    assert all("aria-label" in node.attributes or node.attributes.get("aria-hidden") for node in tree.css("svg"))


def test_restricted_text_is_withheld_from_the_whole_page() -> None:
    assert "43,850" not in page(weighing())
    assert "43,850" in page(weighing(), groups=PEOPLE)


def test_three_hundred_questions_with_long_passages_stay_under_a_megabyte() -> None:
    html = page(_large(full_weighing(), copies=25), full_dossier())
    assert len(html.encode()) < MEGABYTE
    assert "To keep this page small, passages are cut" in html
    assert "questions are listed" not in html


@settings(max_examples=25)
@given(st.text(), st.text(min_size=1))
def test_any_text_anywhere_stays_text(text: str, other: str) -> None:
    hostile = f"{text}</script></title><svg onload=alert(1)>'\"{other}"
    value = full_weighing()
    measured = tuple(replace(measurement, errors=(hostile,)) for measurement in value.measurements)
    html = page(
        replace(
            value,
            name=hostile,
            settings={hostile: hostile},
            measurements=measured,
            decision=replace(value.decision, reasons=(hostile,), would_change=(hostile,)),
        ),
        full_dossier(),
    )
    tree = LexborHTMLParser(html)
    assert len(tree.css("script")) == 3
    assert not tree.css("[onload]")
    assert "<svg onload=alert(1)>" in tree.css_first(".decision li").text()


def _large(value: Weighing, copies: int) -> Weighing:
    """Return a weighing of many questions, each with two long passages of its own."""
    examples = tuple(replace(e, id=f"{e.id}-{n}") for n in range(copies) for e in value.examples)
    records = []
    for number in range(copies):
        for record in value.records:
            answer = record.answer
            if answer:
                passages = tuple(_long(passage, f"{record.example_id}-{number}") for passage in answer.prompt.passages)
                answer = replace(answer, prompt=Prompt(answer.prompt.messages, passages))
            records.append(replace(record, example_id=f"{record.example_id}-{number}", answer=answer))
    return replace(value, examples=examples, records=tuple(records))


def _long(passage: Passage, name: str) -> Passage:
    text = f"{passage.chunk.text} {name} " + "The ferry leaves Dunmarrow. " * 80
    return Passage(replace(passage.chunk, id=f"{passage.chunk.id}-{name}", text=text), passage.score)
