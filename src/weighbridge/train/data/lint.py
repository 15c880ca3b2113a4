"""Checks training data token by token before an hour of training is spent on it."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.answer.quote import read_quote
from weighbridge.errors import TrainingError
from weighbridge.lints import Finding, LintRow, LintToken
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.lint_text import leaks, some, texts
from weighbridge.train.data.tokens import Encoded, encode, prompt_tokens
from weighbridge.train.runtime.base_model import turns
from weighbridge.types import Example

__all__ = ["Finding", "Lint", "LintRow", "LintToken", "lint", "shown_row"]

_SHOWN = 3
_LONG, _TIMES = 64, 10
"""An answer of more tokens than `_LONG`, and of `_TIMES` as many as the middle one, is long beside the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lint:
    """The findings, the first few conversations to look at, and all conversations as tokens, in order."""

    findings: tuple[Finding, ...]
    rows: tuple[LintRow, ...]
    encoded: tuple[Encoded, ...]

    def require(self) -> tuple[Encoded, ...]:
        """Return the tokens to train on; `TrainingError` with all errors where there are any."""
        if errors := [finding.message for finding in self.findings if finding.severity == "error"]:
            raise TrainingError("the training data cannot be used: " + "; ".join(errors))
        return self.encoded


def lint(
    conversations: Sequence[Conversation],
    tokenizer: Any,
    *,
    context: int,
    maximum_tokens: int,
    test: Sequence[Example] = (),
) -> Lint:
    """Tokenise conversations by the model's own chat template and report faults that would spoil the training.

    `context` is the most tokens that prompt and answer may take together, `maximum_tokens` the most an answer may
    take in service. No conversation may repeat the question of an example of `test`.
    """
    from jinja2 import TemplateError

    told = (*texts(conversations), *leaks(conversations, test))
    try:
        encoded = tuple(encode(tokenizer, conversation) for conversation in conversations)
        template = (*_left_out(conversations, tokenizer), *_template(conversations, encoded, tokenizer))
    except TemplateError as error:
        message = f"the model's chat template refuses these conversations ({error}); choose another base model"
        return Lint(findings=(Finding("error", message), *told), rows=(), encoded=())
    findings = (
        *template,
        *_specials(conversations, tokenizer),
        *_too_long(encoded, context),
        *_cut_short(conversations, encoded, maximum_tokens),
        *_long(encoded),
        *told,
    )
    rows = tuple(shown_row(one, tokenizer) for one in encoded[:_SHOWN])
    return Lint(findings=findings, rows=rows, encoded=encoded)


def _left_out(conversations: Sequence[Conversation], tokenizer: Any) -> Iterator[Finding]:
    """Render one conversation of each sequence of roles, and report texts that the template drops or moves."""
    shapes = {tuple(turn.role for turn in one.prompt): one for one in reversed(conversations)}
    dropped: dict[str, list[str]] = defaultdict(list)
    for one in reversed(shapes.values()):
        rendered = tokenizer.apply_chat_template(turns(one.prompt), add_generation_prompt=True, tokenize=False)
        place = 0
        for turn in one.prompt:
            found = rendered.find(turn.content.strip(), place)
            if found < 0:
                dropped[turn.role].append(one.example_id)
                break
            place = found + len(turn.content.strip())
    for role, ids in dropped.items():
        message = f"{some(ids)}: the model's chat template drops or moves the text of the {role}"
        yield Finding("error", f"{message}, so the model would not be told it; choose another base model")


def _template(conversations: Sequence[Conversation], encoded: Sequence[Encoded], tokenizer: Any) -> Iterator[Finding]:
    parted, endless, doubled = [], [], []
    for conversation, one in zip(conversations, encoded, strict=True):
        if one.start < len(prompt_tokens(tokenizer, conversation.prompt)):
            parted.append(one.example_id)
        if one.tokens[-1:] != (tokenizer.eos_token_id,) or one.start >= len(one.tokens) - 1:
            endless.append(one.example_id)
        if one.tokens[:2] == (tokenizer.bos_token_id,) * 2:
            doubled.append(one.example_id)
    if parted:
        message = f"{some(parted)}: the model's chat template renders the prompt otherwise once an answer follows"
        yield Finding("error", f"{message}, so it would learn prompts it never sees; choose another base model")
    if unfinished := [name for name in endless if name not in set(parted)]:
        message = f"{some(unfinished)}: no stop token ends the answer, so the model would not learn to stop"
        yield Finding("error", f"{message}; choose a base model whose chat template ends each turn with its stop token")
    if doubled:
        message = f"{some(doubled)}: two {tokenizer.bos_token!r} begin the prompt"
        yield Finding("error", f"{message}, where the model knows one; choose a base model with another chat template")


def _specials(conversations: Sequence[Conversation], tokenizer: Any) -> Iterator[Finding]:
    """Find control tokens inside texts. The tokenizer would read them as control tokens, not as words."""
    added = (str(token) for token in tokenizer.added_tokens_decoder.values() if token.special)
    special = [text for text in sorted({*tokenizer.all_special_tokens, *added}) if text.strip()]
    answers, prompts = defaultdict(list), defaultdict(list)
    for one in conversations:
        for text in special:
            if text in one.target:
                answers[text].append(one.example_id)
            if any(text in turn.content for turn in one.prompt):
                prompts[text].append(one.example_id)
    for text, ids in answers.items():
        ends = text == tokenizer.eos_token
        why = "is the model's stop token, so the rest is never learnt" if ends else "steers the model"
        yield Finding("error", f"{some(ids)}: {text!r} in the answer {why}; take it out of the answer")
    for text, ids in prompts.items():
        message = f"{some(ids)}: {text!r} in the question or a passage is read as the chat template's own mark"
        yield Finding("warning", f"{message}, and whoever wrote it may steer the model; take it out")


def _too_long(encoded: Sequence[Encoded], context: int) -> Iterator[Finding]:
    over = [one for one in encoded if len(one.tokens) > context]
    if not over:
        return
    longest = max(len(one.tokens) for one in over)
    message = f"{some([one.example_id for one in over])}: up to {longest:,} tokens do not fit into the context of"
    remedy = "raise model.context or lower retrieval.limit"
    yield Finding("error", f"{message} {context:,}, and the answer would be cut; {remedy}")
    alike: dict[tuple[int, ...], dict[tuple[int, ...], str]] = defaultdict(dict)
    for one in over:
        alike[one.tokens[:context]].setdefault(one.tokens, one.example_id)
    if ids := [name for same in alike.values() if len(same) > 1 for name in same.values()]:
        yield Finding("error", f"{some(ids)}: they differ only beyond the context of {context:,} tokens; {remedy}")


def _cut_short(
    conversations: Sequence[Conversation], encoded: Sequence[Encoded], maximum_tokens: int
) -> Iterator[Finding]:
    lengths = [len(one.tokens) - one.start for one in encoded]
    longer = [place for place, length in enumerate(lengths) if length > maximum_tokens]
    if not longer:
        return
    are = "answers are" if len(longer) > 1 else "answers is"
    message = f"{len(longer):,} of {len(lengths):,} {are} longer than model.maximum_tokens = {maximum_tokens:,} tokens"
    quoted = any(read_quote(conversations[place].target).quote for place in longer)
    other = ", or set training.raft.quotes to false: the answer comes after its quote" if quoted else ""
    yield Finding("warning", f"{message} and would be cut in service; raise it to {max(lengths):,}{other}")


def _long(encoded: Sequence[Encoded]) -> Iterator[Finding]:
    lengths = sorted(len(one.tokens) - one.start for one in encoded)
    middle = lengths[len(lengths) // 2] if lengths else 0
    least = max(_LONG, _TIMES * middle)
    if ids := [one.example_id for one in encoded if len(one.tokens) - one.start > least]:
        message = f"{some(ids)}: answers of up to {lengths[-1]:,} tokens, where the middle one has {middle:,}"
        yield Finding("warning", f"{message}, weigh more than all others; shorten them, or leave them out")


def shown_row(one: Encoded, tokenizer: Any) -> LintRow:
    """Return tokens as people are shown them: each with its text, and whether it is learnt."""
    return LintRow(
        one.example_id,
        tuple(
            LintToken(
                tokenizer.decode([token]), place >= one.start, place >= one.start and token == tokenizer.eos_token_id
            )
            for place, token in enumerate(one.tokens)
        ),
    )
