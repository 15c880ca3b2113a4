"""Counts the tokens of stretches of text, asking the tokenizer for each word once.

A tokenizer is far slower than a dictionary: all-MiniLM-L6-v2's takes 1.5 MB/s. No tokenizer that splits at white space
makes more tokens of two words together than of each with the white space before it, so sums of words are safe.
Whether a tokenizer is such a one is tried on a sample (`adds_up`); if not, whoever sums must ask again.
"""

import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, islice, pairwise

Tokenizer = Callable[[str], Sequence[tuple[int, int]]]
"""Returns the (start, end) character offsets of a text's tokens, in order. Spans of no width are not counted."""

LONGEST_WORD = 48
"""Characters of a word; the counts of longer ones (a URL, a sentence without white space) are not kept."""
_WINDOW, _OVERHANG = 2048, 256
# Words whose counts are kept, tens of MB; all are forgotten when there are more.
_MOST_WORDS = 1 << 18
_UNKNOWN = 1 << 40
_WORD = re.compile(r"\s*\S+")
_BLOCK = re.compile(r"(?s).{1,65536}\S*+(?:(?<=\s)\s*+\S++)?+")
_SAMPLE = (
    "A 2nd line, isn't it? No: 3.50 (three-fifty) at 08:10.\n\n# Na\u00efve caf\u00e9\n- x_1 = [y*2];\n\t\tif a!=b: "
    "\u00abHallo\u00bb \u041f\u0440\u0438\u0432\u0435\u0442 \u732b\u3002 https://example.org/a?b=c "
    " e\u0301tude 1,000 %\n"
)


class WordCounts(dict[str, int]):
    """The number of tokens of each word, with the white space before it; asked for when first needed.

    `trusted` tells whether sums of them may be taken for the tokens of a text: whether the tokenizer `adds_up`.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.tokenizer = tokenizer
        self.trusted = adds_up(tokenizer)

    def __missing__(self, word: str) -> int:
        if len(word) > LONGEST_WORD:
            return _UNKNOWN
        if len(self) >= _MOST_WORDS:
            self.clear()
        number = self[word] = count_tokens(word, self.tokenizer)
        return number


@dataclass(frozen=True, slots=True)
class Lengths:
    """For each piece of a text (a word, or a token of a very long word) its end, and the tokens up to there.

    `rough` are the (start, end) of words so long that their tokens were found window by window.
    """

    ends: Sequence[int]
    totals: Sequence[int]
    rough: Sequence[tuple[int, int]]

    def is_rough(self, start: int, end: int) -> bool:
        """Tell whether a stretch holds a part of a word that was only measured window by window."""
        at = bisect_left(self.rough, (start, start))
        return (at < len(self.rough) and self.rough[at][0] < end) or (at > 0 and self.rough[at - 1][1] > start)


@lru_cache(maxsize=2)
def cached_word_counts(tokenizer: Tokenizer) -> WordCounts:
    """Return the counts kept for a tokenizer, so that documents cut one at a time are cut as fast as together."""
    return WordCounts(tokenizer)


def count_tokens(text: str, tokenizer: Tokenizer) -> int:
    """Return the number of tokens of a text."""
    return sum(start < end for start, end in tokenizer(text))


def adds_up(tokenizer: Tokenizer) -> bool:
    """Tell whether words, each with the white space before it, never take fewer tokens than their text in a sample."""
    words = _WORD.findall(_SAMPLE)
    numbers = [count_tokens(word, tokenizer) for word in words]
    return all(
        count_tokens("".join(words[at : at + wide]), tokenizer) <= sum(numbers[at : at + wide])
        for wide in (2, 3, len(words))
        for at in range(len(words) - wide + 1)
    )


def measure_words(text: str, counts: WordCounts) -> Lengths:
    """Measure a text up to its last character that is not white space."""
    ends, totals, rough = array("q"), array("q"), list[tuple[int, int]]()
    reached = total = 0
    for block in _BLOCK.finditer(text, 0, len(text.rstrip())):
        words: list[str] = _WORD.findall(block.group())
        numbers = list(map(counts.__getitem__, words))
        places = list(accumulate(map(len, words), initial=reached))
        first = 0
        for at in [at for at, number in enumerate(numbers) if number == _UNKNOWN] if _UNKNOWN in numbers else ():
            total = _extend(ends, totals, places[first + 1 : at + 1], numbers[first:at], total)
            if places[at + 1] - places[at] > _WINDOW:
                rough.append((places[at], places[at + 1]))
            for end, number in _tokens(text, places[at], places[at + 1], counts.tokenizer):
                total += number
                ends.append(end)
                totals.append(total)
            first = at + 1
        total = _extend(ends, totals, places[first + 1 :], numbers[first:], total)
        reached = places[-1]
    return Lengths(ends, totals, rough)


def _extend(ends: "array[int]", totals: "array[int]", places: Sequence[int], numbers: Sequence[int], total: int) -> int:
    ends.extend(places)
    totals.extend(islice(accumulate(numbers, initial=total), 1, None))
    return total + sum(numbers)


def _tokens(text: str, start: int, end: int, tokenizer: Tokenizer) -> Iterator[tuple[int, int]]:
    """Yield the end of each token of a long word and how many end there; the last end is the word's."""
    while start < end:
        stop = min(start + _WINDOW, end)
        spans = [span for span in tokenizer(text[start:stop]) if span[0] < span[1]]
        if stop < end:
            kept = bisect_right(spans, stop - start - _OVERHANG, key=lambda span: span[0])
            stop = start + (spans[kept][0] if kept < len(spans) else stop - start)
            spans = spans[:kept]
        waiting = 0
        for (begin, _), (after, _) in pairwise(spans):
            waiting += 1
            if after > begin:
                yield start + after, waiting
                waiting = 0
        yield stop, waiting + bool(spans)
        start = stop
