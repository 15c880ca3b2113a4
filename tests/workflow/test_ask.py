"""Which strategy answers a question that names none, and the remark about it."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import save_weighing
from weighbridge.results import Outlook
from weighbridge.settings.schema import Arm, Settings
from weighbridge.workflow.ask import choose_arm
from weighbridge.workspace import Workspace

from ..report.sample import weighing

ARMS: tuple[Arm, ...] = ("prompt", "few-shot", "rag", "fine-tuned")
COMPARE = " Weigh the strategies with: weighbridge compare"


def choose(root: Path, name: str = "", arms: tuple[Arm, ...] = ARMS) -> tuple[Arm, list[str]]:
    """Return the strategy that answers, and the remarks."""
    said: list[str] = []
    settings = Settings.model_construct(strategies=arms)
    return choose_arm(name, settings, Workspace(root), said.append), said


def decide(root: Path, outlook: Outlook, *contenders: str) -> None:
    decided = replace(
        weighing().decision,
        outlook=outlook,
        recommended=contenders[0] if outlook == "recommended" else None,
        contenders=contenders,
    )
    save_weighing(Workspace(root), replace(weighing(), decision=decided))


def test_before_a_comparison_the_strategy_is_said_to_be_unmeasured(tmp_path: Path) -> None:
    assert choose(tmp_path) == ("rag", [f"Nothing is weighed here yet; rag answers.{COMPARE}"])
    assert choose(tmp_path, arms=("prompt", "fine-tuned"))[0] == "prompt"
    with pytest.raises(WorkspaceError, match="nothing has been weighed yet"):
        choose(tmp_path, arms=("fine-tuned",))


def test_a_recommended_strategy_answers_without_a_remark(tmp_path: Path) -> None:
    decide(tmp_path, "recommended", "few-shot")
    assert choose(tmp_path) == ("few-shot", [])


@pytest.mark.parametrize("outlook", ["not decisive", "none is good enough"])
def test_a_decision_without_a_recommendation_is_said(tmp_path: Path, outlook: Outlook) -> None:
    decide(tmp_path, outlook, "prompt")
    remark = "The last comparison recommends none; prompt answers, first by points."
    assert choose(tmp_path) == ("prompt", [remark])


def test_a_decision_without_a_strategy_of_the_settings_is_said(tmp_path: Path) -> None:
    decide(tmp_path, "recommended", "raft")
    remark = "The best strategy of the last comparison, raft, is no longer in the settings; rag answers."
    assert choose(tmp_path) == ("rag", [remark + COMPARE])


def test_a_decision_in_which_nothing_meets_the_limits_is_said(tmp_path: Path) -> None:
    decide(tmp_path, "none meets your limits")
    remark = "The last comparison recommends none, because none meets your limits; rag answers."
    assert choose(tmp_path) == ("rag", [remark])


def test_a_strategy_that_is_named_needs_no_remark(tmp_path: Path) -> None:
    assert choose(tmp_path, "few-shot") == ("few-shot", [])
    with pytest.raises(UserError, match="'raft' is not one of"):
        choose(tmp_path, "raft")
