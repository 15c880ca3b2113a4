"""Keys of a what-if: each changes just its own setting, and a wrong one is refused with the nearest names."""

import re

import pytest

from weighbridge.decide.what_if.changes import apply_what_if, describe_change, left_out, parse_change, what_if_keys
from weighbridge.errors import UserError
from weighbridge.settings.needs import Limits, Needs, Prices, Priorities

from .saved import a_settings

ARMS = ("prompt", "rag", "raft")
SAMPLES = {"seconds": "2s", "GiB": "8GiB", "share": "80%", "number": "0.25", "count": "7", "flag": "true"}


def flat(model, above=""):
    """Return every setting by its whole name."""
    values = {}
    for name in type(model).model_fields:
        value = getattr(model, name)
        if hasattr(type(value), "model_fields"):
            values |= flat(value, f"{above}{name}.")
        else:
            values[f"{above}{name}"] = value
    return values


def test_every_number_of_needs_and_prices_has_a_key():
    keys = {key.setting for key in what_if_keys()}
    everything = {f"needs.{name}" for name in flat(Needs())} | {f"prices.{name}" for name in flat(Prices())}
    assert keys <= everything
    assert everything - keys <= {"prices.dated", "prices.currency", "needs.curves", "needs.stakeholders"}
    names = {key.name for key in what_if_keys()}
    assert {f"weight.{name}" for name in Priorities.model_fields} <= names
    assert {"latency.p95", "accuracy", "hallucination", "memory", "cost", "offline", "must_cite"} <= names


@pytest.mark.parametrize("key", what_if_keys(), ids=lambda key: key.name)
@pytest.mark.parametrize("by", ["name", "setting"])
def test_a_key_changes_its_setting_and_nothing_else(key, by):
    before = a_settings(prices=Prices(input_per_million=1.0, output_per_million=1.0))
    change = parse_change(f"{getattr(key, by)}={SAMPLES[key.unit]}", ARMS)
    after = apply_what_if(before, [change])
    group, _, path = key.setting.partition(".")
    was, now = flat(getattr(before, group)), flat(getattr(after, group))
    assert {name for name in was if was[name] != now[name]} == {path}
    assert now[path] == change.value
    other = "prices" if group == "needs" else "needs"
    assert getattr(after, other) == getattr(before, other)


@pytest.mark.parametrize("key", [key for key in what_if_keys() if key.may_be_none], ids=lambda key: key.name)
def test_none_lifts_a_limit(key):
    set_before = a_settings(
        needs=Needs(limits=Limits(maximum_p95_seconds=1, minimum_accuracy=0.5, maximum_hallucination=0.5,
                                  maximum_memory_gib=1, maximum_cost_per_thousand=1)),
    )  # fmt: skip
    after = apply_what_if(set_before, [parse_change(f"{key.name}=none", ARMS)])
    group, _, path = key.setting.partition(".")
    assert flat(getattr(after, group))[path] is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("latency.p59=2s", "there is no key 'latency.p59'; did you mean latency.p95"),
        ("volum=3", "did you mean volume"),
        ("needs.indiference=3", "did you mean needs.indifference or needs.answers_per_month or"),
        ("weight.acuracy=3", "did you mean weight.accuracy"),
        ("zzz=3", "there is no key 'zzz'; known are: latency.p95, accuracy"),
        ("needs.limits.maximum_p95=2", "did you mean needs.limits.maximum_p95_seconds"),
        ("volume", "write KEY=VALUE, for example --what-if latency.p95=2s"),
        ("volume=", "write KEY=VALUE"),
        ("=3", "write KEY=VALUE"),
        ("strategy.rga=without", "no strategy 'rga' was measured; did you mean strategy.rag?"),
        ("strategy.zebra=without", "measured were: prompt, rag, raft"),
        ("strategy.rag=no", "write strategy.rag=without to leave the strategy out"),
        ("latency.p95=2 weeks", "--what-if latency.p95=2 weeks: 'weeks' is not a unit"),
        ("prices.currency=EUR", "there is no key 'prices.currency'"),
    ],
)
def test_a_wrong_change_is_refused_with_the_remedy(text, problem):
    with pytest.raises(UserError, match=re.escape(problem)):
        parse_change(text, ARMS)


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["volume=-5"], "volume must be 1 or more"),
        (["latency.p95=0s"], "latency.p95 must be more than 0"),
        (["accuracy=120%"], "accuracy must be 1 or less"),
        (["weight.cost=-1"], "weight.cost must be 0 or more"),
        (["weight.cost=1", "months=0"], "--what-if months=0: months must be 1 or more"),
        (["volume=5", "volume=6"], "volume is changed twice"),
        (["volume=5", "needs.answers_per_month=6"], "changed twice"),
        (["strategy.rag=without", "strategy.rag=without"], "strategy.rag is changed twice"),
        ([f"weight.{name}=0" for name in Priorities.model_fields], "are all 0; give at least one"),
        (["tokens.in=1"], "prices.input_per_million is given but prices.output_per_million is not"),
    ],
)
def test_nonsense_is_refused(texts, problem):
    changes = [parse_change(text, ARMS) for text in texts]
    with pytest.raises(UserError, match=re.escape(problem)):
        apply_what_if(a_settings(), changes)


def test_changes_that_are_good_together_are_taken_together():
    changes = [parse_change(text, ARMS) for text in ("tokens.in=1", "tokens.out=2", "weight.accuracy=0", "months=24")]
    after = apply_what_if(a_settings(), changes)
    assert (after.prices.input_per_million, after.prices.output_per_million) == (1, 2)
    assert (after.needs.months, after.needs.priorities.accuracy) == (24, 0)


def test_strategies_are_left_out_but_never_all():
    changes = [parse_change(f"strategy.{name}=without", ARMS) for name in ARMS]
    assert left_out(changes[:2], ARMS) == {"prompt", "rag"}
    with pytest.raises(UserError, match="no strategy is left to decide on; leave one of prompt, rag, raft in"):
        left_out(changes, ARMS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("volume=1e6", "volume: 1e6 (now 10,000)"),
        ("latency.p95=2s", "latency.p95: 2s (now none)"),
        ("offline=true", "offline: true (now false)"),
        ("strategy.rag=without", "rag: left out"),
        ("needs.priorities.cost=2", "needs.priorities.cost: 2 (now 1)"),
    ],
)
def test_a_change_is_named_beside_the_present_value(text, words):
    assert describe_change(parse_change(text, ARMS), a_settings()) == words
