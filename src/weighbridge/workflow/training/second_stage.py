"""Runs the second stage of a training. Its adapter names the supervised adapter as its parent."""

from dataclasses import asdict, dataclass, replace

from weighbridge.adapters import Access, AdapterCard, Learnt, Training, inherit_access
from weighbridge.fingerprint import fingerprint
from weighbridge.settings.schema import Arm
from weighbridge.train.data.preference_file import PreferenceFile
from weighbridge.train.prepare import Exercise, label_key
from weighbridge.train.registry import adopt_adapter, folder_of
from weighbridge.train.tune import train_and_check
from weighbridge.wiring.components import Bench
from weighbridge.wiring.engines import Engine, weights_of
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.training.preferences import Refinement, refine


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """The first training of an arm, and the user's own preferences, if there is a file."""

    exercise: Exercise
    read: PreferenceFile | None


def train_second_stage(
    arm: Arm, first: AdapterCard, taught: Taught, bench: Bench, engine: Engine, reporter: Reporter
) -> AdapterCard:
    """Continue the training of an adapter by `training.preference`, or reuse a finished one; return its card.

    Raises:
        TrainingError: there is nothing to learn from, or training fails.
    """
    exercise, read = taught.exercise, taught.read
    preference = exercise.recipe.training.preference
    preferences, access = asdict(read.told) if read else {}, _access(first.learnt, exercise, read)
    settings = preference.model_dump(mode="json", exclude={"pairs"})
    key = fingerprint("preference", 2, first.fingerprint, settings, preferences, *label_key(access))
    adopt_adapter(bench.workspace, arm, key[:12])
    folder = bench.workspace.adapter(arm, key[:12])
    start = folder_of(bench.workspace, first)
    lessons = read.lessons if read else ()

    def train() -> Training:
        todo = Refinement(
            arm=arm,
            exercise=exercise,
            start=start / first.adapter,
            weights=weights_of(first, start, engine),
            folder=folder,
            read=read,
        )
        return refine(todo, bench, engine, reporter).training

    shown = {span.document_id: span.version for one in lessons for span in one.spans}
    second = replace(
        exercise,
        fingerprint=key,
        learnt=replace(first.learnt, documents={**first.learnt.documents, **shown}, access=access),
        lessons=(*exercise.lessons, *lessons),
        parent=first.id,
    )
    return train_and_check(second, folder, train, notify=reporter.notify)


def _access(learnt: Learnt, exercise: Exercise, read: PreferenceFile | None) -> Access:
    """Return the groups that the adapter may answer: those of the first training, of the file, and of the attempts."""
    attempted = exercise.made if read is None or exercise.recipe.training.preference.method == "grpo" else ()
    stated = read.access if read else ()
    return inherit_access((*learnt.access, *stated, *(one for each in attempted for one in each.access)))
