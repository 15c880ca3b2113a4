"""The prior as a web page with a form: its script scores the answers as they are changed, without a network."""

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from weighbridge.decide.prior.advice import Advice, find_disagreements
from weighbridge.decide.prior.matrix import STRATEGIES, AdviceMatrix, Factor
from weighbridge.decide.prior.score import PUBLISHED, read_slopes
from weighbridge.decide.prior.trial import (
    ABOUT_HYBRID,
    ABOUT_MODEL,
    ARM_ORDER,
    FEWEST,
    TEST_SHARE,
    TOO_FEW,
    USUAL_QUESTIONS,
    find_claim_tests,
)
from weighbridge.report.advice import wording
from weighbridge.report.web_page import environment, policy, source

_KINDS = {
    "advice": "published, not measured",
    "measured": "measured",
    "provider": "a provider's notice",
    "reasoning": "reasoned, not published",
}


def advice_page(matrix: AdviceMatrix, advice: Advice) -> str:
    """Return the form with the scores as HTML. The page needs no other file, and its policy forbids fetching any."""
    style, script = source("advice.css"), f"{source('advice_score.js')}\n{source('advice.js')}"
    written = environment().get_template("advice.html.j2").render(
        matrix=matrix,
        advice=advice,
        view=wording.changing_view(matrix, advice),
        claims=list(zip(advice.claims[::2], advice.claims[1::2], strict=True)),
        caveat=wording.CAVEAT,
        kinds=_KINDS,
        number=wording.plain_number,
        grouped=lambda answer: answer if isinstance(answer, str) else wording.grouped_number(answer),
        slope=lambda value: wording.signed_points(value) if abs(value) in (0, 0.5, 1) else f"{value:+.2f}",
        slopes=read_slopes(matrix),
        words=wording,
        island=Markup(_island(page_data(matrix))),  # noqa: S704 - _island escapes what could end its element
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        policy=policy(style, script),
    )  # fmt: skip
    return written.encode("utf-8", "replace").decode("utf-8")


def _island(data: Mapping[str, Any]) -> str:
    """Return JSON that holds nothing which could end a script element."""
    text = json.dumps(data, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def page_data(matrix: AdviceMatrix) -> Mapping[str, Any]:
    """Return the matrix as `advice_score.js` reads it: slopes instead of cells, ranges in words."""
    left_out = [name for name, about in matrix.sources.items() if about.kind in PUBLISHED]
    return {
        "strategies": [
            {"name": name, "label": profile.label, "arm": profile.arm, "base": profile.base}
            for name, profile in ((name, matrix.strategies[name]) for name in STRATEGIES)
        ],
        "bonus": matrix.hybrid.bonus,
        "margin": matrix.margin,
        "factors": [_factor_data(name, factor) for name, factor in matrix.factors.items()],
        "slopes": read_slopes(matrix),
        "without": [
            {"source": name, "short": matrix.sources[name].short, "slopes": read_slopes(matrix, without=name)}
            for name in left_out
        ],
        "requirements": [
            {"strategies": one.strategies, "factor": one.factor, "at_least": one.at_least, "why": one.why}
            for one in matrix.requirements
        ],
        "scenarios": [
            {
                "text": wording.scenario_sentence(matrix, one.name, one.advice),
                "scores": {name: matrix.factors[name].score(answer) for name, answer in one.answers.items()},
            }
            for one in matrix.scenarios
        ],
        "disputed": [one.factor for one in find_disagreements(matrix, {})],
        "claims": [pair.name.replace(" ", "-") for pair in matrix.claims],
        "tests": [
            {"name": test.name, "arms": [test.ahead.arm, test.behind.arm], "questions": test.questions}
            for test in find_claim_tests(matrix, ARM_ORDER)
        ],
        "armOrder": ARM_ORDER,
        "testShare": TEST_SHARE,
        "usualQuestions": USUAL_QUESTIONS,
        "fewest": FEWEST,
        "tooFew": TOO_FEW,
        "aboutModel": ABOUT_MODEL,
        "aboutHybrid": ABOUT_HYBRID,
        "answersTitle": wording.ANSWERS_TITLE,
    }


def _factor_data(name: str, factor: Factor) -> Mapping[str, Any]:
    common = {
        "name": name,
        "label": factor.label,
        "weight": factor.weight,
        "need": factor.need,
        "default": factor.default,
        "ranges": {score: wording.describe_score(factor, score) for score in range(1, 6)},
        "comment": wording.question_comment(factor),
    }
    if factor.choices:
        choices = [{"value": one.value, "score": one.score, "setting": one.setting} for one in factor.choices]
        return {**common, "choices": choices}
    numbers = {"minimum": factor.minimum, "maximum": factor.maximum}
    return {
        **common,
        **numbers,
        "bounds": factor.bounds,
        "scores": factor.scores,
        "setting": factor.setting,
        "divisor": factor.divisor,
        "wrong": f"Give a number from {wording.grouped_number(factor.minimum)} to "
        f"{wording.grouped_number(factor.maximum)}. Until then the default counts.",
    }
