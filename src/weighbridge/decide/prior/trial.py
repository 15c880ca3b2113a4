"""The comparison that tests the prior on the user's own data: the strategies, the commands and the settings."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.decide.prior.matrix import AdviceMatrix, Answer, PublishedClaim, published_claims
from weighbridge.decide.prior.score import PriorVerdict, find_obstacle

ARM_ORDER = ("prompt", "few-shot", "rag", "fine-tuned", "raft")
"""The strategies of `weighbridge compare`, in the order of its settings."""
TEST_SHARE, USUAL_QUESTIONS = 0.4, 100
"""The share of the examples that is measured, and the most questions of it, as `weighbridge init` sets them."""
FEWEST = 30
"""Test questions below which an interval is wider than most differences: 18 points each way for a share of one half."""
TOO_FEW = (
    f"Write at least {math.ceil(FEWEST / TEST_SHARE)} questions with answers first: {TEST_SHARE:.0%} of them are "
    f"measured, and fewer than {FEWEST} hardly tell two strategies apart."
)
ABOUT_MODEL = (
    "Set the model in weighbridge.yaml to the one that you mean to use. The default is a small model that runs "
    "everywhere, and its answers say little about a large one."
)
ABOUT_HYBRID = (
    "The hybrid is compared as raft: one model, trained to read passages. No comparison sends frequent questions to "
    "one strategy and rare ones to another yet."
)
_BOTH_ENDS, _POWER = 1.959964, 0.841621
"""Normal quantiles for a two-sided test at 5 %, and for finding a true difference in four of five tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimTest:
    """A published difference between two strategies, and the test questions that it takes to see it."""

    name: str
    figure: str
    ahead: PublishedClaim
    behind: PublishedClaim
    questions: int
    """0 if it is no share: then the questions do not decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlan:
    """How to test the prior."""

    arms: tuple[str, ...]
    """The strategies to compare."""
    commands: tuple[str, ...]
    """To be run one after another, the settings written between them."""
    settings: str
    """The lines for weighbridge.yaml, instead of those of the same keys."""
    tests: tuple[ClaimTest, ...]
    """The published claims that this comparison tests."""
    test_questions: int
    """The test questions that the examples give."""
    remarks: tuple[str, ...]


def plan_trial(matrix: AdviceMatrix, answers: Mapping[str, Answer], verdict: PriorVerdict) -> TrialPlan:
    """Return the comparison of the leader with everything that may beat it.

    It has the leader, those close to it, RAG and fine-tuning, because the published claims are about these two, and the
    plain prompt as the least that must be beaten.
    """
    candidates = {"prompt", "rag", "fine-tuning", verdict.leader, *verdict.close}
    built = {matrix.strategies[name].arm for name in candidates - {""} if not find_obstacle(matrix, name, answers)}
    arms = tuple(arm for arm in ARM_ORDER if arm in built)
    examples, pages = answers.get("labels", 0.0), answers.get("documents", 1.0)
    available = math.floor(TEST_SHARE * examples) if isinstance(examples, float) else 0
    tests = find_claim_tests(matrix, arms)
    wanted = max((test.questions for test in tests), default=0)
    documents = "" if isinstance(pages, float) and pages < 1 else " --documents documents/"
    return TrialPlan(
        arms=arms,
        commands=(
            f"weighbridge init mine{documents} --examples questions.jsonl",
            "weighbridge compare --workspace mine",
        ),
        settings=_write_settings(matrix, answers, arms, min(wanted, available)),
        tests=tests,
        test_questions=available,
        remarks=_remarks(tests, available, has_hybrid=matrix.strategies["hybrid"].arm in arms),
    )


def find_claim_tests(matrix: AdviceMatrix, arms: Sequence[str]) -> tuple[ClaimTest, ...]:
    """Return the published differences between two of these arms that a measured figure can test."""
    claims = published_claims(matrix)
    tests = []
    for one, other in zip(claims[::2], claims[1::2], strict=True):
        if one.figure and one.arm in arms and other.arm in arms and one.value != other.value:
            is_first = (one.value > other.value) == (one.better == "higher")
            ahead, behind = (one, other) if is_first else (other, one)
            number = questions_to_see(ahead.value, behind.value) if one.unit == "share" else 0
            test = ClaimTest(name=one.name, figure=one.figure, ahead=ahead, behind=behind, questions=number)
            tests.append(test)
    return tuple(tests)


def questions_to_see(one: float, other: float) -> int:
    """Return the test questions that show a true difference between two shares in four of five tests, at 5 %.

    For paired answers, by McNemar's test (Connor 1987, Sample size for testing differences in proportions for the
    paired-sample design), as if the two strategies were right independently of each other. Strategies that fail on the
    same questions need fewer.
    """
    differing = one * (1 - other) + other * (1 - one)
    gap = abs(one - other)
    reach = _BOTH_ENDS * math.sqrt(differing) + _POWER * math.sqrt(max(0.0, differing - gap**2))
    return math.ceil((reach / gap) ** 2)


def _write_settings(matrix: AdviceMatrix, answers: Mapping[str, Answer], arms: Sequence[str], questions: int) -> str:
    """Return the lines for weighbridge.yaml. An answer at its default sets nothing."""
    lines = [f"strategies: [{', '.join(arms)}]"]
    if questions > USUAL_QUESTIONS:
        lines += ["measure:", f"  questions: {questions}"]
    limits: list[str] = []
    others: list[str] = []
    for name, factor in matrix.factors.items():
        answer = answers[name]
        if answer == factor.default:
            continue
        if isinstance(answer, str):
            setting: str = next(choice.setting for choice in factor.choices if choice.value == answer)
            value = "true"
        else:
            setting, value = factor.setting, f"{answer / factor.divisor:.6f}".rstrip("0").rstrip(".")
            if setting == "needs.answers_per_month":
                value = str(max(1, math.floor(answer / factor.divisor + 0.5)))
        if setting:
            key = setting.rpartition(".")[2]
            (limits if ".limits." in setting else others).append(f"{key}: {value}")
    if limits or others:
        lines.append("needs:")
    if limits:
        lines += ["  limits:", *(f"    {line}" for line in limits)]
    lines += [f"  {line}" for line in others]
    return "\n".join(lines) + "\n"


def _remarks(tests: Sequence[ClaimTest], available: int, *, has_hybrid: bool) -> tuple[str, ...]:
    remarks = []
    if available < FEWEST:
        remarks.append(TOO_FEW)
    for test in tests:
        if test.questions > available >= FEWEST:
            needed = math.ceil(test.questions / TEST_SHARE)
            remarks.append(
                f"To see the published difference in {test.name} takes about {test.questions:,} test questions, which "
                f"is {needed:,} examples; yours give {available:,}. A smaller test may be not decisive."
            )
    remarks.append(ABOUT_MODEL)
    if has_hybrid:
        remarks.append(ABOUT_HYBRID)
    return tuple(remarks)
