"""A good export passes; every broken one we can think of fails."""

from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.settings import ModelSettings
from weighbridge.train.base import load_tokenizer
from weighbridge.train.conversations import Conversation
from weighbridge.train.export import Quantisation, base_weights, merged_weights, permuted, write_gguf
from weighbridge.train.parity import TOLERANCES, Parity, Place, check_parity, judge
from weighbridge.train.recipe import Recipe
from weighbridge.train.sft import train_adapter
from weighbridge.train.tokens import encode
from weighbridge.types import Message

PROMPTS = tuple((Message("user", f"Say {word}!"),) for word in ("a", "bb", "ccc", "dd"))


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory) -> tuple[Recipe, Path]:
    from weighbridge.settings import TrainingSettings

    recipe = Recipe(
        base=tiny,
        training=TrainingSettings(rank=8, alpha=32, learning_rate=2e-2, epochs=6, batch_size=4),
        model=ModelSettings(context=512, maximum_tokens=8, quantisation="F16"),
    )
    tokenizer = load_tokenizer(tiny)
    made = [Conversation(example_id=m[0].content, prompt=m, target=m[0].content[4:-1].upper()) for m in PROMPTS]
    folder = tmp_path_factory.mktemp("trained")
    train_adapter([encode(tokenizer, one) for one in made], folder, recipe=recipe)
    return recipe, folder / "adapter"


def check(trained: tuple[Recipe, Path], weights, target: Path, quantisation: Quantisation = "F16") -> Parity:
    recipe, adapter = trained
    gguf = write_gguf(recipe.base.source_gguf, weights, target, quantisation=quantisation)
    settings = recipe.model.model_copy(update={"quantisation": quantisation})
    return check_parity(adapter, recipe.base, gguf, PROMPTS, settings=settings)


def test_a_good_export_passes(trained, tmp_path: Path):
    parity = check(trained, merged_weights(trained[0].base, trained[1]), tmp_path / "x.gguf")
    assert parity.ok, parity.reasons
    assert parity.changed
    assert parity.identical == parity.agreement == 1.0
    assert parity.divergence < TOLERANCES["F16"].divergence < parity.divergence_from_base


def test_a_good_eight_bit_export_passes(trained, tmp_path: Path):
    parity = check(trained, merged_weights(trained[0].base, trained[1]), tmp_path / "x.gguf", "Q8_0")
    assert parity.ok, parity.reasons


def test_a_forgotten_adapter_fails(trained, tmp_path: Path):
    assert not check(trained, base_weights(trained[0].base), tmp_path / "x.gguf").ok


@pytest.mark.parametrize("quantisation", ["Q8_0", "Q4_0"])
def test_a_forgotten_adapter_fails_however_it_is_rounded(trained, tmp_path: Path, quantisation: Quantisation):
    parity = check(trained, base_weights(trained[0].base), tmp_path / "x.gguf", quantisation)
    assert not parity.ok
    assert any("no nearer" in reason for reason in parity.reasons)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_a_wrong_scale_fails(trained, tmp_path: Path, scale: float):
    base, merged = base_weights(trained[0].base), merged_weights(trained[0].base, trained[1])
    wrong = {name: base[name] + scale * (merged[name] - base[name]) for name in base}
    assert not check(trained, wrong, tmp_path / "x.gguf").ok


def test_a_wrong_row_order_fails(trained, tmp_path: Path):
    import torch

    merged = merged_weights(trained[0].base, trained[1])
    wrong = {
        name: torch.from_numpy(permuted(values.numpy(), 4).copy()) if "q_proj" in name else values
        for name, values in merged.items()
    }
    assert not check(trained, wrong, tmp_path / "x.gguf").ok


def test_another_chat_template_fails(trained, tmp_path: Path, other_template: Path):
    recipe, adapter = trained
    gguf = write_gguf(other_template, merged_weights(recipe.base, adapter), tmp_path / "x.gguf", quantisation="F16")
    parity = check_parity(adapter, recipe.base, gguf, PROMPTS, settings=recipe.model)
    assert not parity.ok
    assert any("chat template" in reason for reason in parity.reasons)


def test_no_prompts_is_an_error(trained):
    recipe, adapter = trained
    with pytest.raises(TrainingError, match="without a prompt"):
        check_parity(adapter, recipe.base, recipe.base.source_gguf, (), settings=recipe.model)


def test_rules():
    good = Place(agrees=True, lead=3.0, base_agrees=False, divergence=0.001, divergence_from_base=2.0, effect=2.0)
    eight = TOLERANCES["Q8_0"]
    assert judge([[good] * 10], lengths_agree=True, tolerance=eight).ok
    close = replace(good, agrees=False, lead=0.01)
    assert judge([[good] * 10, [close]], lengths_agree=True, tolerance=eight).ok
    assert judge([[good] * 10, [close]], lengths_agree=True, tolerance=eight).identical == 0.5
    assert not judge([[good] * 10, [replace(close, lead=2.0)]], lengths_agree=True, tolerance=eight).ok
    assert not judge([[good]], lengths_agree=False, tolerance=eight).ok
    assert not judge([[]], lengths_agree=True, tolerance=eight).ok
    assert not judge([[replace(good, divergence=0.9)]], lengths_agree=True, tolerance=eight).ok


def test_the_base_model_in_the_place_of_a_gentle_adapter():
    """Divergence 0.55 is within the tolerance of four bits, and yet all of it is the adapter that was forgotten."""
    base = Place(agrees=True, lead=3.0, base_agrees=True, divergence=0.55, divergence_from_base=0.0, effect=0.5)
    four = judge([[base] * 10], lengths_agree=True, tolerance=TOLERANCES["Q4_0"])
    assert not four.ok
    assert not four.changed
    gentle = replace(base, divergence=0.01, effect=0.01)
    assert not judge([[gentle] * 10], lengths_agree=True, tolerance=TOLERANCES["Q8_0"]).ok


@pytest.mark.parametrize("quantisation", list(TOLERANCES))
def test_an_adapter_that_moves_less_than_rounding_is_not_refused(quantisation: Quantisation):
    limits = TOLERANCES[quantisation]
    place = Place(
        agrees=True,
        lead=3.0,
        base_agrees=True,
        divergence=limits.rounding * 1.1,
        divergence_from_base=limits.rounding,
        effect=limits.rounding / 2,
    )
    assert judge([[place] * 10], lengths_agree=True, tolerance=limits).ok
