"""Examples become conversations: exactly what a strategy sends, and what it should say to that."""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.answer.cite import cited_reference
from weighbridge.answer.composed import Composed
from weighbridge.errors import TrainingError
from weighbridge.protocols import Notify, silent
from weighbridge.types import Example, Message, Progress, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One exercise: the messages a strategy sends for an example, and the text to answer with."""

    example_id: str
    prompt: tuple[Message, ...]
    target: str


def conversations(
    strategy: Composed, examples: Sequence[Example], *, split: Split = "train", notify: Notify = silent
) -> tuple[Conversation, ...]:
    """Return what a strategy is to learn, in the order of the examples.

    The strategy's model is not asked. Prompts and passages are the strategy's own, so what it reads in training is
    what it will read in service.

    Raises:
        ValueError: an example is of another split, or of an asker with access groups; a caller's mistake that would
            leak test questions, or restricted answers, into training.
        TrainingError: a prompt holds a passage that not everybody may read.
    """
    if strangers := [example.id for example in examples if example.split != split]:
        raise ValueError(f"examples of another split than {split!r} may not be used here: {', '.join(strangers[:3])}")
    if closed := [example.id for example in examples if example.question.groups]:
        raise ValueError(f"examples of askers with access groups may not be learnt: {', '.join(closed[:3])}")
    made = []
    for number, example in enumerate(examples, start=1):
        made.append(conversation(strategy, example))
        notify(Progress(task=f"{strategy.name}: building conversations", done=number, total=len(examples)))
    return tuple(made)


def conversation(strategy: Composed, example: Example) -> Conversation:
    """Return what a strategy should say to one example, whatever its split.

    Raises:
        TrainingError: the prompt holds a passage that not everybody may read; an adapter speaks to everybody.
    """
    prompt = strategy.prompt_for(example.question)
    if closed := [passage.chunk for passage in prompt.passages if passage.chunk.groups]:
        raise TrainingError(
            f"example {example.id}: the retriever gave its prompt a passage of {closed[0].document_id}, which only "
            f"{', '.join(sorted(closed[0].groups))} may read; an adapter would say it to everybody, so nothing was "
            "learnt; build the index again, or mend the retriever"
        )
    target = cited_reference(strategy.instructions, example, prompt)
    return Conversation(example_id=example.id, prompt=prompt.messages, target=target)
