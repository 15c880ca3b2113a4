"""The site shows every page, and its links hold; `make docs` builds it."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def _site():
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "docs" / "site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_navigation_lists_every_page_once():
    site = _site()
    there = [target for target in site.site_paths().values() if target.endswith(".md")]
    assert sorted(path for _, _, path in site.navigation()) == sorted(there)


def test_links_follow_the_pages_into_the_site():
    site = _site()
    paths = site.site_paths()
    readme = "See [the tutorial](docs/tutorial.md#ask), ![a report](docs/report.png), [the licence](LICENSE)."
    assert site.adapt_links(readme, "README.md", paths) == (
        "See [the tutorial](tutorial.md#ask), ![a report](report.png), the licence."
    )
    guide = "[Read](../../README.md), [sample](../../examples/handbook/README.md), [web](https://example.org/a)."
    assert site.adapt_links(guide, "docs/how-to/own-data.md", paths) == (
        "[Read](../index.md), [sample](../examples/handbook.md), [web](https://example.org/a)."
    )


def test_a_search_from_a_folder_uses_our_own_script(tmp_path):
    site = _site()
    site.SITE = tmp_path
    page = tmp_path / "how-to" / "ask.html"
    page.parent.mkdir()
    page.write_text(f"<script {site.SHIM}></script>", encoding="utf-8")
    site.use_own_worker()
    assert page.read_text(encoding="utf-8") == '<script src="../worker.js"></script>'
    assert (tmp_path / "worker.js").exists()


def test_the_list_for_language_models_describes_a_page_by_itsfirst_sentence():
    page = "# Title\n\n> A motto.\n\n```text\nweighbridge ask\n```\n\nIt asks [one](x.md) question. Then it ends.\n"
    assert _site().first_sentence(page) == "It asks one question."
