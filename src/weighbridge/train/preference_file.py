"""The user's own pairs and thumbs, from a JSONL file; none that asks a test question is let through."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from weighbridge.answer.composed import Composed
from weighbridge.errors import DataError, TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.likeness import asked_in, plain
from weighbridge.ingest.rows import Row, kind_of, read_jsonl
from weighbridge.train.pairs import Pair, Preferences, Thumb
from weighbridge.types import Example, Message, Question, Role

_OVERLAP = 0.8
"""Share of the words of two questions that both have (Jaccard), from which they count as the same."""
_ROUNDING = 1e-9
_THUMBS: Mapping[str, bool] = {"up": True, "down": False}
_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_FORMS = 'each line is {"question", "chosen", "rejected"}, or {"question", "answer", "thumb": "up" or "down"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceFile:
    """What a file of preferences holds, in its order, and how many rows were left out of it."""

    told: Preferences
    tested: int
    """Rows whose question is, or nearly is, one of the test questions."""
    repeated: int
    """Rows that say what an earlier one says."""
    contradicted: int
    """Rows that say the opposite of another one; the two cancel out."""

    @property
    def sentence(self) -> str:
        """What was read, in words for people."""
        left = {
            "ask a test question": self.tested,
            "repeat another": self.repeated,
            "contradict another": self.contradicted,
        }
        out = ", ".join(f"{count:,} {why}" for why, count in left.items() if count)
        kept = f"{len(self.told.pairs):,} pairs and {len(self.told.thumbs):,} thumbs read"
        return f"{kept}; left out: {out}" if out else kept


def read_preferences(path: Path, strategy: Composed, tests: Sequence[Example]) -> PreferenceFile:
    """Read a JSONL file of pairs and thumbs.

    A row names a `question`, which is put to the model as the strategy puts it, or a `prompt`: a text or a list of
    messages, sent as it is. `tests` are the examples of the test split, none of which may be learnt.

    Raises:
        DataError: with file and line, where a row is none of these; with the file, where nothing is left of it.
        TrainingError: a prompt holds a passage that not everybody may read.
    """
    tested = Forbidden(tests)
    read: list[Pair | Thumb] = []
    left_out = 0
    for row in read_jsonl(path):
        asked, prompt = _prompt(row, strategy)
        lesson = _lesson(row, f"asked-{fingerprint(plain(asked))}", prompt)
        if tested.asks(asked):
            left_out += 1
        else:
            read.append(lesson)
    distinct = dict.fromkeys(read)
    agreed = [one for one in distinct if _opposite(one) not in distinct]
    if not agreed:
        raise DataError(
            f"{path}: holds nothing to learn: {left_out} rows ask a test question, {len(distinct)} contradict each "
            f"other; {_FORMS}"
        )
    pairs = tuple(one for one in agreed if isinstance(one, Pair))
    thumbs = tuple(one for one in agreed if isinstance(one, Thumb))
    return PreferenceFile(
        told=Preferences(pairs, thumbs),
        tested=left_out,
        repeated=len(read) - len(distinct),
        contradicted=len(distinct) - len(agreed),
    )


class Forbidden:
    """The test questions, to recognise one by its words: the same after normalising, or nearly."""

    def __init__(self, tests: Sequence[Example]) -> None:
        asked = {plain(text) for example in tests for text in (asked_in(example), example.question.text)}
        self._words = [frozenset(text.split()) for text in sorted(asked)]
        self._common = Counter(word for words in self._words for word in words)
        self._by_rare: dict[str, list[frozenset[str]]] = {}
        for words in self._words:
            for word in self._rarest(words):
                self._by_rare.setdefault(word, []).append(words)

    def asks(self, text: str) -> bool:
        """Tell whether a text asks one of the test questions."""
        words = frozenset(plain(text).split())
        near = (other for word in self._rarest(words) for other in self._by_rare.get(word, ()))
        return any(len(words & other) >= _OVERLAP * len(words | other) for other in near)

    def _rarest(self, words: frozenset[str]) -> list[str]:
        """Return so many of a question's rarest words that one near enough must share one of them.

        The prefix filter of Chaudhuri, Ganti and Kaushik (2006): sets that overlap so far share one of these.
        """
        ordered = sorted(words, key=lambda word: (self._common[word], word))
        return ordered[: len(ordered) - ceil(_OVERLAP * len(ordered) - _ROUNDING) + 1]


def _prompt(row: Row, strategy: Composed) -> tuple[str, tuple[Message, ...]]:
    """Return what a row asks, and the messages it is asked with."""
    if "question" in row.values and "prompt" in row.values:
        raise DataError(f"{row.place}: has both 'question' and 'prompt'; keep the one that is meant")
    if "prompt" not in row.values:
        return _put(row, row.text("question"), strategy)
    value = row.values["prompt"]
    messages = _messages(row, value) if isinstance(value, list) else (Message("user", row.text("prompt")),)
    return " ".join(turn.content for turn in messages if turn.role == "user"), messages


def _put(row: Row, asked: str, strategy: Composed) -> tuple[str, tuple[Message, ...]]:
    prompt = strategy.prompt_for(Question(asked))
    if closed := [passage.chunk for passage in prompt.passages if passage.chunk.groups]:
        raise TrainingError(
            f"{row.place}: its prompt holds a passage of {closed[0].document_id}, which not everybody may read; an "
            "adapter would say it to everybody; build the index again, or mend the retriever"
        )
    return asked, prompt.messages


def _messages(row: Row, listed: Sequence[object]) -> tuple[Message, ...]:
    turns = [turn for turn in listed if isinstance(turn, dict) and isinstance(turn.get("content"), str)]
    if len(turns) < len(listed) or not turns or any(turn.get("role") not in _ROLES for turn in turns):
        raise DataError(
            f"{row.place}: 'prompt' must be a text, or a list of messages like "
            '{"role": "user", "content": "..."} with the roles system, user and assistant'
        )
    if turns[-1]["role"] != "user":
        raise DataError(f"{row.place}: the last message of 'prompt' must be the user's; an answer is given beside it")
    return tuple(Message(_ROLES[turn["role"]], turn["content"]) for turn in turns)


def _lesson(row: Row, example_id: str, prompt: tuple[Message, ...]) -> Pair | Thumb:
    liked, compared = "thumb" in row.values, {"chosen", "rejected"} & row.values.keys()
    if liked == bool(compared):
        both = "both a thumb and a comparison" if liked else "neither a comparison nor a thumb"
        raise DataError(f"{row.place}: has {both}; {_FORMS}")
    if liked:
        return Thumb(example_id=example_id, prompt=prompt, answer=row.text("answer").strip(), up=_thumb(row))
    chosen, rejected = row.text("chosen").strip(), row.text("rejected").strip()
    if chosen == rejected:
        raise DataError(f"{row.place}: 'chosen' and 'rejected' are the same; a pair is two different answers")
    return Pair(example_id=example_id, prompt=prompt, chosen=chosen, rejected=rejected)


def _thumb(row: Row) -> bool:
    said = row.values["thumb"]
    if not isinstance(said, str) or said.strip().lower() not in _THUMBS:
        told = repr(said) if isinstance(said, str) else kind_of(said)
        raise DataError(f'{row.place}: \'thumb\' must be "up" or "down", not {told}')
    return _THUMBS[said.strip().lower()]


def _opposite(one: Pair | Thumb) -> Pair | Thumb:
    if isinstance(one, Thumb):
        return Thumb(example_id=one.example_id, prompt=one.prompt, answer=one.answer, up=not one.up)
    return Pair(example_id=one.example_id, prompt=one.prompt, chosen=one.rejected, rejected=one.chosen)
