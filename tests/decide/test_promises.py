"""Short versions of benchmarks/decision_promises.py and wrong_decisions.py: what decisions promise, they keep."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def load(name: str) -> ModuleType:
    spec = spec_from_file_location(f"benchmarks_{name}", BENCHMARKS / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


promises = load("decision_promises")


@pytest.mark.parametrize(
    ("right", "abstains", "most"),
    [((0.5, 0.5), 0.0, 0.1), ((0.5, 0.5), 0.4, 0.1), ((0.5, 0.5, 0.2, 0.1), 0.0, 0.1)],
)
def test_equal_strategies_are_seldom_told_apart(right: tuple[float, ...], abstains: float, most: float):
    scenario = promises.Scenario(right=right, shared=0.6, abstains=abstains)
    used, largest = promises.simulate_use(scenario, questions=120, runs=100, seed=2)
    assert 0 < used <= most
    assert largest <= 0.05


@pytest.mark.parametrize("right", [(0.5, 0.62), (0.4, 0.5, 0.64)])
def test_after_the_questions_that_are_asked_for_the_decision_is_certain(right: tuple[float, ...]):
    scenario = promises.Scenario(right=right, shared=0.6)
    kept = promises.simulate(scenario, questions=60, runs=12, seed=5)
    assert kept.told > 0.7
    assert kept.fresh >= 0.65, "80 % and more, within the luck of a dozen runs"
    assert kept.pooled >= 0.8


def test_the_three_wrong_decisions_are_taken_otherwise():
    wrong = load("wrong_decisions")
    found = [wrong.taken_again(each).outlook for each in wrong.WRONG_DECISIONS]
    assert found == ["not decisive", "not decisive", "none is good enough", "not decisive"]
