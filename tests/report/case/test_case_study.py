"""The case study: its words, its price of the table, and what it must not show."""

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from weighbridge.evaluate.encode import to_json
from weighbridge.report.case.case_page import case_markdown, case_page, escape_markdown
from weighbridge.report.case.case_study import CaseStudy, CodeLines, changed_settings, draw_up_case
from weighbridge.report.case.price_of_advice import price_advice
from weighbridge.results import Machine
from weighbridge.settings.needs import Priorities
from weighbridge.settings.schema import ModelSettings, Settings

from ..sample import ROWS, weighing
from .cases import SETTINGS, files, files_of, renamed

OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")
HOSTILE = (
    "<script>alert(1)</script> [a](javascript:alert(2)) ![b](http://evil.example/x.png) `c` # d | e\n## f "
    "http://evil.example www.evil.example me@evil.example {{ 7*7 }} \u202ereversed\u202c \x1b[2J"
)


def section(case: CaseStudy, title: str) -> str:
    """Return all texts of a section."""
    (found,) = (one for one in case.sections if one.title == title)
    return to_json(found).replace("\u00a0", " ")


def test_it_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    golden(Path("case_study.md"), case_markdown(draw_up_case(files())))


@pytest.mark.parametrize("outlook", OUTLOOKS)
def test_every_outlook_has_its_page(outlook: str) -> None:
    case = draw_up_case(files(outlook))
    titles = [one.title for one in case.sections]
    assert titles[:3] == ["Situation", "Needs", "Weighed"]
    assert {"Decision", "Outcome", "By the published table", "Prior against evidence", "Do it again"} <= set(titles)
    page = case_page(case)
    assert case.headline in page
    assert all("<h2 id=" in page and title in page for title in titles)


def test_the_price_of_the_table_is_the_difference_to_the_decision() -> None:
    found = files()
    price = price_advice("fine-tuned", found.measurements, found.decision)
    assert (price.followed, price.first) == ("fine-tuned", "rag")
    assert "cannot cite, and must_cite is set" in price.summary
    rows = {row.label: row for row in price.rows}
    assert rows["points"].price == "\u221218.0"
    assert rows["accuracy"].price.replace("\u00a0", " ") == "\u221220 percentage points (\u221244 to +2)"
    assert rows["latency p50"].price.replace("\u00a0", " ") == "2.85 times less (2.39 to 3.39)"
    assert rows["cost per 1,000"].followed == "$0.012"


def test_a_table_that_agrees_costs_nothing_and_one_that_was_not_weighed_has_no_price() -> None:
    found = files()
    assert price_advice("rag", found.measurements, found.decision).rows == ()
    assert "costs nothing" in price_advice("rag", found.measurements, found.decision).summary
    assert "was not weighed" in price_advice("other", found.measurements, found.decision).summary
    undecided = files("not decisive")
    assert "whose distance may be chance" in price_advice("raft", undecided.measurements, undecided.decision).summary


def test_answers_that_were_given_go_into_the_published_table() -> None:
    case = draw_up_case(files(given={"change": "never", "complexity": "specialised", "sources": "no"}))
    told = section(case, "By the published table")
    assert "complexity: specialised (given)" in told
    assert "labelled examples: 210 examples (from the workspace)" in told
    assert "price of the table" in told


def test_the_settings_that_matter_are_shown_without_places() -> None:
    settings = SETTINGS.model_copy(
        update={"model": ModelSettings(reference="file:/secret/model.gguf", base_url="http://10.0.0.1/v1", context=512)}
    )
    lines = changed_settings(settings)
    assert lines == [
        "model:",
        "  context: 512",
        "needs:",
        "  limits:",
        "    maximum_memory_gib: 1.0",
        "    must_cite: true",
        "  answers_per_month: 20000",
    ]
    assert changed_settings(Settings(examples=Path("x.jsonl"))) == []


def test_every_weight_above_zero_is_named() -> None:
    needs = SETTINGS.needs.model_copy(update={"priorities": Priorities(latency=0, memory=2.0, cost=0.0)})
    case = draw_up_case(replace(files(), settings=SETTINGS.model_copy(update={"needs": needs})))
    told = "Weights: right answers 50 %, few wrong assertions 30 % and little memory 20 %"
    assert told in section(case, "Needs")


def test_no_question_answer_document_or_failure_is_quoted() -> None:
    for outlook in OUTLOOKS:
        case = draw_up_case(files(outlook))
        for text in (case_markdown(case), case_page(case), json.dumps(to_json(case))):
            for row in ROWS:
                said = [one for one in row.said if one and len(one) > 8 and one != "I don't know."]
                assert not [words for words in (row.question, *row.answers, *said) if len(words) > 8 and words in text]
            assert "Petronella" not in text
            assert "2,311 tokens" not in text
            assert "/secret" not in text


def hostile_case() -> CaseStudy:
    value = replace(renamed(weighing(), "few-shot", HOSTILE), name=HOSTILE, left_out=(HOSTILE,))
    machine = Machine(processor=HOSTILE, cores=2, memory_bytes=2**33, system=HOSTILE, python="3.11.9")
    value = replace(value, machine=machine, settings={"model": HOSTILE, "quantisation": HOSTILE})
    told = replace(value.decision, reasons=(HOSTILE,), would_change=(HOSTILE,))
    found = replace(files_of(replace(value, decision=told)), origin=HOSTILE, commands=(f"```\n{HOSTILE}",))
    return draw_up_case(replace(found, settings=SETTINGS.model_copy(update={"instructions": HOSTILE + "`" * 5})))


def test_hostile_text_is_inert_as_markdown() -> None:
    text = case_markdown(hostile_case())
    assert not {"\x1b", "\u202e"} & set(text)
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert not re.search(r"<(script|a|img)\b", rendered)
    code = "".join(re.findall(r"<pre>.*?</pre>", rendered, re.DOTALL))
    assert code.count("<pre>") == 2
    assert len(re.findall("<h1>", rendered)) == 1
    assert len(re.findall("<h2>", rendered)) == len(hostile_case().sections)
    outside = re.sub(r"<pre>.*?</pre>", "", rendered, flags=re.DOTALL)
    assert "http://evil" not in re.sub(r"&amp;?", "&", text.split("```")[0])
    assert "[a](javascript:alert(2))" in outside  # as text, word for word


def test_hostile_text_is_inert_as_a_web_page() -> None:
    page = case_page(hostile_case())
    assert "<script" not in page
    assert "<img" not in page
    assert not re.search(r"<a\b", page)
    assert "{{ 7*7 }}" in page
    assert not {"\x1b", "\u202e"} & set(page)
    assert "default-src 'none'" in html.unescape(page)
    assert not re.search(r"(src|href)=", page)


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# no heading", "\\# no heading"),
        ("- no list", "\\- no list"),
        ("1. no list", "1\\. no list"),
        ("+ no list", "\\+ no list"),
        ("a_b*c", "a\\_b\\*c"),
        ("a | b", "a \\| b"),
        ("x < y & z", "x &lt; y &amp; z"),
        ("http://x", "http&#58;//x"),
        ("two\nlines", "two lines"),
    ],
)
def test_marks_of_markdown_are_escaped(text: str, escaped: str) -> None:
    assert escape_markdown(text) == escaped
    shown = MarkdownIt().render(escape_markdown(text))
    plain = text.replace("\n", " ").replace("&", "&amp;").replace("<", "&lt;")
    assert shown == f"<p>{plain}</p>\n"


def test_a_cell_keeps_its_sign() -> None:
    undecided = files("not decisive", given={"change": "never", "complexity": "specialised", "sources": "no"})
    text = case_markdown(draw_up_case(undecided))
    assert "No strategy is recommended; rag has the most points, and the table begins with" in text
    assert "most points: rag" in text
    assert "| \\+" not in text


def test_a_fence_is_longer_than_any_within() -> None:
    case = draw_up_case(replace(files(), commands=("echo ````x````",)))
    assert "`````text\necho ````x````\n`````" in case_markdown(case)
    (again,) = (one for one in case.sections if one.title == "Do it again")
    assert isinstance(again.blocks[0], CodeLines)
