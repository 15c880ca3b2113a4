"""Tests of a `Metric`: it never raises, and a score lies in 0 to 1 or says why there is none."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.protocols import Metric
from weighbridge.types import Answer, Chunk, Example, Passage, Prompt, Question, Timing, Usage

ODD = ["", " ", "{}", '{"a": 1}', "[1, [2]]", "NaN", "the", "A.", "\ud800", "1e999"]
texts = st.text(max_size=30) | st.sampled_from(ODD)
names = st.sampled_from(["a", "b", "c"])


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw an example, with any number of accepted answers."""
    accepted = draw(st.lists(texts, max_size=3))
    answerable = draw(st.booleans())
    evidence = tuple(draw(st.lists(names, max_size=2)))
    return Example(id="e", question=Question("?"), answers=tuple(accepted), evidence=evidence, answerable=answerable)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    """Draw an answer, with any number of passages."""
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


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(example=examples(), answer=answers())
def test_a_score_is_a_share_or_none_with_a_reason(metric: Metric, example: Example, answer: Answer) -> None:
    score = metric.score(example, answer)
    assert score.metric == metric.name
    if score.value is None:
        assert score.reason
    else:
        assert 0.0 <= score.value <= 1.0
    assert metric.score(example, answer) == score
