"""The questions inside the page: complete, safe, restricted, and within their budget."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.report.page.questions_json import build_island
from weighbridge.results import Score
from weighbridge.types import PUBLIC, Chunk, Passage, Prompt

from ..sample import PEOPLE, weighing


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


def test_a_grade_is_shown_with_its_reason_to_those_who_may_read_the_answer() -> None:
    value = weighing()
    graded = tuple(replace(record, scores=(Score("accuracy", 1.0, "it is 17"),)) for record in value.records)
    content = json.loads(build_island(replace(value, records=graded), groups=PUBLIC, budget=10**6).text)
    shown = [record for question in content["questions"] for record in question["r"]]
    assert any("w" in record for record in shown)
    assert all(
        record.get("w") == (None if record.get("h") or record["o"] == "error" else "it is 17") for record in shown
    )


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


def shown(chunk: Chunk, cited: int) -> Mapping[str, Any]:
    """Return the passage of a page whose only record read a chunk and cites a place in it."""
    value = weighing()
    record = next(record for record in value.records if record.answer and record.answer.citations)
    assert record.answer is not None
    citations = (replace(record.answer.citations[0], chunk_id=chunk.id, start=cited, end=cited + 1),)
    answer = replace(record.answer, citations=citations, prompt=Prompt((), (Passage(chunk, 1.0),)))
    value = replace(value, records=(replace(record, answer=answer),))
    found: Mapping[str, Any] = json.loads(build_island(value, groups=PEOPLE, budget=10**6).text)["passages"][0]
    return found


HEADER = "| Item | Price |"
ROWS = "\n".join(f"| Bolt {n} | {n}.50 |" for n in range(3000))


def test_a_passage_that_goes_on_with_a_table_has_the_names_of_its_columns() -> None:
    chunk = Chunk(id="t", document_id="t", text="| Nut | 2 |\n\nEnd.", start=70, end=89, context=(HEADER,))
    assert shown(chunk, 78)["t"] == ["Item", "Price"]
    assert "t" not in shown(replace(chunk, context=("Prices",)), 78)


def test_a_window_into_a_long_table_begins_with_a_row_under_its_header() -> None:
    chunk = Chunk(id="t", document_id="t", text=f"Now:\n\n{HEADER}\n|---|---|\n{ROWS}", start=0, end=99_999)
    passage = shown(chunk, chunk.text.index("2500.50"))
    assert (passage["h"], passage["t"]) == (1, ["Item", "Price"])
    assert passage["x"].startswith("| Bolt ")
    assert "2500.50" in passage["x"]
    after = replace(chunk, text=f"{chunk.text}\n\n{'words ' * 5000}")
    assert "t" not in shown(after, len(after.text) - 9)


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node to run the page's script")
@pytest.mark.parametrize(
    ("passage", "cited", "html"),
    [
        ({"x": "Just a | b\nmore", "f": 5}, [[10, 11]], "<p>Just <mark>a</mark> | b\nmore</p>"),
        (
            {"x": "Of \U0001f600:\n| a |  | b |\n|--|--|--|\n| 1 |  | 24.9 |\nEnd.", "f": 0},
            [[39, 43]],
            (
                "<p>Of \U0001f600:</p><div><table><thead><tr><th>a</th><th>b</th></tr></thead>"
                "<tbody><tr><td>1</td><td><mark>24.9</mark></td></tr></tbody></table></div><p>End.</p>"
            ),
        ),
        (
            {"x": "| 1 | x\\|y |\n| 2 | 3 |", "f": 0, "t": ["a", "b"]},
            [],
            (
                "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>x|y</td></tr>"
                "<tr><td>2</td><td>3</td></tr></tbody></table></div>"
            ),
        ),
    ],
)
def test_the_page_shows_tables_as_tables(passage: Mapping[str, Any], cited: list[list[int]], html: str) -> None:
    script = str(files("weighbridge.report") / "templates" / "report.js")
    runner = str(Path(__file__).parent / "report_page.mjs")
    command = ["node", runner, script, json.dumps(passage), json.dumps(cited)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert out.strip() == f"<div>{html}</div>"
