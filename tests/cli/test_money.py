"""The commands about money, as a user types them."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time

import pytest
from typer.testing import CliRunner, Result

from weighbridge.cli.app import app
from weighbridge.decide.money.scenario import SAMPLE
from weighbridge.errors import SettingsError, UserError
from weighbridge.evaluate.weighing import save_weighing
from weighbridge.results import Estimate, Measurement, ResourceUse
from weighbridge.workspace import Workspace

from ..report.sample import SECONDS, weighing

SETTINGS = "examples: examples.jsonl\nownership:\n  start: 2026-12-01\n"


def run(*words: object) -> Result:
    """Run a command in this process, as a user types it; it must end well."""
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


def with_usage(measurement: Measurement) -> Measurement:
    """Add the seconds that the sample names."""
    seconds, name = SECONDS[measurement.strategy], measurement.strategy
    used = ResourceUse(
        seconds_per_answer=Estimate(value=seconds, low=0.9 * seconds, high=1.2 * seconds, scored=12),
        indexing_seconds=6.2 if name in ("rag", "raft") else 0.0,
        training_seconds={"fine-tuned": 412.0, "raft": 1310.5}.get(name, 0.0),
    )
    return replace(measurement, usage=used)


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with five measured strategies."""
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "weighbridge.yaml").write_text(SETTINGS, encoding="utf-8")
    sample = weighing()
    save_weighing(Workspace(tmp_path), replace(sample, measurements=tuple(map(with_usage, sample.measurements))))
    return tmp_path


@pytest.fixture
def arms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The published table in a file."""
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    file = Path("arms.toml")
    file.write_text(SAMPLE, encoding="utf-8")
    return file


def test_five_measured_strategies_on_the_terminal(office: Path, golden: Callable[[Path, str], None]) -> None:
    shown = "\n".join(line.rstrip() for line in run("cost", "--workspace", office).stdout.splitlines()) + "\n"
    golden(Path("cost") / "measured.txt", shown)


def test_the_published_table_on_the_terminal(arms: Path, golden: Callable[[Path, str], None]) -> None:
    shown = "\n".join(line.rstrip() for line in run("cost", "--scenario", arms).stdout.splitlines()) + "\n"
    golden(Path("cost") / "published.txt", shown)
    assert "no break-even at any" in shown


def test_volume_and_years_change_the_total(office: Path) -> None:
    usual = json.loads(run("cost", "--workspace", office, "--json").stdout)
    other = json.loads(run("cost", "--workspace", office, "--volume", 9_000_000, "--years", 1, "--json").stdout)
    assert (usual["months"], usual["volume"]) == (36, 10_000)
    assert (other["months"], other["volume"]) == (12, 9_000_000)
    answering = [
        next(row["amount"] for row in own["arms"][0]["rows"] if row["label"] == "machine, answering")
        for own in (usual, other)
    ]
    assert answering[1] > 100 * answering[0]
    assert {arm["name"] for arm in usual["arms"]} == set(SECONDS)
    assert usual["arms"][0]["total"] == pytest.approx(sum(row["amount"] for row in usual["arms"][0]["rows"]))


def test_against_chooses_the_break_evens(office: Path) -> None:
    usual = run("cost", "--workspace", office).stdout
    other = run("cost", "--workspace", office, "--against", "raft").stdout
    assert "raft and rag" not in usual
    assert "raft and rag" in other
    done = CliRunner().invoke(app, ["cost", "--workspace", str(office), "--against", "magic"])
    assert done.exit_code == 2
    assert "'magic' is not one of prompt, few-shot, rag, fine-tuned, raft" in done.stderr


def test_an_unknown_currency_is_named_with_its_line(office: Path) -> None:
    (office / "weighbridge.yaml").write_text(f"{SETTINGS}prices:\n  currency: SEK\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"weighbridge\.yaml:5: prices\.currency: 'SEK' is no currency of"):
        run("cost", "--workspace", office)
    (office / "weighbridge.yaml").write_text(f"{SETTINGS}prices: {{currency: euros}}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"weighbridge\.yaml:4: prices\.currency must be three capital letters"):
        run("cost", "--workspace", office)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("  years: 0", "ownership.years must be more than 0, not '0'"),
        ("  utilisation: 1.5", "ownership.utilisation must be at most 1, not '1.5'"),
        ("  growth: 100", "ownership.growth must be at most 10, not '100'"),
        (
            "  growth: 9\n  years: 40",
            "ownership.growth: 10,000 answers a month that grow by 900 % a year are more than",
        ),
        ("  growth: -0.1", "ownership.growth must be at least 0, not '-0.1'"),
        ("  start: 2020-01-01", "ownership.start: 2020-01-01 is before the comparison of 2026-"),
        ("  start: soon", "ownership.start: must be a day like 2027-01-01"),
        ("  alternative: gpt-7", "ownership.alternative: the installed prices.toml has no hosted model 'gpt-7'"),
        ("  hours: {setup: -1}", "ownership.hours.setup must be at least 0, not '-1'"),
    ],
)
def test_nonsense_is_named_with_its_line(office: Path, line: str, problem: str) -> None:
    (office / "weighbridge.yaml").write_text(f"examples: e.jsonl\nownership:\n{line}\n", encoding="utf-8")
    with pytest.raises(SettingsError) as error:
        run("cost", "--workspace", office)
    assert f"weighbridge.yaml:3: {problem}" in str(error.value)


def test_a_scenario_that_is_not_there_comes_with_one_to_copy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no such file; write one like this:") as error:
        run("cost", "--scenario", tmp_path / "arms.toml")
    assert SAMPLE in str(error.value)


def test_prices_are_shown_copied_and_refreshed(office: Path) -> None:
    standard = json.loads(run("prices", "show", "--workspace", office, "--json").stdout)
    assert standard["hosted"]["gpt-4o"]["retires"] == "2027-01-14"
    shown = " ".join(run("prices", "show", "--workspace", office).stdout.split())
    assert "gpt-4o 2.5 1.25 10 2027-01-14 2026-11-10 genai-prices 0.2.3" in shown
    assert "engineer 100 an hour 2026-12-01 assumption" in shown
    run("prices", "write", "--workspace", office)
    text = (office / "prices.toml").read_text(encoding="utf-8")
    (office / "prices.toml").write_text(text.replace("input = 2.5\n", "input = 9.0\n"), encoding="utf-8")
    shown = run("prices", "refresh", "--from", "genai-prices", "--workspace", office).stdout
    assert "gpt-4o, input: 9 is now 2.5" in shown
    again = json.loads(run("prices", "refresh", "--workspace", office, "--json").stdout)
    assert again["refreshed"]["changes"] == []
    assert again["file"] == str(office / "prices.toml")


def test_prices_come_from_known_places_only(office: Path) -> None:
    done = CliRunner().invoke(app, ["prices", "refresh", "--from", "memory", "--workspace", str(office)])
    assert done.exit_code == 2
    assert "'memory' is no known source" in done.stderr


def test_a_cost_needs_neither_numpy_nor_torch(office: Path) -> None:
    code = (
        f"import sys; sys.argv = ['weighbridge', 'cost', '--workspace', {str(office)!r}]\n"
        "from weighbridge.cli import main\ntry: main()\nexcept SystemExit as stop: assert not stop.code\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'numpy', 'torch', 'scipy', 'genai_prices'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_cost_takes_less_than_a_second_of_the_processor(office: Path) -> None:
    """Without the start of Python. The clock on the wall counts other processes too."""
    run("cost", "--workspace", office)
    before = process_time()
    run("cost", "--workspace", office)
    assert process_time() - before < 1
