"""`weighbridge advise`: asked, read from a file, written as a page; without a workspace, a model, or numpy."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import rich.console
from typer.testing import CliRunner, Result

from weighbridge.cli.advise import ask_questions
from weighbridge.cli.app import app
from weighbridge.cli.console import Console
from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.errors import DataError, SettingsError, UserError
from weighbridge.wiring.reporter import Reporter

DAY = "2026-12-01"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def run(*words: object, typed: str = "") -> Result:
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False, input=typed)
    assert done.exit_code == 0, done.output
    return done


def test_piped_answers_are_read_line_by_line_and_the_rest_is_left_at_its_default() -> None:
    text = run("advise", "--date", DAY, typed="specialised\n\n1.5k\n").stdout
    assert "Published advice points to fine-tuning" in text
    assert "1,500 pages" in text
    assert "75,000 US dollars (default)" in text


def test_a_wrong_piped_answer_is_refused_with_its_line() -> None:
    with pytest.raises(UserError, match=r"standard input:2: budget: 'plenty' is not a number"):
        run("advise", typed="simple\nplenty\n")


def test_answers_come_from_a_file_and_the_result_is_json(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("change: daily\nsources: must\nlabels: 400\nbudget:\n", encoding="utf-8")
    told = json.loads(run("advise", "--answers", "mine.yaml", "--date", "2027-01-10", "--json").stdout)
    assert told["headline"].startswith("Published advice points to RAG")
    assert told["caveat"].startswith("This is a prior")
    assert told["advice"]["today"] == "2027-01-10"
    assert told["advice"]["answers"]["labels"] == 400
    assert told["advice"]["answers"]["budget"] == 75_000
    assert {fact["date"]: fact["is_past"] for fact in told["advice"]["facts"]} == {
        "2026-05-07": True,
        "2027-01-06": True,
        "2027-01-14": False,
    }
    (tmp_path / "mine.json").write_text('{"change": "daily", "sources": "must", "labels": 400}', encoding="utf-8")
    same = json.loads(run("advise", "--answers", "mine.json", "--date", "2027-01-10", "--json").stdout)
    assert same == told


def test_json_asks_nothing() -> None:
    told = json.loads(run("advise", "--json", typed="specialised\n").stdout)
    assert told["advice"]["answers"]["complexity"] == "moderate"


def test_saved_answers_give_the_same_advice_again() -> None:
    first = run("advise", "--save", "mine.yaml", "--date", DAY, typed="demanding\n150k\n\n\n2m\n").stdout
    again = run("advise", "--answers", "mine.yaml", "--date", DAY).stdout
    assert again == first
    assert "# How specialised is the task? lookup, simple" in Path("mine.yaml").read_text(encoding="utf-8")
    with pytest.raises(DataError, match=r"mine.txt: must end with .yaml for the answers, or with .toml"):
        run("advise", "--save", "mine.txt")


def test_a_matrix_is_saved_changed_and_used_and_never_overwritten() -> None:
    run("advise", "--save", "mine.toml", "--json")
    text = Path("mine.toml").read_text(encoding="utf-8")
    Path("mine.toml").write_text(text.replace("base = -8", "base = 40"), encoding="utf-8")
    assert "Published advice points to hybrid" in run("advise", "--matrix", "mine.toml").stdout
    with pytest.raises(DataError, match=r"mine.toml: exists already"):
        run("advise", "--save", "mine.toml", "--json")
    Path("mine.toml").write_text(text.replace("weight = 8", "wieght = 8", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"mine.toml:factors.complexity.wieght: unknown key; did you mean 'weight'"):
        run("advise", "--matrix", "mine.toml")


def test_a_page_is_written_and_nothing_is_asked(tmp_path: Path) -> None:
    done = run("advise", "--page", tmp_path / "advice.html", typed="specialised\n")
    assert "RAG, fine-tuning" not in done.stdout
    assert "it needs no network" in done.stderr
    page = (tmp_path / "advice.html").read_text(encoding="utf-8")
    assert 'value="moderate" checked' in page
    (tmp_path / "mine.yaml").write_text("complexity: specialised\n", encoding="utf-8")
    both = run("advise", "--page", tmp_path / "advice.html", "--answers", tmp_path / "mine.yaml").stdout
    assert "Published advice points to fine-tuning" in both
    assert 'value="specialised" checked' in (tmp_path / "advice.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("change: daily\nlables: 3\n", r"mine.yaml:2: lables: unknown key; did you mean 'labels'\?"),
        (
            "\nlabels: many\nchange: dayly\n",
            r"mine.yaml:2: labels: 'many' is not a number.*\nmine.yaml:3: change: 'dayly'",
        ),
        ("labels: 3\nlabels: 4\n", r"mine.yaml:2: is neither YAML nor JSON: found duplicate key"),
        ("labels: [\n", r"mine.yaml:\d: is neither YAML nor JSON"),
        ("- labels\n", r"mine.yaml:1: must hold lines of `key: value`"),
        ("labels: !!python/object:x {}\n", r"mine.yaml:1: labels: .* is not a number"),
        ("\x00", r"mine.yaml:1: is neither YAML nor JSON"),
        (b"labels: \xff", r"mine.yaml: is not UTF-8"),
    ],
)
def test_a_wrong_file_is_refused_with_its_line_and_the_nearest_word(text: str | bytes, problem: str) -> None:
    Path("mine.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=problem):
        run("advise", "--answers", "mine.yaml")


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match=r"mine.yaml: cannot be read \(No such file"):
        run("advise", "--answers", "mine.yaml")
    Path("mine.yaml").write_text("# nothing yet\n", encoding="utf-8")
    assert "Published advice does not settle it" in run("advise", "--answers", "mine.yaml").stdout


def test_a_date_that_is_none_is_refused() -> None:
    done = CliRunner().invoke(app, ["advise", "--date", "2026-13-01"])
    assert done.exit_code == 2


def asked(typed: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Answer the questions as at a terminal; return the answers, and all that was shown."""
    shown: list[str] = []
    out = rich.console.Console(file=io.StringIO(), width=80)
    reporter = Reporter(shown.append, lambda _: None, lambda _: None, 80)
    console = Console(as_json=False, out=out, reporter=reporter, pause=lambda: None)
    lines: Iterator[str] = iter(typed)

    def read_line(prompt: str) -> str:
        shown.append(prompt)
        for line in lines:
            return line
        raise EOFError

    given = ask_questions(load_matrix(), console, is_terminal=True, read_line=read_line)
    assert isinstance(out.file, io.StringIO)
    return given, "\n".join([*shown, out.file.getvalue()])


def test_at_a_terminal_enter_takes_the_default_a_question_mark_explains_and_a_wrong_answer_is_asked_again() -> None:
    given, shown = asked(["?", "5", "", "many", "3,000"])
    assert given == {"complexity": "specialised", "budget": 75_000, "documents": 3_000}
    assert "A way of working" in shown
    assert "'many' is not a number; give pages as a number, like 1000" in shown
    assert "13 questions. Enter takes the default, ? explains." in shown
    assert "[moderate]" in shown
    assert "5 specialised" in shown
    assert "4/13 In how many weeks" in shown


def test_it_needs_neither_numpy_nor_pydantic_settings_nor_a_workspace(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("change: daily\n", encoding="utf-8")
    code = (
        "import sys; sys.argv = ['weighbridge', 'advise', '--answers', 'mine.yaml']\n"
        "from weighbridge.cli import main\n"
        "try: main()\nexcept SystemExit as stop: assert not stop.code\n"
        "print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "weighbridge.decide.prior.score" in loaded
    assert not loaded & {"numpy", "torch", "jinja2", "weighbridge.settings.schema", "weighbridge.workspace"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml"]
