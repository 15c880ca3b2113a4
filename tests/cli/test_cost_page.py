"""The page about costs shows what the commands print."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from weighbridge.cli.app import app
from weighbridge.settings.schema import Settings

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cost.md"


def test_every_scenario_of_the_page_prints_what_stands_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    page = PAGE.read_text(encoding="utf-8")
    scenarios = re.findall(r"^```toml\n# (\S+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    for name, text in scenarios:
        Path(name).write_text(text, encoding="utf-8")
    shown = re.findall(r"^```text\n\$ weighbridge ([^\n]+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(scenarios) == len(shown) == 2
    for command, expected in shown:
        done = CliRunner().invoke(app, command.split(), catch_exceptions=False)
        printed = "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"
        assert printed.replace("\N{NO-BREAK SPACE}", " ") == expected


@pytest.mark.parametrize("name", re.findall(r"`ownership\.(\w+)`", PAGE.read_text(encoding="utf-8")))
def test_settings_that_the_page_names_exist(name):
    assert name in type(Settings(examples=Path("e.jsonl")).ownership).model_fields
