"""The pages in a real browser: at phone and desk width, dark and light, on paper, and for a screen reader."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2
import pytest

from weighbridge.report.page.brief_page import brief
from weighbridge.report.page.weighing_page import page

from ..report.sample_bases import weighing_on_bases
from ..report.sample_dossier import full_dossier, full_weighing, long_weighing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")
SCREENS = [(390, "light"), (390, "dark"), (1280, "light"), (1280, "dark")]
PRINTED_WIDTH = {"A4": 688, "Letter": 710}
"""Pixels between the margins of 14 mm, at 96 to an inch."""
SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return the pages as files, by their names."""
    folder = tmp_path_factory.mktemp("pages")
    texts = {"report": page(full_weighing(), full_dossier()), "brief": brief(full_weighing(), full_dossier())}
    for outlook in OUTLOOKS[1:]:
        texts[f"report {outlook}"] = page(full_weighing(outlook), full_dossier(outlook))
        texts[f"brief {outlook}"] = brief(full_weighing(outlook), full_dossier(outlook))
    texts["report bases"] = page(weighing_on_bases())
    texts["brief long"] = brief(long_weighing(), full_dossier())
    for name, text in texts.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in texts}


@pytest.fixture
def visit(browser: "Browser", files: Mapping[str, Path]) -> "Callable[..., Page]":
    """Return a function that opens a page; whatever it prints to the console, or fetches, fails the test."""
    complaints: list[str] = []
    contexts = []

    def open_page(name: str, width: int = 1280, scheme: str = "light", *, script: bool = True) -> "Page":
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=script
        )
        contexts.append(context)
        opened = context.new_page()
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("request", lambda request: complaints.append(request.url) if "html" not in request.url else None)
        opened.goto(files[name].as_uri())
        return opened

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
@pytest.mark.parametrize("name", ["report", "brief"])
def test_a_page_fits_its_screen(visit: "Callable[..., Page]", name: str, width: int, scheme: str) -> None:
    opened = visit(name, width, scheme)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    sunk = opened.evaluate(
        """() => [...document.querySelectorAll('section > *, section > * > *')].filter(node => {
            const box = node.getBoundingClientRect();
            return box.width && box.right > innerWidth + 1 && !node.closest('.scroll, svg, table');
        }).map(node => node.outerHTML.slice(0, 80))"""
    )
    assert sunk == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "brief"])
def test_a_page_has_no_serious_barrier(visit: "Callable[..., Page]", name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    opened = visit(name, 1280, scheme)
    opened.evaluate("document.querySelectorAll('details').forEach((node, place) => { node.open = place < 12; })")
    # Colours alone differ between the schemes.
    options = {"resultTypes": ["violations"], **({"runOnly": ["color-contrast"]} if scheme == "dark" else {})}
    found = [
        (each["id"], [node["html"][:120] for node in each["nodes"]][:3])
        for each in axe.Axe().run(opened, options=options).response["violations"]
        if each["impact"] in SERIOUS
    ]
    assert found == []


@pytest.mark.parametrize("paper", ["A4", "Letter"])
@pytest.mark.parametrize("name", ["brief", *(f"brief {outlook}" for outlook in OUTLOOKS[1:]), "brief long"])
def test_the_brief_has_two_pages(visit: "Callable[..., Page]", name: str, paper: str) -> None:
    opened = visit(name, PRINTED_WIDTH[paper])
    with pypdfium2.PdfDocument(opened.pdf(format=paper, print_background=True)) as document:
        assert len(document) == 2
    opened.emulate_media(media="print")
    sheets = opened.evaluate(
        "[...document.querySelectorAll('.sheet')].map(one => [one.scrollHeight, one.clientHeight])"
    )
    assert all(needed <= given + 1 for needed, given in sheets)


def test_the_report_prints_whole(visit: "Callable[..., Page]") -> None:
    opened = visit("report")
    with pypdfium2.PdfDocument(opened.pdf(format="A4", print_background=True)) as document:
        assert 4 <= len(document) <= 20
        text = "".join(sheet.get_textpage().get_text_bounded() for sheet in document)
    for heading in ("Use rag.", "What it costs over 3 years", "What would change our mind", "The next 90 days"):
        assert heading in text
    assert "Weigh it yourself" not in text


def test_without_script_everything_but_browsing_and_weighing_is_there(visit: "Callable[..., Page]") -> None:
    opened = visit("report", script=False)
    assert "weighbridge decide --what-if" in opened.inner_text("#sliders")
    assert not opened.is_visible("#weights")
    assert opened.is_visible(".excerpt article")


def test_base_models_stand_side_by_side_on_a_phone(visit: "Callable[..., Page]") -> None:
    """The accuracy on both, and the difference of the best, without a finger moving."""
    opened = visit("report bases", 390)
    edges = "nodes => nodes.map(node => node.getBoundingClientRect().right)"
    assert max(opened.locator("#bases .value").evaluate_all(edges)) <= 390
    assert max(opened.locator("#bases .compared tbody td:nth-child(2)").evaluate_all(edges)) <= 390
    assert opened.evaluate("document.documentElement.scrollWidth") <= 390
