"""The recipe of a training: base model, settings, and the engine that will run the result."""

from dataclasses import dataclass

from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The same for every tuned arm of one comparison."""

    base: BaseFiles
    training: TrainingSettings
    model: ModelSettings
    """The tuned model will run with this context, answer length and quantisation."""
    reference: str = ""
    """The base model as the settings name it, for the card."""
    licence: str = ""
    """Of the base model; empty where it is not known."""
