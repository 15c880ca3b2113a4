"""Looks at what is about to be trained on, token by token, before an hour is spent on it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from weighbridge.answer.cite import abstains
from weighbridge.errors import TrainingError
from weighbridge.train.conversations import Conversation
from weighbridge.train.tokens import Encoded, encode, prompt_tokens

_SHOWN = 3
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Token:
    """One token as text: whether the loss counts it, and whether it ends the answer."""

    text: str
    trained: bool
    stop: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation as the model sees it."""

    example_id: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with the training data. An error stops the training; a warning is shown."""

    severity: Literal["error", "warning"]
    message: str
    """What is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """What was found, the first few conversations to look at, and all of them as tokens, in order."""

    findings: tuple[Finding, ...]
    rows: tuple[Row, ...]
    encoded: tuple[Encoded, ...]

    def require(self) -> tuple[Encoded, ...]:
        """Return the tokens to train on; `TrainingError` with all errors where there are any."""
        if errors := [finding.message for finding in self.findings if finding.severity == "error"]:
            raise TrainingError("the training data cannot be used: " + "; ".join(errors))
        return self.encoded


def lint(conversations: Sequence[Conversation], tokenizer: Any, *, context: int, maximum_tokens: int) -> Lint:
    """Tokenise conversations by the model's own chat template and report what would spoil the training.

    `context` is the most tokens that prompt and answer may take together, `maximum_tokens` the most an answer may
    take in service.
    """
    encoded = tuple(encode(tokenizer, conversation) for conversation in conversations)
    findings = (
        *_empty(conversations),
        *_template(conversations, encoded, tokenizer),
        *_too_long(encoded, context),
        *_cut_short(encoded, maximum_tokens),
        *_contradictions(conversations),
        *_abstentions(conversations),
    )
    rows = tuple(_row(one, tokenizer) for one in encoded[:_SHOWN])
    return Lint(findings=findings, rows=rows, encoded=encoded)


def _empty(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    if not conversations:
        yield Finding("error", "there are no training examples; add examples, or lower splits.dev and splits.test")
    if ids := [one.example_id for one in conversations if not one.target.strip()]:
        yield Finding("error", f"{_some(ids)}: the answer to learn is empty; write it, or mark it as unanswerable")


def _template(conversations: Sequence[Conversation], encoded: Sequence[Encoded], tokenizer: Any) -> Iterator[Finding]:
    parted, endless = [], []
    for conversation, one in zip(conversations, encoded, strict=True):
        if one.start < len(prompt_tokens(tokenizer, conversation.prompt)):
            parted.append(one.example_id)
        if one.tokens[-1:] != (tokenizer.eos_token_id,) or one.start >= len(one.tokens) - 1:
            endless.append(one.example_id)
    if parted:
        message = f"{_some(parted)}: the model's chat template renders the prompt otherwise once an answer follows"
        yield Finding("error", f"{message}, so it would learn prompts it never sees; choose another base model")
    if unfinished := [name for name in endless if name not in parted]:
        message = f"{_some(unfinished)}: no stop token ends the answer, so the model would not learn to stop"
        yield Finding("error", f"{message}; choose a base model whose chat template ends each turn with its stop token")


def _too_long(encoded: Sequence[Encoded], context: int) -> Iterator[Finding]:
    if ids := [one.example_id for one in encoded if len(one.tokens) > context]:
        longest = max(len(one.tokens) for one in encoded)
        message = f"{_some(ids)}: up to {longest:,} tokens do not fit into the context of {context:,}"
        yield Finding("error", f"{message}, and the answer would be cut; raise model.context or lower retrieval.limit")


def _cut_short(encoded: Sequence[Encoded], maximum_tokens: int) -> Iterator[Finding]:
    lengths = [len(one.tokens) - one.start for one in encoded]
    if longer := sum(length > maximum_tokens for length in lengths):
        are = "answers are" if longer > 1 else "answer is"
        message = f"{longer:,} of {len(lengths):,} {are} longer than model.maximum_tokens = {maximum_tokens:,} tokens"
        yield Finding("warning", f"{message} and would be cut in service; raise it to {max(lengths):,}")


def _contradictions(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    targets = defaultdict(set)
    first: dict[object, str] = {}
    for one in conversations:
        targets[one.prompt].add(one.target)
        first.setdefault(one.prompt, one.example_id)
    if ids := [first[prompt] for prompt, said in targets.items() if len(said) > 1]:
        yield Finding("warning", f"{_some(ids)}: the same prompt is to be answered in several ways; keep one of them")


def _abstentions(conversations: Sequence[Conversation]) -> Iterator[Finding]:
    declining = sum(abstains(one.target) for one in conversations)
    if conversations and declining == len(conversations):
        yield Finding("error", "every answer to learn is an abstention; check the evidence ids and the retrieval")
    elif conversations and declining > _MOSTLY * len(conversations):
        share = f"{declining} of {len(conversations)} answers to learn are abstentions"
        yield Finding("warning", f"{share}, so the model may learn to abstain always; check evidence and retrieval")


def _row(one: Encoded, tokenizer: Any) -> Row:
    return Row(
        one.example_id,
        tuple(
            Token(tokenizer.decode([token]), place >= one.start, place >= one.start and token == tokenizer.eos_token_id)
            for place, token in enumerate(one.tokens)
        ),
    )


def _some(ids: Sequence[str]) -> str:
    named = ", ".join(ids[:_SHOWN])
    return named if len(ids) <= _SHOWN else f"{named} and {len(ids) - _SHOWN} more"
