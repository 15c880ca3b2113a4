"""Preferences: of two answers to one prompt the better one, or of one answer whether it was liked.

They come from a file of the user's (`preference_file`), or from graded attempts at the training questions. Prompts are
the strategy's own, so an arm that reads passages is taught on its passages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from weighbridge.errors import TrainingError
from weighbridge.results import Outcome, Record
from weighbridge.train.data.conversations import Conversation
from weighbridge.types import Example, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferencePair:
    """Two answers to one prompt; the first is the better one."""

    example_id: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumb:
    """One answer to a prompt, and whether it was liked."""

    example_id: str
    prompt: tuple[Message, ...]
    answer: str
    up: bool


@dataclass(frozen=True, slots=True)
class Preferences:
    """Preferences as they were given: pairs, thumbs, or both. Each form converts into the other."""

    pairs: tuple[PreferencePair, ...] = ()
    thumbs: tuple[Thumb, ...] = ()

    def as_pairs(self) -> tuple[PreferencePair, ...]:
        """Return the pairs, and one for each liked answer and a disliked one to the same prompt, without repeats."""
        asked: dict[tuple[Message, ...], list[Thumb]] = {}
        for thumb in self.thumbs:
            asked.setdefault(thumb.prompt, []).append(thumb)
        joined = (
            PreferencePair(example_id=up.example_id, prompt=prompt, chosen=up.answer, rejected=down.answer)
            for prompt, thumbs in asked.items()
            for up, down in _match_sides([one for one in thumbs if one.up], [one for one in thumbs if not one.up])
        )
        return tuple(dict.fromkeys((*self.pairs, *joined)))

    def as_thumbs(self) -> tuple[Thumb, ...]:
        """Return the thumbs, and of each pair its chosen answer as liked and the other as not, without repeats.

        An answer that is preferred in one pair and not in another says nothing by itself, and is left out.
        """
        told = (
            Thumb(example_id=pair.example_id, prompt=pair.prompt, answer=answer, up=up)
            for pair in self.pairs
            for answer, up in ((pair.chosen, True), (pair.rejected, False))
        )
        made = dict.fromkeys((*self.thumbs, *told))
        said: dict[tuple[tuple[Message, ...], str], set[bool]] = {}
        for one in made:
            said.setdefault((one.prompt, one.answer), set()).add(one.up)
        return tuple(one for one in made if len(said[one.prompt, one.answer]) == 1)


def preferences_from(
    records: Sequence[Record], examples: Sequence[Example], references: Sequence[Conversation]
) -> Preferences:
    """Return preferences from graded attempts at training questions, in the order of the examples.

    Right tries are liked and wrong ones are not; where no try was right, the reference takes their place. Tries that
    abstained where they need not have, and those that could not be graded, say nothing: a model that is taught that
    abstaining is bad forgets how. A right try that the length limit cut is not an answer to copy.

    Raises:
        ValueError: a record is of none of the examples, or an example is not of the train split; a caller's mistake
            that would leak test questions into training.
    """
    known = {example.id for example in examples if example.split == "train"}
    if strangers := [record.example_id for record in records if record.example_id not in known]:
        raise ValueError(f"only attempts at training examples may be learnt from: {', '.join(strangers[:3])}")
    tried: dict[str, list[Record]] = {}
    for record in records:
        tried.setdefault(record.example_id, []).append(record)
    targets = {reference.example_id: reference.target for reference in references}
    told = [thumb for name, own in tried.items() for thumb in _thumbs_of(name, own, targets.get(name, ""))]
    return Preferences(thumbs=tuple(dict.fromkeys(told)))


def held_out(example_ids: Sequence[str], share: float, seed: int) -> frozenset[str]:
    """Return the examples to keep back, drawn with the seed: the share of them, at least one of two or more."""
    distinct = sorted(set(example_ids))
    wanted = min(max(1, round(share * len(distinct))), len(distinct) - 1)
    return frozenset(Random(seed).sample(distinct, max(wanted, 0)))  # noqa: S311 - a sample, not a secret


def require_both_sides(lessons: Sequence[PreferencePair | Thumb], method: str) -> None:
    """Raise `TrainingError` where there is nothing to learn from, or thumbs of one kind only."""
    liked = {thumb.up for thumb in lessons if isinstance(thumb, Thumb)}
    if lessons and len(liked) != 1:
        return
    why = f"all {len(lessons):,} answers are {'liked' if True in liked else 'disliked'}" if lessons else "there is none"
    raise TrainingError(
        f"training.preference.method: {method} learns from better and worse answers, and {why}; raise "
        "training.preference.samples or temperature so that tries differ, or give a file of them as "
        "training.preference.pairs"
    )


def _thumbs_of(name: str, records: Sequence[Record], target: str) -> Iterator[Thumb]:
    prompts = {record.answer.prompt.messages: None for record in records if record.answer}
    for prompt in prompts:
        own = [record for record in records if record.answer and record.answer.prompt.messages == prompt]
        right = _distinct_texts(own, "right") or ([target] if target else [])
        wrong = [text for text in _distinct_texts(own, "wrong") if text not in right]
        for text, up in ((text, up) for texts, up in ((right, True), (wrong, False)) for text in texts):
            yield Thumb(example_id=name, prompt=prompt, answer=text, up=up)


def _distinct_texts(records: Sequence[Record], outcome: Outcome) -> list[str]:
    """Return the distinct texts of the tries that ended so; of right ones those that ended by themselves."""
    told = [record.answer for record in records if record.answer and record.outcome == outcome]
    whole = [answer.raw for answer in told if outcome == "wrong" or answer.finish == "stop"]
    return list(dict.fromkeys(text for text in whole if text.strip()))


def _match_sides(liked: Sequence[Thumb], disliked: Sequence[Thumb]) -> Iterator[tuple[Thumb, Thumb]]:
    """Yield each answer of the longer side once, with one of the shorter side in turn; nothing where one is empty."""
    if not liked or not disliked:
        return
    for number in range(max(len(liked), len(disliked))):
        yield liked[number % len(liked)], disliked[number % len(disliked)]
