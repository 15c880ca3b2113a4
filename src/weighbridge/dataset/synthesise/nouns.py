"""An example that was made from documents, and the account of the ones that were dropped."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from weighbridge.adapters import Span
from weighbridge.fingerprint import fingerprint
from weighbridge.types import Example, Question

OWN = "paraphrase of example "
"""Stands in `made_by` where an example rewords one of the user's own, before that one's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticExample:
    """An example for training only, with the stretches of documents it was made from.

    One that is not `answerable` has no answers; its spans are the places that made it look as if it had.
    """

    id: str
    question: str
    answers: tuple[str, ...]
    spans: tuple[Span, ...]
    made_by: str
    """`rule: table`, `model: question`, or `model: paraphrase of ...` with the id of the question that it rewords."""
    family: str
    """Shared by all wordings of one question."""
    answerable: bool = True

    @property
    def evidence(self) -> tuple[str, ...]:
        """The documents that prove the answer; none where there is no answer."""
        return tuple(dict.fromkeys(span.document_id for span in self.spans)) if self.answerable else ()

    @property
    def example(self) -> Example:
        """The same as any other example of the train split."""
        return Example(
            id=self.id,
            question=Question(self.question),
            answers=self.answers,
            evidence=self.evidence,
            answerable=self.answerable,
            family=self.family,
            split="train",
        )


@dataclass(frozen=True, slots=True)
class Dropped:
    """How many were dropped for one reason, with one of them to look at (empty where none was)."""

    reason: str
    count: int
    shown: str = ""


@dataclass(frozen=True, slots=True)
class Attrition:
    """From made to kept: `made` is `kept` and all that was `dropped` together, in the order it was looked for."""

    made: int
    dropped: tuple[Dropped, ...]
    kept: int


@dataclass(frozen=True, slots=True)
class Filter:
    """A reason to drop examples, and the function that returns their positions."""

    reason: str
    positions: Callable[[Sequence[SyntheticExample]], Collection[int]]


@dataclass(frozen=True, slots=True)
class FilterResult:
    """The examples that were kept, in their order, and the account of the others."""

    kept: tuple[SyntheticExample, ...]
    attrition: Attrition


def apply_filters(made: Sequence[SyntheticExample], filters: Sequence[Filter], *, unparsed: int = 0) -> FilterResult:
    """Apply filters one after the other, each to the examples that the ones before it kept.

    `unparsed` counts the replies of a model that were no examples; it is the first loss.
    """
    kept = tuple(made)
    dropped = [Dropped("could not be parsed", unparsed)] if unparsed else []
    for one in filters:
        places = frozenset(one.positions(kept)) if kept else frozenset()
        shown = kept[min(places)].question if places else ""
        dropped.append(Dropped(one.reason, len(places), shown))
        kept = tuple(item for place, item in enumerate(kept) if place not in places)
    return FilterResult(kept, Attrition(len(made) + unparsed, tuple(dropped), len(kept)))


def describe_attrition(attrition: Attrition) -> Iterator[str]:
    """Yield the account as a table of plain text: made, dropped for each reason, kept."""
    yield f"{'made':<44} {attrition.made:>7,}"
    for one in attrition.dropped:
        if one.count:
            shown = f"   {one.shown[:70]}" if one.shown else ""
            yield f"  - {one.reason:<40} {one.count:>7,}{shown}"
    share = f"   {attrition.kept / attrition.made:.0%}" if attrition.made else ""
    yield f"{'kept':<44} {attrition.kept:>7,}{share}"


def synthetic_id(question: str, spans: Sequence[Span], made_by: str) -> str:
    """Return an id that is the same whenever the same question is made of the same place in the same way."""
    places = [[span.document_id, span.start, span.end] for span in spans]
    return f"made-{fingerprint('made', question, places, made_by)[:12]}"


def make_synthetic(
    question: str, answers: tuple[str, ...], spans: tuple[Span, ...], made_by: str, *, family: str = ""
) -> SyntheticExample:
    """Return a question as a made example, white space evened out; without answers it cannot be answered."""
    asked = " ".join(question.split())
    name = synthetic_id(asked, spans, made_by)
    return SyntheticExample(
        id=name,
        question=asked,
        answers=answers,
        spans=spans,
        made_by=made_by,
        family=family or name,
        answerable=bool(answers),
    )
