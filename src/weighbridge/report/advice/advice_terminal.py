"""Prints the prior: the verdict first, then the scores and their reasons, the doubts, and the commands to test it."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from weighbridge.decide.prior.advice import Advice
from weighbridge.decide.prior.matrix import AdviceMatrix
from weighbridge.report.advice.wording import (
    CAVEAT,
    NOT_MEASURED,
    advice_headline,
    claim_value,
    describe_answer,
    describe_points,
    disagreement_sentence,
    fact_sentence,
    flip_sentences,
    scenario_sentence,
    signed_points,
    study_sentence,
)
from weighbridge.report.printed_sentence import Sentence
from weighbridge.report.safe_text import one_line

_LEADER = "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}"


def render_advice(matrix: AdviceMatrix, advice: Advice) -> RenderableType:
    """Return the prior as a rich renderable for a console of at least 80 columns."""
    return Group(
        Sentence(f"Published advice of {advice.matrix_dated}, for {advice.today}", "dim"),
        Text(),
        Sentence(advice_headline(matrix, advice), "bold"),
        Sentence(CAVEAT),
        Text(),
        _scores(matrix, advice),
        *_answers(matrix, advice),
        *_doubts(matrix, advice),
        *_claims(matrix, advice),
        *_trial(advice),
    )


def _scores(matrix: AdviceMatrix, advice: Advice) -> Table:
    table = _table("strategy", "points", "made of")
    table.columns[1].justify = "right"
    for row in advice.strategies:
        leads = row.strategy == advice.verdict.leader
        why = f"cannot be built: {row.impossible}" if row.impossible else describe_points(matrix, row) or "nothing"
        label = f"{_LEADER if leads else ' '} {matrix.strategies[row.strategy].label}"
        points = "" if row.impossible else signed_points(row.points)
        table.add_row(Text(label), Text(points), Sentence(one_line(why)), style="bold" if leads else "")
    return table


def _answers(matrix: AdviceMatrix, advice: Advice) -> list[RenderableType]:
    """Return the answers with their scores; those at their defaults are marked."""
    table = _table("question", "answer", "score")
    table.columns[2].justify = "right"
    for name, factor in matrix.factors.items():
        answer = describe_answer(factor, advice.answers[name])
        at_default = " (default)" if advice.answers[name] == factor.default else ""
        table.add_row(Text(f"  {factor.label}"), Text(f"{answer}{at_default}"), Text(str(advice.scores[name])))
    return [Text(), Text("Your answers, from 1 to 5 (3 moves nothing)", style="bold"), table]


def _doubts(matrix: AdviceMatrix, advice: Advice) -> list[RenderableType]:
    """Return all that speaks against taking the scores for more than they are."""
    disagreements = []
    for one in sorted(advice.disagreements, key=lambda one: not one.matters):
        rest = "" if one.matters else "; your answer is in the middle, so it moves nothing"
        disagreements.append(f"{disagreement_sentence(matrix, one)}{rest}.")
    return [
        *_section("One step from another advice", flip_sentences(matrix, advice.verdict.flips)),
        *_section(
            "Published scenarios like yours",
            [scenario_sentence(matrix, one.name, one.advice) for one in advice.scenarios],
        ),
        *_section("Where the sources disagree", disagreements),
        *_section("Measured, against the advice", [study_sentence(matrix, study) for study in advice.studies]),
        *_section(
            "What has a date",
            [f"{fact_sentence(fact)} ({matrix.sources[fact.source].url})" for fact in advice.facts],
        ),
    ]


def _claims(matrix: AdviceMatrix, advice: Advice) -> list[RenderableType]:
    """Return the published numbers, and which of them the proposed comparison tests."""
    rag, tuned = matrix.strategies["rag"], matrix.strategies["fine-tuning"]
    table = _table("claim", rag.label, tuned.label, "tested by these commands")
    tested = {test.name for test in advice.trial.tests}
    for one, other in zip(advice.claims[::2], advice.claims[1::2], strict=True):
        shown = "yes" if one.name in tested else "no"
        table.add_row(*map(Text, (f"  {one.name}", claim_value(one), claim_value(other), shown)))
    return [Text(), Text(f"Claims with numbers: {NOT_MEASURED}", style="bold"), table]


def _trial(advice: Advice) -> list[RenderableType]:
    trial = advice.trial
    first, *rest = trial.commands
    lines: list[RenderableType] = [
        Text(),
        Text("Test it on your data", style="bold"),
        Padding(Text(first), (0, 0, 0, 2), expand=False),
        Sentence("then write these lines into mine/weighbridge.yaml, instead of those of the same names:"),
        Padding(Text(trial.settings.rstrip()), (0, 0, 0, 4), expand=False),
        *(Padding(Text(command), (0, 0, 0, 2), expand=False) for command in rest),
    ]
    return [*lines, *(Sentence(remark, first="\N{BULLET} ") for remark in trial.remarks)]


def _table(*headings: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim")
    for heading in headings:
        table.add_column(heading)
    return table


def _section(title: str, sentences: Sequence[str]) -> list[RenderableType]:
    points = [Sentence(one_line(sentence), first="\N{BULLET} ") for sentence in sentences]
    return [Text(), Text(title, style="bold"), *points] if points else []
