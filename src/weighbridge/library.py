"""The library: an open workspace with a method for each command. Its names are public as `weighbridge.NAME`."""

import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
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
    from weighbridge.decide.money.ownership import Ownership
    from weighbridge.decide.prior.evidence import Evidence
    from weighbridge.decide.rollout.rollout_plan import RolloutPlan
    from weighbridge.results import Decision, Weighing
    from weighbridge.retrieve.index.sync import IndexCard
    from weighbridge.settings.schema import Settings
    from weighbridge.wiring.index import Agree
    from weighbridge.wiring.tuned_retrievers import RetrieverCard
    from weighbridge.workflow.score import Scores

Say = Callable[[str], None]
Notify = Callable[[Progress], None]
StrPath = str | Path


def _discard(_: object) -> None:
    pass


@dataclass(frozen=True, slots=True, weakref_slot=True)
class _OpenStrategy:
    """A strategy with its models. They are closed with the workspace, or when the strategy is no longer referenced."""

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
    """An open workspace: its settings, and a method for each command.

    The methods keep their results in the folder, as the commands do. Each continues where the other stopped.
    Models stay loaded between questions until `close` or the end of a `with` block. `index`, `train` and `compare`
    close them too, because they change the index and the adapters. Several threads may ask at once.
    """

    def __init__(self, folder: StrPath, *, say: Say = _discard, notify: Notify = _discard) -> None:
        self._workspace = Workspace(Path(folder))
        self._reporter = Reporter(say=say, notify=notify)
        self.settings: Settings = load_settings(self._workspace.settings_file)
        """The settings at the time of opening. To change them, edit the file and open the workspace again."""
        self._strategies: dict[str, _OpenStrategy] = {}
        self._lock = Lock()
        self._remarks: set[str] = set()

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
        """Return the passages that the search finds for a question, best first.

        `groups` are the access groups of the reader. A document of other groups is never returned.
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
        """Answer a question with a strategy, by default the recommended one.

        Args:
            question: The text of the question.
            strategy: One of `strategies:` in the settings; with several base models, one on a model: rag@small.
            groups: The access groups of the reader.
            history: The turns of the conversation before the question, oldest first.
            emit: Receives the text of the answer piece by piece.

        Raises:
            UserError: there is no such strategy, or it has not been trained.
            ModelError: the model could not answer.
        """
        return self.strategy(strategy).answer(Question(question, tuple(history), _groups(groups)), emit=emit)

    def strategy(self, name: str = "") -> Strategy:
        """Return a strategy for many questions, exactly as `compare` measures it; by default the recommended one.

        It works until the workspace is closed.
        """
        from weighbridge.workflow.ask import choose_arm, open_strategy

        remarks: set[str] = set()
        arm = choose_arm(name, self.settings, self._workspace, remarks.add)
        with self._lock:  # two threads that ask first would load the models twice
            for remark in remarks - self._remarks:  # not again for each question of a program
                self._reporter.say(remark)
            self._remarks |= remarks
            if arm not in self._strategies:
                with ExitStack() as stack:
                    strategy = open_strategy(arm, self.settings, self._workspace, stack=stack, reporter=self._reporter)
                    opened = _OpenStrategy(strategy, stack.pop_all())
                weakref.finalize(opened, opened.models.close)  # runs at the interpreter's exit too
                self._strategies[arm] = opened
            return self._strategies[arm]

    def train(
        self, *strategies: str, seeds: int = 1, search: int = 0, agree: "Agree | None" = None
    ) -> "Sequence[AdapterCard | RetrieverCard]":
        """Train tuned strategies on exactly the prompts that they send; by default all tuned ones of the settings.

        Args:
            strategies: Some of `strategies:` in the settings, with several base models like raft@small; also `embedder`
                and `reranker`, the models of the search.
            seeds: Trainings with different seeds. The best on the dev questions serves.
            search: Learning rates and ranks to try on small budgets first.
            agree: Receives the question before a paid training at a provider, and answers it; without it, none starts.

        Raises:
            UserError: a strategy is unknown, or is not a tuned one.
            TrainingError: training failed.
        """
        from weighbridge.wiring.index import never_agree
        from weighbridge.workflow.models import train_named
        from weighbridge.workflow.training.train import Effort

        if seeds < 1 or search < 0:
            raise ValueError(f"seeds must be 1 or more, and search 0 or more, not {seeds} and {search}")
        self.close()
        effort = Effort(seeds=seeds, search=search, agree=agree or never_agree)
        return train_named(strategies, self.settings, self._workspace, self._reporter, effort=effort)

    def compare(self, *, agree: "Agree | None" = None) -> "Weighing":
        """Weigh all strategies of the settings: index, train, answer, time, decide.

        Only the missing steps run. A stopped call loses nothing: the next one continues. `agree` receives the question
        before a paid training at a provider, and answers it; without it, none starts.

        Raises:
            WeighbridgeError: a file, a model or a training prevents it. The message names the remedy.
        """
        from weighbridge.wiring.index import never_agree
        from weighbridge.workflow.compare import compare

        self.close()
        return compare(self.settings, self._workspace, self._reporter, agree=agree or never_agree)

    def decide(self, what_if: Mapping[str, object] | None = None) -> "Decision":
        """Take the decision again from the saved measurements, with the needs and prices of the settings.

        Without changes it is saved, and the report is rewritten. It needs no model and no documents.

        Args:
            what_if: Changes to try, by the keys of `weighbridge decide --what-if`, for example
                `{"latency.p95": "2s", "volume": 1e6, "strategy.raft": "without"}`. A value is a number in the unit of
                its setting, true or false, a text with a unit, or None to lift a limit. Nothing is written then.

        Raises:
            UserError: nothing has been weighed here, or a change names no key or makes no sense.
        """
        from weighbridge.workflow.decide import decide_again, decide_what_if

        if what_if is not None:
            return decide_what_if(self.settings, self._workspace, what_if, self._reporter).then.decision
        return decide_again(self.settings, self._workspace, self._reporter).decision

    def plan(
        self,
        strategy: str = "",
        *,
        start: date | None = None,
        holidays: Iterable[date] = (),
        files: Iterable[StrPath] = (),
        today: date | None = None,
    ) -> "RolloutPlan":
        """Plan the roll-out over twelve weeks, from the saved measurements and the decision by the present needs.

        Args:
            strategy: By default the recommended one, or the one that comes nearest.
            start: The first day; by default that of the settings, or the next Monday.
            holidays: Days without work, besides those of the settings.
            files: Files to write: the ending (.md, .csv, .ics or .svg) chooses the form.
            today: The date on which the plan is made; by default that of the clock.

        Raises:
            UserError: nothing has been weighed here, the start is in the past, or the ending of a file has no form.
        """
        from weighbridge.decide.rollout.make_plan import PlanRequest
        from weighbridge.workflow.plan import plan_rollout

        day = today or datetime.now(UTC).astimezone().date()
        request = PlanRequest(today=day, strategy=strategy, start=start, holidays=tuple(holidays))
        written = [Path(file) for file in files]
        return plan_rollout(self.settings, self._workspace, request, written, reporter=self._reporter)

    def cost(
        self, *, volume: float | None = None, years: float | None = None, today: date | None = None
    ) -> "Ownership":
        """Price every measured strategy over years, from the saved measurements. It needs no model and no documents.

        Args:
            volume: Answers in the first month; by default needs.answers_per_month.
            years: By default ownership.years.
            today: The first day, unless ownership.start names another; by default that of the clock.

        Raises:
            UserError: nothing has been weighed here, or a number makes no sense.
        """
        from weighbridge.workflow.cost import CostQuestion, price_workspace

        day = today or datetime.now(UTC).astimezone().date()
        return price_workspace(self._workspace, CostQuestion(volume=volume, years=years, today=day))

    def evidence(self, answers: Mapping[str, object] | None = None) -> "Evidence":
        """Return a verdict on every published claim, by the saved measurements. It needs no model and no documents.

        Args:
            answers: What the workspace cannot say of the workload, by the questions of `weighbridge advise`, for
                example `{"change": "daily"}`.

        Raises:
            UserError: nothing has been weighed here, or an answer is wrong.
        """
        from weighbridge.decide.prior.matrix_file import load_matrix
        from weighbridge.workflow.case import weigh_evidence

        return weigh_evidence(self.settings, self._workspace, load_matrix(), answers or {}).evidence

    def case(self, file: StrPath, answers: Mapping[str, object] | None = None) -> None:
        """Write a case study of one page from saved files: Markdown or a web page, by the ending .md or .html.

        Args:
            file: The file to write.
            answers: As for `evidence`.

        Raises:
            UserError: nothing has been weighed here, an answer is wrong, or the file ends otherwise.
        """
        from weighbridge.decide.prior.matrix_file import load_matrix
        from weighbridge.report.case.case_study import draw_up_case
        from weighbridge.workflow.case import case_files, weigh_evidence, write_case

        claims = weigh_evidence(self.settings, self._workspace, load_matrix(), answers or {})
        write_case(draw_up_case(case_files(self.settings, self._workspace, claims)), Path(file))

    def last_weighing(self) -> "Weighing":
        """Return the result of the last `compare`; `WorkspaceError` if there is none."""
        return load_weighing(self._workspace.weighing_file)

    def close(self) -> None:
        """Release the loaded models. The workspace remains usable, and loads them again."""
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
        folder: The folder that holds `weighbridge.yaml`.
        say: Receives the messages that a command prints, for example `print`. By default they are dropped.
        notify: Receives the progress of long steps.

    Raises:
        SettingsError: the settings file is missing or wrong. The message names the line.
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
        folder: The folder for `weighbridge.yaml`. It is created if it is missing.
        examples: Questions with answers, as JSONL or CSV.
        documents: A folder or file to read. Without documents, only strategies that need none can be weighed.
        task: The kind of answers: answer, label or json. By default it is inferred from the examples.
        say: Receives messages about the files.

    Raises:
        WorkspaceError: a settings file exists already.
        DataError: the documents or examples cannot be used.
    """
    from weighbridge.workflow.init import WorkspaceChoices, init_workspace

    read = None if documents is None else Path(documents)
    choices = WorkspaceChoices(documents=read, examples=Path(examples), task=task)
    init_workspace(Path(folder), choices, Reporter(say=say))
    return OpenWorkspace(folder, say=say)


def score(answers: StrPath | Iterable[Mapping[str, object]]) -> "Scores":
    """Grade answers: right, wrong, abstained or unscored, each with the reason.

    Args:
        answers: Rows with `question`, `answer` and `references`, and optionally `answerable`, `task` and `right`
            (the verdict of a person); or a JSONL file of such rows.

    Raises:
        DataError: a row lacks a key or has a wrong value. The message names the first such rows.
    """
    from weighbridge.workflow.score import score_file, score_rows

    return score_file(Path(answers), Reporter()) if isinstance(answers, str | Path) else score_rows(answers)


def _groups(groups: Iterable[str]) -> frozenset[str]:
    if isinstance(groups, str):
        raise TypeError(f"groups must be a list of names, not the text {groups!r}")
    return frozenset(groups)
