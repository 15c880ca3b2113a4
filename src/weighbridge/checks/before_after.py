"""Questions put to a tuned strategy, and to the same strategy on its base model, by the engine that serves them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from weighbridge.adapters import AdapterCard
from weighbridge.answer.composed import Composed
from weighbridge.evaluate.ledger import append, load
from weighbridge.evaluate.run import EvaluationSpec, evaluate, stored_records
from weighbridge.generate.llamacpp import LlamaCpp, open_llamacpp
from weighbridge.generate.transformers import Transformers, open_transformers
from weighbridge.protocols import Notify, silent
from weighbridge.results import Record
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Example

Opener = Callable[[], LlamaCpp | Transformers]
"""Loads a model; the caller closes it."""
Records = Mapping[str, Record]
"""By the id of the example that was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedModels:
    """The model of an adapter and its base model, as they are served: by the same engine."""

    tuned: Opener
    base: Opener


def open_served(recipe: Recipe, folder: Path, card: AdapterCard, base_gguf: Path, *, workers: int) -> ServedModels:
    """Return how to open an adapter and its base: as GGUF, or with PyTorch where that serves, or no GGUF is there."""
    settings = recipe.model

    def gguf(path: Path) -> LlamaCpp:
        return open_llamacpp(path, settings=settings, name="llamacpp", workers=workers)

    def network(adapter: Path | None) -> Transformers:
        return open_transformers(recipe.base.hf, settings=settings, adapter=adapter, name="transformers")

    if card.gguf and settings.engine != "transformers":
        return ServedModels(tuned=lambda: gguf(folder / card.gguf), base=lambda: gguf(base_gguf))
    return ServedModels(tuned=lambda: network(folder / card.adapter), base=lambda: network(None))


def ask_all(
    strategy: Composed, opener: Opener, exam: EvaluationSpec, *, kept: Path | None = None, notify: Notify = silent
) -> Records:
    """Ask a strategy every question of an evaluation, on the model that `opener` loads.

    `kept` is a file of records: questions with a record there are not asked again, and new records are added to it.

    Raises:
        UserError: the model cannot be loaded.
        DataError: the file of records is damaged.
        WorkspaceError: the file of records cannot be written.
    """
    with quiet(), _same_threads(), closing(opener()) as model:
        asked = replace(strategy, model=model)
        made = evaluate(asked, exam, done=load(kept) if kept else {}, notify=notify)
        if kept:
            append(kept, made)
        stored = load(kept) if kept else {record.key: record for record in made}
        return {record.example_id: record for record in stored_records(asked, exam, stored)}


@contextmanager
def _same_threads() -> Iterator[None]:
    """Leave PyTorch the threads it had, whatever a model opened meanwhile takes: a later training counts on them."""
    import torch

    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


def each(examples: Iterable[Example], records: Records, value: Callable[[Record], float | None]) -> list[float | None]:
    """Return a value of each example's record; None where it has no answer."""
    found = (records.get(example.id) for example in examples)
    return [value(record) if record and record.answer else None for record in found]


def answer_line(record: Record | None, limit: int = 90) -> str:
    """Return an answer on one line, cut to `limit` characters; or the reason that there is none."""
    if record is None:
        return "(not asked)"
    text = " ".join((record.answer.raw if record.answer else record.error).split())
    return f"{text[: limit - 1]}…" if len(text) > limit else text or "(nothing)"
