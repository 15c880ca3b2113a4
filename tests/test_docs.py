"""The documentation says what is so: references are generated, links lead somewhere, commands exist."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md"), *ROOT.glob("benchmarks/*.md")]
)


def _generator():
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date():
    generator = _generator()
    for name, text in generator.pages().items():
        assert (generator.FOLDER / name).read_text(encoding="utf-8") == text, f"{name}: run python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_docs_exist_with_their_options(page):
    reference = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    helps = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", reference, re.MULTILINE | re.DOTALL))
    for line in re.findall(r"^(?:\$ )?weighbridge (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        words = shlex.split(line, comments=True)
        if words[0].startswith("-"):
            continue
        command = " ".join(words[:2]) if " ".join(words[:2]) in helps else words[0]
        if command not in helps:  # a group such as `versions`, or a page that names it alone
            assert any(name.startswith(f"{command} ") for name in helps), f"{page.name}: weighbridge {line}"
            continue
        for option in (word for word in words if word.startswith("--")):
            known = re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", helps[command])
            assert known, f"{page.name}: weighbridge {line}: {option} is no option of {command}"


def test_the_guide_for_contributors_names_files_that_exist():
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w./-]+(?:\.py|\.toml|\.md|\.png|/))`", page))
    assert len(named) > 40
    package = ROOT / "src" / "weighbridge"
    missing = [path for path in sorted(named) if not ((ROOT / path).exists() or (package / path).exists())]
    assert [path for path in missing if "NAME" not in path] == []
    names = set(re.findall(r"`_?([A-Z][A-Za-z]+)(?:\([^`]*\))?`", page)) - {"CHANGELOG", "NAME"}
    source = "\n".join(file.read_text(encoding="utf-8") for file in package.rglob("*.py"))
    assert sorted(name for name in names if not re.search(rf"\b_?{name}\b", source)) == []


def test_a_newcomers_questions_are_answered_in_the_file_named():
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (Where .+\?) \| `(.+)` \| `(.+)` \|$", page, re.MULTILINE)
    assert len(rows) >= 10
    for question, path, name in rows:
        assert name in (ROOT / "src" / "weighbridge" / path).read_text(encoding="utf-8"), question
