"""Forgetting by tasks of the lm-evaluation-harness, besides the probe that is shipped: an extra, asked for by name.

Most of its tasks fetch their data from a hub, which is never done unasked: set HF_HUB_OFFLINE=0 to allow it. Tasks of
your own, as its YAML files beside their data, need no network.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weighbridge.adapters import Guard
from weighbridge.errors import MissingExtraError, UserError
from weighbridge.guard.figures import change, compared, questions, share
from weighbridge.guard.forgetting import MARGIN
from weighbridge.results import Estimate
from weighbridge.train.base import BaseFiles, load_network, load_tokenizer
from weighbridge.train.memory import release
from weighbridge.train.methods import precision
from weighbridge.train.quiet import mute
from weighbridge.train.weights import load_tuned, method_of

_METRICS = ("acc_norm", "acc", "exact_match", "em")
"""From 0 to 1, one value a question; of several that a task has, the first of these is taken."""
_BATCH = 8
_Found = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Which tasks to run, and how much of them."""

    names: tuple[str, ...]
    folder: Path | None = None
    """Of YAML files that define tasks of your own; then the harness's own are not looked through."""
    limit: int | None = None
    """Questions of each task; None: all."""


def forgetting_by_lm_eval(base: BaseFiles, adapter: Path, tasks: Tasks) -> Guard:
    """Compare the base and the tuned network on tasks of the lm-evaluation-harness, question by question.

    Fails as `forgetting` does. One network is in memory at a time.

    Raises:
        MissingExtraError: lm-eval is not installed.
        UserError: a task is not known, its data cannot be had, or it has no metric that counts right answers.
        TrainingError: the adapter's folder is not whole.
    """
    _require()
    if method_of(adapter) == "full":
        before = _run(load_network(base, precision=precision()), base, tasks)
        release()
        after = _run(load_tuned(base, adapter, precision=precision()), base, tasks)
    else:
        network = load_tuned(base, adapter, precision=precision())
        after = _run(network, base, tasks)
        with network.disable_adapter():
            before = _run(network, base, tasks)
        del network
    release()
    figures: dict[str, Estimate] = dict(_compared(before, after, before.keys()))
    for name in tasks.names if len(tasks.names) > 1 else ():
        figures |= _compared(before, after, [key for key in before if key.startswith(f"{name}/")], called=name)
    passed = figures["difference"].high >= -MARGIN
    summary = _sentence(figures, tasks, failed=not passed)
    return Guard(name="forgetting", passed=passed, summary=summary, figures=figures)


def _require() -> None:
    try:
        import lm_eval  # noqa: F401 - only whether it is there
    except ImportError:
        raise MissingExtraError("tasks of the lm-evaluation-harness", "lm-eval") from None


def _run(network: Any, base: BaseFiles, tasks: Tasks) -> _Found:
    """Return what a network got right, by task, filter and question."""
    with mute():
        from lm_eval import simple_evaluate
        from lm_eval.models.huggingface import HFLM
        from lm_eval.tasks import TaskManager

        known = TaskManager(include_path=tasks.folder, include_defaults=tasks.folder is None)
        try:
            found = simple_evaluate(
                model=HFLM(pretrained=network, tokenizer=load_tokenizer(base), batch_size=_BATCH),
                tasks=list(tasks.names),
                task_manager=known,
                limit=tasks.limit,
                apply_chat_template=True,
                bootstrap_iters=0,
                log_samples=True,
            )
        except (KeyError, ValueError, OSError) as error:
            raise UserError(
                f"lm-eval cannot run {', '.join(tasks.names)}: {error}; name tasks that it knows, give the folder of "
                "your own, or set HF_HUB_OFFLINE=0 to let it fetch their data"
            ) from error
    return dict(_answered(found["samples"]))


def _answered(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[tuple[str, float | None]]:
    for task, rows in samples.items():
        for row in rows:
            metric = next((name for name in _METRICS if name in row), None)
            if metric is None:
                told = ", ".join(row["metrics"]) or "none"
                raise UserError(f"the lm-eval task {task} counts no right answers (its metrics: {told}); take another")
            yield f"{task}/{row['filter']}/{row['doc_id']}", float(row[metric])


def _compared(before: _Found, after: _Found, keys: Iterable[str], *, called: str = "") -> Mapping[str, Estimate]:
    pairs = [(before[key], after.get(key)) for key in keys]
    return compared([one for one, _ in pairs], [other for _, other in pairs], called=called)


def _sentence(figures: Mapping[str, Estimate], tasks: Tasks, *, failed: bool) -> str:
    base, tuned = figures["base"], figures["tuned"]
    text = (
        f"Of {questions(base.scored)} of the lm-eval tasks {', '.join(tasks.names)} the base model gets {share(base)} "
        f"right and the tuned one {share(tuned)}, {change(figures['difference'])}"
    )
    return f"{text}; train more gently: lower training.learning_rate or epochs" if failed else text
