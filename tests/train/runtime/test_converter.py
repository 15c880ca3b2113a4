"""The converter runs by itself, offline, without a model's code: a stand-in for llama.cpp's says what it was given."""

import json
import shutil
from pathlib import Path

import pytest
from tests.tiny_decoders import write_tiny_decoder

from weighbridge.errors import DownloadError
from weighbridge.models import file_fingerprint
from weighbridge.train.runtime import converter
from weighbridge.train.runtime.converter import convert_folder, convert_folders

CONVERSION = """
import json, os, socket
class ModelType:
    TEXT = "text"
class TextModel:
    def get_vocab_base_pre(self, tokenizer):
        raise NotImplementedError
class ModelBase:
    def load_hparams(folder, _):
        return json.loads((folder / "config.json").read_text())
def get_model_architecture(described, kind):
    return described.get("wanted", "")
def get_model_class(wanted, mmproj):
    class Model(TextModel):
        def __init__(self, folder, precision, target):
            self.folder, self.precision, self.target = folder, precision, target
        def write(self):
            self.target.write_text("half")
            if wanted == "network":
                socket.create_connection(("127.0.0.1", 9))
            if wanted == "broken":
                raise ValueError(f"{self.folder} is odd\\nand more")
            said = {"files": sorted(os.listdir(self.folder)), "config": ModelBase.load_hparams(self.folder, False)}
            said |= {"precision": self.precision, "cut": self.get_vocab_base_pre(None)}
            said["hub"] = os.environ["HF_HUB_OFFLINE"]
            self.target.write_text(json.dumps(said))
    return Model
"""
GGUF = 'LlamaFileType = {"ALL_F32": "f32", "MOSTLY_F16": "f16", "MOSTLY_BF16": "bf16"}\n'
TORCH = "from contextlib import nullcontext as inference_mode\n"


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_decoder(tmp_path_factory.mktemp("decoder") / "model", "llama", num_hidden_layers=1)


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The converter's two packages, and a torch without its weight, in the place of the fetched ones."""
    packages = {"conversion": CONVERSION, "gguf-py/gguf": GGUF, "torch/torch": TORCH}
    for part, text in packages.items():
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "__init__.py").write_text(text)
    monkeypatch.setattr(converter, "_PACKAGES", {part: file_fingerprint(tmp_path / part) for part in packages})
    monkeypatch.setattr(converter, "fetch", lambda reference, **_: tmp_path / reference.partition("llama.cpp/")[2])
    return tmp_path


def changed_copy(decoder: Path, folder: Path, **config: object) -> Path:
    shutil.copytree(decoder, folder)
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, **config}))
    return folder


def test_it_sees_no_code_and_no_network_and_leaves_nothing_half(decoder: Path, stand_in: Path, tmp_path: Path):
    coded = changed_copy(decoder, tmp_path / "coded", auto_map={"AutoModel": "evil.Evil"}, kept=1)
    (coded / "evil.py").write_text("raise SystemExit")
    (coded / "pytorch_model.bin").write_bytes(b"pickle")
    folders = [coded, *(changed_copy(decoder, tmp_path / name, wanted=name) for name in ("network", "broken"))]
    targets = [tmp_path / "made" / f"{folder.name}.gguf" for folder in folders]
    targets[0].parent.mkdir()
    reasons = convert_folders(list(zip(folders, targets, strict=True)))
    assert reasons == ("", "a conversion opens no connection", f"{folders[2]} is odd")
    assert [path.name for path in targets[0].parent.iterdir()] == ["coded.gguf"]
    said = json.loads(targets[0].read_text())
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= set(said["files"])
    assert not {"evil.py", "pytorch_model.bin"} & set(said["files"])
    assert "auto_map" not in said["config"]
    assert (said["config"]["kept"], said["precision"], said["cut"], said["hub"]) == (1, "f32", "gpt-2", "1")


def test_other_bytes_than_the_converters_are_not_run(decoder: Path, stand_in: Path, tmp_path: Path):
    (stand_in / "conversion" / "__init__.py").write_text(CONVERSION + "# changed\n")
    with pytest.raises(DownloadError, match="these are not the converter's files"):
        convert_folders([(decoder, tmp_path / "made.gguf")])
    assert "cannot be fetched" in convert_folder(decoder, tmp_path / "made.gguf")
    assert not (tmp_path / "made.gguf").exists()


def test_a_converter_that_ends_at_once_is_a_reason(decoder: Path, stand_in: Path, tmp_path: Path, monkeypatch):
    (stand_in / "conversion" / "__init__.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setattr(converter, "_PACKAGES", {"conversion": file_fingerprint(stand_in / "conversion")})
    assert convert_folder(decoder, tmp_path / "made.gguf") == "the converter ended with 3: it said nothing"
