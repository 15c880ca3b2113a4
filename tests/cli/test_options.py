"""What the command line refuses before anything is opened."""

import pytest
from typer.testing import CliRunner

from weighbridge.cli.app import app


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize("text", ["", " \t\n"])
def test_an_empty_question_is_refused(command: str, text: str):
    done = CliRunner().invoke(app, [command, text])
    assert done.exit_code == 2
    assert "is empty" in done.stderr
