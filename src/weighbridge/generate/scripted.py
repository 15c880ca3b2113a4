"""A model without weights: a function of the messages. Shipped, for dry runs, examples and tests.

It says nothing about how good a strategy is. It does tell closed book from open book, so that a dry run of the whole
product gives sensible, different figures for each.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from weighbridge.errors import PromptTooLongError
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.scoring.language.refusals import ABSTENTION
from weighbridge.types import Completion, Message, Usage

_TOKEN = re.compile(r"\s*\S+")
_NUMBERED = re.compile(r"^\[(\d{1,3})\] (.+)$", re.MULTILINE)
_QUESTION = re.compile(r"^Question: (.+)\Z", re.MULTILINE | re.DOTALL)
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can could do does did for from had has have how i if in is it its many may much must "
        "of on or should that the their there they this to was we were what when where which who whom whose why will "
        "with would you your",
    )
)
_SHORTEST_PLURAL = 4

Reply = Callable[[Sequence[Message]], str]


def quote_reader(messages: Sequence[Message]) -> str:
    """Quote the sentence of the numbered passages that shares most words with the question, like `... [2]`.

    Abstain where there are no passages, or where fewer than half of the question's words stand in any sentence.
    Of equally good sentences the first is taken.
    """
    asked = messages[-1].content
    question = _QUESTION.search(asked)
    wanted = _words(question[1] if question else asked)
    best, number, most = "", "", 0
    for passage in _NUMBERED.finditer(asked):
        for sentence in _SENTENCE.split(passage[2]):
            shared = len(wanted & _words(sentence))
            if shared > most:
                best, number, most = sentence.strip(), passage[1], shared
    return f"{best} [{number}]" if most and 2 * most >= len(wanted) else ABSTENTION


@dataclass(frozen=True, slots=True, kw_only=True)
class Scripted:
    """A `Model` that says `reply(messages)`, cut after `maximum_tokens` words.

    A token is a word here. `version` stands for the function in the fingerprint: change it when `reply` changes.
    """

    reply: Reply = quote_reader
    name: str = "scripted"
    version: str = "1"
    context: int = 100_000
    maximum_tokens: int = 1_000

    @property
    def fingerprint(self) -> str:
        return fingerprint("scripted", self.name, self.version, self.context, self.maximum_tokens)

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        read = sum(len(_TOKEN.findall(message.content)) for message in messages)
        if read >= self.context:
            raise PromptTooLongError(read, self.context)
        tokens = _TOKEN.findall(self.reply(messages))
        said = tokens[: self.maximum_tokens]
        for token in said:
            emit(token)
        return Completion(
            text="".join(said),
            usage=Usage(input_tokens=read, output_tokens=len(said)),
            finish="stop" if len(said) == len(tokens) else "length",
        )


def _words(text: str) -> frozenset[str]:
    words = frozenset(re.findall(r"\w+", text.casefold())) - _COMMON
    return frozenset(word.removesuffix("s") if len(word) >= _SHORTEST_PLURAL else word for word in words)
