"""The matrix of published advice: what is in it, and how a wrong one is refused."""

from importlib.resources import files
from pathlib import Path

import pytest

from weighbridge.decide.prior.contrasts import DERIVED_FIGURES
from weighbridge.decide.prior.matrix import STRATEGIES, published_claims, published_orders
from weighbridge.decide.prior.matrix_file import load_matrix, parse_matrix
from weighbridge.errors import SettingsError
from weighbridge.figures import FIGURES
from weighbridge.settings.schema import ARMS

TEXT = (files("weighbridge.decide.prior") / "matrix.toml").read_text(encoding="utf-8")


def test_the_claims_with_numbers_are_those_that_were_published() -> None:
    claims = published_claims(load_matrix())
    found = {(one.name, one.arm): (one.figure, one.value, one.unit, one.source) for one in claims}
    assert found == {
        ("accuracy", "rag"): ("accuracy", 0.85, "share", "numbers"),
        ("accuracy", "fine-tuned"): ("accuracy", 0.92, "share", "numbers"),
        ("latency", "rag"): ("latency_p50", 1.2, "seconds", "numbers"),
        ("latency", "fine-tuned"): ("latency_p50", 1.5, "seconds", "numbers"),
        ("hallucination", "rag"): ("hallucination", 0.05, "share", "numbers"),
        ("hallucination", "fine-tuned"): ("hallucination", 0.02, "share", "numbers"),
        ("retention over three months", "rag"): ("", 0.8, "share", "numbers"),
        ("retention over three months", "fine-tuned"): ("", 0.9, "share", "numbers"),
    }


def test_the_orders_are_on_figures_that_are_measured_and_name_arms() -> None:
    orders = published_orders(load_matrix())
    assert {one.figure for one in orders} <= {*FIGURES, *DERIVED_FIGURES}
    assert {one.ahead for one in orders} == {"rag", "fine-tuned", "raft"}
    latency = [(one.source, one.ahead, one.behind) for one in orders if one.figure == "latency_p50"]
    assert [source for source, _, _ in latency] == ["five-criteria", "nine-considerations", "scenarios"]
    assert {(ahead, behind) for _, ahead, behind in latency} == {("fine-tuned", "rag")}


def test_every_published_row_is_there() -> None:
    rows: dict[str, list[str]] = {}
    for cell in load_matrix().cells:
        rows.setdefault(cell.source, []).append(cell.row)
    assert (len(rows["six-factors"]), len(rows["five-criteria"]), len(rows["nine-considerations"])) == (8, 5, 9)
    assert len(load_matrix().scenarios) == 9


def test_every_strategy_is_one_that_a_comparison_builds() -> None:
    matrix = load_matrix()
    assert tuple(matrix.strategies) == STRATEGIES
    assert {profile.arm for profile in matrix.strategies.values()} == set(ARMS)


def test_a_matrix_of_ones_own_is_read(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(TEXT.replace("rag = 0.85", "rag = 0.95"), encoding="utf-8")
    assert published_claims(load_matrix(mine))[0].value == 0.95


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('format = "weighbridge matrix"', "format = ", "is not valid TOML"),
        ('format = "weighbridge matrix"', 'format = "matrix"', "format: 'matrix' is not one of weighbridge matrix"),
        ("version = 1", "version = 2", "version: 2 is not known; this Weighbridge reads version 1"),
        ("[hybrid]", "[hybird]", "hybird: unknown key; did you mean 'hybrid'?"),
        ("bonus = 16", "", "hybrid.bonus: is missing; add a line `bonus = ...`"),
        ("bonus = 16", "bonus = -1", "hybrid.bonus: is below 0"),
        ("bonus = 16", "bonus = true", "hybrid.bonus: must be a number, not True"),
        ("bonus = 16", "bonus = nan", "hybrid.bonus: nan is no figure to count with"),
        ("base = -8", 'base = "low"', "strategies.hybrid.base: must be a number, not 'low'"),
        ("[strategies.prompt]", "[strategies.promt]", "strategies: must be prompt, few-shot, rag, fine-tuning, hybrid"),
        ("weight = 8", "weight = -8", "factors.complexity.weight: is below 0"),
        ("weight = 8", "wieght = 8", "factors.complexity.wieght: unknown key; did you mean 'weight'?"),
        ("[100, 500, 2_000, 10_000]", "[100, 500, 10_000]", "factors.labels.bounds: must be four numbers"),
        ("[100, 500, 2_000, 10_000]", "[500, 100, 2_000, 10_000]", "each above the one before"),
        ("[5, 4, 3, 2, 1]", "[5, 4, 3, 2]", "factors.deployment.scores: must be five scores"),
        ("[5, 4, 3, 2, 1]", "[5, 4, 3, 4, 1]", "that only rise, or only fall"),
        ("[5, 4, 3, 2, 1]", "[6, 4, 3, 2, 1]", "factors.deployment: a score is outside 1 to 5"),
        ("maximum = 520", "maximum = 0", "factors.deployment.maximum: must be above minimum (0)"),
        ("divisor = 100", "divisor = 0", "factors.accuracy.divisor: must be above 0"),
        ("default = 6", "default = 1", "factors.deployment.default: has the score 5; choose one with 3, the middle"),
        ('default = "moderate"', 'default = "modest"', "factors.complexity.default: 'modest' is not one of"),
        ('value = "simple"', 'value = "lookup"', "factors.complexity.choices: two have the same value"),
        ('need = "behaviour"', 'need = "behavior"', "did you mean 'behaviour'?"),
        ('factor = "budget"', 'factor = "buget"', "cells[1].factor: 'buget' is not in factors; did you mean 'budget'?"),
        ('source = "six-factors"', 'source = "six"', "cells[0].source: 'six' is not in sources"),
        (
            "effect = { rag = -1, fine-tuning = 1 }",
            "effect = { rag = -3 }",
            "cells[0].effect.rag: -3 is outside -1 to 1",
        ),
        (
            "effect = { rag = -1, fine-tuning = 1 }",
            "effect = { rags = 1 }",
            "cells[0].effect: 'rags' is not in strategies",
        ),
        ("effect = { change = 0.5,", "effect = { change = -0.5,", "directions[8].effect.change: is below 0"),
        ('figure = "setup"', 'figure = "set_up"', "cells[3].figure: 'set_up' is not in figures; did you mean 'setup'?"),
        ("answers = { labels = 40 }", "answers = { labels = -4 }", "scenarios[6].answers.labels: -4 is not between"),
        ("answers = { labels = 40 }", "answers = { label = 40 }", "'label' is not in factors; did you mean 'labels'?"),
        ("date = 2026-05-07", 'date = "soon"', "notices[0].date: must be a date like 2027-01-06, not 'soon'"),
        ("choices = [\n", "bounds = [1, 2, 3, 4]\nchoices = [\n", "needs either choices, or bounds and scores"),
        ('factors = ["documents", "change"]', 'factors = "change"', "studies[0].factors: must be a list, not 'change'"),
    ],
)
def test_a_wrong_matrix_is_refused_with_its_key_and_a_remedy(old: str, new: str, problem: str) -> None:
    assert old in TEXT
    with pytest.raises(SettingsError) as caught:
        parse_matrix(TEXT.replace(old, new, 1), Path("mine.toml"))
    assert str(caught.value).startswith("mine.toml:")
    assert problem in str(caught.value)


def test_a_matrix_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_matrix(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'format = "\xe9"')
    with pytest.raises(SettingsError, match="is not UTF-8"):
        load_matrix(tmp_path / "latin.toml")
