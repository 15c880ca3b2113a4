"""Both forms of an adapter are asked the same, and the medians compared."""

from pathlib import Path

from weighbridge.checks.speed import Pace, forms_of, serving_speed, time_forms
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Message

from .conftest import Tuned, write_adapter

PROMPTS = tuple((Message("user", f"Say {word}!"),) for word in ("a", "bb", "ccc"))


def test_the_medians_are_compared() -> None:
    slow = [Pace(first_token=0.2, total=total, rate=30.0) for total in (1.0, 2.0, 3.0)]
    fast = [Pace(first_token=0.1, total=total / 2, rate=None) for total in (1.0, 2.0, 3.0)]
    guard = serving_speed(slow, fast, engine="llama.cpp")
    assert guard.passed is None
    assert guard.figures["ratio"].value == 2
    assert guard.figures["adapter tokens per second"].value == 30
    assert "merged tokens per second" not in guard.figures
    assert "2.00 times as long" in guard.summary


def test_nothing_answered_is_nothing_compared() -> None:
    assert serving_speed([], [], engine="llama.cpp").figures == {}


def test_llama_cpp_serves_both_forms(recipe: Recipe, tuned: Tuned, tmp_path: Path) -> None:
    ggufs = (tuned.base_gguf, tuned.folder / "model.gguf")
    forms = forms_of(tuned.folder / "adapter", recipe.base, ggufs, recipe.model, tmp_path)
    assert forms is not None
    assert forms.engine == "llama.cpp"
    with forms.adapter() as adapter, forms.merged() as merged:
        said = [(adapter.generate(messages).text, merged.generate(messages).text) for messages in PROMPTS]
    assert all(one == other for one, other in said)
    guard = time_forms(forms, PROMPTS)
    assert guard.figures["ratio"].scored == len(PROMPTS)


def test_what_llama_cpp_cannot_add_is_timed_on_pytorch(recipe: Recipe, tuned: Tuned, tmp_path: Path) -> None:
    from peft import IA3Config

    ia3 = IA3Config(task_type="CAUSAL_LM", target_modules=["k_proj", "down_proj"], feedforward_modules=["down_proj"])
    adapter = write_adapter(recipe.base, tmp_path / "ia3", ia3)
    forms = forms_of(adapter, recipe.base, (tuned.base_gguf, tuned.base_gguf), recipe.model, tmp_path)
    assert forms is not None
    assert forms.engine == "transformers"
    assert time_forms(forms, PROMPTS[:1]).figures["ratio"].scored == 1


def test_a_method_of_one_form_has_nothing_to_compare(recipe: Recipe, tuned: Tuned, tmp_path: Path) -> None:
    from peft import PromptTuningConfig

    prompt = PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    for adapter in (recipe.base.hf, write_adapter(recipe.base, tmp_path / "prompt", prompt)):
        assert forms_of(adapter, recipe.base, (tuned.base_gguf, tuned.base_gguf), recipe.model, tmp_path) is None
