"""Does the tuned strategy stop, and does it repeat itself? Counted over all that both models answered."""

from collections.abc import Mapping, Sequence

from weighbridge.adapters import Guard
from weighbridge.checks.before_after import Records, answer_line, each
from weighbridge.checks.shares import SHOWN, change, compare_shares, share
from weighbridge.results import Estimate, Record
from weighbridge.types import Example

MARGIN = 0.05
"""A share of answers that never end, or that loop, may grow by this."""
MOST = 0.5
"""Above this share of endless answers the adapter fails, even if its base is as bad: most answers are of no use."""
_LONGEST_PHRASE = 20
"""Words of a phrase that may be a loop: longer ones are paragraphs that a text may well repeat."""
_TIMES = 4
"""Repetitions in a row that make a loop of one word; two words and more need one fewer."""
_UNSPACED = 24
"""A text with a longer word is searched by characters: it has no spaces to go by."""


def loops(text: str) -> bool:
    """Tell whether a phrase of up to 20 words stands in a text again and again: four times in a row, or three.

    Three suffice for two words and more. In text written without spaces, characters are the words, and a loop is at
    least 24 of them long. Numbers and punctuation alone, such as 1000000 or a row of dashes, are no loop.
    """
    words = [word for word in (part.strip(".,;:!?\"'()").casefold() for part in text.split()) if word]
    if _repeats(words, shortest=1, least=_TIMES):
        return True
    return any(_repeats(list(part), shortest=2, least=_UNSPACED) for part in text.split() if len(part) >= _UNSPACED)


def _repeats(words: Sequence[str], *, shortest: int, least: int) -> bool:
    """Tell whether a phrase with a letter in it repeats over at least `least` words."""
    for size in range(shortest, min(_LONGEST_PHRASE, len(words) // 2) + 1):
        wanted = max(size * (_TIMES if size == 1 else _TIMES - 1), least)
        run = size
        for place in range(size, len(words)):
            run = run + 1 if words[place] == words[place - size] else size
            if run >= wanted and any(word.isalpha() for word in words[place - size + 1 : place + 1]):
                return True
    return False


def repetition(base: Records, tuned: Records, asked: Sequence[Example]) -> Guard:
    """Compare how many answers reach the length limit, and how many loop, over the same questions.

    Fails where either share has grown by more than `MARGIN`, with confidence, or where most answers never stop.
    """
    figures = {
        **compare_shares(each(asked, base, _endless), each(asked, tuned, _endless), called="endless"),
        **compare_shares(each(asked, base, _loop_flag), each(asked, tuned, _loop_flag), called="looping"),
    }
    if not figures:
        summary = "Repetition was not measured: no question was answered by both models"
        return Guard(name="repetition", passed=None, summary=summary, figures=figures)
    grown = [name for name in ("endless", "looping") if figures[f"{name} difference"].low > MARGIN]
    never = figures["endless tuned"].value > MOST
    bad = [e for e in asked if (r := tuned.get(e.id)) and r.answer and (loops(r.answer.raw) or _endless(r))]
    return Guard(
        name="repetition",
        passed=not grown and not never,
        summary=_sentence(figures, grown=bool(grown), never=never),
        figures=figures,
        shown=tuple(f"{example.question.text} now: {answer_line(tuned.get(example.id))}" for example in bad[:SHOWN]),
    )


def _endless(record: Record) -> float | None:
    return float(record.answer.finish == "length") if record.answer else None


def _loop_flag(record: Record) -> float | None:
    return float(loops(record.answer.raw)) if record.answer else None


def _sentence(figures: Mapping[str, Estimate], *, grown: bool, never: bool) -> str:
    endless, looping = figures["endless tuned"], figures["looping tuned"]
    text = (
        f"Of {endless.scored:,} answers of the tuned model {share(endless)} reach the length limit, "
        f"{change(figures['endless difference'])} against the base model, and {share(looping)} repeat themselves, "
        f"{change(figures['looping difference'])}"
    )
    if not grown and not never:
        return text
    if not grown:
        return (
            f"{text}; it has not learnt to stop yet: raise training.epochs, or model.maximum_tokens if right answers "
            "are longer"
        )
    return (
        f"{text}; look at the stop token in the lint before training, raise model.maximum_tokens if right answers are "
        "longer, or lower training.learning_rate"
    )
