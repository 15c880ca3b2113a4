"""The engines of several base models."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import SettingsError, WorkspaceError
from weighbridge.settings.file import parse_settings
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.wiring.engines import Engine, open_engine, open_engines, weights_of
from weighbridge.wiring.reporter import SILENT

from ..tiny_llama import write_tiny_gguf
from ..train.cards import card


@pytest.mark.parametrize(
    ("second", "shared"),
    [
        ("{name: two, reference: two.gguf}", "prompt and rag"),  # the same bytes in another place
        ("{name: two, reference: file:one.gguf, strategies: [rag]}", "rag"),
        ("{name: two, reference: one.gguf, context: 256}", ""),
        ("{name: two, reference: other.gguf}", ""),
    ],
)
def test_one_model_under_two_names_is_refused_where_it_would_run_an_arm_twice(
    tmp_path: Path, second: str, shared: str
) -> None:
    write_tiny_gguf(tmp_path / "one.gguf")
    shutil.copy(tmp_path / "one.gguf", tmp_path / "two.gguf")
    write_tiny_gguf(tmp_path / "other.gguf", seed=1)
    text = f"examples: e.jsonl\nstrategies: [prompt, rag]\nmodels: [one.gguf, {second}]\n"
    settings = parse_settings(text, tmp_path / "weighbridge.yaml")
    if not shared:
        assert len(open_engines(settings, SILENT)) == 2
        return
    with pytest.raises(SettingsError, match=f"one and two are the same model .*, so {shared} would be weighed twice"):
        open_engines(settings, SILENT)


def test_an_embedder_is_no_base_model(tmp_path: Path) -> None:
    text = "examples: e.jsonl\nmodel: {reference: e5-small}\n"
    with pytest.raises(SettingsError, match="e5-small answers no questions, because it is listed as embedder"):
        open_engine(parse_settings(text, tmp_path / "weighbridge.yaml"), SILENT)


def test_an_adapter_of_another_base_model_does_not_run(tmp_path: Path) -> None:
    gguf = write_tiny_gguf(tmp_path / "one.gguf")
    one = replace(card(TrainingSettings()), base_reference="two")
    engine = Engine(
        settings=ModelSettings(), base=BaseFiles(hf=gguf, source_gguf=gguf, fingerprint="cd" * 32), served=gguf
    )
    with pytest.raises(WorkspaceError, match="this adapter was trained on two, and"):
        weights_of(one, tmp_path, engine)
    own = replace(engine, base=replace(engine.base, fingerprint=one.base_fingerprint))
    assert weights_of(one, tmp_path, own).path == tmp_path / one.gguf
