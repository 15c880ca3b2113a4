"""The names of arms on several base models, and the settings of each model."""

from pathlib import Path

import pytest

from weighbridge.arms import (
    arm_on,
    base_of,
    bases_of,
    find_arm,
    short_name,
    strategy_of,
    words_about,
    words_for_each,
    write_arm,
)
from weighbridge.errors import SettingsError, UserError
from weighbridge.settings.file import parse_settings
from weighbridge.settings.schema import Settings

ARMS = ("prompt@tiny", "rag@tiny", "rag@small")


@pytest.mark.parametrize(
    ("reference", "name"),
    [
        ("tiny", "tiny"),
        ("hf:owner/small@main", "small"),
        ("file:models/small.gguf", "small"),
        ("/data/models/small.gguf", "small"),
        ("pypi:a==1/b/SmolLM2.Q4_1.gguf", "SmolLM2.Q4_1"),
        ("openai:gpt-4o", "gpt-4o"),
        ("qwen2.5:7b", "qwen2.5-7b"),
        ("C:\\models\\x.gguf", "x"),
    ],
)
def test_a_model_is_called_by_the_last_part_of_its_reference(reference: str, name: str) -> None:
    assert short_name(reference) == name


def test_an_arm_is_a_strategy_on_a_base_model() -> None:
    assert (strategy_of("rag@small"), base_of("rag@small"), write_arm("rag@small")) == ("rag", "small", "rag on small")
    assert (strategy_of("rag"), base_of("rag"), write_arm("rag")) == ("rag", "", "rag")
    assert (arm_on("rag", "small"), arm_on("rag", "")) == ("rag@small", "rag")
    assert bases_of(ARMS) == ("tiny", "small")


def test_words_about_each_model_can_be_taken_apart_again() -> None:
    text = words_for_each({"one": "one.gguf", "quick": "quick"})
    assert text == "one: one.gguf; quick"
    assert (words_about("one", text), words_about("quick", text), words_about("other", text)) == (
        "one.gguf",
        "quick",
        text,
    )
    assert words_for_each({"one": "F16", "two": "F16"}) == words_about("two", "F16") == "F16"


def test_a_strategy_names_its_arm_where_it_runs_on_one_model() -> None:
    assert find_arm("prompt", ARMS) == "prompt@tiny"
    assert find_arm("rag@small", ARMS) == "rag@small"
    with pytest.raises(UserError, match="'rag' runs on 2 base models here; name one: rag@tiny, rag@small"):
        find_arm("rag", ARMS)
    with pytest.raises(UserError, match="'raft' is not one of this workspace's strategies: prompt@tiny, rag@tiny"):
        find_arm("raft", ARMS)


def settings_of(text: str) -> Settings:
    return parse_settings(f"examples: e.jsonl\nstrategies: [prompt, rag]\n{text}", Path("/w/weighbridge.yaml"))


SEVERAL = """
model: {context: 512, engine: scripted}
models:
- tiny
- name: small
  reference: file:small.gguf
  engine: llamacpp
  context: 4096
- {name: medium, strategies: [rag, raft]}
- {reference: gpt-4o, engine: openai, base_url: http://127.0.0.1/v1}
"""


def test_each_model_runs_its_strategies_by_the_common_settings_and_its_own() -> None:
    settings = settings_of(SEVERAL)
    assert settings.arms == (
        "prompt@tiny", "rag@tiny", "prompt@small", "rag@small", "rag@medium", "raft@medium", "prompt@gpt-4o",
        "rag@gpt-4o",
    )  # fmt: skip
    tiny, small, medium, hosted = settings.by_base
    assert (tiny.model.reference, tiny.model.engine, tiny.model.context) == ("tiny", "scripted", 512)
    assert (small.model.reference, small.model.engine, small.model.context) == ("file:/w/small.gguf", "llamacpp", 4096)
    assert (medium.model.reference, medium.arms) == ("medium", ("rag@medium", "raft@medium"))
    assert (hosted.model.reference, hosted.model.base_url, hosted.model.context) == (
        "gpt-4o", "http://127.0.0.1/v1", 512,
    )  # fmt: skip
    assert settings.for_arm("rag@small") == small
    assert settings.for_arm("raft") == tiny, "an arm that the settings do not have any more"


def test_one_model_is_as_it_was() -> None:
    settings = settings_of("")
    assert settings.arms == settings.strategies == ("prompt", "rag")
    assert settings.by_base == (settings,)
    assert settings.for_arm("rag") is settings


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("models: [tiny, Tiny]", "3: models: two models are called 'tiny'; give one of them another `name`"),
        ("models: [{name: a b}]", "another `name` than 'a b'"),
        ("models: [tiny, {contxt: 5}]", "unknown key 'contxt' under models; did you mean 'context'?"),
        ("models:\n- tiny\n- context: x\n", "5: models.context must be a whole number, not 'x'"),
        ("models:\n- tiny\n- {}\n", "5: models: give each model a `reference` or a `name`"),
        ("models: [{name: a, strategies: [rug]}]", "'rug' is not one of prompt, few-shot, rag"),
        ("models: [{name: a, strategies: [rag, rag]}]", "name each strategy only once"),
        ("models: tiny", "models must be a list, like [a, b], not 'tiny'"),
        (
            "models: [tiny, {name: b, engine: transformers}]\ntraining: {method: prompt-tuning}",
            "prompt-tuning leaves no weights that llama.cpp can run",
        ),
    ],
)
def test_a_mistake_among_models_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as error:
        settings_of(text)
    assert problem in str(error.value)
