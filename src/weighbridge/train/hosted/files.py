"""Writes the training files of a fine-tuning endpoint (JSONL, chat or preferences), and estimates their cost.

The formats are those of OpenAI's fine-tuning API: `{"messages": [...]}`, and for preferences
`{"input": {"messages": [...]}, "preferred_output": [...], "non_preferred_output": [...]}`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.preferences import PreferencePair
from weighbridge.types import Message

_PER_MESSAGE = 4
"""Tokens that a chat format adds to each message."""
_TARGET_EPOCHS, _FEWEST_SHOWN, _MOST_SHOWN, _MOST_EPOCHS = 3, 100, 25_000, 25


@dataclass(frozen=True, slots=True)
class Counted:
    """A token counter and its description. The endpoint's own tokenizer is not available here."""

    count: Callable[[str], int]
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEstimate:
    """The tokens that an endpoint will charge for."""

    per_pass: int
    longest: int
    """Tokens of the longest example."""
    epochs: int
    epochs_are_guessed: bool
    """Whether the endpoint chooses them; then they follow the rule that OpenAI has published for its own."""
    how: str

    @property
    def total(self) -> int:
        """All tokens of all passes."""
        return self.per_pass * self.epochs

    def price(self, per_million: float | None) -> float | None:
        """Return the price of the trained tokens; None if no price is known."""
        return None if per_million is None else self.total * per_million / 1e6


def chat_lines(made: Sequence[Conversation]) -> str:
    """Return conversations in the chat format, a line each."""
    return "".join(_line({"messages": [*_turns(one.prompt), _assistant_message(one.target)]}) for one in made)


def preference_lines(pairs: Sequence[PreferencePair]) -> str:
    """Return pairs in the preference format, a line each."""
    return "".join(
        _line(
            {
                "input": {"messages": _turns(pair.prompt)},
                "preferred_output": [_assistant_message(pair.chosen)],
                "non_preferred_output": [_assistant_message(pair.rejected)],
            }
        )
        for pair in pairs
    )


def estimate(lines: str, tokens: Counted, *, epochs: int | None) -> TokenEstimate:
    """Estimate the tokens of a checked file; `epochs` None: the endpoint chooses."""
    lengths = [_length(json.loads(line), tokens) for line in lines.splitlines()]
    return TokenEstimate(
        per_pass=sum(lengths),
        longest=max(lengths, default=0),
        epochs=epochs or usual_epochs(len(lengths)),
        epochs_are_guessed=epochs is None,
        how=tokens.how,
    )


def usual_epochs(examples: int) -> int:
    """Return the passes OpenAI makes where it is left to it, after "Data preparation and analysis" of its cookbook."""
    if examples * _TARGET_EPOCHS < _FEWEST_SHOWN:
        return min(_MOST_EPOCHS, _FEWEST_SHOWN // max(examples, 1))
    if examples * _TARGET_EPOCHS > _MOST_SHOWN:
        return max(1, _MOST_SHOWN // examples)
    return _TARGET_EPOCHS


def _length(row: dict[str, Any], tokens: Counted) -> int:
    prompt = row["messages"] if "messages" in row else row["input"]["messages"]
    said = [*prompt, *row.get("preferred_output", ()), *row.get("non_preferred_output", ())]
    return sum(tokens.count(message["content"]) + _PER_MESSAGE for message in said)


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _assistant_message(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def _line(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=True) + "\n"
