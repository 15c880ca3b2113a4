"""Lists the models of the catalogue with what this machine knows of them, and fetches models."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from weighbridge.machine import ModelSpeed, model_speed
from weighbridge.models import CatalogueModel, fetch, file_fingerprint, find_local, find_model, load_catalogue
from weighbridge.settings.schema import MINILM, SMOLLM2
from weighbridge.wiring.reporter import Reporter

DEFAULTS = (SMOLLM2, MINILM)
"""The references of the settings: the models that every first run needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model of the catalogue on this machine."""

    model: CatalogueModel
    path: Path | None
    """None until it is fetched."""
    speed: ModelSpeed | None
    """With llama.cpp; None until it is measured here."""


def known_models(*, cache: Path | None = None) -> tuple[KnownModel, ...]:
    """Return every model of the catalogue."""
    return tuple(_look_up(model, cache) for model in load_catalogue())


def default_models(*, cache: Path | None = None) -> tuple[KnownModel, ...]:
    """Return the default generator and the default embedder."""
    models = [model for model in map(find_model, DEFAULTS) if model]
    return tuple(_look_up(model, cache) for model in models)


def fetch_models(references: Sequence[str], reporter: Reporter) -> tuple[Path, ...]:
    """Fetch models, those that are missing, and return their paths in the order asked."""
    return tuple(fetch(reference, notify=reporter.notify, say=reporter.say) for reference in references)


def _look_up(model: CatalogueModel, cache: Path | None) -> KnownModel:
    path = find_local(model.reference, cache=cache)
    speed = model_speed(file_fingerprint(path), "llamacpp", cache=cache) if path and path.is_file() else None
    return KnownModel(model=model, path=path, speed=speed)
