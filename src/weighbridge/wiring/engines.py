"""Opens the models of the arms: one base, engine, quantisation and sampling for all of a base model, and adapters."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

from weighbridge.adapters import Access, AdapterCard
from weighbridge.answer.build import shape_of
from weighbridge.arms import strategy_of
from weighbridge.errors import SettingsError, WorkspaceError
from weighbridge.formatting import join_words
from weighbridge.generate.chat_template import has_thinking_switch
from weighbridge.models import cache_folder, fetch, file_fingerprint, find_model
from weighbridge.protocols import Model, Notify, silent
from weighbridge.settings.schema import Arm, ModelSettings, Settings
from weighbridge.train.export.gguf import write_gguf
from weighbridge.train.parity.judge import base_difference
from weighbridge.train.registry import promoted_adapter
from weighbridge.train.runtime.base_model import BaseFiles, base_weights, prepare_base
from weighbridge.wiring.reporter import SILENT, Reporter, Say
from weighbridge.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of one arm."""

    path: Path | None = None
    """A file or a folder; None for an endpoint or a scripted model."""
    adapter: Path | None = None
    """A PEFT folder over `path`. The engines transformers and vllm run it unmerged."""
    hosted: str = ""
    """The name of the model at the endpoint, if it differs from the settings."""
    access: Access = ()
    """The readers that it may answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """The base weights, and the settings that run them."""

    settings: ModelSettings
    base: BaseFiles | None
    """The files that adapters are trained on; None without a tuned strategy, or if an endpoint tunes."""
    served: Path | None
    """The file or folder that the base model runs from; None for an endpoint or a scripted model."""
    form: str = ""
    """The form of the weights, in words for people; empty if it is unknown."""
    say: Say = field(default=SILENT.say, repr=False)
    """Receives sentences of a model while it answers."""
    notify: Notify = field(default=silent, repr=False)
    """Receives the progress of a server that starts."""

    def weights(self, arm: Arm, workspace: Workspace) -> Weights:
        """Return the weights of an arm.

        Raises:
            WorkspaceError: its adapter is missing, or this engine cannot run it.
        """
        if not shape_of(arm).tuned:
            return Weights(self.served)
        card = promoted_adapter(workspace, arm)
        if card is None:
            raise WorkspaceError(f"{workspace.root}: {arm} has not been trained here; run: weighbridge train {arm}")
        return weights_of(card, workspace.adapter(arm, card.id), self)


def weights_of(card: AdapterCard, folder: Path, engine: Engine) -> Weights:
    """Return the weights of an adapter, promoted or not; `WorkspaceError` if the engine cannot run it."""
    if card.adapter and engine.base and engine.base.fingerprint != card.base_fingerprint:
        remedy = "and model.reference names another base model; set it back, or train again"
        raise WorkspaceError(f"{folder}: this adapter was trained on {card.base_reference}, {remedy}")
    access = card.learnt.access
    match engine.settings.engine:
        case "openai" if card.hosted:
            return Weights(hosted=card.hosted, access=access)
        case "transformers" | "vllm" if card.adapter:
            return Weights(engine.served, adapter=folder / card.adapter, access=access)
        case "llamacpp" if card.gguf:
            return Weights(folder / card.gguf, access=access)
        case name:
            raise WorkspaceError(f"{folder}: {_unfit(card, name)}")


def _unfit(card: AdapterCard, engine: str) -> str:
    """Return the reason why an engine cannot run an adapter, and the remedy."""
    if card.hosted:
        return f"this adapter is {card.hosted} at an endpoint; set model.engine to openai, or train again"
    if engine == "llamacpp" and card.adapter:
        return "this adapter cannot be merged into a GGUF; set model.engine to transformers, or training.method to lora"
    return f"this adapter was trained here, and model.engine is {engine}; train again, or set the engine it was for"


def open_engines(settings: Settings, reporter: Reporter) -> list[Engine]:
    """Return the engine of each base model of the settings.

    Raises:
        SettingsError: two of them are one model with the same settings, and would run the same arm.
    """
    engines: list[Engine] = []
    for place, one in enumerate(settings.by_base):
        engine = open_engine(one, reporter)
        for other, before in enumerate(engines):
            shared = set(map(strategy_of, one.strategies)) & set(map(strategy_of, settings.by_base[other].strategies))
            if shared and _is_same_model(engine, before):
                both = f"{settings.models[other].base} and {settings.models[place].base}"
                raise SettingsError(
                    f"weighbridge.yaml: models: {both} are the same model with the same settings, so "
                    f"{join_words(sorted(shared))} would be weighed twice; leave one of them out"
                )
        engines.append(engine)
    return engines


def _is_same_model(one: Engine, other: Engine) -> bool:
    """Tell whether two engines run the same bytes, or one model of an endpoint, in the same way."""
    if one.settings.model_copy(update={"reference": other.settings.reference}) != other.settings:
        return False
    if one.served is None or other.served is None:
        return one.settings.reference == other.settings.reference
    if one.served == other.served:
        return True
    files = one.served.is_file() and other.served.is_file()
    if files and one.served.stat().st_size != other.served.stat().st_size:
        return False  # without reading gigabytes
    return file_fingerprint(one.served) == file_fingerprint(other.served)


def open_engine(settings: Settings, reporter: Reporter) -> Engine:
    """Fetch the base model and convert it once. Training and answering use the same files.

    `settings` are those of one base model: see `Settings.by_base`.

    Raises:
        DownloadError: the model cannot be fetched or verified.
        SettingsError: the settings name a tuned strategy, and the model cannot be tuned here.
    """
    if settings.models:
        raise ValueError("an engine runs one base model: give the settings of one, as Settings.by_base returns them")
    model = settings.model
    tuned = [arm for arm in settings.strategies if shape_of(arm).tuned]
    if tuned and model.engine == "scripted":
        raise SettingsError(
            f"weighbridge.yaml: {' and '.join(tuned)} need weights that can be trained, and model.engine is scripted; "
            "set it to llamacpp, transformers, vllm or openai, or leave them out of strategies:"
        )
    if tuned and model.thinking == "on" and model.engine != "openai":
        raise SettingsError(
            f"weighbridge.yaml: model.thinking is on, and {' and '.join(tuned)} learn answers without thoughts; "
            "set it to off, or leave them out of strategies:"
        )
    if model.engine in ("openai", "scripted"):
        return Engine(settings=model, base=None, served=None, say=reporter.say)
    if model.engine == "vllm" and model.base_url and not tuned:
        return Engine(settings=model, base=None, served=None, say=reporter.say, notify=reporter.notify)
    if (known := find_model(model.reference)) and known.kind != "generator":
        raise SettingsError(
            f"weighbridge.yaml: model.reference: {model.reference} answers no questions, because it is listed as "
            f"{known.kind}; choose a generator (weighbridge models known)"
        )
    source = fetch(model.reference, notify=reporter.notify, say=reporter.say)
    if has_thinking_switch(source):
        reporter.say(f"{model.reference} can think before it answers: model.thinking is {model.thinking}")
    runs = source.is_file() if model.engine == "llamacpp" else source.is_dir()
    if not tuned and runs:
        form = "quantised as in its file"
        return Engine(settings=model, base=None, served=source, form=form, say=reporter.say, notify=reporter.notify)
    return _prepare_engine(source, model, reporter)


def _prepare_engine(source: Path, model: ModelSettings, reporter: Reporter) -> Engine:
    """Return the engine of a base model that is converted before it is tuned, or before it runs."""
    folder = cache_folder() / "bases" / file_fingerprint(source)[:16]
    base = prepare_base(source, folder, notify=reporter.notify, compare=base_difference)
    if model.engine in ("transformers", "vllm"):
        if base.no_gguf:
            reporter.say(f"The base model has no GGUF, and runs by {model.engine} alone: {base.no_gguf}")
        form = "not quantised"
        return Engine(settings=model, base=base, served=base.hf, form=form, say=reporter.say, notify=reporter.notify)
    if base.no_gguf:
        raise SettingsError(
            f"weighbridge.yaml: model.engine: llamacpp runs GGUFs, and there is none of {model.reference}: "
            f"{base.no_gguf}; set model.engine to transformers"
        )
    # Beside the folder: the files in it are the fingerprint of the model that transformers serves.
    served = folder.with_name(f"{folder.name}-{model.quantisation}.gguf")
    if not served.exists():
        reporter.say(f"Writing the base model as {model.quantisation}, the form all strategies share")
        write_gguf(base, base_weights(base), served, quantisation=model.quantisation)
    return Engine(settings=model, base=base, served=served, form=model.quantisation)


def open_model(engine: Engine, weights: Weights, *, workers: int, stack: ExitStack) -> Model:
    """Open a model for `workers` questions at once. `stack` closes it."""
    return _OPEN[engine.settings.engine](engine, weights, workers, stack)


Opener = Callable[[Engine, Weights, int, ExitStack], Model]


def _open_llamacpp(engine: Engine, weights: Weights, workers: int, stack: ExitStack) -> Model:
    from weighbridge.generate.llamacpp import open_llamacpp

    opened = open_llamacpp(_there(weights), settings=engine.settings, workers=workers, name="llamacpp")
    return stack.enter_context(opened)


def _open_transformers(engine: Engine, weights: Weights, workers: int, stack: ExitStack) -> Model:
    from weighbridge.generate.transformers import open_transformers

    return open_transformers(
        _there(weights), settings=engine.settings, adapter=weights.adapter, workers=workers, name="transformers"
    )


def _open_openai(engine: Engine, weights: Weights, workers: int, stack: ExitStack) -> Model:
    from weighbridge.generate.openai import open_openai

    settings = engine.settings
    chosen = settings.model_copy(update={"reference": weights.hosted}) if weights.hosted else settings
    return stack.enter_context(closing(open_openai(chosen, tell=engine.say)))


def _open_vllm(engine: Engine, weights: Weights, workers: int, stack: ExitStack) -> Model:
    from weighbridge.generate.vllm import Served, open_vllm

    settings = engine.settings
    if settings.base_url:
        server = Served(url=settings.base_url)
    else:
        from weighbridge.generate.server import shared_server

        server = shared_server(_there(weights), settings, lora=engine.base is not None, notify=engine.notify)
    opened = open_vllm(settings, server, folder=engine.served, adapter=weights.adapter, tell=engine.say)
    return stack.enter_context(opened)


def _open_scripted(engine: Engine, weights: Weights, workers: int, stack: ExitStack) -> Model:
    from weighbridge.generate.scripted import Scripted

    return Scripted(maximum_tokens=engine.settings.maximum_tokens, context=engine.settings.context)


def _there(weights: Weights) -> Path:
    if weights.path is None:
        raise SettingsError("weighbridge.yaml: model.reference names no file for this engine")
    return weights.path


_OPEN: Mapping[str, Opener] = {
    "llamacpp": _open_llamacpp,
    "transformers": _open_transformers,
    "vllm": _open_vllm,
    "openai": _open_openai,
    "scripted": _open_scripted,
}
