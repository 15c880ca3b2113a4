"""Tasks of the lm-evaluation-harness, from local files, on the tiny Llama."""

import json
import sys
from pathlib import Path

import pytest

from weighbridge.checks.lm_eval import Tasks, forgetting_by_lm_eval
from weighbridge.errors import MissingExtraError, UserError
from weighbridge.train.runtime.recipe import Recipe

from .conftest import Tuned

ROWS = [{"question": f"What is {n} and 1?", "options": [str(n + 1), "x"], "answer": 0} for n in range(4)]


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    """A folder with a task that counts right answers, one that does not, and two whose data is not there."""
    (tmp_path / "sums.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    whole = {
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(tmp_path / "sums.jsonl")}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{question}}",
        "doc_to_choice": "{{options}}",
        "doc_to_target": "{{answer}}",
        "metric_list": [{"metric": "acc"}],
    }
    gone = {"dataset_kwargs": {"data_files": {"test": str(tmp_path / "gone.jsonl")}}}
    for name, other in {
        "sums": {},
        "certainty": {"metric_list": [{"metric": "brier_score"}]},
        "gone": gone,
        "hosted": {"dataset_path": "allenai/ai2_arc", "dataset_kwargs": {}},
    }.items():
        (tmp_path / f"{name}.yaml").write_text(json.dumps({"task": name, **whole, **other}))
    return tmp_path


def test_base_and_tuned_answer_the_same_questions(recipe: Recipe, tuned: Tuned, tasks: Path) -> None:
    asked = Tasks(names=("sums",), folder=tasks, limit=3)
    guard = forgetting_by_lm_eval(recipe.base, tuned.folder / "adapter", asked)
    assert guard.figures["base"].scored == guard.figures["tuned"].scored == 3
    assert guard.passed is not None
    assert "lm-eval task sums the base model" in guard.summary


def test_an_unchanged_model_has_forgotten_nothing(recipe: Recipe, tasks: Path) -> None:
    guard = forgetting_by_lm_eval(recipe.base, recipe.base.hf, Tasks(names=("sums",), folder=tasks))
    assert guard.figures["difference"].value == 0
    assert guard.passed


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere", "there is no lm-eval task nowhere; .* define certainty, "),
        ("certainty", "counts no right answers"),
        ("gone", "cannot find the data of gone: .*counts from the folder that the command is run in"),
        ("hosted", "not used unasked; to allow it for this once, set HF_HUB_OFFLINE=0"),
    ],
)
def test_a_task_that_cannot_be_used_is_the_users_to_change(
    recipe: Recipe, tuned: Tuned, tasks: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match=said):
        forgetting_by_lm_eval(recipe.base, tuned.folder / "adapter", Tasks(names=(name,), folder=tasks))


def test_a_folder_that_is_not_there_is_said(recipe: Recipe, tuned: Tuned, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such folder"):
        forgetting_by_lm_eval(
            recipe.base, tuned.folder / "adapter", Tasks(names=("sums",), folder=tmp_path / "elsewhere")
        )


def test_without_the_extra_it_says_what_to_install(
    recipe: Recipe, tuned: Tuned, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lm_eval", None)
    with pytest.raises(MissingExtraError, match=r"weighbridge\[lm-eval\]"):
        forgetting_by_lm_eval(recipe.base, tuned.folder / "adapter", Tasks(names=("sums",)))
