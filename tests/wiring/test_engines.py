"""The engines of several base models."""

import shutil
from pathlib import Path

import pytest

from weighbridge.errors import SettingsError
from weighbridge.settings.file import parse_settings
from weighbridge.wiring.engines import open_engine, open_engines
from weighbridge.wiring.reporter import SILENT

from ..tiny_llama import write_tiny_gguf


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
