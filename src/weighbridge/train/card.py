"""The card of a tuned strategy: what its adapter was made from, how, and how well it went. Written last."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from weighbridge.train.parity import Parity
from weighbridge.workspace import read_json, write_json


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochScore:
    """One pass over the training examples: its mean loss, and the dev score after it (None: there was none)."""

    epoch: int
    loss: float
    dev: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What happened while training."""

    epochs: tuple[EpochScore, ...]
    chosen_epoch: int
    """The epoch whose weights were kept, from 1."""
    examples: int
    tokens: int
    steps: int
    seconds: float
    """Loading the model, all steps and the scoring of epochs. Of a training that was killed, what was thrown away is
    not counted: the steps after its last whole epoch."""
    first_loss: float
    last_loss: float
    precision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterCard:
    """A finished tuning; `adapter` and `gguf` are names inside the card's folder."""

    strategy: str
    fingerprint: str
    """Of the base model, the conversations and the recipe."""
    base_reference: str
    base_fingerprint: str
    recipe: Mapping[str, Any]
    training: Training
    parity: Parity
    seconds: float
    """Building the conversations, training and exporting: what the adapter costs, also where it was finished by
    another process than began it."""
    quantisation: str
    warnings: tuple[str, ...]
    adapter: str = "adapter"
    gguf: str = "model.gguf"

    @property
    def seed(self) -> int:
        return int(self.recipe["seed"])


def write_card(card: AdapterCard, folder: Path) -> None:
    """Write `card.json`; from then on the folder counts as complete."""
    write_json(folder / "card.json", asdict(card))


def write_training(training: Training, folder: Path, fingerprint: str) -> None:
    """Write `training.json`: the folder's adapter is whole, and only its export is missing."""
    write_json(folder / "training.json", {"fingerprint": fingerprint, "training": asdict(training)})


def read_training(folder: Path, fingerprint: str) -> Training | None:
    """Return how this very tuning's adapter was trained; None where it was not, or the adapter is gone."""
    found = read_json(folder / "training.json")
    if not found or found["fingerprint"] != fingerprint:
        return None
    return _training(found["training"]) if (folder / "adapter" / "adapter_model.safetensors").is_file() else None


def read_card(folder: Path) -> AdapterCard | None:
    """Return the card of a finished tuning; None where there is none, or a file it names is gone."""
    found = read_json(folder / "card.json")
    if not found:
        return None
    parity = found["parity"]
    card = AdapterCard(
        **{
            **found,
            "training": _training(found["training"]),
            "parity": Parity(**{**parity, "reasons": tuple(parity["reasons"])}),
            "warnings": tuple(found["warnings"]),
        }
    )
    return card if (folder / card.gguf).is_file() and (folder / card.adapter).is_dir() else None


def _training(found: Mapping[str, Any]) -> Training:
    return Training(**{**found, "epochs": tuple(EpochScore(**epoch) for epoch in found["epochs"])})
