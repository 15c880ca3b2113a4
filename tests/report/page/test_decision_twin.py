"""The decision in the page against the decision in Python, on random weighings, weights and volumes."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from weighbridge.decide.decide import decide
from weighbridge.decide.money.cost import cost_per_thousand
from weighbridge.errors import SettingsError
from weighbridge.intervals import sign_flip, tally
from weighbridge.report import findings
from weighbridge.report.page.decision_json import TEXTS, decision_island, make_sliders
from weighbridge.report.page.dossier import Dossier
from weighbridge.results import Comparison, Cost, Decision, Estimate, Measurement, PairedDifference, Weighing
from weighbridge.settings.needs import Limits, Needs, Priorities

from ..sample import weighing

Twin = Callable[[Mapping[str, Any], Mapping[str, float], float], Mapping[str, Any]]
NAMES = ("fine-tuned", "prompt", "rag", "raft")
OUTCOMES = ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (0.5, 0.5))
"""Right, wrong, abstained, and half right."""
weights = st.sampled_from([0.0, 0.25, 1.0, 2.0, 3.0, 5.0, 8.0])
bands = st.builds(lambda value, wide: Estimate(value=value, low=value / wide, high=value * wide, scored=40),
                  st.floats(0.1, 20), st.floats(1, 1.5))  # fmt: skip


@pytest.fixture(scope="module")
def twin() -> Iterator[Twin]:
    """Yield the page's decision, as a function."""
    if shutil.which("node") is None:
        pytest.skip("needs node to run the page's script")
    script = files("weighbridge.report") / "templates" / "decision.js"
    command = ["node", str(Path(__file__).parent / "decision_twin.mjs"), str(script)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def ask(data: Mapping[str, Any], chosen: Mapping[str, float], volume: float) -> Mapping[str, Any]:
            print(json.dumps([data, chosen, volume]), file=process.stdin, flush=True)
            return json.loads(process.stdout.readline())

        yield ask
        process.stdin.close()


@st.composite
def weighings(draw: st.DrawFn) -> Weighing:
    """Draw a weighing of two to four strategies on up to forty questions, with failures and costs."""
    names = NAMES[: draw(st.integers(2, 4))]
    asked = draw(st.integers(4, 40))
    patterns = draw(st.lists(st.tuples(*[st.sampled_from(OUTCOMES)] * len(names)), min_size=1, max_size=6))
    rows = [patterns[number % len(patterns)] for number in range(asked)]
    measurements = []
    for place, name in enumerate(names):
        accuracy, hallucination = (sum(row[place][kind] for row in rows) / asked for kind in (0, 1))
        cost = Cost(upfront=draw(st.floats(0, 500)), per_thousand_answers=draw(st.floats(0.001, 5)))
        measurements.append(
            Measurement(
                strategy=name,
                figures={
                    "accuracy": Estimate(
                        value=accuracy, low=max(0, accuracy - 0.1), high=min(1, accuracy + 0.1), scored=asked
                    ),
                    "hallucination": Estimate(value=hallucination, low=0, high=1, scored=asked),
                    "latency_p50": draw(bands),
                    "memory": draw(bands),
                },
                outcomes={},
                attempts=asked,
                failures=draw(st.sampled_from([0, 0, 1])),
                cost=cost,
                cites=name.startswith("ra"),
            )
        )
    comparisons = tuple(
        _compare(figure, (names[one], names[other]), [(row[one], row[other]) for row in rows])
        for one, other in combinations(range(len(names)), 2)
        for figure in ("accuracy", "hallucination")
    )
    if draw(st.booleans()):
        comparisons = tuple(replace(comparison, pairs=()) for comparison in comparisons)
    return replace(weighing(), examples=(), records=(), measurements=tuple(measurements), comparisons=comparisons)


def _compare(figure: str, sides: tuple[str, str], pairs: Sequence[tuple[tuple[float, ...], ...]]) -> Comparison:
    kind = 0 if figure == "accuracy" else 1
    gaps = [left[kind] - right[kind] for left, right in pairs]
    mean = sum(gaps) / len(gaps)
    seen = Counter((left[0] - right[0], left[1] - right[1]) for left, right in pairs)
    return Comparison(
        figure=figure,
        left=sides[0],
        right=sides[1],
        difference=Estimate(value=mean, low=max(-1, mean - 0.2), high=min(1, mean + 0.2), scored=len(pairs)),
        p_value=sign_flip(tally(gaps)),
        p_adjusted=1.0,
        examples_needed=None,
        pairs=tuple(PairedDifference(accuracy=a, hallucination=h, questions=n) for (a, h), n in seen.items()),
    )


needs_of = st.builds(
    Needs,
    priorities=st.builds(
        Priorities, accuracy=weights, hallucination=weights, latency=weights, cost=weights, memory=weights
    ),
    limits=st.builds(
        Limits,
        maximum_cost_per_thousand=st.none() | st.floats(0.01, 5),
        minimum_accuracy=st.none() | st.floats(0, 1),
        maximum_hallucination=st.none() | st.floats(0.3, 1),
    ),
    curves=st.sampled_from(
        [{}, {}, {"latency": ((0.5, 1.0), (2.0, 0.8), (9.0, 0.1))}, {"relative_cost": ((1.0, 1.0), (3.0, 0.0))},
         {"cost": ((0.01, 1.0), (4.0, 0.0))}, {"accuracy": ((0.0, 0.1), (1.0, 0.9))},
         {"accuracy": ((0.0, 0.0), (0.5, 0.2), (1.0, 1.0))}]
    ),
    indifference=st.sampled_from([0.0, 3.0, 25.0]),
    answers_per_month=st.sampled_from([100, 10_000, 1_000_000]),
    months=st.sampled_from([1, 12, 36]),
)  # fmt: skip


def priced(value: Weighing, needs: Needs) -> tuple[Measurement, ...]:
    """Return the measurements with their cost at the volume of the needs."""
    found = []
    for one in value.measurements:
        assert one.cost is not None
        cost = cost_per_thousand(one.cost, needs.answers_per_month * needs.months)
        estimate = Estimate(value=cost, low=cost, high=cost, scored=1)
        found.append(replace(one, figures={**one.figures, "cost_per_thousand": estimate}))
    return tuple(found)


def decide_in_python(value: Weighing, needs: Needs) -> Decision | None:
    try:
        return decide(priced(value, needs), value.comparisons, needs)
    except SettingsError:
        return None


@settings(max_examples=40)  # each decides in Python too, with a thousand draws
@given(weighings(), needs_of, st.tuples(*[weights] * 5), st.sampled_from([50, 3_000, 10_000, 2_000_000]))
def test_the_page_decides_as_the_command(
    twin: Twin, value: Weighing, needs: Needs, chosen: tuple[float, ...], volume: int
) -> None:
    saved = replace(value, measurements=priced(value, needs))
    data = json.loads(decision_island(saved, Dossier(needs=needs)))
    given_weights = dict(zip(data["weights"], chosen, strict=False))
    priorities = needs.priorities.model_copy(update=given_weights)
    changed = needs.model_copy(update={"priorities": priorities, "answers_per_month": volume})
    mine, theirs = twin(data, given_weights, volume), decide_in_python(value, changed)
    if theirs is None:
        assert mine == {"problem": "nothing to rank by"}
        return
    order = [verdict.strategy for verdict in theirs.verdicts]
    assert [row["strategy"] for row in mine["rows"]] == order
    for row, verdict in zip(mine["rows"], theirs.verdicts, strict=True):
        assert row["total"] == pytest.approx(verdict.total, abs=1e-9)
        assert row["out"] == bool(verdict.broken_limits)
        # A priority without a weight may have points here, and they count for nothing.
        shared = {name: row["points"][name] for name in verdict.points}
        assert shared == pytest.approx(dict(verdict.points), abs=1e-9)
    assert (mine["outlook"] == "not computed") == _bends(changed, theirs)
    if mine["outlook"] == "not computed":
        return
    assert (mine["outlook"], mine["recommended"]) == (theirs.outlook, theirs.recommended)
    assert tuple(mine["contenders"]) == theirs.contenders
    for lead, other in zip(mine["leads"], theirs.leads, strict=True):
        assert (lead["over"], lead["certain"]) == (other.over, other.certain)
        bounds = (max(-1.0, float(lead["low"])), lead["value"], min(1.0, float(lead["high"])), lead["p"])
        assert bounds == pytest.approx((other.low, other.value, other.high, other.p_value), abs=1e-7)


def _bends(needs: Needs, decision: Decision) -> bool:
    """Tell whether the lead rests on a curve of accuracy that bends, which only the command can draw."""
    bent = len(needs.curves.get("accuracy", ())) == 3 and needs.priorities.accuracy > 0
    return bent and decision.outlook != "none meets your limits"


@pytest.mark.parametrize("outlook", ["recommended", "not decisive", "none is good enough", "none meets your limits"])
def test_its_headlines_are_those_of_the_report(outlook: str) -> None:
    value = weighing(outlook)
    decision = value.decision
    text = TEXTS[outlook].format(
        first=findings.leader(decision), names=" and ".join(decision.contenders), count=len(decision.contenders)
    )
    assert findings.headline(value).text.startswith(text)


def test_its_headline_of_equals_is_that_of_the_report() -> None:
    value = weighing()
    equals = replace(value.decision, outlook="the cheapest of the equals", contenders=("rag", "prompt"))
    text = TEXTS["the cheapest of the equals"].format(first="rag", names="", count=2)
    assert findings.headline(replace(value, decision=equals)).text == text


@given(needs_of)
def test_every_slider_begins_at_the_value_of_the_settings(needs: Needs) -> None:
    assume(max(needs.priorities.model_dump().values()) > 0)
    for slider in make_sliders(needs):
        assert list(slider.values) == sorted(set(slider.values))
        now = slider.values[slider.start]
        given_now = needs.answers_per_month if slider.id == "volume" else getattr(needs.priorities, slider.label)
        assert now == given_now
