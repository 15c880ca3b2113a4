"""Writes a tuned model or its training data for other programs. One function writes every form.

An export is written beside the target and renamed, and its files are listed with their hashes. An export may be
written again over itself, and into an empty folder; whatever else lies at the target, or has been added to it or
changed since, is left alone.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from weighbridge.adapters import AdapterCard, access_words
from weighbridge.errors import TrainingError, UserError, WorkspaceError
from weighbridge.models import file_fingerprint
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.export.gguf import Quantisation, merged_weights, write_gguf
from weighbridge.train.export.model_card import hub_name, model_card, public_name
from weighbridge.train.export.other_trainers import write_axolotl, write_llama_factory
from weighbridge.train.hosted.files import chat_lines
from weighbridge.train.runtime.adapter_weights import CONFIG, WEIGHTS, adapter_config, merged_network, method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.quiet import quiet
from weighbridge.workspace import load_json, write_json, write_text

Form = Literal[
    "peft", "merged", "gguf-F16", "gguf-Q8_0", "gguf-Q4_0", "openai", "huggingface", "axolotl", "llama-factory"
]
FORMS: tuple[Form, ...] = get_args(Form)
_FILES: frozenset[Form] = frozenset({"gguf-F16", "gguf-Q8_0", "gguf-Q4_0", "openai"})
"""Those that are one file; the others are folders."""
_MANIFEST = "weighbridge-export.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tuned:
    """A tuned model, with all that its exports need."""

    folder: Path
    base: BaseFiles
    card: AdapterCard
    conversations: Sequence[Conversation]

    @property
    def adapter(self) -> Path:
        """The adapter's folder."""
        return self.folder / self.card.adapter

    def training_data(self) -> Sequence[Conversation]:
        """Return the training data; `UserError` if it was not given."""
        if not self.conversations:
            raise UserError(f"{self.card.id}: the conversations it learnt are needed for this form, and there are none")
        return self.conversations


def export(
    folder: Path,
    base: BaseFiles,
    target: Path,
    *,
    form: Form,
    card: AdapterCard,
    conversations: Sequence[Conversation] = (),
) -> Path:
    """Write the adapter of a card's folder in one form, whole or not at all, and return the file or folder written.

    Files: a GGUF, and `openai` (JSONL). Folders: `peft` and `huggingface` (with a model card), `merged` (transformers),
    `axolotl` and `llama-factory` (settings, data, base model). `conversations` are its training data; only the
    forms that hold data need them.

    Raises:
        UserError: something else lies at the target, or this adapter has no such form.
        TrainingError: the form was compared with the adapter and says something else.
        WorkspaceError: the target cannot be written.
    """
    _require_parity(card, form)
    if card.hosted and form != "openai":
        raise UserError(f"{card.id}: its weights are at the endpoint that trained it ({card.hosted}), and not here")
    tuned = _Tuned(folder=folder, base=base, card=card, conversations=conversations)
    try:
        _require_free(target, form)
        beside = target.with_name(f".{target.name}.{os.getpid()}")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            _WRITERS[form](tuned, beside)
            label = {"only_for": access_words(card.learnt.access)} if card.learnt.access else {}
            _put(beside, target, {"form": form, "adapter": card.fingerprint, **label})
        finally:
            _remove(beside)
            release()
    except OSError as error:
        advice = "free some disk" if error.errno == ENOSPC else "choose another place"
        raise WorkspaceError(f"{target}: cannot be written ({error.strerror}); {advice}") from error
    return target


def _require_free(target: Path, form: Form) -> None:
    """Refuse a target that holds anything but an unchanged export of ours."""
    if target.absolute() == Path.cwd():
        raise UserError(f"{target}: the folder you are in cannot be replaced; name another one")
    there = next(path for path in (target, *target.absolute().parents) if path.exists())
    if there != target:
        if not there.is_dir():
            raise UserError(f"{there}: a file lies where a folder is needed; choose another place")
        return
    said = load_json(_manifest(target))
    if isinstance(said, dict) and said.get("files") == _files(target):
        return
    if target.is_dir() and form in _FILES:
        raise UserError(f"{target}: a folder, and {form} is one file; name the file to write")
    if target.is_file() or any(target.iterdir()):
        raise UserError(
            f"{target}: something lies here already, and only an export that nobody changed since is replaced; choose "
            "another place"
        )


def _require_parity(card: AdapterCard, form: Form) -> None:
    compared = "merged" if form == "merged" else f"GGUF {form.removeprefix('gguf-')}"
    for parity in card.parity:
        if parity.form == compared and not parity.ok:
            raise TrainingError(
                f"{card.id}: as {form} it says something else than the adapter: {'; '.join(parity.reasons)}; "
                "choose another --form"
            )


def _manifest(target: Path) -> Path:
    return target / _MANIFEST if target.is_dir() else target.with_name(f".{target.name}.{_MANIFEST}")


def _files(target: Path) -> dict[str, str]:
    """Return the hashes of all files of an export, by their names."""
    if target.is_file():
        return {target.name: file_fingerprint(target)}
    found = (path for path in sorted(target.rglob("*")) if path.is_file() and path != target / _MANIFEST)
    return {path.relative_to(target).as_posix(): file_fingerprint(path) for path in found}


def _put(beside: Path, target: Path, said: Mapping[str, Any]) -> None:
    """List the written files, and move the export to the target."""
    files = _files(beside)
    if beside.is_dir():
        write_json(beside / _MANIFEST, {**said, "files": files})
    earlier = target.with_name(f".{target.name}.{os.getpid()}.earlier")
    with suppress(FileNotFoundError):
        target.rename(earlier)
    beside.rename(target)
    if target.is_file():
        write_json(_manifest(target), {**said, "files": {target.name: files[beside.name]}})
    _remove(earlier)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _peft(tuned: _Tuned, target: Path) -> None:
    if method_of(tuned.adapter) == "full":
        raise UserError(f"{tuned.card.id}: full fine-tuning leaves no adapter; choose --form merged or huggingface")
    target.mkdir()
    shutil.copyfile(tuned.adapter / WEIGHTS, target / WEIGHTS)
    name = hub_name(tuned.card.base_reference) or public_name(tuned.card.base_reference)
    write_json(target / CONFIG, {**adapter_config(tuned.adapter), "base_model_name_or_path": name})


def _write_merged(tuned: _Tuned, target: Path) -> None:
    network = merged_network(tuned.base, tuned.adapter)
    with quiet():
        network.save_pretrained(target)
    for file in target.glob("*.safetensors"):  # which only their owner could read
        shutil.copymode(target / "config.json", file)
    _tokenizer(tuned, target)


def _tokenizer(tuned: _Tuned, target: Path) -> None:
    with quiet():
        load_tokenizer(tuned.base).save_pretrained(target)


def _gguf(tuned: _Tuned, target: Path, *, quantisation: Quantisation) -> None:
    if tuned.card.quantisation == quantisation and tuned.card.gguf:
        shutil.copyfile(tuned.folder / tuned.card.gguf, target)
        return
    weights = merged_weights(tuned.base, tuned.adapter)
    write_gguf(tuned.base, weights, target, quantisation=quantisation)


def _huggingface(tuned: _Tuned, target: Path) -> None:
    if method_of(tuned.adapter) == "full":
        _write_merged(tuned, target)
    else:
        _peft(tuned, target)
        _tokenizer(tuned, target)
    write_text(target / "README.md", model_card(tuned.card))


def _openai(tuned: _Tuned, target: Path) -> None:
    write_text(target, chat_lines(tuned.training_data()))


def _axolotl(tuned: _Tuned, target: Path) -> None:
    made = tuned.training_data()
    target.mkdir()
    write_axolotl(tuned.base, tuned.card, made, target)


def _llama_factory(tuned: _Tuned, target: Path) -> None:
    made = tuned.training_data()
    target.mkdir()
    write_llama_factory(tuned.base, tuned.card, made, target)


_WRITERS: Mapping[Form, Callable[[_Tuned, Path], None]] = {
    "peft": _peft,
    "merged": _write_merged,
    "gguf-F16": partial(_gguf, quantisation="F16"),
    "gguf-Q8_0": partial(_gguf, quantisation="Q8_0"),
    "gguf-Q4_0": partial(_gguf, quantisation="Q4_0"),
    "openai": _openai,
    "huggingface": _huggingface,
    "axolotl": _axolotl,
    "llama-factory": _llama_factory,
}
