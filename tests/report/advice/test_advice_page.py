"""The page of the prior: one inert file, complete for readers of every kind."""

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from datetime import date
from importlib.resources import files
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from weighbridge.decide.prior.advice import draw_up_advice
from weighbridge.decide.prior.matrix_file import load_matrix, parse_matrix
from weighbridge.report.advice.advice_page import advice_page

MATRIX = load_matrix()
GIVEN = {"change": "daily", "sources": "must", "documents": 2_000_000, "labels": 400, "accuracy": 90}
PAGE = advice_page(MATRIX, draw_up_advice(MATRIX, GIVEN, date(2026, 12, 1)))
TREE = LexborHTMLParser(PAGE)


def test_it_reads_as_the_golden_file(golden: Callable[[Path, str], None]) -> None:
    tree = LexborHTMLParser(PAGE)
    tree.strip_tags(["script", "style", "template", "head"])
    lines = tree.body.text(separator="\n").replace("\u00a0", " ").splitlines()
    golden(Path("advice_page.txt"), "".join(f"{line.strip()}\n" for line in lines if line.strip()))


def test_its_policy_allows_its_own_style_and_script_and_nothing_else() -> None:
    policy = TREE.css_first("meta[http-equiv]").attributes["content"]
    assert policy.startswith("default-src 'none';")
    for node in (TREE.css_first("style"), TREE.css("script")[-1]):
        digest = b64encode(hashlib.sha256(node.text().encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert not TREE.css("img, iframe, link, object, embed, [onclick], [onload], [style], [src]")
    assert all(node.attributes["href"].startswith("#") for node in TREE.css("a"))
    assert len(PAGE) < 120_000


def test_every_control_has_a_label_and_every_question_is_asked_once() -> None:
    labels = {node.attributes.get("for") for node in TREE.css("label")}
    for field in TREE.css("input"):
        kind = field.attributes["type"]
        assert field.attributes.get("id") in labels if kind == "number" else field.parent.tag == "label"
    assert {field.attributes["name"] for field in TREE.css("input")} == set(MATRIX.factors)
    assert len(TREE.css("legend")) == len(TREE.css("fieldset")) == sum(bool(f.choices) for f in MATRIX.factors.values())
    assert [len(TREE.css(tag)) for tag in ("h1", "main", "nav")] == [1, 1, 1]
    assert all("scope" in node.attributes for node in TREE.css("th"))


def test_the_script_finds_every_element_that_it_fills() -> None:
    ids = {node.attributes["id"] for node in TREE.css("[id]")}
    assert len(ids) == len(TREE.css("[id]"))
    data = json.loads(TREE.css_first("#data").text())
    wanted = {"questions", "headline", "scores", "first-command", "second-command", "settings", "answers-file"}
    wanted |= {f"{kind}{name}" for name in ("flips", "scenarios", "remarks") for kind in ("", "section-")}
    wanted |= {f"{kind}-{name}" for name in MATRIX.factors for kind in ("score", "answer")}
    wanted |= {f"wrong-{factor['name']}" for factor in data["factors"] if "bounds" in factor}
    wanted |= {f"moot-{name}" for name in data["disputed"]} | {f"tested-{name}" for name in data["claims"]}
    assert wanted <= ids
    assert all(TREE.css_first(node.attributes["href"]) for node in TREE.css('a[href^="#"]'))
    described = [
        name for node in TREE.css("[aria-describedby]") for name in node.attributes["aria-describedby"].split()
    ]
    assert set(described) <= ids


def test_the_answers_given_are_those_that_the_form_begins_with() -> None:
    chosen = {node.attributes["name"]: node.attributes["value"] for node in TREE.css("input[checked]")}
    assert (chosen["change"], chosen["sources"], chosen["complexity"]) == ("daily", "must", "moderate")
    assert TREE.css_first("#field-documents").attributes["value"] == "2000000"


def test_hostile_text_in_a_matrix_is_inert() -> None:
    text = (files("weighbridge.decide.prior") / "matrix.toml").read_text(encoding="utf-8")
    hostile = "</script><svg onload=alert(1)>\u2028"
    text = text.replace("How specialised is the task?", hostile).replace('label = "hybrid"', f'label = "{hostile}"')
    text = text.replace('row = "budget"', f'row = "{hostile}"').replace('short = "six factors"', f'short = "{hostile}"')
    matrix = parse_matrix(text, Path("mine.toml"))
    page = advice_page(matrix, draw_up_advice(matrix, {}, date(2026, 12, 1)))
    tree = LexborHTMLParser(page)
    assert len(tree.css("script")) == 2
    assert not tree.css("[onload]")
    assert hostile in json.loads(tree.css_first("#data").text())["factors"][0]["comment"]
