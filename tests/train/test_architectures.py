"""Tiny decoders of eight architectures are trained, compared, exported and asked: as folders, and as GGUFs."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.tokens import encode
from weighbridge.train.export.gguf import merged_weights, write_gguf
from weighbridge.train.parity.forms import check_forms
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer, prepare_base
from weighbridge.train.runtime.converter import convert_folders
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, train_supervised

from ..tiny_decoders import ARCHITECTURES, AS_GGUF, write_tiny_decoder
from .tuned import LEARNT, PROMPTS

SETTINGS = ModelSettings(context=256, maximum_tokens=6, quantisation="F16")
HOW = TrainingSettings(rank=8, alpha=16, learning_rate=2e-2, epochs=20, batch_size=4)


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, BaseFiles]:
    """Every architecture as a folder; one process converts them all, because its imports take ten times as long."""
    root = tmp_path_factory.mktemp("decoders")
    sources = {name: write_tiny_decoder(root / name, name) for name in ARCHITECTURES}
    templates = {name: root / f"{name}-base" / "template.gguf" for name in sources}
    for template in templates.values():
        template.parent.mkdir()
    assert set(convert_folders([(sources[name], templates[name]) for name in sources])) == {""}
    return {name: prepare_base(source, templates[name].parent) for name, source in sources.items()}


def tune(base: BaseFiles, folder: Path) -> Path:
    tokenizer = load_tokenizer(base)
    recipe = Recipe(base=base, training=HOW, model=SETTINGS, reference="file:tiny")
    rows = [encode(tokenizer, one) for one in LEARNT]
    trained = train_supervised(Job(encoded=rows, folder=folder, recipe=recipe, exact=True))
    assert trained.last_loss < 0.5 * trained.first_loss
    return folder / "adapter"


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_folder_is_tuned_and_every_form_says_the_same(name: str, bases, tmp_path: Path):
    base = bases[name]
    assert not base.no_gguf
    adapter = tune(base, tmp_path)
    served = write_gguf(base, merged_weights(base, adapter), tmp_path / "model.gguf", quantisation="F16")
    forms = check_forms(adapter, base, PROMPTS, settings=SETTINGS, served=served)
    assert {form.form: form.reasons for form in forms if not form.ok} == {}
    assert forms[0].changed
    with open_llamacpp(served, settings=SETTINGS, name="m") as model:
        assert model.generate(PROMPTS[0]).text == LEARNT[0].target


@pytest.mark.parametrize("name", AS_GGUF)
def test_a_gguf_is_tuned_like_the_folder(name: str, bases, tmp_path: Path):
    base = prepare_base(bases[name].source_gguf, tmp_path / "hf")
    assert not base.no_gguf
    adapter = tune(base, tmp_path)
    served = write_gguf(base, merged_weights(base, adapter), tmp_path / "model.gguf", quantisation="Q8_0")
    with open_llamacpp(served, settings=SETTINGS, name="m") as model:
        assert model.generate(PROMPTS[1]).text == LEARNT[1].target
