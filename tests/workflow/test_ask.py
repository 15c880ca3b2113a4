"""Which strategy answers a question that names none, and the remark about it."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import UserError, WorkspaceError
from weighbridge.evaluate.weighing import save_decision, save_weighing
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
        recommended=contenders[0] if outlook in {"recommended", "the cheapest of the equals"} else None,
        contenders=contenders,
    )
    save_weighing(Workspace(root), replace(weighing(), decision=decided))


def test_before_a_comparison_the_strategy_is_said_to_be_unmeasured(tmp_path: Path) -> None:
    assert choose(tmp_path) == ("rag", [f"Nothing is weighed here yet; rag answers.{COMPARE}"])
    assert choose(tmp_path, arms=("prompt", "fine-tuned"))[0] == "prompt"
    with pytest.raises(WorkspaceError, match="nothing has been weighed yet"):
        choose(tmp_path, arms=("fine-tuned",))


def test_a_recommended_strategy_answers_with_the_decision_that_chose_it(tmp_path: Path) -> None:
    decide(tmp_path, "recommended", "few-shot")
    place = f"the decision on the measurements of 2026-11-20 in {tmp_path}"
    assert choose(tmp_path) == ("few-shot", [f"few-shot answers: it is recommended by {place}."])
    decide(tmp_path, "the cheapest of the equals", "rag", "prompt")
    assert choose(tmp_path) == ("rag", [f"rag answers: it is the cheapest of those that are equal by {place}."])


@pytest.mark.parametrize(
    ("outlook", "why"),
    [
        ("not decisive", "nothing is recommended yet, and it comes first by points, but not beyond chance, in"),
        ("none is good enough", "none is good enough, and it comes first by points in"),
    ],
)
def test_a_decision_without_a_recommendation_is_said(tmp_path: Path, outlook: Outlook, why: str) -> None:
    decide(tmp_path, outlook, "prompt")
    place = f"the decision on the measurements of 2026-11-20 in {tmp_path}"
    assert choose(tmp_path) == ("prompt", [f"prompt answers: {why} {place}."])


def test_a_decision_taken_again_counts_more_than_that_of_the_comparison(tmp_path: Path) -> None:
    decide(tmp_path, "recommended", "few-shot")
    again = replace(weighing().decision, outlook="recommended", recommended="prompt", contenders=("prompt",))
    save_decision(Workspace(tmp_path), again)
    assert choose(tmp_path)[0] == "prompt"
    Workspace(tmp_path).decision_file.unlink()
    assert choose(tmp_path)[0] == "few-shot", "a workspace of an earlier release has no decision.json"


def test_a_decision_without_a_strategy_of_the_settings_is_said(tmp_path: Path) -> None:
    decide(tmp_path, "recommended", "raft")
    place = f"the decision on the measurements of 2026-11-20 in {tmp_path}"
    remark = f"The best strategy of {place}, raft, is no longer in the settings; rag answers."
    assert choose(tmp_path) == ("rag", [remark + COMPARE])


def test_a_decision_in_which_nothing_meets_the_limits_is_said(tmp_path: Path) -> None:
    decide(tmp_path, "none meets your limits")
    place = f"the decision on the measurements of 2026-11-20 in {tmp_path}"
    assert choose(tmp_path) == ("rag", [f"None meets your limits in {place}, so none is recommended; rag answers."])


def test_a_strategy_that_is_named_needs_no_remark(tmp_path: Path) -> None:
    assert choose(tmp_path, "few-shot") == ("few-shot", [])
    with pytest.raises(UserError, match="'raft' is not one of"):
        choose(tmp_path, "raft")
