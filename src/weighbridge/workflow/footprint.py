"""The footprint of a strategy: the size of its files, and the time and price to make them."""

from pathlib import Path

from weighbridge.answer.build import shape_of
from weighbridge.settings.schema import Arm
from weighbridge.train.card import read_adapter_card
from weighbridge.train.registry import promoted_adapter
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine


def disk_bytes(arm: Arm, bench: Bench, engine: Engine) -> int:
    """Return the size of the files that this arm needs: weights, and embedder and index if it searches."""
    shape = shape_of(arm)
    weights = engine.weights(arm, bench.workspace)
    folder = bench.embedder_folder if shape.reads or shape.shows else None
    searched = size_of(folder) if folder else 0
    index = bench.index.bytes if shape.reads and bench.index else 0
    base = engine.served if weights.access else None  # the base model answers readers that the adapter may not
    files = {path for path in (weights.path, weights.adapter, base) if path}
    return sum(map(size_of, files)) + searched + index


def indexing_seconds(arm: Arm, bench: Bench) -> float:
    """Return the measured seconds of one indexing of all documents; 0 for an arm that reads none."""
    return bench.index.seconds if shape_of(arm).reads and bench.index else 0.0


def training_seconds(arm: Arm, bench: Bench) -> float:
    """Return the measured seconds of training this arm's adapter; 0 for an arm without one."""
    card = promoted_adapter(bench.workspace, arm) if shape_of(arm).tuned else None
    seconds = 0.0
    while card:  # an adapter of a second training needed the first one too
        seconds += card.seconds
        card = read_adapter_card(bench.workspace.adapter(card.strategy, card.parent)) if card.parent else None
    return seconds


def training_price(arm: Arm, bench: Bench) -> float:
    """Return the price of this arm's training at an endpoint, by its tokens; 0 for a training on this machine."""
    card = promoted_adapter(bench.workspace, arm) if shape_of(arm).tuned else None
    price = bench.settings.training.hosted.price_per_million or 0.0
    return card.training.tokens * price / 1e6 if card and card.hosted else 0.0


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
