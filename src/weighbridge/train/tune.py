"""Turns an exercise into a checked model: training, merge, export, parity, card. Finished steps are not repeated."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from weighbridge.adapters import AdapterCard, Parity, Training, access_words
from weighbridge.protocols import Notify, silent
from weighbridge.train.card import (
    kept_up,
    read_adapter_card,
    read_training,
    write_adapter_card,
    write_lessons,
    write_training,
)
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.export.gguf import merged_weights, write_gguf
from weighbridge.train.parity.forms import check_forms
from weighbridge.train.parity.judge import wordless
from weighbridge.train.prepare import Exercise
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.types import Message, Progress

_CHECKED = 4
"""Prompts for the comparison of the exported model, spread over the training examples."""
UNMERGED = frozenset({"prompt-tuning"})
"""Adapters of these methods cannot be merged into the weights, so they have no GGUF."""


def tune(exercise: Exercise, folder: Path, *, notify: Notify = silent) -> AdapterCard:
    """Tune a strategy's model on its own prompts, and leave the adapter, the GGUF, lessons and card in `folder`.

    A folder that holds the card of this very tuning is returned at once, and one that was left in the middle is
    finished, with the same result; a finished adapter is not trained again, also where only its rounding changes.
    The card says whether the exported forms agree with the adapter: one that does not may not be promoted.

    Raises:
        TrainingError: the data cannot be used, or training fails.
        WorkspaceError: the folder cannot be written.
    """
    rows = exercise.rows  # refuses what must not be learnt, also where it has been learnt already

    def train() -> Training:
        recipe, validate = exercise.recipe, exercise.validate()
        return train_supervised(Job(encoded=rows, folder=folder, recipe=recipe, validate=validate, notify=notify))

    return train_and_check(exercise, folder, train, notify=notify)


def train_and_check(
    exercise: Exercise, folder: Path, train: Callable[[], Training], *, notify: Notify = silent
) -> AdapterCard:
    """Train, export and check, or return the card where that is done; `train` leaves the adapter in the folder."""
    recipe = exercise.recipe
    card = read_adapter_card(folder)
    if card and card.fingerprint == exercise.fingerprint and card.quantisation == recipe.model.quantisation:
        return kept_up(card, exercise.learnt, exercise.lessons, folder)
    (folder / "card.json").unlink(missing_ok=True)
    write_lessons(exercise.lessons, folder)
    training = read_training(folder, exercise.fingerprint)
    if training is None:
        (folder / "training.json").unlink(missing_ok=True)
        training = train()
        write_training(training, folder, exercise.fingerprint)
    start = perf_counter()
    gguf = _export_gguf(folder, recipe, notify)
    exporting = perf_counter() - start
    parity = _compare_forms(folder, gguf, exercise, notify)
    made = AdapterCard(
        id=exercise.id,
        strategy=exercise.strategy.name,
        fingerprint=exercise.fingerprint,
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        base_reference=recipe.reference,
        base_fingerprint=recipe.base.fingerprint,
        licence=recipe.licence,
        recipe=recipe.training.model_dump(mode="json"),
        learnt=exercise.learnt,
        training=training,
        dev=None,
        parity=parity,
        seconds=training.seconds + exporting,
        quantisation=recipe.model.quantisation,
        warnings=(*_describe_left_out(exercise), *training.notes, *_describe_base(recipe), *_warnings(parity)),
        gguf=gguf.name if gguf else "",
        parent=exercise.parent,
    )
    write_adapter_card(made, folder)
    return made


def spread(made: Sequence[Conversation]) -> tuple[tuple[Message, ...], ...]:
    """Return a few prompts, spread over all."""
    return tuple(one.prompt for one in made[:: max(1, len(made) // _CHECKED)][:_CHECKED])


def _export_gguf(folder: Path, recipe: Recipe, notify: Notify) -> Path | None:
    """Merge the folder's adapter and write it as the GGUF that is served; None where it has no GGUF."""
    if recipe.training.method in UNMERGED or recipe.base.no_gguf:
        return None
    notify(Progress(task="exporting", done=0, total=1))
    gguf = folder / "model.gguf"
    weights = merged_weights(recipe.base, folder / "adapter")
    write_gguf(recipe.base, weights, gguf, quantisation=recipe.model.quantisation)
    del weights
    release()
    notify(Progress(task="exporting", done=1, total=1))
    return gguf


def _compare_forms(folder: Path, gguf: Path | None, exercise: Exercise, notify: Notify) -> tuple[Parity, ...]:
    if exercise.recipe.training.method in UNMERGED:
        return ()
    recipe, prompts = exercise.recipe, spread(exercise.made)
    try:
        compared = check_forms(
            folder / "adapter", recipe.base, prompts, settings=recipe.model, served=gguf, notify=notify
        )
    finally:
        release()
    return tuple(map(wordless, compared)) if exercise.learnt.access else compared


def _describe_left_out(exercise: Exercise) -> Iterator[str]:
    if exercise.parent:
        return  # said of the first training already
    how = exercise.recipe.training
    if left_out := len(exercise.left_out):
        which = "1 training example" if left_out == 1 else f"{left_out:,} training examples"
        verb = "was" if left_out == 1 else "were"
        because = "training.groups names other groups" if how.groups else "an adapter speaks to everybody"
        yield f"{which} of restricted askers {verb} left out: {because}"
    if access := exercise.learnt.access:
        yield f"it answers only askers of {access_words(access)}; the others are answered by the base model"
    elif how.groups:
        yield f"it learnt nothing that only {', '.join(how.groups)} may see, so it answers everybody"
    yield from (finding.message for finding in exercise.checked.findings)


def _describe_base(recipe: Recipe) -> Iterator[str]:
    """Yield that only transformers serves the adapter, where that is so."""
    if recipe.base.no_gguf:
        yield f"the base model has no GGUF, so transformers serves this adapter: {recipe.base.no_gguf}"


def _warnings(parity: Sequence[Parity]) -> Iterator[str]:
    """Yield warnings about the export for the owner of a tuned strategy."""
    if parity and not parity[0].changed:
        yield (
            f"on the {parity[0].prompts} prompts that were checked the adapter chooses the same words as the base "
            "model: it may have learnt nothing; raise training.epochs or training.learning_rate"
        )
    for form in parity:
        if not form.ok:
            yield f"{form.form}: {'; '.join(form.reasons)}"
