"""The base model as files that training can use: a GGUF becomes a folder of float32 safetensors with its tokenizer.

The GGUF stays the template of every GGUF we write from these weights: its hyper-parameters, tokenizer and chat
template are copied, so base and tuned models differ in nothing but their weights.
"""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.generate.chat_template import without_thinking
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.train.runtime.quiet import mute
from weighbridge.types import Message, Progress
from weighbridge.workspace import load_json, write_json

_LAYOUT = 1
_MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFiles:
    """A base model, ready to be trained and to be exported."""

    hf: Path
    """Folder of safetensors, configuration and tokenizer with its chat template."""
    source_gguf: Path
    """The GGUF it was read from: the template of all that is exported."""
    fingerprint: str
    """SHA-256 of the source's bytes, 64 hex digits."""


def prepare_base(gguf: Path, folder: Path, *, notify: Notify = silent) -> BaseFiles:
    """Convert a GGUF into `folder` once: a folder with a manifest of this very file is returned as it is.

    Raises:
        TrainingError: the file is not a GGUF that can be trained, or its tokenizer does not survive the conversion.
        WorkspaceError: the folder cannot be written.
    """
    if not gguf.is_file():
        raise TrainingError(
            f"{gguf}: training needs the base model as one GGUF file, which is also the template of what is exported; "
            "set model.reference in weighbridge.yaml to a .gguf file"
        )
    base = BaseFiles(hf=folder, source_gguf=gguf, fingerprint=file_fingerprint(gguf))
    wanted = {"layout": _LAYOUT, "source": base.fingerprint}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            if load_json(folder / _MANIFEST) != wanted:
                notify(Progress(task="converting the base model", done=0, total=1))
                _convert(gguf, folder)
                write_json(folder / _MANIFEST, wanted)
                notify(Progress(task="converting the base model", done=1, total=1))
    except OSError as error:
        raise WorkspaceError(f"{folder}: the base model cannot be written here ({error}); free some disk") from error
    return base


def load_tokenizer(base: BaseFiles) -> Any:
    """Return the base model's tokenizer (a transformers fast tokenizer), whose chat template lets no model think."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base.hf, local_files_only=True)
    if isinstance(tokenizer.chat_template, str):
        tokenizer.chat_template = without_thinking(tokenizer.chat_template)
    return tokenizer


def load_network(base: BaseFiles, *, precision: Any) -> Any:
    """Return the base model as a transformers causal language model with weights of this torch dtype."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(base.hf, dtype=precision, local_files_only=True)


def turns(messages: tuple[Message, ...] | list[Message]) -> list[dict[str, str]]:
    """Return messages as chat templates want them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def _convert(gguf: Path, folder: Path) -> None:
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with mute():
            _save(gguf, beside)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _save(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    where = {"gguf_file": gguf.name, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, **where)
        network = AutoModelForCausalLM.from_pretrained(gguf.parent, dtype=torch.float32, **where)
    except (ValueError, KeyError, RuntimeError, NotImplementedError) as error:
        raise TrainingError(f"{gguf}: cannot be read as a base model for training: {error}") from error
    network.config.__dict__.pop("quantization_config", None)
    network.hf_quantizer = None
    network.is_quantized = False
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    _check_tokenizer(gguf, AutoTokenizer.from_pretrained(folder, local_files_only=True))


def read_gguf(path: Path) -> Any:
    """Return a reader of a GGUF file, as the `gguf` library reads it but five times as fast.

    The library slices a `numpy.memmap` for each of some 150,000 parts of a tokenizer, 4.5 s for SmolLM2 135M. A plain
    array over the same memory takes 0.9 s.

    Raises:
        ValueError, OSError, IndexError, KeyError: the file is not a GGUF.
    """
    import numpy as np
    from gguf import GGUFReader

    class Reader(GGUFReader):  # type: ignore[misc]  # the library has no types
        """Keeps the file's bytes as a plain array."""

        def __setattr__(self, name: str, value: object) -> None:
            super().__setattr__(name, np.asarray(value) if name == "data" else value)

    return Reader(path)


def _check_tokenizer(gguf: Path, tokenizer: Any) -> None:
    """Refuse a tokenizer that numbers any token otherwise than the GGUF does, or that has lost its chat template."""
    fields = read_gguf(gguf).fields
    listed = fields["tokenizer.ggml.tokens"].contents()
    known = tokenizer.get_vocab()
    if moved := [text for number, text in enumerate(listed) if known.get(text) != number]:
        raise TrainingError(
            f"{gguf}: {len(moved)} tokens, such as {moved[0]!r}, have another number after conversion; "
            "this tokenizer cannot be trained with: choose another base model"
        )
    if tokenizer.eos_token_id != fields["tokenizer.ggml.eos_token_id"].contents() or not tokenizer.chat_template:
        raise TrainingError(f"{gguf}: it has no stop token or no chat template; choose an instruction-tuned base model")
