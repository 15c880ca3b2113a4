"""The questions inside the page: complete, safe, restricted, and within their budget."""

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.island import build_island
from weighbridge.types import PUBLIC

from .sample import PEOPLE, weighing


def test_every_attempt_is_there_and_each_passage_once() -> None:
    value = weighing()
    island = build_island(value, groups=PEOPLE, budget=10**6)
    content = json.loads(island.text)
    assert len(content["questions"]) == len(value.examples)
    assert all(len(question["r"]) == len(value.measurements) for question in content["questions"])
    assert len({passage["d"] for passage in content["passages"]}) == len(content["passages"]) == 6
    assert island.left_out == ()


def test_citations_point_at_their_words() -> None:
    content = json.loads(build_island(weighing(), groups=PUBLIC, budget=10**6).text)
    for question in content["questions"]:
        for record in question["r"]:
            for place, start, end in record.get("c", ()):
                passage = content["passages"][place]
                assert passage["x"][start - passage["f"] : end - passage["f"]] == record["x"]


def test_what_only_a_group_may_read_is_withheld_from_others() -> None:
    public, inside = (build_island(weighing(), groups=groups, budget=10**6) for groups in (PUBLIC, PEOPLE))
    for secret in ("Petronella", "43,850", "38,500"):
        assert secret not in public.text
        assert secret in inside.text
    assert "What is the top of pay band C?" in public.text
    assert "restricted" in " ".join(public.left_out)


def test_a_leaked_passage_is_withheld_even_if_the_question_was_public() -> None:
    value = weighing()
    examples = tuple(replace(e, question=replace(e.question, groups=PUBLIC), answers=()) for e in value.examples)
    assert "Petronella" not in build_island(replace(value, examples=examples), groups=PUBLIC, budget=10**6).text


@given(st.integers(10, 12_000))
def test_the_budget_is_kept_and_cuts_are_told(budget: int) -> None:
    island = build_island(weighing(), groups=PUBLIC, budget=budget)
    content = json.loads(island.text)
    assert len(island.text.encode()) <= budget or not content["questions"]
    whole = build_island(weighing(), groups=PUBLIC, budget=10**6)
    assert island.text == whole.text or any("small" in line for line in island.left_out)


@given(st.text())
def test_nothing_can_leave_the_element(text: str) -> None:
    value = weighing()
    example = replace(value.examples[0], question=replace(value.examples[0].question, text=f"{text}</script>\u2028"))
    island = build_island(replace(value, examples=(example,)), groups=PUBLIC, budget=10**6)
    assert not set("<>&\u2028\u2029") & set(island.text)
    island.text.encode()
