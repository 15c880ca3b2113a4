"""The base model as files that training can use: a folder of safetensors, and a GGUF that is the template of others.

A GGUF becomes a folder of float32 safetensors with its tokenizer. A folder is used as it is, and llama.cpp's converter
writes its GGUF. The GGUF stays the template of every GGUF we write from these weights: its hyper-parameters, tokenizer
and chat template are copied, so base and tuned models differ in nothing but their weights. A model that has no GGUF is
trained all the same; the engine transformers serves it.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from weighbridge.errors import TrainingError, WorkspaceError
from weighbridge.generate.chat_template import without_thinking
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Notify, silent
from weighbridge.train.runtime.converter import convert_folder
from weighbridge.train.runtime.gguf_folder import write_folder
from weighbridge.train.runtime.gguf_layout import (
    GgufLayout,
    StoredTensor,
    Weights,
    architecture_of,
    match_tensors,
    read_gguf,
)
from weighbridge.train.runtime.quiet import mute, quiet
from weighbridge.types import Message, Progress
from weighbridge.workspace import load_json, write_json

_LAYOUT = 1
_MANIFEST = "manifest.json"
_TEMPLATE = "template.gguf"
_CONVERTING = "converting the base model"


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFiles:
    """A base model, ready to be trained and to be exported."""

    hf: Path
    """Folder of safetensors, configuration and tokenizer with its chat template."""
    source_gguf: Path | None
    """The GGUF that is the template of all that is exported; None where the model has none."""
    fingerprint: str
    """SHA-256 of the source's bytes, 64 hex digits."""
    tensors: Path | None = None
    """The file that says how the GGUF stores each weight; where there is none, it is found by comparing them."""
    no_gguf: str = ""
    """Why there is no GGUF; empty where there is one."""


Compare = Callable[[BaseFiles], str]
"""Returns why a base model's GGUF is another model than its weights; empty if it is the same."""


def prepare_base(source: Path, folder: Path, *, notify: Notify = silent, compare: Compare | None = None) -> BaseFiles:
    """Make a GGUF, or a folder of safetensors, ready for training; what that needs is written into `folder` once.

    A GGUF that `compare` finds to differ from the weights is not used.

    Raises:
        TrainingError: the source is no model that can be trained, or its tokenizer does not survive the conversion.
        WorkspaceError: the folder cannot be written.
    """
    if not source.exists():
        raise TrainingError(f"{source}: there is no such model; set model.reference in weighbridge.yaml")
    if source.is_dir():
        _check_folder(source)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock")):
            base, tensors = (_from_folder if source.is_dir() else _from_gguf)(source, folder, notify)
            return _with_layout(base, base.source_gguf, tensors, compare) if base.source_gguf else base
    except OSError as error:
        raise WorkspaceError(f"{folder}: the base model cannot be written here ({error}); free some disk") from error


def layout(base: BaseFiles) -> GgufLayout:
    """Return how the base model's GGUF is laid out.

    Raises:
        TrainingError: it has none, or one that stores its weights in a way that is not known here.
    """
    if base.source_gguf is None:
        raise TrainingError(f"{base.hf}: there is no GGUF of this base model: {base.no_gguf}")
    said = load_json(base.tensors) if base.tensors else None
    reader = read_gguf(base.source_gguf)
    tensors = (
        {name: StoredTensor(**stored) for name, stored in said["tensors"].items()}
        if isinstance(said, dict)
        else match_tensors(base.source_gguf, base_weights(base))
    )
    return GgufLayout(path=base.source_gguf, architecture=architecture_of(reader), reader=reader, tensors=tensors)


def base_weights(base: BaseFiles) -> Weights:
    """Return the weights of a base model, float32."""
    import torch

    with quiet():
        return dict(load_network(base, precision=torch.float32).state_dict())


def load_tokenizer(base: BaseFiles) -> Any:
    """Return the base model's tokenizer (a transformers fast tokenizer), whose chat template lets no model think."""
    tokenizer = _open_tokenizer(base.hf)
    if isinstance(tokenizer.chat_template, str):
        tokenizer.chat_template = without_thinking(tokenizer.chat_template)
    return tokenizer


def load_network(base: BaseFiles, *, precision: Any) -> Any:
    """Return the base model as a transformers causal language model with weights of this torch dtype."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        base.hf, dtype=precision, local_files_only=True, trust_remote_code=False
    )


def turns(messages: tuple[Message, ...] | list[Message]) -> list[dict[str, str]]:
    """Return messages as chat templates want them."""
    return [{"role": message.role, "content": message.content} for message in messages]


def _from_gguf(gguf: Path, folder: Path, notify: Notify) -> tuple[BaseFiles, Path]:
    """Convert a GGUF: a folder with a manifest of this very file is taken as it is."""
    fingerprint = file_fingerprint(gguf)
    wanted = {"layout": _LAYOUT, "source": fingerprint}
    if load_json(folder / _MANIFEST) != wanted:
        notify(Progress(task=_CONVERTING, done=0, total=1))
        _convert(gguf, folder)
        write_json(folder / _MANIFEST, wanted)
        notify(Progress(task=_CONVERTING, done=1, total=1))
    # Beside the folder: the files in it are the fingerprint of the model that transformers serves.
    tensors = folder.with_name(f"{folder.name}-tensors.json")
    return BaseFiles(hf=folder, source_gguf=gguf, fingerprint=fingerprint), tensors


def _from_folder(hf: Path, folder: Path, notify: Notify) -> tuple[BaseFiles, Path]:
    """Write the GGUF of a folder, once: the name of `folder` says whose it is."""
    fingerprint, template = file_fingerprint(hf), folder / _TEMPLATE
    tensors = folder / "tensors.json"
    if not template.exists():
        folder.mkdir(exist_ok=True)
        tensors.unlink(missing_ok=True)
        notify(Progress(task=_CONVERTING, done=0, total=1))
        reason = convert_folder(hf, template, notify=notify)
        notify(Progress(task=_CONVERTING, done=1, total=1))
        if reason:
            reason = reason.replace("\n", " ")
            return BaseFiles(hf=hf, source_gguf=None, fingerprint=fingerprint, no_gguf=reason), tensors
    return BaseFiles(hf=hf, source_gguf=template, fingerprint=fingerprint), tensors


def _with_layout(base: BaseFiles, gguf: Path, tensors: Path, compare: Compare | None) -> BaseFiles:
    """Return the base model, once its GGUF is known to hold its weights in a way that we can write."""
    said = load_json(tensors)
    known = isinstance(said, dict) and said.get("source") == base.fingerprint
    if not isinstance(said, dict) or not known or (compare is not None and not said.get("compared")):
        said = {"source": base.fingerprint, "tensors": {}, "no_gguf": "", "compared": compare is not None}
        try:
            stored = match_tensors(gguf, base_weights(base))
            said["tensors"] = {name: asdict(one) for name, one in stored.items()}
            said["no_gguf"] = compare(base) if compare else ""
        except TrainingError as error:
            said["no_gguf"] = str(error)
        write_json(tensors, said)
    if said["no_gguf"]:
        return replace(base, source_gguf=None, no_gguf=said["no_gguf"])
    return replace(base, tensors=tensors)


def _check_folder(folder: Path) -> None:
    """Refuse a folder that is no decoder with a chat template, or whose weights we do not read."""
    from transformers import AutoConfig
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

    if not any(folder.glob("*.safetensors")):
        raise TrainingError(
            f"{folder}: there are no safetensors in it, and no other weights are read: the older formats of "
            "PyTorch can run code; choose a revision of the model that has them"
        )
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        with quiet():
            tokenizer = _open_tokenizer(folder)
    except (ValueError, KeyError, OSError, ImportError) as error:
        last = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise TrainingError(
            f"{folder}: transformers cannot read it as a model: {last[0]}; code in a model's folder is never run"
        ) from error
    if config.model_type not in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES or config.is_encoder_decoder:
        raise TrainingError(
            f"{folder}: {config.model_type} models are no decoders; choose an instruction-tuned decoder"
        )
    if getattr(config, "quantization_config", None):
        raise TrainingError(
            f"{folder}: its weights are quantised, and adapters are trained on whole ones; choose the model that it "
            "was made of (training.method: qlora quantises by itself)"
        )
    _require_template(folder, tokenizer)


def _require_template(source: Path, tokenizer: Any) -> None:
    if tokenizer.eos_token_id is None or not tokenizer.chat_template:
        raise TrainingError(
            f"{source}: it has no stop token or no chat template; choose an instruction-tuned base model"
        )


def _open_tokenizer(folder: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _convert(gguf: Path, folder: Path) -> None:
    beside = folder.with_name(f".{folder.name}.{os.getpid()}")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with mute():
            tokenizer = write_folder(gguf, beside)
        _check_tokenizer(gguf, tokenizer)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


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
    _require_template(gguf, tokenizer)
    try:
        tokenizer.encode("Where is it? \N{GRINNING FACE}")
    except Exception as error:  # the tokenizers library raises bare ones
        raise TrainingError(
            f"{gguf}: transformers cannot use its tokenizer ({error}); set model.reference to the folder of "
            "safetensors that it was made of"
        ) from error
    if tokenizer.eos_token_id != fields["tokenizer.ggml.eos_token_id"].contents():
        raise TrainingError(f"{gguf}: it stops at another token after conversion; choose another base model")
