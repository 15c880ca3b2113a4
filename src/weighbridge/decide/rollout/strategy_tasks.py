"""Tasks that every roll-out has, and those of strategies that read, train, or do neither.

Hours are estimates of ours for a first roll-out. They grow with measured amounts where the work does.
"""

import math
from collections.abc import Iterator

from weighbridge.decide.rollout.data_tasks import effort
from weighbridge.decide.rollout.facts import RolloutFacts
from weighbridge.decide.rollout.rollout_plan import Basis
from weighbridge.decide.rollout.schedule import TaskDraft
from weighbridge.figures import FIGURES
from weighbridge.formatting import NB, write_amount

_TIMINGS = 60
"""Timings that bound the 95th percentile (59), and one to warm up."""
_GRADED = 50
"""Answers that experts grade by hand: enough to see a scorer that errs on one in ten."""


def strategy_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    """Yield the tasks that follow from the shape of the strategy, phase by phase."""
    yield from _requirements(facts)
    # Before the tasks of the arms: the people of weeks 11 and 12 rehearse the rollback first, because the pilot waits.
    yield from _deployment(facts)
    if facts.reads:
        yield from _reading_tasks(facts)
    if facts.trains:
        yield from _training_tasks(facts)
    if not facts.reads and not facts.trains:
        yield from _prompt_tasks(facts)
    yield from _connection(facts)
    yield from _tests(facts)


def _requirements(facts: RolloutFacts) -> Iterator[TaskDraft]:
    limits = facts.settings.needs.limits.model_dump(exclude_none=True, exclude_defaults=True)
    named = ", ".join(f"{name} {value}" for name, value in limits.items()) or "none is set"
    yield TaskDraft(
        key="needs", phase=1, role="product owner", hours=6,
        title="Confirm the limits and priorities with the users",
        detail="Write them under needs in weighbridge.yaml. Every gate below follows from them.",
        basis=Basis(figure="needs.limits", words=f"limits: {named}"),
    )  # fmt: skip
    yield TaskDraft(
        key="targets", phase=1, role="product owner", hours=3,
        after=("needs",),
        title="Sign the targets of operation",
        detail="The table of targets below, with its alarms, is the contract with operations.",
        basis=facts.figure_basis("accuracy"),
    )  # fmt: skip
    yield TaskDraft(
        key="licence", phase=1, role="security", hours=3,
        title=f"Check the licence of {facts.model} for this use",
        detail="Weights, and the adapters and answers made with them, may carry conditions on commercial use.",
        basis=Basis(figure="settings.model.reference", words=f"base model: {facts.model}"),
    )  # fmt: skip
    if facts.is_hosted:
        yield TaskDraft(
            key="data-processing", phase=1, role="security", hours=12,
            title="Agree on data processing with the provider of the model",
            detail="Place, storage, training on your data, deletion, and the notice before a model is switched off.",
            basis=Basis(figure=f"measurements.{facts.arm}.offline", words="questions leave this machine"),
        )  # fmt: skip
    else:
        basis = facts.figure_basis("memory")
        yield TaskDraft(
            key="machine", phase=1, role="operations", hours=4,
            title="Reserve the machine that answers",
            detail=f"{basis.words}. One like the measured one ({facts.taken.machine.processor}), or measure again.",
            basis=basis,
        )  # fmt: skip


def _reading_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    taken = facts.taken
    chunks = Basis(figure="chunks", words=f"{taken.chunks:,} chunks of {taken.documents:,} documents")
    indexing = facts.indexing_basis()
    yield TaskDraft(
        key="index-store", phase=1, role="engineer", hours=5,
        title=f"Choose the store of the index for {taken.chunks:,} chunks",
        detail=f"Now {facts.settings.retrieval.store.partition(':')[0]}. faiss keeps files on one machine; PostgreSQL "
        "serves several.",
        basis=chunks,
    )  # fmt: skip
    yield TaskDraft(
        key="index-sync", phase=3, role="engineer", hours=effort(taken.documents, 0.2, least=8),
        title="Set up the reading of the sources and the update of the index",
        detail="`weighbridge index --watch`, or a timer.",
        basis=indexing,
    )  # fmt: skip
    yield TaskDraft(
        key="access-groups", phase=3, role="security", hours=5,
        title="Check that answers show only passages that the asker may read",
        detail="Ask as a member of each access group (`weighbridge ask --group`), and as nobody.",
        basis=Basis(figure="documents", words=f"{taken.documents:,} documents are searched"),
    )  # fmt: skip
    yield TaskDraft(
        key="first-index", phase=4, role="engineer", hours=6,
        title="First full indexing, with a named version",
        detail="`weighbridge index`, then `weighbridge versions tag`: the state to go back to.",
        basis=chunks,
    )  # fmt: skip
    yield TaskDraft(
        key="search-test", phase=4, role="ML engineer", hours=6,
        after=("first-index",),
        title="Test the search on its own",
        detail="Recall on the test questions, before any answer is judged.",
        basis=facts.figure_basis("recall"),
    )  # fmt: skip
    yield TaskDraft(
        key="reindex-rhythm", phase=6, role="operations", hours=4,
        title="Watch that the index follows the documents",
        detail="An alarm on the age of the last update, and on documents that became unreadable.",
        basis=Basis(figure="documents", words=f"{taken.documents:,} documents are searched"),
    )  # fmt: skip


def _training_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    training, time = facts.settings.training, facts.training_basis()
    train = Basis(figure="split.train", words=f"{facts.taken.split.train:,} examples are for training")
    yield TaskDraft(
        key="training-machine", phase=1, role="ML engineer", hours=5,
        title="Reserve the provider's jobs for training" if facts.is_hosted else "Reserve the machine that trains",
        detail="Plan for about ten trainings until the deployment.",
        basis=time,
    )  # fmt: skip
    yield TaskDraft(
        key="training-setup", phase=3, role="ML engineer", hours=12,
        title=f"Set up training by {training.method}, with its checks",
        detail="`weighbridge train` with lint, learning curve, forgetting, refusals and parity of the exported model.",
        basis=time,
    )  # fmt: skip
    yield TaskDraft(
        key="registry", phase=3, role="operations", hours=3,
        title="Keep adapters where they can be promoted and rolled back",
        detail="`weighbridge models promote` and `rollback`. Back up the folder of adapters.",
        basis=facts.figure_basis("disk"),
    )  # fmt: skip
    yield TaskDraft(
        key="first-training", phase=4, role="ML engineer", hours=16,
        title="First full training, with three seeds",
        detail=f"`weighbridge train {facts.arm} --seeds 3`. The best on dev serves, if every check passes.",
        basis=train,
    )  # fmt: skip
    yield TaskDraft(
        key="forgetting-test", phase=4, role="ML engineer", hours=6,
        after=("first-training",),
        title="Test for regressions after training",
        detail="General knowledge, refusals and paraphrases against the base model: `weighbridge models check`.",
        basis=facts.figure_basis("missed_abstention"),
    )  # fmt: skip
    yield TaskDraft(
        key="learning-curve", phase=5, role="ML engineer", hours=6,
        title="Decide by the learning curve whether to collect more examples",
        detail="Where the dev score still rises at the last point, more examples help more than other settings.",
        basis=train,
    )  # fmt: skip
    yield TaskDraft(
        key="retraining-rhythm", phase=6, role="ML engineer", hours=6,
        title="Fix when to train again",
        detail="After each change of the facts that answers rest on, and when accuracy meets its alarm.",
        basis=time,
    )  # fmt: skip


def _prompt_tasks(facts: RolloutFacts) -> Iterator[TaskDraft]:
    tokens = facts.figure_basis("input_tokens")
    yield TaskDraft(
        key="prompt-versions", phase=1, role="engineer", hours=3,
        title="Keep the instructions under version control",
        detail="A change of a word is a new release: it is compared before it goes into use.",
        basis=tokens,
    )  # fmt: skip
    if facts.demonstrates:
        shown = facts.settings.measure.demonstrations
        pool = Basis(figure="split.train", words=f"demonstrations come from {facts.taken.split.train:,} examples")
        yield TaskDraft(
            key="demonstration-pool", phase=3, role="domain expert", hours=8,
            title=f"Approve the {facts.taken.split.train:,} examples that the prompt may show",
            detail="Each may be shown word for word to the provider and, in an answer, to a user.",
            basis=pool,
        )  # fmt: skip
        yield TaskDraft(
            key="demonstration-count", phase=4, role="ML engineer", hours=6,
            title=f"Try other numbers of demonstrations than {shown}",
            detail="Set measure.demonstrations to half and to twice as many, and compare accuracy and cost.",
            basis=tokens,
        )  # fmt: skip
    else:
        yield TaskDraft(
            key="prompt-facts", phase=3, role="domain expert", hours=8,
            title="Write the facts that every answer needs into the instructions",
            detail="This strategy reads no document. A few lines fit; it abstains on the rest.",
            basis=tokens,
        )  # fmt: skip
        yield TaskDraft(
            key="prompt-variants", phase=4, role="ML engineer", hours=8,
            title="Compare three wordings of the instructions",
            detail="On dev questions, with an abstention asked for in one of them.",
            basis=facts.figure_basis("accuracy"),
        )  # fmt: skip


def _connection(facts: RolloutFacts) -> Iterator[TaskDraft]:
    latency = facts.figure_basis("latency_p95" if facts.estimate("latency_p95") else "latency_p50")
    volume = facts.settings.needs.answers_per_month
    load = Basis(figure="needs.answers_per_month", words=f"{volume:,} answers a month are expected")
    where = "questions leave this machine" if facts.is_hosted else "everything stays on this machine"
    yield TaskDraft(
        key="connect", phase=3, role="engineer", hours=16,
        title="Connect the application: questions in, answers with their source or abstention out",
        detail="Show an abstention as one, and a failure as a failure. Set the time-out above the measured latency.",
        basis=latency,
    )  # fmt: skip
    yield TaskDraft(
        key="logging", phase=3, role="operations", hours=8,
        title="Set up keys, quotas and logs",
        detail="Log the time, the tokens and the outcome of each answer. Keep texts only as long as you may.",
        basis=load,
    )  # fmt: skip
    yield TaskDraft(
        key="security-review", phase=3, role="security", hours=6,
        title="Review access, secrets and personal data",
        detail="Keys stay in environment variables; questions may hold personal data.",
        basis=Basis(figure=f"measurements.{facts.arm}.offline", words=where),
    )  # fmt: skip


def _tests(facts: RolloutFacts) -> Iterator[TaskDraft]:
    questions = Basis(figure="questions", words=f"{facts.taken.questions:,} test questions were asked")
    p95 = facts.estimate("latency_p95")
    if p95 is None or p95.open_above:
        timed = p95.scored if p95 else 0
        yield TaskDraft(
            key="time-more", phase=4, role="engineer", hours=2,
            title=f"Time {_TIMINGS} questions: {timed:,} do not bound the slowest twentieth",
            detail=f"Set measure.latency_questions: {_TIMINGS}, and compare again.",
            basis=facts.figure_basis("latency_p95"),
        )  # fmt: skip
    yield TaskDraft(
        key="compare-there", phase=4, role="engineer", hours=4,
        after=("first-index", "first-training", "prompt-variants", "demonstration-count"),
        title="Compare again on the machine that will answer",
        detail="`weighbridge compare` there. Its figures replace these ones in the gates.",
        basis=facts.figure_basis("accuracy"),
    )  # fmt: skip
    yield TaskDraft(
        key="expert-grades", phase=4, role="domain expert", hours=effort(_GRADED, 4),
        after=("compare-there",),
        title=f"Grade {_GRADED} answers by hand, and check the scorer with them",
        detail='`weighbridge score` with a "right" of your own in each row shows the agreement.',
        basis=questions,
    )  # fmt: skip
    yield TaskDraft(
        key="load-test", phase=5, role="operations", hours=6,
        title="Test under load",
        detail=f"The expected volume at its busiest hour, with at least {_TIMINGS} timed questions "
        "(measure.latency_questions).",
        basis=facts.figure_basis("latency_p95"),
    )  # fmt: skip


def _deployment(facts: RolloutFacts) -> Iterator[TaskDraft]:
    volume = facts.settings.needs.answers_per_month
    load = Basis(figure="needs.answers_per_month", words=f"{volume:,} answers a month are expected")
    fallback = facts.fallback
    accuracy = fallback.figures.get("accuracy") if fallback else None
    if fallback and accuracy:
        words = f"{fallback.strategy} is right on {write_amount(FIGURES['accuracy'], accuracy.value)}"
        basis = Basis(figure=f"measurements.{fallback.strategy}.figures.accuracy", words=words)
    else:
        basis = Basis(figure="decision.verdicts", words="no other strategy keeps every limit")
    yield TaskDraft(
        key="rehearse-rollback", phase=6, role="operations", hours=4,
        title=f"Rehearse the rollback to {fallback.strategy if fallback else 'answers by people'}",
        detail="Once, in working hours, with a clock. The steps stand under the rollback below.",
        basis=basis,
    )  # fmt: skip
    yield TaskDraft(
        key="runbook", phase=6, role="operations", hours=6,
        title="Write the runbook, and set the alarms of the targets",
        detail="Each target has an alarm; each alarm has a first step and a person.",
        basis=facts.figure_basis("latency_p95" if facts.estimate("latency_p95") else "accuracy"),
    )  # fmt: skip
    yield TaskDraft(
        key="user-guide", phase=6, role="domain expert", hours=4,
        title="Tell the users about its limits",
        detail="With the measured share of wrong answers, and how to check one.",
        basis=facts.figure_basis("hallucination"),
    )  # fmt: skip
    # A tenth of a month's answers in about a week: enough to see the figures, small enough to take back.
    pilot = max(1, math.ceil(volume / 10))
    yield TaskDraft(
        key="pilot", phase=6, role="product owner", hours=8,
        after=("rehearse-rollback",), least_days=5,
        title=f"Pilot with a tenth of the users: about {pilot:,} answers",
        detail="One week. Collect thumbs, and read every answer with a thumb down.",
        basis=load,
    )  # fmt: skip
    yield TaskDraft(
        key="open-to-all", phase=6, role="engineer", hours=6,
        after=("pilot", "runbook", "user-guide"), least_days=3,
        title=f"Open to everyone: {volume:,} answers a month",
        detail=f"In three steps, a day apart. The review after 90{NB}days compares figures and targets.",
        basis=load,
    )  # fmt: skip
