from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.settings.file import load_settings, starter, with_fitted
from weighbridge.settings.fit import (
    PROFILES,
    FittedSetting,
    MachineFacts,
    ModelFacts,
    WorkloadFacts,
    fit_settings,
    fits,
    longest_prompt,
    tokens_of,
)
from weighbridge.settings.schema import Settings

MODELS = st.builds(
    ModelFacts,
    name=st.just("a model"),
    context=st.integers(64, 200_000),
    parameters=st.sampled_from([0, 10**6, 135 * 10**6, 5 * 10**8, 15 * 10**8, 7 * 10**10]),
    cache_bytes=st.integers(0, 10**6),
)
MACHINES = st.builds(
    MachineFacts,
    cores=st.integers(1, 256),
    memory_bytes=st.integers(2**28, 2**42),
    operations=st.sampled_from([0.0, 1e10, 1e12, 1e15]),
)
WORKLOADS = st.builds(
    WorkloadFacts,
    task=st.sampled_from(["answer", "label", "json"]),
    documents=st.integers(0, 10**6),
    examples=st.integers(1, 10**6),
    question_bytes=st.integers(0, 20_000),
    answer_bytes=st.integers(0, 20_000),
    instruction_bytes=st.integers(0, 5_000),
)
PROMPT = ("model.context", "model.maximum_tokens", "chunks.tokens", "retrieval.limit", "measure.demonstrations")


def values(fitted: tuple[FittedSetting, ...]) -> dict[str, float]:
    return {each.key: each.value for each in fitted}


@given(MODELS, MACHINES, WORKLOADS, st.sampled_from(PROFILES))
def test_everything_fits_into_the_context_and_into_the_limits_of_the_settings(model, machine, workload, profile):
    fitted = fit_settings(model, machine, workload, profile)
    assert all(each.reason and each.reason[-1] not in ".;" for each in fitted)
    found = values(fitted)
    settings = with_fitted(Settings(), fitted)  # refuses what the settings refuse
    assert settings.model.context == found["model.context"] <= model.context
    if fits(model, workload):
        chunk, passages = settings.chunks.tokens, settings.retrieval.limit
        prompt = longest_prompt(workload, chunk=chunk, passages=passages)
        assert prompt + settings.model.maximum_tokens <= settings.model.context
        assert settings.model.maximum_tokens >= tokens_of(workload.answer_bytes)


@given(MODELS, MACHINES, WORKLOADS, st.integers(1, 100_000))
def test_more_context_makes_nothing_smaller(model, machine, workload, more):
    if not fits(model, workload):
        return
    before = values(fit_settings(model, machine, workload, "standard"))
    after = values(fit_settings(replace(model, context=model.context + more), machine, workload, "standard"))
    assert [key for key in PROMPT if after[key] < before[key]] == []


@given(MODELS, MACHINES, WORKLOADS)
def test_a_longer_profile_measures_and_learns_no_less(model, machine, workload):
    quick, standard, thorough = (values(fit_settings(model, machine, workload, profile)) for profile in PROFILES)
    for key in ("measure.questions", "measure.latency_questions", "training.maximum_examples", "splits.test"):
        assert quick[key] <= standard[key] <= thorough[key], key


HANDBOOK = WorkloadFacts(
    task="answer", documents=20, examples=122, question_bytes=120, answer_bytes=60, instruction_bytes=1100
)
TINY = ModelFacts(name="tiny", context=8192, parameters=134_515_008, cache_bytes=23_040)
LAPTOP = MachineFacts(cores=2, memory_bytes=2**34)


@given(MODELS, MACHINES, WORKLOADS)
def test_the_reason_is_the_context_exactly_where_more_context_would_allow_more(model, machine, workload):
    roomy = values(fit_settings(replace(model, context=10**7), machine, workload, "quick"))
    for each in fit_settings(model, machine, workload, "quick"):
        if each.key in PROMPT[1:]:
            is_short = each.reason.startswith("more does not fit into the ")
            assert is_short == (each.value < roomy[each.key]), each


def test_a_training_that_exceeds_its_time_says_so():
    huge, workload = replace(TINY, parameters=7 * 10**10), replace(HANDBOOK, examples=10_000)
    fitted = {each.key: each for each in fit_settings(huge, LAPTOP, workload, "quick")}
    assert fitted["training.maximum_examples"].value == 32
    assert fitted["training.maximum_examples"].reason.startswith(
        "fewer teach little; reckoned, a training takes longer"
    )


def test_the_small_model_keeps_the_prompt_that_was_measured_with_it():
    found = values(fit_settings(TINY, LAPTOP, HANDBOOK, "standard"))
    assert (found["chunks.tokens"], found["retrieval.limit"], found["model.context"]) == (64, 3, 2048)
    assert (found["splits.dev"], found["splits.test"], found["measure.questions"]) == (0.1, 0.4, 100)


def test_a_short_context_shortens_chunks_before_it_drops_passages():
    tight = values(fit_settings(replace(TINY, context=1200), LAPTOP, HANDBOOK, "standard"))
    tighter = values(fit_settings(replace(TINY, context=1000), LAPTOP, HANDBOOK, "standard"))
    assert 16 < tight["chunks.tokens"] < 64
    assert tight["retrieval.limit"] == 3
    assert (tighter["chunks.tokens"], tighter["retrieval.limit"]) == (16, 2)


def test_workers_share_half_of_the_memory():
    large = ModelFacts(name="large", context=32_768, parameters=7 * 10**9, cache_bytes=131_072)
    many = values(fit_settings(large, MachineFacts(cores=16, memory_bytes=64 * 2**30), HANDBOOK, "standard"))
    few = values(fit_settings(large, MachineFacts(cores=16, memory_bytes=8 * 2**30), HANDBOOK, "standard"))
    assert (many["measure.workers"], few["measure.workers"]) == (4, 1)


def test_few_examples_take_more_passes_in_smaller_steps():
    few = values(fit_settings(TINY, LAPTOP, replace(HANDBOOK, examples=20), "standard"))
    many = values(fit_settings(TINY, LAPTOP, replace(HANDBOOK, examples=5000), "thorough"))
    assert (few["training.batch_size"], few["training.epochs"]) == (4, 6)
    assert (many["training.batch_size"], many["training.epochs"]) == (8, 2)
    assert many["training.maximum_examples"] < 5000


@pytest.mark.parametrize("profile", PROFILES)
def test_the_file_shows_each_reason_above_or_beside_its_setting_and_loads_as_fitted(tmp_path, profile):
    fitted = fit_settings(TINY, LAPTOP, HANDBOOK, profile)
    settings = with_fitted(Settings(examples=tmp_path / "e.jsonl"), fitted)
    text = starter(settings, fitted)
    (tmp_path / "weighbridge.yaml").write_text(text, encoding="utf-8")
    assert load_settings(tmp_path / "weighbridge.yaml") == settings
    lines = text.splitlines()
    for each in fitted:
        group, name = each.key.split(".")
        start = next(number for number, line in enumerate(lines) if line.startswith(f"{group}:"))
        place = next(n for n, line in enumerate(lines) if n > start and line.startswith(f"  {name}:"))
        assert f"# Here: {each.reason}." in "\n".join(lines[place - 1 : place + 1]), each.key
    assert max(map(len, lines)) <= 120
