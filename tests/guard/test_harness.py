"""Tasks of the lm-evaluation-harness, from local files, on the tiny Llama."""

import json
import sys
from pathlib import Path

import pytest

from weighbridge.errors import MissingExtraError, UserError
from weighbridge.guard.harness import Tasks, forgetting_by_lm_eval
from weighbridge.train.recipe import Recipe

from .conftest import Tuned

ROWS = [{"question": f"What is {n} and 1?", "options": [str(n + 1), "x"], "answer": 0} for n in range(4)]


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """A folder with one task that counts right answers, and one that does not."""
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    whole = {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(tmp_path / "sums.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{options}}",
        "doc_to_target": "{{answer}}",
    }
    for name, metric in (("sums", "acc"), ("certainty", "brier_score")):
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"task": name, **whole, "metric_list": [{"metric": metric}]}))
    return tmp_path


def test_base_and_tuned_answer_the_same_questions(recipe: Recipe, tuned: Tuned, tasks: Path) -> None:
    asked = Tasks(names=("sums",), folder=tasks, limit=3)
    guard = forgetting_by_lm_eval(recipe.base, tuned.folder / "adapter", asked)
    assert guard.figures["base"].scored == guard.figures["tuned"].scored == 3
    assert guard.passed is not None
    assert "lm-eval tasks sums" in guard.summary


def test_an_unchanged_model_has_forgotten_nothing(recipe: Recipe, tasks: Path) -> None:
    guard = forgetting_by_lm_eval(recipe.base, recipe.base.hf, Tasks(names=("sums",), folder=tasks))
    assert guard.figures["difference"].value == 0
    assert guard.passed


@pytest.mark.parametrize(("name", "said"), [("nowhere", "cannot run"), ("certainty", "counts no right answers")])
def test_a_task_that_cannot_be_used_is_the_users_to_change(
    recipe: Recipe, tuned: Tuned, tasks: Path, name: str, said: str
) -> None:
    with pytest.raises(UserError, match=said):
        forgetting_by_lm_eval(recipe.base, tuned.folder / "adapter", Tasks(names=(name,), folder=tasks))


def test_without_the_extra_it_says_what_to_install(
    recipe: Recipe, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(MissingExtraError, match=r"weighbridge\[lm-eval\]"):
        forgetting_by_lm_eval(recipe.base, tuned.folder / "adapter", Tasks(names=("sums",)))
