"""Draws the learning curve: the same training on a quarter, a half, three quarters and all of the examples."""

from functools import cache
from pathlib import Path
from shutil import rmtree

from pydantic import TypeAdapter, ValidationError

from weighbridge.checks.curve import CurvePoint, dev_losses
from weighbridge.settings.training import RaftSettings
from weighbridge.train.data.conversations import Conversation, conversation
from weighbridge.train.data.tokens import encode
from weighbridge.train.prepare import Exercise
from weighbridge.train.runtime.adapter_weights import load_tuned
from weighbridge.train.runtime.base_model import load_tokenizer
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.supervised.generate import say
from weighbridge.train.supervised.methods import precision
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.types import Completion, Timing, Usage
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow.training.rate_search import part
from weighbridge.workspace import write_text

SHARES = (0.25, 0.5, 0.75)
_FEWEST = 8
"""With fewer examples, a quarter of them is at most two."""


def curve_points(exercise: Exercise, folder: Path, reporter: Reporter) -> tuple[CurvePoint, ...]:
    """Return the dev scores of trainings on growing shares of the examples, at last on all; empty without dev examples.

    `curve.json` keeps the points, so that an interrupted curve continues.
    """
    if not exercise.asked or len(exercise.rows) < _FEWEST:
        return ()
    try:
        kept = _points().validate_json((folder / "curve.json").read_bytes())
    except (OSError, ValidationError):
        kept = ()
    points = list(kept)
    for share in (*SHARES, 1.0)[len(kept) :]:
        reporter.say(f"  learning curve: {share:.0%} of the examples")
        points.append(_point(exercise, folder, share, reporter))
        write_text(folder / "curve.json", _points().dump_json(tuple(points), indent=2).decode() + "\n")
    return tuple(points)


def _point(exercise: Exercise, folder: Path, share: float, reporter: Reporter) -> CurvePoint:
    if share == 1:
        return _ask_dev_questions(exercise, folder / "adapter", share, len(exercise.rows))
    place = folder / "curve"
    rows = part(exercise.rows, share, exercise.recipe.training.seed)
    train_supervised(
        Job(encoded=rows, folder=place, recipe=exercise.recipe, validate=exercise.validate(), notify=reporter.notify)
    )
    try:
        return _ask_dev_questions(exercise, place / "adapter", share, len(rows))
    finally:
        rmtree(place, ignore_errors=True)


def _ask_dev_questions(exercise: Exercise, adapter: Path, share: float, examples: int) -> CurvePoint:
    """Ask an adapter the dev questions, and return the scores as a point of the curve."""
    tokenizer = load_tokenizer(exercise.recipe.base)
    with quiet():
        network = load_tuned(exercise.recipe.base, adapter, precision=precision(exercise.recipe.training.precision))
        losses = dev_losses(network, [encode(tokenizer, one) for one in references(exercise)])
        prompts = [exercise.strategy.prompt_for(example.question) for example in exercise.asked]
        maximum = exercise.recipe.model.maximum_tokens
        replies = say(network, tokenizer, [prompt.messages for prompt in prompts], maximum_tokens=maximum)
        scores = []
        for example, prompt, reply in zip(exercise.asked, prompts, replies, strict=True):
            answer = exercise.strategy.read_completion(prompt, Completion(text=reply, usage=Usage()), Timing())
            scores.append(exercise.metric.score(example, answer).value)
    del network
    release()
    return CurvePoint(share=share, examples=examples, scores=tuple(scores), losses=losses)


def references(exercise: Exercise) -> tuple[Conversation, ...]:
    """Return the dev questions with the prompts of service and the answers of the training data."""
    taught = RaftSettings(withheld_target=exercise.recipe.training.raft.withheld_target)
    return tuple(conversation(exercise.strategy, example, raft=taught) for example in exercise.asked)


@cache
def _points() -> TypeAdapter[tuple[CurvePoint, ...]]:
    return TypeAdapter(tuple[CurvePoint, ...])
