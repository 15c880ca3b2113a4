"""What every metric keeps: it never raises, and a score lies in 0 to 1 or says why there is none."""

import pytest
from hypothesis import given

from weighbridge.contracts.metric import *  # noqa: F403
from weighbridge.contracts.metric import answers, texts
from weighbridge.evaluate.metrics.marking import has_abstained
from weighbridge.evaluate.metrics.suite import metrics_for
from weighbridge.figures import FIGURES
from weighbridge.protocols import Metric
from weighbridge.types import Answer, Example, Question, Task

SCHEMA = {"type": "object", "properties": {"a": {"type": "number"}}}
METRICS = [
    pytest.param(metric, id=f"{task}-{'reads' if reads else 'closed'}-{metric.name}")
    for task in ("answer", "label", "json")
    for reads in (True, False)
    for metric in metrics_for(task, reads=reads, schema=SCHEMA)
]
TASKS: tuple[Task, ...] = ("answer", "label", "json")


@pytest.fixture(params=METRICS, scope="module")
def metric(request: pytest.FixtureRequest) -> Metric:
    assert request.param.name in FIGURES
    return request.param


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
