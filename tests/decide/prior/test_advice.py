"""The advice as a whole: disagreements computed from the data, studies, dated facts, scenarios like the user's."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from weighbridge.decide.prior.advice import draw_up_advice, find_disagreements, word_notices

from .situations import MATRIX, Case, written_cases

DAY = date(2026, 12, 1)


@pytest.mark.parametrize("case", written_cases(), ids=lambda case: case.name)
def test_the_disagreement_of_every_written_case_is_shown(case: Case) -> None:
    advice = draw_up_advice(MATRIX, case.answers, DAY)
    assert {one.factor for one in advice.disagreements if one.matters} == case.disputed


def test_the_sources_disagree_on_latency_three_to_one_and_on_scale_either_way() -> None:
    found = {one.factor: (one.for_rag, one.for_tuning) for one in find_disagreements(MATRIX, {})}
    assert found == {
        "latency": (("numbers",), ("five-criteria", "nine-considerations", "scenarios")),
        "scale": (("nine-considerations",), ("six-factors", "five-criteria")),
        "documents": (("ovadia-2023",), ("six-factors",)),
    }


def test_disagreements_come_from_the_data_and_not_from_the_code() -> None:
    cells = tuple(cell for cell in MATRIX.cells if cell.source != "nine-considerations")
    claims = tuple(replace(pair, fine_tuning=1.0) if pair.name == "latency" else pair for pair in MATRIX.claims)
    found = {one.factor for one in find_disagreements(replace(MATRIX, cells=cells, claims=claims), {})}
    assert found == {"documents"}


def test_a_fact_is_ahead_until_its_day_and_past_from_it_on() -> None:
    for notice in MATRIX.notices:
        before, on = (
            {fact.date: fact for fact in word_notices(MATRIX, day)}[notice.date.isoformat()]
            for day in (notice.date - timedelta(days=1), notice.date)
        )
        assert (before.text, before.is_past) == (notice.ahead, False)
        assert (on.text, on.is_past) == (notice.past, True)
    dates = [fact.date for fact in word_notices(MATRIX, DAY)]
    assert dates == sorted(dates)
    assert {"2027-01-06", "2027-01-14"} <= set(dates)


def test_studies_are_about_what_was_answered_and_all_of_them_if_nothing_was() -> None:
    assert draw_up_advice(MATRIX, {}, DAY).studies == MATRIX.studies
    about = draw_up_advice(MATRIX, {"change": "daily"}, DAY).studies
    assert [study.source for study in about] == ["ovadia-2023"]


def test_scenarios_fit_on_the_same_side_of_the_middle() -> None:
    assert draw_up_advice(MATRIX, {}, DAY).scenarios == ()
    names = [one.name for one in draw_up_advice(MATRIX, {"change": "weekly", "complexity": "demanding"}, DAY).scenarios]
    assert names == ["frequently updated knowledge", "highly specialised task", "both needs at once"]
    for scenario in MATRIX.scenarios:
        assert scenario in draw_up_advice(MATRIX, scenario.answers, DAY).scenarios


def test_the_same_answers_on_the_same_day_give_the_same_advice() -> None:
    given = {"change": "daily", "labels": "2k"}
    assert draw_up_advice(MATRIX, given, DAY) == draw_up_advice(MATRIX, given, DAY)
