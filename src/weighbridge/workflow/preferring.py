"""The second stage of a tuning: an adapter of its own, which names the supervised one that it goes on from."""

from collections.abc import Sequence
from dataclasses import asdict, replace

from weighbridge.adapters import AdapterCard, Learnt, Lesson, Training
from weighbridge.fingerprint import fingerprint
from weighbridge.settings import Arm
from weighbridge.train.card import write_lessons
from weighbridge.train.exercise import Exercise
from weighbridge.train.registry import folder_of
from weighbridge.train.tune import Stage, run, spread
from weighbridge.workflow.bench import Bench
from weighbridge.workflow.engines import Engine, weights_of
from weighbridge.workflow.pairing import Refinement, preferences_file, refine
from weighbridge.workflow.voice import Voice


def preferred(
    arm: Arm, first: AdapterCard, exercise: Exercise, bench: Bench, engine: Engine, voice: Voice
) -> AdapterCard:
    """Train an adapter on by `training.preference`, or take the one that this was done to; return its card.

    Raises:
        TrainingError: there is nothing to learn from, or training fails.
        DataError: the file of preferences cannot be used.
    """
    how = exercise.recipe.training.preference
    read = preferences_file(exercise, bench, voice)
    told = asdict(read.told) if read else {}
    key = fingerprint("preference", 2, first.fingerprint, how.model_dump(mode="json", exclude={"pairs"}), told)
    folder = bench.workspace.adapter(arm, key[:12])
    start = folder_of(bench.workspace, first)
    lessons = read.lessons if read else ()

    def train() -> Training:
        write_lessons((*exercise.lessons, *lessons), folder)
        todo = Refinement(
            arm=arm,
            exercise=exercise,
            start=start / first.adapter,
            weights=weights_of(first, start, engine),
            folder=folder,
            read=read,
        )
        return refine(todo, bench, engine, voice).training

    stage = Stage(
        strategy=arm,
        fingerprint=key,
        recipe=exercise.recipe,
        learnt=_with(first.learnt, lessons),
        prompts=spread(exercise.made),
        train=train,
        warnings=(),
        parent=first.id,
    )
    return run(stage, folder, notify=voice.notify)


def _with(learnt: Learnt, lessons: Sequence[Lesson]) -> Learnt:
    """Return what was learnt together with the documents that the prompts of a file of preferences show."""
    shown = {span.document_id: span.version for one in lessons for span in one.spans}
    return replace(learnt, documents={**learnt.documents, **shown})
