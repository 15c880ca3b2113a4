"""The script of the page says what Python says, on any answers: points, verdict, doubts, commands and settings."""

import json
import random
import shutil
import subprocess
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from weighbridge.decide.prior.advice import draw_up_advice
from weighbridge.decide.prior.matrix import AdviceMatrix
from weighbridge.decide.prior.matrix_file import load_matrix, parse_matrix
from weighbridge.report.advice.advice_page import page_data
from weighbridge.report.advice.wording import changing_view

from ...decide.prior.situations import answer_with_score, written_cases

DAY = date(2026, 12, 1)
SETS = 300

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")


def random_answers(matrix: AdviceMatrix, source: random.Random) -> dict[str, Any]:
    """Return answers that lie at limits, ends and defaults more often than by chance."""
    answers: dict[str, Any] = {}
    for name, factor in matrix.factors.items():
        value: Any = answer_with_score(factor, source.randint(1, 5))
        if source.random() < 0.3:
            value = factor.default
        elif factor.bounds and source.random() < 0.5:
            value = source.choice([*factor.bounds, factor.minimum, factor.maximum, 0, 3, 9, source.uniform(0, 3e4)])
        answers[name] = value if isinstance(value, str) else min(max(round(value, 2), factor.minimum), factor.maximum)
    return answers


def shown_by_the_script(matrix: AdviceMatrix, sets: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    given = folder / "given.json"
    given.write_text(json.dumps({"data": page_data(matrix), "sets": sets}), encoding="utf-8")
    script = files("weighbridge.report") / "templates" / "advice_score.js"
    command = ["node", str(Path(__file__).parent / "advice_twin.mjs"), str(script), str(given)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def compare(matrix: AdviceMatrix, sets: list[dict[str, Any]], folder: Path) -> None:
    for answers, shown in zip(sets, shown_by_the_script(matrix, sets, folder), strict=True):
        advice = draw_up_advice(matrix, answers, DAY)
        expected = json.loads(json.dumps(changing_view(matrix, advice)))
        assert [row.pop("total") for row in shown["rows"]] == [row.points for row in advice.strategies], answers
        assert shown.pop("scores") == advice.scores
        assert shown.pop("leader") == advice.verdict.leader
        assert shown == expected, answers


def test_the_script_agrees_on_random_answers(tmp_path: Path) -> None:
    matrix, source = load_matrix(), random.Random(12)
    compare(matrix, [random_answers(matrix, source) for _ in range(SETS)], tmp_path)


def test_the_script_agrees_on_the_written_cases(tmp_path: Path) -> None:
    matrix = load_matrix()
    sets = [draw_up_advice(matrix, case.answers, DAY).answers for case in written_cases()]
    compare(matrix, [dict(answers) for answers in sets], tmp_path)


def test_the_script_agrees_on_a_matrix_of_ones_own(tmp_path: Path) -> None:
    text = (files("weighbridge.decide.prior") / "matrix.toml").read_text(encoding="utf-8")
    text = (
        text.replace("bonus = 16", "bonus = 7.25")
        .replace("weight = 8", "weight = 3.3")
        .replace("base = -8", "base = 1")
    )
    text = text.replace('strategies = ["few-shot"]', 'strategies = ["few-shot", "prompt"]').replace(
        "margin = 5", "margin = 0"
    )
    matrix, source = parse_matrix(text, Path("mine.toml")), random.Random(4)
    compare(matrix, [random_answers(matrix, source) for _ in range(60)], tmp_path)
    nothing = {"labels": 0, "documents": 0}
    (shown,) = shown_by_the_script(matrix, [dict(draw_up_advice(matrix, nothing, DAY).answers)], tmp_path)
    assert shown["headline"] == "None of the strategies can be built with these answers."
