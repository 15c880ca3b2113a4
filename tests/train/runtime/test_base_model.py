"""A base model is converted once, whole, and with its tokens where they were."""

from pathlib import Path

import pytest

from weighbridge.errors import TrainingError
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer, prepare_base


def test_it_is_converted_once(tiny: BaseFiles):
    before = {path.name: path.stat().st_mtime_ns for path in tiny.hf.iterdir()}
    assert prepare_base(tiny.source_gguf, tiny.hf) == tiny
    assert {path.name: path.stat().st_mtime_ns for path in tiny.hf.iterdir()} == before


def test_a_folder_without_its_manifest_is_made_again(tiny: BaseFiles, tmp_path: Path):
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "half").write_text("")
    again = prepare_base(tiny.source_gguf, tmp_path / "hf")
    assert again.fingerprint == tiny.fingerprint
    assert not (again.hf / "half").exists()
    assert (again.hf / "model.safetensors").read_bytes() == (tiny.hf / "model.safetensors").read_bytes()


def test_special_tokens_are_single_and_text_round_trips(tiny: BaseFiles):
    tokenizer = load_tokenizer(tiny)
    assert tokenizer.encode("<|im_start|>a<|im_end|>")[0::2] == [1, 2]
    assert tokenizer.eos_token_id == 2
    text = "thin Æ \N{GRINNING FACE}"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_what_cannot_be_trained_is_refused(tmp_path: Path, no_template: Path):
    with pytest.raises(TrainingError, match="no safetensors"):
        prepare_base(tmp_path, tmp_path / "hf")
    with pytest.raises(TrainingError, match="no such model"):
        prepare_base(tmp_path / "gone", tmp_path / "hf")
    with pytest.raises(TrainingError, match="chat template"):
        prepare_base(no_template, tmp_path / "hf")
    assert not (tmp_path / "hf").exists()
