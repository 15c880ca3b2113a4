"""vLLM, or a server with its LoRA API: the base model and all adapters answer from one server.

An adapter is loaded by name while the server runs, and unloaded when its model is closed. The server is one that is
there already (`model.base_url`), or one that is started here: `server.py`. `vllm` itself is no dependency.
"""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any

from weighbridge.endpoints.connect import Connection, Tell, open_connection
from weighbridge.endpoints.tokens import ESTIMATE, TokenCounter
from weighbridge.errors import ModelError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.openai import OpenAICompatible
from weighbridge.models import file_fingerprint
from weighbridge.settings.schema import ModelSettings

BASE = "base"
"""The name of the base model at a server that is started here."""
_LOADED = "already been loaded"
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a server runs."""

    url: str
    key: str = field(default="", repr=False)
    """Empty: that of the settings, from the environment."""
    weights: str = ""
    """The fingerprint of its base model and of how it runs; empty where only the server knows."""


@contextmanager
def open_vllm(
    settings: ModelSettings,
    served: Served,
    *,
    folder: Path | None = None,
    adapter: Path | None = None,
    environment: Mapping[str, str] = os.environ,
    tell: Tell = lambda _: None,
) -> Iterator[OpenAICompatible]:
    """Open the base model of a server, or a PEFT adapter over it, until the block ends.

    Args:
        settings: the sampling; the address and the key are those of `served`.
        served: the server.
        folder: the base model's files, where they are here: their tokenizer counts what the server does not report.
        adapter: a folder that the server can read under the same path.
        environment: holds the key.
        tell: gets sentences for the user.

    Raises:
        ModelError: the server is not there, has no such model, or refuses the adapter.
        UserError: the key is missing.
    """
    if served.key:
        environment = {settings.key_variable: served.key}
    settings = settings.model_copy(update={"base_url": served.url})
    connection = open_connection(settings, environment=environment, tell=tell)
    model = OpenAICompatible(
        name=_base_name(connection, settings),
        settings=settings,
        connection=connection,
        counter=tokenizer_counter(folder) if folder else ESTIMATE,
        weights=served.weights,
    )
    try:
        if adapter is None:
            yield model
        else:
            name = f"weighbridge-{file_fingerprint(adapter)[:16]}"
            with _adapter(connection, name, adapter):
                yield replace(model, name=name)
    finally:
        model.close()


def server_weights(folder: Path, arguments: tuple[str, ...]) -> str:
    """Return the fingerprint of a base model as a server of ours runs it."""
    return fingerprint("vllm", file_fingerprint(folder), *arguments)


def tokenizer_counter(folder: Path) -> TokenCounter:
    """Return a counter with the tokenizer of a model's folder; the estimate where it holds none."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        return ESTIMATE
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(file))
    return TokenCounter(
        lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids), "counted with the model's own tokenizer"
    )


def _base_name(connection: Connection, settings: ModelSettings) -> str:
    """Return the server's name of its base model: the one without a parent that the settings name, or the only one."""
    wanted = settings.reference.removeprefix("openai:")
    listed: list[Any] = list(connection.send("its models", lambda client: client.models.list().data))
    bases = [one for one in listed if not getattr(one, "parent", None)]
    named = [one for one in bases if wanted in (one.id, getattr(one, "root", None))]
    if named or len(bases) == 1:
        return str((named or bases)[0].id)
    names = ", ".join(connection.safe(one.id) for one in bases) or "none"
    raise ModelError(f"{connection.where}: serves {names}; set model.reference to one of them, or serve one base model")


@dataclass(frozen=True, slots=True)
class _Uses:
    """How often each adapter is open in this process, by address and name: the last to close it unloads it."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: Lock = field(default_factory=Lock)


_USES = _Uses()


@contextmanager
def _adapter(connection: Connection, name: str, folder: Path) -> Iterator[None]:
    """Keep an adapter at the server until the block ends."""
    place = (connection.where, name)
    with _USES.lock:
        if not _USES.counts[place]:
            _load(connection, name, folder)
        _USES.counts[place] += 1
    try:
        yield
    finally:
        with _USES.lock:
            _USES.counts[place] -= 1
            if not _USES.counts[place]:
                with suppress(ModelError):  # a server that is gone has unloaded it
                    _post(connection, "unload_lora_adapter", {"lora_name": name})


def _load(connection: Connection, name: str, folder: Path) -> None:
    if not (folder / "adapter_config.json").is_file():
        raise UserError(f"{folder}: holds no PEFT adapter")
    try:
        _post(connection, "load_lora_adapter", {"lora_name": name, "lora_path": str(folder.resolve())})
    except ModelError as error:
        if _LOADED in str(error):  # by another process; the name stands for the same bytes
            return
        if "No adapter found" in str(error):
            raise ModelError(
                f"{connection.where}: cannot read {folder}; the server must see this folder under the same path"
            ) from None
        if f"HTTP {_NOT_FOUND}" in str(error):
            raise ModelError(
                f"{connection.where}: has no way to load an adapter; start it with --enable-lora and "
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING=True in its environment"
            ) from None
        raise


def _post(connection: Connection, path: str, body: Mapping[str, str]) -> None:
    connection.send(body["lora_name"], lambda client: client.post(f"/{path}", cast_to=str, body=dict(body)))
