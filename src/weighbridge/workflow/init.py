"""Makes a workspace from the user's documents and examples, with settings that fit them, the model and the machine."""

import math
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from weighbridge.answer.build import shape_of
from weighbridge.answer.prompt import instructions_for
from weighbridge.dataset.evidence import resolve_evidence
from weighbridge.dataset.examples import infer_task, load_examples
from weighbridge.errors import DataError, UserError, WorkspaceError, show_path
from weighbridge.evaluate.statistics import difference_found, questions_to_find
from weighbridge.ingest.read import describe_reading, read_documents
from weighbridge.machine import machine_profile, this_machine
from weighbridge.models import find_local, find_model, machine_memory, no_such_model
from weighbridge.models.facts import facts_without_download
from weighbridge.settings.file import starter, with_fitted
from weighbridge.settings.fit import MachineFacts, ModelFacts, Profile, WorkloadFacts, fit_settings, fits
from weighbridge.settings.schema import ARMS, ELSEWHERE, ModelSettings, Settings
from weighbridge.types import Example, Task
from weighbridge.wiring.documents import cache_of
from weighbridge.wiring.reporter import Reporter
from weighbridge.wiring.workload import answer_choices
from weighbridge.workspace import Workspace, write_text

_FEWEST = 6
"""Test questions: of fewer, a sign-flip test finds no difference below 5 %, however large it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceChoices:
    """What the user chose of a new workspace."""

    documents: Path | None = None
    examples: Path | None = None
    """None: documents can be searched, and nothing can be weighed."""
    task: Task | None = None
    """None: as the examples look."""
    model: str = ""
    """The reference of the base model; empty: the default one."""
    profile: Profile = "standard"


def init_workspace(root: Path, choices: WorkspaceChoices, reporter: Reporter) -> Workspace:
    """Check the user's files, infer the task, and write a commented `weighbridge.yaml` with settings that fit.

    A failure leaves no new folder behind.

    Raises:
        WorkspaceError: a settings file exists already. It is never overwritten.
        DataError: the documents or examples cannot be used.
        UserError: the model's files are there, and are none of a language model.
    """
    workspace = Workspace(root)
    if workspace.settings_file.exists():
        raise WorkspaceError(f"{workspace.settings_file}: exists already; edit it, or choose another folder")
    documents, examples = choices.documents, choices.examples
    if documents is None and examples is None:
        raise DataError("there is nothing to work with: give --documents, --examples, or both")
    if examples is not None:
        _require(examples, "file", "--examples")
    if documents is not None:
        _require(documents, "file or folder", "--documents")
    if choices.model:
        _require_generator(choices.model)
    with _remove_after_failure(cache_of(workspace, documents or root)):
        text = _check_files(workspace, choices, reporter)
        write_text(workspace.settings_file, text)
    return workspace


def _require(path: Path, kind: str, option: str) -> None:
    """Refuse a path that is not there. The readers name the settings in their advice, and none are written yet."""
    try:
        path.stat()
    except FileNotFoundError as error:
        advice = f"give another {kind.rpartition(' ')[2]} with {option}"
        raise DataError(f"{show_path(path)}: there is no such {kind}; {advice}") from error
    except OSError:
        return  # the reader of the path says why


def _require_generator(reference: str) -> None:
    """Refuse a base model that is nowhere, or that answers no questions, before the documents are read."""
    if (known := find_model(reference)) and known.kind != "generator":
        raise UserError(
            f"--model {reference}: answers no questions, because it is listed as {known.kind}; choose a generator "
            "(weighbridge models known)"
        )
    if known is None and not reference.startswith(ELSEWHERE) and find_local(reference) is None:
        raise UserError(no_such_model(reference))


def _base_model(root: Path, reference: str) -> ModelSettings:
    """Return the settings of the base model that the user chose. A path is written as seen from the settings file."""
    model = ModelSettings()
    if not reference:
        return model
    if reference.startswith("openai:"):
        return model.model_copy(update={"engine": "openai", "reference": reference})
    path = Path(reference.removeprefix("file:")).expanduser()
    if find_model(reference) is None and not reference.startswith(ELSEWHERE) and path.exists():
        reference = f"file:{_from(root, path)}"
    return model.model_copy(update={"reference": reference})


@contextmanager
def _remove_after_failure(folder: Path) -> Iterator[None]:
    """Remove a folder after a failure, with those above it, if they were not there before."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    except BaseException:
        if new:
            shutil.rmtree(new[-1], ignore_errors=True)
        raise


def _check_files(workspace: Workspace, choices: WorkspaceChoices, reporter: Reporter) -> str:
    """Read the user's files, report about them, and return the text of settings that fit them."""
    examples: tuple[Example, ...] = ()
    remarks: tuple[str, ...] = ()
    if choices.examples is not None:
        file = load_examples(choices.examples)
        examples, remarks = file.examples, file.lines()
    documents = 0
    if choices.documents is not None:
        cache = cache_of(workspace, choices.documents)
        reading = read_documents(choices.documents, cache=cache, notify=reporter.notify)
        resolve_evidence(examples, reading.documents)
        documents = len(reading.documents)
        for line in describe_reading(reading):
            reporter.say(line)
    for line in remarks:
        reporter.say(line)
    task = choices.task or "answer"
    if examples:
        guess = infer_task(examples)
        task = choices.task or guess.task
        reporter.say(
            f"Examples: {len(examples):,}, {sum(not e.answerable for e in examples):,} of them without an answer"
        )
        reporter.say(f"Task: {task} (as you set it)" if choices.task else f"Task: {task} ({guess.why})")
    arms = tuple(arm for arm in ARMS if choices.documents is not None or not shape_of(arm).reads)
    if choices.documents is None:
        reporter.say(f"Without documents, these strategies can be weighed: {', '.join(arms)}")
    root = workspace.root
    settings = Settings(
        name=root.resolve().name,
        documents=_from(root, choices.documents),
        examples=_from(root, choices.examples),
        task=task,
        strategies=arms,
        model=_base_model(root, choices.model),
    )
    if not examples:
        reporter.say("Without examples the documents can be searched, and nothing can be weighed; set examples: later")
        return starter(settings)
    return _fit(settings, facts_for_fitting(examples, documents, task), choices, reporter)


def _fit(settings: Settings, workload: WorkloadFacts, choices: WorkspaceChoices, reporter: Reporter) -> str:
    """Return the text of the settings, fitted where the model is known, and say what was fitted to."""
    machine, measured = this_machine(), machine_profile()
    rates = measured.training_rates
    hardware = MachineFacts(
        cores=machine.cores,
        memory_bytes=machine_memory(),
        operations=1e9 * measured.threads * getattr(rates, measured.training_precision),
    )
    reference = choices.model or settings.model.reference
    facts = facts_without_download(reference)
    if facts is None:
        reporter.say(
            f"{reference} is not on this machine, so the settings are the defaults, for a small model; fetch it with "
            f"weighbridge models fetch {reference}, and run init again in another folder"
        )
        return starter(settings)
    reporter.say(describe_model(facts))
    if not fits(facts, workload):
        raise DataError(
            f"{facts.name} reads {facts.context:,} tokens at once, and a prompt of your examples needs more; choose a "
            "model with a longer context with --model, or shorten the questions and answers"
        )
    fitted = fit_settings(facts, hardware, workload, choices.profile)
    settings = with_fitted(settings, fitted)
    tested = min(math.ceil(settings.splits.test * workload.examples), settings.measure.questions)
    for line in describe_test_size(tested):
        reporter.say(line)
    return starter(settings, fitted)


def describe_model(facts: ModelFacts) -> str:
    """Return a sentence about the base model."""
    size = f"{facts.parameters / 1e6:,.0f} million parameters, " if facts.parameters else ""
    return f"Model: {facts.name} ({size}reads {facts.context:,} tokens at once)"


def describe_test_size(questions: int) -> Iterator[str]:
    """Yield sentences on the differences in accuracy that so many test questions can find."""
    found = difference_found(questions)
    wanted = [points for points in (20, 10, 5) if points < 100 * found][:2]
    more = " and ".join(f"one of {points} points about {questions_to_find(points / 100):,}" for points in wanted)
    more = f"; {more}" if more else ""
    if questions < _FEWEST:
        yield (
            f"About {questions} test questions settle nothing: no comparison on fewer than {_FEWEST} can. A difference "
            f"in accuracy of 20 points takes about {questions_to_find(0.2)} test questions, one of 10 points about "
            f"{questions_to_find(0.1)}; four in ten of your examples are tested"
        )
        return
    yield (
        f"About {questions:,} test questions find a difference in accuracy of {100 * found:.0f} points four times in "
        f"five{more} (if two strategies part on a third of the questions)"
    )


def facts_for_fitting(examples: Sequence[Example], documents: int, task: Task) -> WorkloadFacts:
    """Return the facts of a workload that settings are fitted to."""
    choices = answer_choices(task, examples, None)
    prompt = instructions_for(task, reads=documents > 0, illustrated=True, choices=choices)
    constant = (prompt.system, *(turn.content for turn in prompt.illustrations))
    asked = [(e.question.text, *(turn.content for turn in e.question.history)) for e in examples]
    return WorkloadFacts(
        task=task,
        documents=documents,
        examples=len(examples),
        question_bytes=_nearly_longest(map(_bytes, asked)),
        answer_bytes=_nearly_longest(_bytes(e.answers[:1]) for e in examples),
        instruction_bytes=_bytes(constant),
    )


def _bytes(texts: Iterable[str]) -> int:
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _nearly_longest(lengths: Iterable[int]) -> int:
    """Return the length that 95 of 100 do not exceed."""
    ordered = sorted(lengths)
    return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else 0


def _from(root: Path, path: Path | None) -> Path | None:
    """Return a path for the settings: relative to their folder unless it begins with three times `..`."""
    if path is None:
        return None
    relative = Path(os.path.relpath(path.resolve(), root.resolve()))
    return path.resolve() if relative.parts[:3] == ("..", "..", "..") else relative
