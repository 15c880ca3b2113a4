"""How a strategy is tuned: on which base model, by which settings, for which engine."""

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
    """Its context, answer length and quantisation are what the tuned model will be run with."""
    reference: str = ""
    """The base model as the settings name it, for the card."""
    licence: str = ""
    """Of the base model; empty where it is not known."""
