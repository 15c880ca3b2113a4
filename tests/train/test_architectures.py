"""Tiny decoders of eight architectures are trained, compared, exported and asked: as folders, and as GGUFs."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch

from weighbridge.adapters import Parity
from weighbridge.errors import TrainingError
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.tokens import encode
from weighbridge.train.export.gguf import merged_weights, write_gguf
from weighbridge.train.export.lora_gguf import write_lora_gguf
from weighbridge.train.parity.forms import check_forms
from weighbridge.train.parity.judge import Form, base_difference, compare_form
from weighbridge.train.parity.replies import ask_file
from weighbridge.train.parity.tolerance import TOLERANCES
from weighbridge.train.runtime.base_model import BaseFiles, base_weights, load_tokenizer, prepare_base
from weighbridge.train.runtime.converter import convert_folders
from weighbridge.train.runtime.gguf_layout import match_tensors
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised import trainer
from weighbridge.train.supervised.methods import prepare_network
from weighbridge.train.supervised.prefix_packing import pack
from weighbridge.train.supervised.train import Job, read_losses, train_supervised
from weighbridge.train.supervised.trainer import packing_window, read_back, row_loss

from ..tiny_decoders import ARCHITECTURES, write_tiny_decoder
from .tuned import LEARNT, PROMPTS, parity_of_file

SETTINGS = ModelSettings(context=256, maximum_tokens=6, quantisation="F16")
HOW = TrainingSettings(rank=8, alpha=16, learning_rate=2e-2, epochs=6, batch_size=4)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, BaseFiles]:
    """Every architecture as a folder; one process converts them all, because its imports take ten times as long."""
    root = tmp_path_factory.mktemp("decoders")
    sources = {name: write_tiny_decoder(root / name, name) for name in ARCHITECTURES}
    sources["other scale"] = write_tiny_decoder(root / "other", "gemma3_text", query_pre_attn_scalar=256)
    templates = {name: root / f"{name}-base" / "template.gguf" for name in sources}
    for template in templates.values():
        template.parent.mkdir()
    assert set(convert_folders([(sources[name], templates[name]) for name in sources])) == {""}
    return {
        name: prepare_base(source, templates[name].parent, compare=base_difference) for name, source in sources.items()
    }


def tune(base: BaseFiles, folder: Path) -> Path:
    tokenizer = load_tokenizer(base)
    recipe = Recipe(base=base, training=HOW, model=SETTINGS, reference="file:tiny")
    rows = [encode(tokenizer, one) for one in LEARNT]
    trained = train_supervised(Job(encoded=rows, folder=folder, recipe=recipe, exact=True))
    assert trained.last_loss < 0.8 * trained.first_loss
    return folder / "adapter"


def check(base: BaseFiles, adapter: Path, served: Path) -> Parity:
    """Ask the file, which is llama.cpp's answer, and compare it with the adapter in transformers."""
    write_gguf(base, merged_weights(base, adapter), served, quantisation="F16")
    return parity_of_file(adapter, base, served, PROMPTS, settings=SETTINGS)


@pytest.fixture(scope="module")
def adapter_of(bases, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The adapter of an architecture's folder, trained when it is first asked for."""
    return cache(lambda name: tune(bases[name], tmp_path_factory.mktemp(name)))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_folder_is_tuned_and_its_gguf_says_the_same(name: str, bases, adapter_of, tmp_path: Path):
    base = bases[name]
    assert not base.no_gguf
    adapter = adapter_of(name)
    parity = check(base, adapter, tmp_path / "model.gguf")
    assert parity.reasons == ()
    assert parity.divergence_from_base > 100 * parity.divergence
    beside = write_lora_gguf(adapter, base, tmp_path / "adapter.gguf")
    plain = write_gguf(base, base_weights(base), tmp_path / "base.gguf", quantisation="F16")
    replies = ask_file(plain, PROMPTS[:1], settings=SETTINGS, adapter=beside)
    form = Form(name="adapter F16", tolerance=TOLERANCES["F16"], replies=replies)
    assert compare_form((form,), adapter, base, PROMPTS[:1])[0].reasons == ()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_gguf_is_read_and_exported_like_the_folder(name: str, bases, adapter_of, tmp_path: Path):
    base = prepare_base(bases[name].source_gguf, tmp_path / "hf", compare=base_difference)
    assert not base.no_gguf
    whole, again = base_weights(bases[name]), base_weights(base)
    assert whole.keys() == again.keys()
    for key, values in whole.items():
        torch.testing.assert_close(again[key], values, rtol=1e-6, atol=1e-6)
    assert check(base, adapter_of(name), tmp_path / "model.gguf").reasons == ()


def test_a_gguf_is_tuned_like_the_folder(bases, adapter_of, tmp_path: Path):
    base = prepare_base(bases["qwen3"].source_gguf, tmp_path / "hf")
    adapter = tune(base, tmp_path)
    losses = read_losses(adapter.parent)
    assert losses == pytest.approx(read_losses(adapter_of("qwen3").parent), rel=1e-3)
    assert check(base, adapter, tmp_path / "model.gguf").reasons == ()


def test_every_form_of_a_model_with_a_window_says_the_same(bases, adapter_of, tmp_path: Path):
    base = bases["gemma3_text"]
    adapter = adapter_of("gemma3_text")
    served = write_gguf(base, merged_weights(base, adapter), tmp_path / "model.gguf", quantisation="F16")
    forms = check_forms(adapter, base, PROMPTS, settings=SETTINGS, served=served)
    assert {form.form: form.reasons for form in forms if not form.ok} == {}


def test_a_model_without_a_gguf_is_compared_in_transformers(bases, adapter_of, tmp_path: Path):
    bare = replace(bases["olmo2"], source_gguf=None, no_gguf="it has none")
    adapter = adapter_of("olmo2")
    forms = check_forms(adapter, bare, PROMPTS, settings=SETTINGS, served=None)
    assert [(form.form, form.reasons) for form in forms] == [("peft", ()), ("merged", ())]
    with pytest.raises(TrainingError, match="no GGUF of this base model: it has none"):
        write_gguf(bare, merged_weights(bare, adapter), tmp_path / "x.gguf", quantisation="F16")


@pytest.mark.parametrize(("name", "wrong"), [("llama", "heads"), ("gemma3_text", "added")])
def test_another_order_of_the_weights_is_caught(name: str, wrong: str, bases, adapter_of, tmp_path: Path):
    base = bases[name]
    said = json.loads(base.tensors.read_text())
    assert any(stored[wrong] for stored in said["tensors"].values())
    tensors = {key: {**stored, wrong: 0} for key, stored in said["tensors"].items()}
    changed = tmp_path / "tensors.json"
    changed.write_text(json.dumps({**said, "tensors": tensors}))
    assert not check(replace(base, tensors=changed), adapter_of(name), tmp_path / "model.gguf").ok


def test_a_configuration_that_no_gguf_can_say_is_noticed_before_training(bases):
    other = bases["other scale"]
    assert other.source_gguf is None
    assert re.search(
        r"answers otherwise from its GGUF .* \d\.\d+ nats away .* of 'gemma3' models cannot,", other.no_gguf
    )


def test_a_gguf_that_stores_a_weight_otherwise_has_no_export(bases):
    weights = dict(base_weights(bases["qwen2"]))
    head = {"lm_head.weight": weights["model.embed_tokens.weight"] * 2}
    with pytest.raises(TrainingError, match=r"weights and template differ in lm_head\.weight"):
        match_tensors(bases["qwen2"].source_gguf, {**weights, **head})  # no longer the embedding over again
    weights["model.layers.1.mlp.up_proj.weight"] = weights["model.layers.1.mlp.up_proj.weight"].flip(0)
    with pytest.raises(TrainingError, match=r"blk\.1\.ffn_up\.weight cannot be written"):
        match_tensors(bases["qwen2"].source_gguf, weights)


def test_only_blocks_learn(bases):
    with quiet():
        network = prepare_network(bases["qwen2"], HOW, torch.float32)
    adapted = {name for name, part in network.named_modules() if hasattr(part, "lora_A")}
    assert len(adapted) == 2 * len(("q", "k", "v", "o", "gate", "up", "down"))
    assert all(".layers." in name for name in adapted)


def test_logits_in_parts_give_the_same_gradients(bases, monkeypatch: pytest.MonkeyPatch):
    base = bases["gemma3_text"]
    row = pack([encode(load_tokenizer(base), LEARNT[0])])[0]

    def gradients() -> list[torch.Tensor]:
        with quiet():
            network = prepare_network(base, HOW, torch.float32)
        loss = read_back(network, row, torch.float32, len(row.targets), lambda part: part.backward())
        return [loss, *(weight.grad for weight in network.parameters() if weight.requires_grad)]

    whole = gradients()
    monkeypatch.setattr(trainer, "_LOGITS", 3 * 288)
    for one, other in zip(whole, gradients(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_examples_longer_than_the_window_share_no_row(bases):
    base = bases["gemma3_text"]
    rows = [encode(load_tokenizer(base), one) for one in LEARNT]
    with quiet():
        network = prepare_network(base, HOW, torch.float32)
    window, why = packing_window(network, rows, torch.float32)
    assert (window, why) == (16, "")
    assert len(pack(rows)) == 1
    assert len(pack(rows, window=window)) == len(rows)
    with torch.no_grad():
        alone = sum(float(row_loss(network, row, torch.float32)) for one in rows for row in pack([one]))
        kept = sum(float(row_loss(network, row, torch.float32)) for row in pack(rows, window=window))
        shared = sum(float(row_loss(network, row, torch.float32)) for row in pack(rows))
    assert kept == pytest.approx(alone, rel=1e-5)
    assert shared != pytest.approx(alone, rel=1e-4)
