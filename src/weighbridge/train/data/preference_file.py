"""The user's own pairs and thumbs, from a JSONL file; none that asks a dev or test question is let through."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from weighbridge.adapters import Access, Lesson, inherit_access
from weighbridge.answer.composed import Composed
from weighbridge.dataset.near_duplicates import comparable_text, normalise_question
from weighbridge.errors import DataError, TrainingError
from weighbridge.fingerprint import fingerprint
from weighbridge.ingest.files.rows import DataRow, describe_json_kind, read_jsonl_rows
from weighbridge.protocols import Notify, silent
from weighbridge.train.data.conversations import Conversation, access_of, beyond, lesson
from weighbridge.train.data.preferences import PreferencePair, Preferences, Thumb
from weighbridge.types import PUBLIC, Example, Message, Passage, Progress, Question, Role

_OVERLAP = 0.8
"""Two questions count as the same from this Jaccard overlap of their words on."""
_ROUNDING = 1e-9
_SHORTEST = 3
"""Words of a question that is looked for inside a longer prompt."""
_THUMBS: Mapping[str, bool] = {"up": True, "down": False}
_ROLES: Mapping[str, Role] = {"system": "system", "user": "user", "assistant": "assistant"}
_FORMS = 'each line is {"question", "chosen", "rejected"}, or {"question", "answer", "thumb": "up" or "down"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceFile:
    """The preferences of a file, in its order, and the numbers of rows left out."""

    told: Preferences
    lessons: tuple[Lesson, ...]
    """The preferences, with the places of the prompts' passages in the documents."""
    tested: int
    """Rows left out because they ask, or nearly ask, a dev or test question."""
    restricted: int
    """Rows of askers with access groups that may not be learnt from."""
    repeated: int
    """Rows left out because they repeat an earlier row."""
    contradicted: int
    """Rows that say the opposite of another one; the two cancel out."""
    access: Access = ()
    """The groups that may hear the answers of a model trained on the file."""

    @property
    def sentence(self) -> str:
        """The numbers of rows read and left out, as a sentence for people."""
        left = {
            "ask a dev or test question": self.tested,
            "are of askers with access groups": self.restricted,
            "repeat another": self.repeated,
            "contradict another": self.contradicted,
        }
        out = ", ".join(f"{count:,} {why}" for why, count in left.items() if count)
        kept = f"{len(self.told.pairs):,} pairs and {len(self.told.thumbs):,} thumbs read"
        return f"{kept}; left out: {out}" if out else kept


def read_preferences(
    path: Path,
    strategy: Composed,
    held_out: Sequence[Example],
    *,
    groups: frozenset[str] = PUBLIC,
    notify: Notify = silent,
) -> PreferenceFile:
    """Read a JSONL file of pairs and thumbs.

    A row names a `question`, sent in the strategy's own prompt, or a `prompt`: a text or a list of messages, sent
    unchanged. `held_out` holds the examples of the dev and test splits; rows that repeat one are left out. A row of an
    asker with access groups is used if all of them are among `groups`.

    Raises:
        DataError: with file and line, where a row is none of these; with the file, where nothing is left of it.
        TrainingError: a prompt holds a passage that its asker may not read.
    """
    forbidden = Forbidden(held_out)
    read: list[PreferencePair | Thumb] = []
    told_by: dict[PreferencePair | Thumb, list[_Asked]] = {}
    tested = restricted = 0
    for one, asked in _rows(path, strategy, groups, notify):
        if not asked.groups <= groups:
            restricted += 1
        elif forbidden.within(asked.text) or any(forbidden.asks(text) for text in {asked.text, *asked.turns}):
            tested += 1
        else:
            read.append(one)
            told_by.setdefault(one, []).append(asked)
    distinct = dict.fromkeys(read)
    agreed = [one for one in distinct if _opposite(one) not in distinct]
    if not agreed:
        raise DataError(
            f"{path}: holds nothing to learn: {tested} rows ask a dev or test question, {restricted} are of askers "
            f"with access groups, {len(distinct)} contradict each other; {_FORMS}"
        )
    learnt = {one: told_by[one] for one in agreed}
    pairs = tuple(one for one in agreed if isinstance(one, PreferencePair))
    thumbs = tuple(one for one in agreed if isinstance(one, Thumb))
    return PreferenceFile(
        told=Preferences(pairs, thumbs),
        lessons=tuple(_lessons(learnt)),
        tested=tested,
        restricted=restricted,
        repeated=len(read) - len(distinct),
        contradicted=len(distinct) - len(agreed),
        access=inherit_access(one for askers in learnt.values() for asked in askers for one in asked.access),
    )


class Forbidden:
    """Questions not to be learnt, to recognise one by its words: the same after normalising, or nearly."""

    def __init__(self, held_out: Sequence[Example]) -> None:
        asked = {
            normalise_question(text)
            for example in held_out
            for text in (comparable_text(example), example.question.text)
        }
        self._words = [frozenset(text.split()) for text in sorted(asked)]
        self._longest = max(map(len, self._words), default=0)
        self._common = Counter(word for words in self._words for word in words)
        self._by_rare: dict[str, list[frozenset[str]]] = {}
        for words in self._words:
            for word in self._rarest(words):
                self._by_rare.setdefault(word, []).append(words)
        self._by_one: dict[str, list[str]] = {}
        for one in sorted(asked):
            if len(words := frozenset(one.split())) >= _SHORTEST:
                self._by_one.setdefault(self._rarest(words)[0], []).append(f" {one} ")

    def asks(self, text: str) -> bool:
        """Tell whether a text asks one of the questions."""
        words = frozenset(normalise_question(text).split())
        if _OVERLAP * len(words) > self._longest:
            return False
        near = (other for word in self._rarest(words) for other in self._by_rare.get(word, ()))
        return any(len(words & other) >= _OVERLAP * len(words | other) for other in near)

    def within(self, text: str) -> bool:
        """Tell whether a text holds one of the questions word for word, among instructions or passages say."""
        whole = f" {normalise_question(text)} "
        return any(one in whole for word in set(whole.split()) for one in self._by_one.get(word, ()))

    def _rarest(self, words: frozenset[str]) -> list[str]:
        """Return so many of a question's rarest words that one near enough must share one of them.

        The prefix filter of Chaudhuri, Ganti and Kaushik (2006): sets that overlap so far share one of these.
        """
        ordered = sorted(words, key=lambda word: (self._common[word], word))
        return ordered[: len(ordered) - ceil(_OVERLAP * len(ordered) - _ROUNDING) + 1]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The question of a row, in the user's turns, and the passages of its prompt."""

    turns: tuple[str, ...]
    groups: frozenset[str]
    passages: tuple[Passage, ...] = ()

    @property
    def access(self) -> Access:
        """The groups that may hear the answer."""
        return access_of(Question("", groups=self.groups), self.passages)

    @property
    def text(self) -> str:
        return " ".join(self.turns)


def _rows(
    path: Path, strategy: Composed, groups: frozenset[str], notify: Notify
) -> Iterator[tuple[PreferencePair | Thumb, _Asked]]:
    for number, row in enumerate(read_jsonl_rows(path), start=1):
        asked, prompt = _prompt(row, strategy, groups)
        yield _lesson(row, f"asked-{fingerprint(normalise_question(asked.text))}", prompt), asked
        notify(Progress(task=f"reading {path.name}", done=number, total=0, unit="rows"))


def _prompt(row: DataRow, strategy: Composed, groups: frozenset[str]) -> tuple[_Asked, tuple[Message, ...]]:
    """Return the question of a row and its prompt. An asker beyond `groups` counts as one without groups."""
    own = frozenset(row.names("groups"))
    if "question" in row.values and "prompt" in row.values:
        raise DataError(f"{row.place}: has both 'question' and 'prompt'; keep the one that is meant")
    if "prompt" not in row.values:
        question = Question(row.text("question"), groups=own if own <= groups else PUBLIC)
        prompt = strategy.prompt_for(question)
        if closed := beyond(question, prompt.passages):
            raise TrainingError(
                f"{row.place}: its prompt holds a passage of {closed[0].document_id}, which its asker may not read; "
                "build the index again, or mend the retriever"
            )
        return _Asked((question.text,), own, prompt.passages), prompt.messages
    value = row.values["prompt"]
    messages = _messages(row, value) if isinstance(value, list) else (Message("user", row.text("prompt")),)
    return _Asked(tuple(turn.content for turn in messages if turn.role == "user"), own), messages


def _messages(row: DataRow, listed: Sequence[object]) -> tuple[Message, ...]:
    turns = [turn for turn in listed if isinstance(turn, dict) and isinstance(turn.get("content"), str)]
    if len(turns) < len(listed) or not turns or any(turn.get("role") not in _ROLES for turn in turns):
        raise DataError(
            f"{row.place}: 'prompt' must be a text, or a list of messages like "
            '{"role": "user", "content": "..."} with the roles system, user and assistant'
        )
    if turns[-1]["role"] != "user":
        raise DataError(f"{row.place}: the last message of 'prompt' must be the user's; an answer is given beside it")
    return tuple(Message(_ROLES[turn["role"]], turn["content"]) for turn in turns)


def _lesson(row: DataRow, example_id: str, prompt: tuple[Message, ...]) -> PreferencePair | Thumb:
    liked, compared = "thumb" in row.values, {"chosen", "rejected"} & row.values.keys()
    if liked == bool(compared):
        both = "both a thumb and a comparison" if liked else "neither a comparison nor a thumb"
        raise DataError(f"{row.place}: has {both}; {_FORMS}")
    if liked:
        return Thumb(example_id=example_id, prompt=prompt, answer=row.text("answer").strip(), up=_thumb(row))
    chosen, rejected = row.text("chosen").strip(), row.text("rejected").strip()
    if chosen == rejected:
        raise DataError(f"{row.place}: 'chosen' and 'rejected' are the same; a pair is two different answers")
    return PreferencePair(example_id=example_id, prompt=prompt, chosen=chosen, rejected=rejected)


def _lessons(learnt: Mapping[PreferencePair | Thumb, Sequence[_Asked]]) -> Iterator[Lesson]:
    for one, askers in learnt.items():
        liked = one.chosen if isinstance(one, PreferencePair) else one.answer if one.up else ""
        if liked:
            yield lesson(
                Conversation(
                    example_id=one.example_id,
                    prompt=one.prompt,
                    target=liked,
                    question=askers[-1].text,
                    passages=askers[-1].passages,
                    access=inherit_access(needed for asked in askers for needed in asked.access),
                )
            )


def _thumb(row: DataRow) -> bool:
    said = row.values["thumb"]
    if not isinstance(said, str) or said.strip().lower() not in _THUMBS:
        told = repr(said) if isinstance(said, str) else describe_json_kind(said)
        raise DataError(f'{row.place}: \'thumb\' must be "up" or "down", not {told}')
    return _THUMBS[said.strip().lower()]


def _opposite(one: PreferencePair | Thumb) -> PreferencePair | Thumb:
    if isinstance(one, Thumb):
        return Thumb(example_id=one.example_id, prompt=one.prompt, answer=one.answer, up=not one.up)
    return PreferencePair(example_id=one.example_id, prompt=one.prompt, chosen=one.rejected, rejected=one.chosen)
