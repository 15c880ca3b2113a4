"""The sentences of the prior, one for each verdict: the terminal, the page and its script say the same.

`advice_score.js` has those that change with an answer a second time; tests/report/advice compares the two.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from weighbridge.decide.prior.advice import Advice, DatedFact, Disagreement
from weighbridge.decide.prior.matrix import AdviceMatrix, Answer, Factor, PublishedClaim, Study
from weighbridge.decide.prior.score import AdviceFlip, StrategyScore
from weighbridge.formatting import MINUS, NB, join_words, percentage, seconds
from weighbridge.report.safe_text import count_noun

CAVEAT = "This is a prior. Nothing in it was measured on your data: test it."
ANSWERS_TITLE = "# Answers for: weighbridge advise --answers FILE. A line that is left out means the default."
NOT_MEASURED = "published, not measured"
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def advice_headline(matrix: AdviceMatrix, advice: Advice) -> str:
    """Return the verdict in a sentence."""
    verdict = advice.verdict
    if not verdict.leader:
        return "None of the strategies can be built with these answers."
    if not verdict.settled:
        names = join_words([matrix.strategies[name].label for name in (verdict.leader, *verdict.close)])
        return f"Published advice does not settle it between {names}."
    possible = [row for row in advice.strategies if not row.impossible]
    leader = matrix.strategies[verdict.leader].label
    if len(possible) == 1:
        return f"Only {leader} can be built with these answers."
    second = matrix.strategies[possible[1].strategy].label
    lead = write_points(possible[0].points - possible[1].points)
    return f"Published advice points to {leader}: it leads {second} by {lead} points."


def write_points(points: float) -> str:
    """Return points to a tenth, without a sign for zero: ``16.5``, and a minus sign where they are below it."""
    tenths = math.floor(abs(points) * 10 + 0.5)
    text = f"{tenths / 10:.1f}".removesuffix(".0")
    return MINUS + text if points < 0 and tenths else text


def signed_points(points: float) -> str:
    """Return points with their sign."""
    text = write_points(points)
    return text if text == "0" or text[0] == MINUS else f"+{text}"


def describe_points(matrix: AdviceMatrix, row: StrategyScore) -> str:
    """Return what the points of a strategy are made of, the largest first: ``change +10, accuracy -8``."""
    parts = [(matrix.factors[one.factor].label, one.points) for one in row.contributions]
    parts.sort(key=lambda part: -abs(part[1]))
    parts += [("both needs at once", row.bonus), ("before any answer", row.base)]
    return ", ".join(f"{label}{NB}{signed_points(points)}" for label, points in parts if signed_points(points) != "0")


def describe_score(factor: Factor, score: int) -> str:
    """Return the answers that have a score: the value of a choice, or a range with its unit."""
    if factor.choices:
        values = [choice.value for choice in factor.choices if choice.score == score]
        return join_words(values, "or") or f"score {score}"
    if score not in factor.scores:
        return f"score {score}"
    place = factor.scores.index(score)
    unit = f"{NB}{factor.unit}" if factor.unit in ("s", "%") else f" {factor.unit}"
    if place == 0:
        return f"under {grouped_number(factor.bounds[0])}{unit}"
    if place == len(factor.bounds):
        return f"{grouped_number(factor.bounds[-1])}{unit} or more"
    return f"{grouped_number(factor.bounds[place - 1])} to {grouped_number(factor.bounds[place])}{unit}"


def describe_answer(factor: Factor, answer: Answer) -> str:
    """Return an answer with its unit."""
    if isinstance(answer, str):
        return answer
    if factor.unit in ("s", "%"):
        return f"{grouped_number(answer)}{NB}{factor.unit}"
    is_plural_word = answer != 1 or " " in factor.unit
    return f"{grouped_number(answer)} {factor.unit if is_plural_word else factor.unit.removesuffix('s')}".strip()


def grouped_number(value: float) -> str:
    """Return a number without needless zeros, its thousands marked."""
    return f"{value:,.6f}".rstrip("0").rstrip(".")


def plain_number(value: float) -> str:
    """Return a number without needless zeros and without marks, for a file."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def flip_sentences(matrix: AdviceMatrix, flips: Sequence[AdviceFlip]) -> list[str]:
    """Return the changes after which another strategy leads: a sentence for each of these strategies and kinds."""
    answers: dict[str, list[str]] = {}
    sources: dict[str, list[str]] = {}
    for flip in flips:
        if flip.source:
            sources.setdefault(flip.leader, []).append(matrix.sources[flip.source].short)
        else:
            factor = matrix.factors[flip.factor]
            answers.setdefault(flip.leader, []).append(f"{factor.label} at {describe_score(factor, flip.score)}")
    lines = []
    for leader, changes in answers.items():
        lines.append(f"Enough for {matrix.strategies[leader].label} to lead: {join_words(changes, 'or')}.")
    for leader, names in sources.items():
        label = matrix.strategies[leader].label
        lines.append(f"Enough for {label} to lead: leaving out the readings of {join_words(names, 'or')}.")
    return lines


def disagreement_sentence(matrix: AdviceMatrix, one: Disagreement) -> str:
    """Return who says what on a question on which the sources contradict each other."""
    sides = []
    for strategy, sources in (("fine-tuning", one.for_tuning), ("rag", one.for_rag)):
        names = join_words([matrix.sources[source].short for source in sources])
        sides.append(f"{matrix.strategies[strategy].label} in {count_noun(len(sources), 'source')} ({names})")
    return f"{matrix.factors[one.factor].label}: a higher score speaks for {sides[0]}, and for {sides[1]}"


def fact_sentence(fact: DatedFact) -> str:
    """Return a dated fact: ``Since 7 May 2026: ...`` or ``From 6 January 2027: ...``."""
    day = date.fromisoformat(fact.date)
    written = f"{day.day}{NB}{_MONTHS[day.month - 1]}{NB}{day.year}"
    return f"{'Since' if fact.is_past else 'From'} {written}: {fact.text}."


def study_sentence(matrix: AdviceMatrix, study: Study) -> str:
    """Return a measured finding, and the advice that it contradicts."""
    advice = f"\N{LEFT DOUBLE QUOTATION MARK}{study.against}\N{RIGHT DOUBLE QUOTATION MARK}"
    return f"{matrix.sources[study.source].short}, against {advice}: {study.finding}"


def claim_value(claim: PublishedClaim) -> str:
    """Return the number of a claim in its unit."""
    return percentage(claim.value) if claim.unit == "share" else seconds(claim.value)


def scenario_sentence(matrix: AdviceMatrix, name: str, advice: Sequence[str]) -> str:
    """Return a published scenario with its advice."""
    return f"{name}: {join_words([matrix.strategies[one].label for one in advice], 'or')}"


def changing_view(matrix: AdviceMatrix, advice: Advice) -> Mapping[str, Any]:
    """Return everything on the page that changes with an answer: the script computes the same."""
    trial = advice.trial
    return {
        "headline": advice_headline(matrix, advice),
        "rows": [
            {
                "strategy": row.strategy,
                "points": signed_points(row.points),
                "why": describe_points(matrix, row),
                "impossible": row.impossible,
            }
            for row in advice.strategies
        ],
        "flips": flip_sentences(matrix, advice.verdict.flips),
        "disputed": [one.factor for one in advice.disagreements if one.matters],
        "scenarios": [scenario_sentence(matrix, one.name, one.advice) for one in advice.scenarios],
        "commands": list(trial.commands),
        "settings": trial.settings,
        "remarks": list(trial.remarks),
        "tested": [test.name for test in trial.tests],
        "answers_file": answers_file(matrix, advice.answers),
    }


def question_comment(factor: Factor) -> str:
    """Return a question with its possible answers, as the comment above an answer in a file."""
    offered = join_words([choice.value for choice in factor.choices], "or") or f"a number, in {factor.unit}"
    return f"# {factor.question} {offered}"


def answers_file(matrix: AdviceMatrix, answers: Mapping[str, Answer]) -> str:
    """Return answers as YAML for `weighbridge advise --answers`, each with its question and what may be answered."""
    lines = [ANSWERS_TITLE]
    for name, factor in matrix.factors.items():
        answer = answers[name]
        lines += [
            "",
            question_comment(factor),
            f"{name}: {answer if isinstance(answer, str) else plain_number(answer)}",
        ]
    return "\n".join(lines) + "\n"
