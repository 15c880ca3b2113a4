"""The page about advice shows what the command prints."""

import re
from pathlib import Path

from typer.testing import CliRunner

from weighbridge.cli.app import app

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "advise.md"


def test_the_guide_shows_what_is_printed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    page = PAGE.read_text(encoding="utf-8")
    (answers,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "answers.yaml").write_text(answers, encoding="utf-8")
    (shown,) = re.findall(r"```text\n\$ weighbridge (.*?)```", page, re.DOTALL)
    command, _, output = shown.partition("\n")
    done = CliRunner().invoke(app, command.split(), catch_exceptions=False)
    printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.replace("\u00a0", " ").splitlines())
    for part in output.split("[...]\n"):
        assert part in printed


def test_the_guide_counts_the_questions() -> None:
    from .situations import MATRIX

    page = PAGE.read_text(encoding="utf-8")
    for file in (PAGE, PAGE.parents[2] / "README.md", PAGE.parents[2] / "CHANGELOG.md"):
        assert f"asks {len(MATRIX.factors)} questions" in file.read_text(encoding="utf-8")
    assert f"Enter {len(MATRIX.factors)} times" in page
    assert f"at most {MATRIX.margin:g} points" in page
    assert sorted({f"{factor.weight:g}" for factor in MATRIX.factors.values()}) == ["10", "5", "8"]
