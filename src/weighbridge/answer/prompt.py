"""Every word that is sent to a model, in one place. Pure, and shared by training, measuring and serving.

A prompt begins with its constant part (the instructions), and the changing parts follow (demonstrations, passages, the
question), so that an engine that keeps the prefix of the last prompt need not read it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from weighbridge.passage_tables import passage_text
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.types import Example, Message, Passage, Prompt, Question, Task

LAYOUT = 3
"""Part of every strategy's fingerprint: raise it whenever a prompt's words or the reading of answers change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instructions:
    """The constant part of a strategy's prompts, and how it lays out a question."""

    system: str
    reads: bool = False
    """Whether the question is preceded by numbered passages, even by none."""
    marks: bool = False
    """Whether an answer ends with the number of its passage, like [2]."""
    quotes: bool = False
    """Whether an answer quotes the sentence that holds it first, as `answer.quote` writes and reads it."""
    abstains: bool = True
    """Whether to abstain where it cannot tell, in words of its own too. The message alone decides a label, so a label
    task is not asked to abstain: only the exact abstention counts there, and unanswerable examples still teach it."""
    illustrations: tuple[Message, ...] = ()
    """Turns that show the form of question and answer; the same for every workload, and never about its facts."""


def instructions_for(
    task: Task,
    *,
    reads: bool,
    illustrated: bool = False,
    about: str = "",
    choices: Sequence[str] = (),
    quotes: bool = False,
) -> Instructions:
    """Return the instructions of a task, with passages (open book) or without (closed book).

    `about` is the user's own sentence on the task; `choices` are the labels of a label task, or the keys of a JSON
    task. Every strategy of one workload gets the same ones. `illustrated` shows how to read and cite passages: a
    small model that was not tuned to it needs that. `quotes` asks for the sentence before the answer,
    where an answer is marked; that form is taught by tuning, and has no illustrations.
    """
    marks = reads and task == "answer"
    quotes = quotes and marks
    cite = _QUOTES if quotes else _MARKS if marks else ""
    lines = [about, _FORM[task].format(choices=", ".join(choices)), _OPEN if reads else "", cite]
    abstains = task != "label"
    lines.append(f"If you cannot tell, say: {ABSTENTION}" if abstains else "")
    shown = _ILLUSTRATIONS if marks and illustrated and not quotes else ()
    system = " ".join(line for line in lines if line)
    return Instructions(system=system, reads=reads, marks=marks, quotes=quotes, abstains=abstains, illustrations=shown)


_FORM = {
    "answer": "Answer the question in a few words.",
    "label": "Classify the message. Answer with one of these labels and nothing else: {choices}.",
    "json": "Answer with one line of JSON and nothing else. Its keys, in order: {choices}.",
}
_OPEN = "Use only the numbered passages."
_MARKS = "Copy the words from the passage, then give its number, like [1]."
_QUOTES = (
    "Quote the sentence that holds the answer, give its passage's number, then the answer in the passage's words, "
    'like "..." [1] Answer: ...'
)
_ILLUSTRATIONS = (
    Message(
        "user",
        "Passages:\n"
        "[1] Choir: The choir meets in the chapel every Tuesday and has 32 singers.\n"
        "[2] Bicycle shed: The shed is locked at 22:00. A key costs £5.\n"
        "[3] Library: Books are lent for 21 days and may be renewed once.\n\n"
        "Question: How many people sing in the choir?",
    ),
    Message("assistant", "32 singers [1]"),
    Message(
        "user",
        "Passages:\n"
        "[1] Garden: The garden was laid out by Ada Holm.\n"
        "[2] Library: The library is closed on Mondays.\n"
        "[3] Car park: A yearly permit costs £85 and is bought at the gate.\n\n"
        "Question: Where do I get a parking permit?",
    ),
    Message("assistant", "at the gate [3]"),
)


def build_prompt(
    instructions: Instructions,
    question: Question,
    *,
    demonstrations: Sequence[Example] = (),
    passages: Sequence[Passage] = (),
) -> Prompt:
    """Build the prompt that a strategy sends; the empty cases are the simpler strategies.

    A demonstration is shown with the conversation of its question, since a follow-up may make no sense alone. The text
    of a conversation's system turns stands before the user's next turn: each demonstration keeps its own, and chat
    templates take one system message at most.
    """
    shown: list[Message] = []
    for example in demonstrations:
        turns = (*example.question.history, Message("user", example.question.text))
        shown += (*_alternate_turns(turns), Message("assistant", reference(example)))
    asked = _alternate_turns((*question.history, Message("user", _question_text(instructions, question, passages))))
    constant = (Message("system", instructions.system), *instructions.illustrations)
    return Prompt((*constant, *shown, *asked), tuple(passages))


def reference(example: Example) -> str:
    """Return the wanted answer of a strategy without passages: the first accepted one, or the abstention."""
    return example.answers[0] if example.answerable else ABSTENTION


def _alternate_turns(turns: Sequence[Message]) -> tuple[Message, ...]:
    """Return a conversation of user and assistant in turn: the text of a system turn begins the user's next turn.

    A greeting of the assistant, before the user said anything, does so too: chat templates refuse it where it stood.
    """
    folded: list[Message] = []
    told: list[str] = []
    for turn in turns:
        if turn.role == "system" or (turn.role == "assistant" and not folded):
            told.append(turn.content)
            continue
        content = "\n\n".join([*told, turn.content]) if turn.role == "user" else turn.content
        if turn.role == "user":
            told = []
        if folded and folded[-1].role == turn.role:
            content = f"{folded.pop().content}\n\n{content}"
        folded.append(Message(turn.role, content))
    return tuple(folded)


def _question_text(instructions: Instructions, question: Question, passages: Sequence[Passage]) -> str:
    if not instructions.reads:
        return question.text
    numbered = [f"[{n}] {_with_title(passage)}" for n, passage in enumerate(passages, start=1)]
    return "\n".join(["Passages:", *(numbered or ["(no passage was found)"]), "", f"Question: {question.text}"])


def _with_title(passage: Passage) -> str:
    text = passage_text(passage.chunk).lstrip("# ")
    title = passage.chunk.title
    if text.startswith(title):
        return text
    return f"{title}:\n{text}" if text.startswith("|") else f"{title}: {text}"
