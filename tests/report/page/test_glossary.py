"""The words that the page explains are those of the documentation."""

import re
from pathlib import Path

from weighbridge.report.page.glossary import GLOSSARY

DOCS = Path(__file__).parents[3] / "docs" / "glossary.md"


def test_the_page_explains_words_as_the_documentation_does() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| (.+) \|$", DOCS.read_text(encoding="utf-8"), flags=re.MULTILINE)
    documented = dict(reversed(rows))  # a word has its meaning first, a question later
    assert {word: documented.get(word) for word in GLOSSARY} == dict(GLOSSARY)
