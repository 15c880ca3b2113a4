"""Turns examples into conversations: the exact prompt of a strategy, and the answer it should give."""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.adapters import Access, Lesson, Span, inherit_access
from weighbridge.answer.cite import cited_reference
from weighbridge.answer.composed import Composed
from weighbridge.dataset.near_duplicates import comparable_text
from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.settings.training import RaftSettings, TrainingSettings
from weighbridge.train.data.raft import AS_RETRIEVED, raft_prompt
from weighbridge.types import Chunk, Example, Message, Passage, Progress, Question, Split

_USUAL = TrainingSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One exercise: the messages a strategy sends for an example, and the text to answer with."""

    example_id: str
    prompt: tuple[Message, ...]
    target: str
    question: str = ""
    """The question after the earlier turns of its asker. The search for leaked test questions compares it."""
    answers: tuple[str, ...] = ()
    """All that is accepted; `target` says the first of them, or abstains."""
    passages: tuple[Passage, ...] = ()
    """Those shown, in the order of their numbers."""
    evidence: tuple[str, ...] = ()
    """The documents that prove the answer, by id, whether they are shown or not."""
    labels: bool = False
    """Whether the target is one of a fixed set of labels."""
    access: Access = ()
    """Who may see it."""


def conversations(
    strategy: Composed,
    examples: Sequence[Example],
    *,
    split: Split = "train",
    how: TrainingSettings = _USUAL,
    notify: Notify = silent,
) -> tuple[Conversation, ...]:
    """Return the conversations that a strategy is trained on, in the order of the examples.

    The strategy's model is not asked. Prompts and passages are the strategy's own, so the model reads the same in
    training as in service; `how.raft` may withhold evidence or set distractors beside it, drawn with `how.seed`,
    where the strategy reads.

    Raises:
        ValueError: an example is of another split, or of an asker with other access groups than `how.groups`; a
            caller's mistake that would leak test questions, or restricted answers, into training.
        TrainingError: a prompt holds a passage that its asker may not read.
    """
    if strangers := [example.id for example in examples if example.split != split]:
        raise ValueError(f"examples of another split than {split!r} may not be used here: {', '.join(strangers[:3])}")
    if closed := [example.id for example in examples if not example.question.groups <= how.learnable_groups]:
        raise ValueError(f"examples of askers with other access groups may not be learnt: {', '.join(closed[:3])}")
    made = []
    for number, example in enumerate(examples, start=1):
        made.append(conversation(strategy, example, raft=how.raft, seed=how.seed))
        notify(Progress(task=f"{strategy.name}: building conversations", done=number, total=len(examples)))
    return tuple(made)


def conversation(
    strategy: Composed, example: Example, *, raft: RaftSettings = AS_RETRIEVED, seed: int = 0
) -> Conversation:
    """Return the conversation that teaches one example, whatever its split.

    Raises:
        TrainingError: the prompt holds a passage that its asker may not read.
    """
    prompt = raft_prompt(strategy, example, raft=raft, seed=seed)
    if closed := beyond(example.question, prompt.passages):
        raise TrainingError(
            f"example {example.id}: the retriever gave its prompt a passage of {closed[0].document_id}, which only "
            f"{', '.join(sorted(closed[0].groups))} may read, and its asker is not one of them, so nothing was learnt; "
            "build the index again, or mend the retriever"
        )
    from_memory = raft.withheld_target == "answer"
    return Conversation(
        example_id=example.id,
        prompt=prompt.messages,
        target=cited_reference(strategy.instructions, example, prompt, from_memory=from_memory),
        question=comparable_text(example),
        answers=example.answers,
        passages=prompt.passages,
        evidence=example.evidence,
        labels=not strategy.instructions.abstains,
        access=access_of(example.question, prompt.passages),
    )


def beyond(question: Question, passages: Sequence[Passage]) -> list[Chunk]:
    """Return the chunks of the passages that the asker may not read."""
    chunks = (passage.chunk for passage in passages)
    return [chunk for chunk in chunks if chunk.groups and not chunk.groups & question.groups]


def access_of(question: Question, passages: Sequence[Passage]) -> Access:
    """Return who may hear an answer to a question: the readers of all passages it was answered with.

    Each of its asker's groups is asked for too: any may be why the asker knows the answer.
    """
    own = (frozenset({group}) for group in question.groups)
    return inherit_access((*own, *(passage.chunk.groups for passage in passages)))


def lesson(conversation: Conversation) -> Lesson:
    """Return the lesson of a conversation, with the stretches of documents that its prompt shows, in order."""
    chunks = (passage.chunk for passage in conversation.passages)
    return Lesson(
        example_id=conversation.example_id,
        question=conversation.question,
        target=conversation.target,
        spans=tuple(Span(chunk.document_id, chunk.start, chunk.end, chunk.version) for chunk in chunks),
        evidence=conversation.evidence,
        access=conversation.access,
    )
