"""What a strategy takes besides time to answer: the files it needs, and the seconds to make them."""

from collections.abc import Iterator
from pathlib import Path

from weighbridge.adapters import AdapterCard
from weighbridge.answer.build import shape_of
from weighbridge.settings.schema import Arm
from weighbridge.train.card import read_adapter_card
from weighbridge.train.registry import promoted_adapter
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine
from weighbridge.workspace import Workspace


def disk_bytes(arm: Arm, bench: Bench, engine: Engine) -> int:
    """Return the bytes of the files this arm answers with: weights, and where it searches, embedder and index."""
    shape = shape_of(arm)
    weights = engine.weights(arm, bench.workspace)
    searched = size_of(bench.embedder_folder) if shape.reads or shape.shows else 0
    index = bench.index.bytes if shape.reads and bench.index else 0
    base = engine.served if weights.access else None  # who may not be answered by the adapter is by the base model
    files = {path for path in (weights.path, weights.adapter, base) if path}
    return sum(map(size_of, files)) + searched + index


def setup_seconds(arm: Arm, bench: Bench) -> float:
    """Return the measured seconds of indexing and training before this arm's first answer."""
    shape = shape_of(arm)
    card = promoted_adapter(bench.workspace, arm) if shape.tuned else None
    index = bench.index.seconds if shape.reads and bench.index else 0.0
    return sum(one.seconds for one in _line(bench.workspace, card)) + index


def _line(workspace: Workspace, card: AdapterCard | None) -> Iterator[AdapterCard]:
    """Yield an adapter, and all that it goes on from."""
    while card:
        yield card
        card = read_adapter_card(workspace.adapter(card.strategy, card.parent)) if card.parent else None


def training_price(arm: Arm, bench: Bench) -> float:
    """Return what this arm's training at an endpoint cost, by its tokens; 0 where it was trained here."""
    card = promoted_adapter(bench.workspace, arm) if shape_of(arm).tuned else None
    price = bench.settings.training.hosted.price_per_million or 0.0
    return card.training.tokens * price / 1e6 if card and card.hosted else 0.0


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)
