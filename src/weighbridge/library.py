"""The library: a workspace in Python, with a method for each command. Its names are public as `weighbridge.NAME`."""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from weighbridge.evaluate.weighing import load_weighing
from weighbridge.protocols import Emit, Strategy, ignore
from weighbridge.settings.file import load_settings
from weighbridge.types import PUBLIC, Answer, Message, Passage, Progress, Question, Task
from weighbridge.wiring.reporter import Reporter
from weighbridge.workspace import Workspace

if TYPE_CHECKING:
    from weighbridge.adapters import AdapterCard
    from weighbridge.results import Weighing
    from weighbridge.retrieve.index.sync import IndexCard
    from weighbridge.settings.schema import Settings
    from weighbridge.wiring.tuned_retrievers import RetrieverCard
    from weighbridge.workflow.score import Scores

Say = Callable[[str], None]
Notify = Callable[[Progress], None]
StrPath = str | Path


def _discard(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _OpenStrategy:
    """A strategy with its models. They are closed with the workspace, or when nobody holds the strategy any more."""

    strategy: Strategy
    models: ExitStack

    @property
    def name(self) -> str:
        return self.strategy.name

    @property
    def fingerprint(self) -> str:
        return self.strategy.fingerprint

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        return self.strategy.answer(question, emit=emit)


class OpenWorkspace:
    """A workspace, open for work: its settings, and what the commands do, each as a method.

    The methods keep their results in the folder, as the commands do, and either goes on where the other stopped.
    Models stay loaded between questions until `close`, the end of a `with` block, or a change by one of the methods.
    Several threads may ask at once.
    """

    def __init__(self, folder: StrPath, *, say: Say = _discard, notify: Notify = _discard) -> None:
        self._workspace = Workspace(Path(folder))
        self._reporter = Reporter(say=say, notify=notify)
        self.settings: Settings = load_settings(self._workspace.settings_file)
        """The settings as they were when the workspace was opened; to change them, edit the file and open it again."""
        self._strategies: dict[str, _OpenStrategy] = {}
        self._lock = Lock()

    @property
    def folder(self) -> Path:
        """The folder that holds `weighbridge.yaml`."""
        return self._workspace.root

    @property
    def report(self) -> Path:
        """The HTML report that `compare` writes."""
        return self._workspace.report

    def index(self, *, allow_shrink: bool = False) -> "IndexCard":
        """Read the documents and bring the index up to date with them.

        Raises:
            UserError: there are no documents, they cannot be read, or most of them are gone without `allow_shrink`.
        """
        from weighbridge.wiring.index import SyncChoices, index

        self.close()
        card = index(self.settings, self._workspace, self._reporter, SyncChoices(allow_shrink=allow_shrink)).index
        assert card is not None  # noqa: S101 - only a plan has none
        return card

    def search(self, question: str, *, limit: int = 5, groups: Iterable[str] = PUBLIC) -> Sequence[Passage]:
        """Return the passages that are found for a question, best first.

        `groups` are the access groups of whoever asks: a document of other groups is never returned.
        """
        from weighbridge.workflow.search import search_index

        asked = Question(question, groups=_groups(groups))
        return search_index(asked, self.settings, self._workspace, limit=limit, reporter=self._reporter)

    def ask(
        self,
        question: str,
        *,
        strategy: str = "",
        groups: Iterable[str] = PUBLIC,
        history: Sequence[Message] = (),
        emit: Emit = ignore,
    ) -> Answer:
        """Answer a question with one strategy; with the recommended one where none is named.

        Args:
            question: What is asked.
            strategy: One of `strategies:` in the settings.
            groups: The access groups of whoever asks.
            history: The turns of the conversation before the question, oldest first.
            emit: Receives the text of the answer piece by piece.

        Raises:
            UserError: there is no such strategy, or it has not been trained.
            ModelError: the model could not answer.
        """
        return self.strategy(strategy).answer(Question(question, tuple(history), _groups(groups)), emit=emit)

    def strategy(self, name: str = "") -> Strategy:
        """Return a strategy to ask many questions, as it is measured; the recommended one where none is named.

        It works until the workspace is closed.
        """
        from weighbridge.workflow.ask import choose_arm, open_strategy

        arm = choose_arm(name, self.settings, self._workspace)
        with self._lock:  # two threads that ask first would load the models twice
            if arm not in self._strategies:
                with ExitStack() as stack:
                    strategy = open_strategy(arm, self.settings, self._workspace, stack=stack, reporter=self._reporter)
                    opened = _OpenStrategy(strategy, stack.pop_all())
                weakref.finalize(opened, opened.models.close)  # runs at the interpreter's exit too
                self._strategies[arm] = opened
            return self._strategies[arm]

    def train(self, *strategies: str, seeds: int = 1, search: int = 0) -> "Sequence[AdapterCard | RetrieverCard]":
        """Train tuned strategies on exactly the prompts that they send; all of the settings where none is named.

        Args:
            strategies: Some of `strategies:` in the settings; also `embedder` and `reranker`, the retriever's models.
            seeds: Trainings with different seeds; the best on the dev questions serves.
            search: Learning rates and ranks to try on small budgets first.

        Raises:
            UserError: a strategy is not there, or is not one that is trained.
            TrainingError: training failed.
        """
        from weighbridge.workflow.models import train_named
        from weighbridge.workflow.training.train import Effort

        if seeds < 1 or search < 0:
            raise ValueError(f"seeds must be 1 or more, and search 0 or more, not {seeds} and {search}")
        self.close()
        effort = Effort(seeds=seeds, search=search)
        return train_named(strategies, self.settings, self._workspace, self._reporter, effort=effort)

    def compare(self) -> "Weighing":
        """Weigh all strategies of the settings: index, train, answer, time, decide.

        It does only what is missing, and it can be stopped at any moment.

        Raises:
            WeighbridgeError: a file, a model or a training stands in the way; the message says what to do.
        """
        from weighbridge.workflow.compare import compare

        self.close()
        return compare(self.settings, self._workspace, self._reporter)

    def last_weighing(self) -> "Weighing":
        """Return what the last `compare` found; `WorkspaceError` where there was none."""
        return load_weighing(self._workspace.weighing_file)

    def close(self) -> None:
        """Let the loaded models go. The workspace can still be used; it loads them again."""
        with self._lock, ExitStack() as stack:
            for opened in self._strategies.values():
                stack.callback(opened.models.close)
            self._strategies.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"weighbridge.open({str(self.folder)!r})"


def open(folder: StrPath = ".", *, say: Say = _discard, notify: Notify = _discard) -> OpenWorkspace:  # noqa: A001
    """Open the workspace in a folder.

    Args:
        folder: Holds `weighbridge.yaml`.
        say: Receives the sentences that a command prints, such as `print`; nobody does by default.
        notify: Receives the progress of long steps.

    Raises:
        SettingsError: there is no settings file, or it is wrong; the message names the line.
    """
    return OpenWorkspace(folder, say=say, notify=notify)


def init(
    folder: StrPath,
    *,
    examples: StrPath,
    documents: StrPath | None = None,
    task: Task | None = None,
    say: Say = _discard,
) -> OpenWorkspace:
    """Make a workspace: check the files, infer the task, write a commented `weighbridge.yaml`, and open it.

    Args:
        folder: Where to write `weighbridge.yaml`; made where it is missing.
        examples: Questions with answers, as JSONL or CSV.
        documents: A folder or file to read; without them only strategies that need none can be weighed.
        task: What kind of answer the questions want; inferred from the examples where it is left out.
        say: Receives what was found in the files.

    Raises:
        WorkspaceError: there is a settings file already.
        DataError: the documents or examples cannot be used.
    """
    from weighbridge.workflow.init import init_workspace

    read = None if documents is None else Path(documents)
    init_workspace(Path(folder), documents=read, examples=Path(examples), task=task, reporter=Reporter(say=say))
    return OpenWorkspace(folder, say=say)


def score(answers: StrPath | Iterable[Mapping[str, object]]) -> "Scores":
    """Grade answers: right, wrong, abstained or unscored, each with the reason.

    Args:
        answers: Rows with `question`, `answer` and `references`, and optionally `answerable`, `task` and `right`
            (what a person says); or a JSONL file of them.

    Raises:
        DataError: a row lacks a key, or holds something else; the first such rows are named.
    """
    from weighbridge.workflow.score import score_file, score_rows

    return score_file(Path(answers), Reporter()) if isinstance(answers, str | Path) else score_rows(answers)


def _groups(groups: Iterable[str]) -> frozenset[str]:
    if isinstance(groups, str):
        raise TypeError(f"groups must be a list of names, not the text {groups!r}")
    return frozenset(groups)
