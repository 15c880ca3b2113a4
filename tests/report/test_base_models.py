"""Base model against strategy: the matrix, the claims with their correction, and what follows on one base model."""

from dataclasses import replace
from datetime import date
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from weighbridge.arms import write_arms
from weighbridge.decide.money.measured_costs import Pricing, money_case
from weighbridge.decide.money.other_ways import with_other_ways
from weighbridge.decide.money.ownership import ownership
from weighbridge.decide.prior.evidence import weigh_claims, workload_facts
from weighbridge.decide.prior.matrix_file import load_matrix
from weighbridge.decide.prior.one_base import on_one_base
from weighbridge.decide.rollout.make_plan import PlanRequest, make_plan
from weighbridge.decide.what_if.changes import left_out, parse_change
from weighbridge.errors import DataError
from weighbridge.evaluate.weighing import measurements_of
from weighbridge.intervals import holm
from weighbridge.report.base_models import compare_bases
from weighbridge.report.page.weighing_page import page
from weighbridge.report.terminal import render_weighing
from weighbridge.results import Weighing
from weighbridge.settings.needs import Needs
from weighbridge.settings.schema import ModelEntry, Settings
from weighbridge.workflow.prices import load_price_book
from weighbridge.workspace import Workspace

from .sample import weighing
from .sample_bases import RIGHT, decision_on, weighing_on_bases

MODELS = (ModelEntry(name="tiny", reference="tiny"), ModelEntry(name="small", reference="small", quantisation="Q4_0"))
SETTINGS = Settings(examples=Path("e"), models=MODELS)


@pytest.fixture(scope="module")
def taken() -> Weighing:
    return weighing_on_bases()


def test_one_base_model_has_no_matrix() -> None:
    assert compare_bases(weighing()) is None
    assert weighing().decision.by_base == ()


def test_the_matrix_has_each_strategy_on_each_base_model(taken: Weighing) -> None:
    found = compare_bases(taken)
    assert found is not None
    assert (found.bases, found.strategies) == (("tiny", "small"), ("prompt", "few-shot", "rag", "fine-tuned"))
    rag, tuned = found.cells[2], found.cells[3]
    assert [cell.accuracy for cell in rag] == ["25\N{NO-BREAK SPACE}%", "83\N{NO-BREAK SPACE}%"]
    assert [cell.is_best for cell in rag] == [False, True]
    assert [cell.accuracy for cell in tuned] == ["42\N{NO-BREAK SPACE}%", "\N{EN DASH}"], "never weighed on small"
    assert rag[1].beside[0] == "780\N{NO-BREAK SPACE}MiB"


def test_a_strategy_that_declines_everything_or_is_never_right_is_not_marked_as_the_best(taken: Weighing) -> None:
    """It is right on the questions without an answer, which may be most."""
    declined = replace(taken.measurements[0].figures["accuracy"], value=1.0)
    changed = [
        replace(one, figures={**one.figures, "needless_abstention": declined}) if one.strategy == "rag@small" else one
        for one in taken.measurements
    ]
    found = compare_bases(replace(taken, measurements=tuple(changed)))
    assert found is not None
    assert [row[1].is_best for row in found.cells] == [True, False, False, False]
    never = compare_bases(weighing_on_bases(dict.fromkeys(RIGHT, 0)))
    assert never is not None
    assert not any(cell.is_best for row in never.cells for cell in row)
    assert not any("best by accuracy" in sentence for sentence in never.sentences)


def test_the_best_is_tested_on_its_own_base_model_first_and_then_across(taken: Weighing) -> None:
    found = compare_bases(taken)
    assert found is not None
    assert [(pair.scope, pair.left, pair.right) for pair in found.pairs] == [
        ("tiny", "fine-tuned@tiny", "rag@tiny"),
        ("tiny", "fine-tuned@tiny", "few-shot@tiny"),
        ("tiny", "fine-tuned@tiny", "prompt@tiny"),
        ("small", "rag@small", "prompt@small"),
        ("across", "rag@small", "fine-tuned@tiny"),
    ]
    assert "7\N{NO-BREAK SPACE}pairs on one base model, and 8 across two" in found.sentences[1]


def test_holm_corrects_the_pairs_on_one_base_model_apart_from_those_across(taken: Weighing) -> None:
    accuracy = [one for one in taken.comparisons if one.figure == "accuracy"]
    for across in (False, True):
        group = [one for one in accuracy if (one.left.partition("@")[2] != one.right.partition("@")[2]) == across]
        assert len(group) == (8 if across else 7)
        assert [one.p_adjusted for one in group] == list(holm([one.p_value for one in group]))


def test_the_decision_tells_whether_the_choice_turns_with_the_base_model(taken: Weighing) -> None:
    decision = taken.decision
    assert decision.recommended == "rag@small"
    assert [(one.base, one.recommended) for one in decision.by_base] == [
        ("tiny", "fine-tuned@tiny"), ("small", "rag@small"),
    ]  # fmt: skip
    assert decision.reasons[-1] == (
        "The choice of the strategy turns with the base model: on tiny it is fine-tuned; on small it is rag."
    )
    same = decision_on({**RIGHT, "rag@tiny": 50, "fine-tuned@tiny": 10})
    assert same.reasons[-1].endswith("does not turn with the base model: alone, each of them has rag.")
    open_still = decision_on({**RIGHT, "fine-tuned@tiny": 8, "rag@tiny": 7})
    assert open_still.reasons[-1].startswith("Whether the choice of the strategy turns with the base model is open:")


def test_the_order_of_the_measurements_changes_no_outlook() -> None:
    backwards = decision_on(dict(reversed(RIGHT.items())))
    assert {one.base: one for one in backwards.by_base} == {one.base: one for one in decision_on().by_base}
    assert backwards.recommended == decision_on().recommended


def test_sentences_name_arms_in_words_and_paths_as_they_are(taken: Weighing) -> None:
    told = " ".join((*taken.decision.reasons, *taken.decision.would_change))
    assert "rag on small has" in told
    assert "@" not in told
    arms = ("rag@small", "rag@small-2")
    assert write_arms("rag@small-2 beats rag@small.", arms) == "rag on small-2 beats rag on small."
    assert (
        write_arms("see adapters/rag@small/1 and rag@small.bin", arms) == "see adapters/rag@small/1 and rag@small.bin"
    )


@pytest.mark.parametrize("width", [80, 100])
def test_the_terminal_and_the_page_show_both_dimensions(taken: Weighing, width: int) -> None:
    file = StringIO()
    Console(file=file, width=width, color_system=None).print(render_weighing(taken))
    text = file.getvalue().replace("\N{NO-BREAK SPACE}", " ")
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for words in (
        "Use rag on small.",
        "Base model against strategy: accuracy",
        "83 % (73\N{EN DASH}90)",
        "rag@small, across",
    ):
        assert words in text
    written = page(taken).replace("\N{NO-BREAK SPACE}", " ")
    for words in ('<a href="#bases">Base models</a>', "Base model against strategy", "780 MiB", "fine-tuned@tiny"):
        assert words in written
    assert 'id="bases"' not in page(weighing())


def test_published_claims_are_judged_on_the_base_model_of_the_decision(taken: Weighing) -> None:
    saved, settled = on_one_base(measurements_of(taken), taken.decision)
    assert [one.strategy for one in saved.measurements] == ["prompt", "rag"]
    assert saved.joint.strategies == ("prompt", "rag")
    assert {(one.left, one.right) for one in saved.comparisons} == {("prompt", "rag")}
    assert (settled.recommended, saved.settings["model"]) == ("rag", "Qwen2.5-Coder-0.5B-Instruct")
    matrix = load_matrix()
    facts = workload_facts(saved, SETTINGS, matrix)
    assert facts["model-size"] == 0.5
    evidence = weigh_claims(saved, matrix, decision=settled, facts=facts)
    assert evidence.workload == "Tarrow Sound handbook, on small"
    assert any("fine-tuned was not weighed" in verdict.reason for verdict in evidence.verdicts)
    one = weighing()
    assert on_one_base(measurements_of(one), one.decision) == (measurements_of(one), one.decision)


def test_costs_follow_the_base_model_of_each_strategy(taken: Weighing) -> None:
    hosted = ModelEntry(name="small", reference="gpt-4o", engine="openai")
    for entry, expected in ((MODELS[1], "Q4_0"), (hosted, "gpt-4o")):
        settings = SETTINGS.model_copy(update={"models": (MODELS[0], entry)})
        pricing = Pricing(settings=settings, book=load_price_book(Workspace(Path("nowhere"))), start=date(2026, 12, 1))
        assert pricing.for_arm("rag@tiny").hosted_model is None
        assert (pricing.for_arm("rag@small").hosted_model is not None) == (entry is hosted)
        if entry is MODELS[1]:
            case = with_other_ways(money_case(taken.measurements, pricing), taken.measurements, pricing)
            own = ownership(case)
            assert {arm.name for arm in own.arms} == set(RIGHT)
            assert any(expected in note for note in own.notes)
            assert case.inputs["rag@small.index_gib"].band.likely == 0.0, "a larger model is no larger index"


def test_a_plan_rolls_out_one_arm(taken: Weighing) -> None:
    saved, request = measurements_of(taken), PlanRequest(today=date(2026, 12, 1), strategy="fine-tuned")
    assert make_plan(saved, taken.decision, SETTINGS, request).strategy == "fine-tuned@tiny", "only tiny has it"
    with pytest.raises(DataError, match="'rag' runs on 2 base models here; name one: rag@tiny, rag@small"):
        make_plan(saved, taken.decision, SETTINGS, PlanRequest(today=date(2026, 12, 1), strategy="rag"))


def test_a_strategy_is_left_out_on_every_base_model_or_on_one() -> None:
    arms = tuple(RIGHT)
    both = left_out([parse_change("strategy.rag=without", arms)], arms)
    assert both == {"rag@tiny", "rag@small"}
    assert left_out([parse_change("strategy.rag@tiny=without", arms)], arms) == {"rag@tiny"}


def test_needs_of_one_base_model_rule_out_another() -> None:
    needs = Needs.model_validate({"limits": {"maximum_memory_gib": 0.5}})
    decision = decision_on(needs=needs)
    assert decision.recommended == "fine-tuned@tiny"
    assert any(reason.startswith("rag on small is out:") for reason in decision.reasons)
