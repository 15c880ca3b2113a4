"""What every metric keeps: it never raises, and a score lies in 0 to 1 or says why there is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.evaluate.metrics.marking import has_abstained
from weighbridge.evaluate.metrics.suite import metrics_for
from weighbridge.figures import FIGURES
from weighbridge.protocols import Metric
from weighbridge.types import Answer, Chunk, Example, Passage, Prompt, Question, Task, Timing, Usage

SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
METRICS = [
    pytest.param(metric, id=f"{task}-{'reads' if reads else 'closed'}-{metric.name}")
    for task in ("answer", "label", "json")
    for reads in (True, False)
    for metric in metrics_for(task, reads=reads, schema=SCHEMA)
]
TASKS: tuple[Task, ...] = ("answer", "label", "json")
ODD = ["", " ", "{}", '{"a": 1}', "[1, [2]]", "NaN", "the", "A.", "\ud800", "1e999"]
texts = st.text(max_size=30) | st.sampled_from(ODD)
names = st.sampled_from(["a", "b", "c"])


@st.composite
def examples(draw: st.DrawFn) -> Example:
    answers = draw(st.lists(texts, max_size=3))
    answerable = draw(st.booleans())
    evidence = tuple(draw(st.lists(names, max_size=2)))
    return Example(id="e", question=Question("?"), answers=tuple(answers), evidence=evidence, answerable=answerable)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    text = draw(texts)
    documents = draw(st.lists(names, max_size=3))
    passages = tuple(Passage(Chunk(id=d, document_id=d, text=d, start=0, end=1), 1.0) for d in documents)
    return Answer(
        text=text,
        raw=text,
        prompt=Prompt((), passages),
        abstained=draw(st.booleans()),
        finish=draw(st.sampled_from(["stop", "length"])),
        citations=(),
        usage=Usage(),
        timing=Timing(),
    )


@pytest.mark.parametrize("metric", METRICS)
@given(example=examples(), answer=answers())
def test_a_score_is_a_share_or_none_with_a_reason(metric: Metric, example: Example, answer: Answer):
    score = metric.score(example, answer)
    assert score.metric == metric.name
    assert metric.name in FIGURES
    if score.value is None:
        assert score.reason
    else:
        assert 0.0 <= score.value <= 1.0
    assert metric.score(example, answer) == score


@pytest.mark.parametrize("task", TASKS)
@given(answer=answers(), reference=texts)
def test_what_is_hallucinated_is_neither_abstained_nor_empty(task: Task, answer: Answer, reference: str):
    example = Example(id="e", question=Question("?"), answers=(reference,))
    found = {metric.name: metric.score(example, answer).value for metric in metrics_for(task, reads=False)}
    asserts = answer.text.strip() and not has_abstained(task, example, answer)
    if not asserts:
        assert found["hallucination"] == 0.0
        assert found["accuracy"] in (0.0, None)
    if found["accuracy"] is not None and asserts:
        assert found["accuracy"] + found["hallucination"] == 1.0
