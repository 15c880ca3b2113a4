"""Forgetting by tasks of the lm-evaluation-harness, besides the probe that is shipped: an extra, asked for by name.

Most of its tasks fetch their data from a hub. That is never done unasked: set HF_HUB_OFFLINE=0 to allow it. Your own
tasks, as YAML files beside their data, need no network.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from weighbridge.adapters import Guard
from weighbridge.checks.forgetting import GENTLER, MARGIN
from weighbridge.checks.shares import change, compare_shares, questions, share
from weighbridge.errors import MissingExtraError, UserError
from weighbridge.formatting import join_words
from weighbridge.results import Estimate
from weighbridge.train.runtime.adapter_weights import load_tuned, method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_network, load_tokenizer
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.quiet import mute
from weighbridge.train.supervised.methods import precision

_METRICS = ("acc_norm", "acc", "exact_match", "em")
"""From 0 to 1, one value a question; of several that a task has, the first of these is taken."""
_BATCH = 8
_SEED = 1234
"""Draws the examples that a task shows, as lm-eval's own runs do."""
_NAMED = 8
"""Known tasks that an error lists."""
_YES = frozenset({"1", "ON", "YES", "TRUE"})
"""Values that the hub's client takes for a yes."""
_Found = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Tasks to run, and the number of their questions."""

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
    loaded = _load_tasks(tasks)
    if method_of(adapter) == "full":
        before = _run(load_network(base, precision=precision()), base, loaded, tasks)
        release()
        after = _run(load_tuned(base, adapter, precision=precision()), base, loaded, tasks)
    else:
        network = load_tuned(base, adapter, precision=precision())
        after = _run(network, base, loaded, tasks)
        with network.disable_adapter():
            before = _run(network, base, loaded, tasks)
        del network
    release()
    figures: dict[str, Estimate] = dict(_compare_answers(before, after, before.keys()))
    for name in tasks.names if len(tasks.names) > 1 else ():
        figures |= _compare_answers(before, after, [key for key in before if key.startswith(f"{name}/")], called=name)
    passed = figures["difference"].high >= -MARGIN
    summary = _sentence(figures, tasks, failed=not passed)
    return Guard(name="forgetting", passed=passed, summary=summary, figures=figures)


def _load_tasks(tasks: Tasks) -> Mapping[str, Any]:
    """Return the tasks with their data, as lm-eval evaluates them, before any network is in memory."""
    try:
        with mute():
            import lm_eval  # noqa: F401 - only whether it is there
            from lm_eval.tasks import TaskManager
    except ImportError:
        raise MissingExtraError("tasks of the lm-evaluation-harness", "lm-eval") from None
    if tasks.folder is not None and not tasks.folder.is_dir():
        raise UserError(f"{tasks.folder}: there is no such folder of lm-eval tasks; --folder names one with YAML files")
    with mute():
        known = TaskManager(include_path=tasks.folder, include_defaults=tasks.folder is None)
        if unknown := [name for name in tasks.names if name not in known.all_tasks]:
            raise UserError(_unknown_task_error(unknown[0], known.all_tasks, tasks.folder))
        with _translate_errors(tasks):
            loaded: Mapping[str, Any] = known.load(list(tasks.names))
            for task in loaded["tasks"].values():
                if task.get_config("num_fewshot") is None:
                    task.set_config(key="num_fewshot", value=0)
                task.set_fewshot_seed(seed=_SEED)
            return loaded


def _unknown_task_error(name: str, known: Sequence[str], folder: Path | None) -> str:
    """Return an error for an unknown task that lists the known ones."""
    if folder is None:
        near = get_close_matches(name, known, n=3, cutoff=0.5)
        meant = f"; did you mean {join_words(near, 'or')}?" if near else "."
        return f"lm-eval has no task {name}{meant} Tasks of your own are found with --folder"
    there = f"define {join_words(known[:_NAMED])}" if known else "define none that can be read"
    return f"{folder}: there is no lm-eval task {name}; the *.yaml files here {there}"


@contextmanager
def _translate_errors(tasks: Tasks) -> Iterator[None]:
    """Turn the exceptions of lm-eval and of tasks, some of them the user's own, into errors with a remedy."""
    from jinja2 import TemplateError

    named = join_words(tasks.names)
    try:
        yield
    except ConnectionError as error:
        if os.environ.get("HF_HUB_OFFLINE", "").upper() in _YES:
            raise UserError(
                f"lm-eval fetches the data of {named} from the Hugging Face hub, and the network is not used unasked; "
                "to allow it for this once, set HF_HUB_OFFLINE=0 and run the command again"
            ) from error
        raise UserError(f"the data of {named} cannot be fetched from the Hugging Face hub: {error}") from error
    except FileNotFoundError as error:
        raise UserError(
            f"lm-eval cannot find the data of {named}: {error}; a relative path in a task's YAML counts from the "
            "folder that the command is run in"
        ) from error
    except ImportError as error:
        raise UserError(f"the lm-eval task {named} needs a package that is not installed: {error}") from error
    except (KeyError, ValueError, TypeError, AttributeError, OSError, TemplateError) as error:
        raise UserError(f"lm-eval cannot run {named}: {type(error).__name__}: {error}") from error


def _run(network: Any, base: BaseFiles, loaded: Mapping[str, Any], tasks: Tasks) -> _Found:
    """Return a network's right answers, by task, filter and question.

    Not by `simple_evaluate`: it asks git for a commit, and lets git's complaint through where there is none.
    """
    with mute(), _translate_errors(tasks):
        from lm_eval import evaluate
        from lm_eval.models.huggingface import HFLM

        found = evaluate(
            lm=HFLM(pretrained=network, tokenizer=load_tokenizer(base), batch_size=_BATCH),
            task_dict=loaded,
            limit=tasks.limit,
            apply_chat_template=True,
            bootstrap_iters=0,
            log_samples=True,
        )
    return dict(_metric_values(found["samples"]))


def _metric_values(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[tuple[str, float | None]]:
    for task, rows in samples.items():
        for row in rows:
            metric = next((name for name in _METRICS if name in row), None)
            if metric is None:
                told = ", ".join(row["metrics"]) or "none"
                raise UserError(f"the lm-eval task {task} counts no right answers (its metrics: {told}); take another")
            yield f"{task}/{row['filter']}/{row['doc_id']}", float(row[metric])


def _compare_answers(before: _Found, after: _Found, keys: Iterable[str], *, called: str = "") -> Mapping[str, Estimate]:
    pairs = [(before[key], after.get(key)) for key in keys]
    return compare_shares([one for one, _ in pairs], [other for _, other in pairs], called=called)


def _sentence(figures: Mapping[str, Estimate], tasks: Tasks, *, failed: bool) -> str:
    base, tuned = figures["base"], figures["tuned"]
    text = (
        f"Of {questions(base.scored)} of the lm-eval task{'s' if len(tasks.names) > 1 else ''} "
        f"{join_words(tasks.names)} the base model gets {share(base)} right and the tuned one {share(tuned)}, "
        f"{change(figures['difference'])}"
    )
    if failed:
        return f"{text}; {GENTLER}"
    if (least := figures["difference"].low) < -MARGIN:
        shown = "some loss is likely" if figures["difference"].high < 0 else "no loss is shown"
        return f"{text}; {shown}, and one of {-least * 100:.0f} points cannot be ruled out"
    return text
