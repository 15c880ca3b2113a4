"""Separates the thinking of a reasoning model from its answer.

Models mark it in several ways, and chat templates and engines change them again: DeepSeek's template opens the thinking
itself, so that the reply holds only the tag that closes it, and an engine that leaves out special tokens turns the
channels of gpt-oss into "analysis...assistantfinal...".
"""

import re
from dataclasses import dataclass

_NAMES = r"(?:think(?:ing)?|thoughts?|reason(?:ing)?|seed:think|reflection|scratchpad|internal_monologue)"
_TAG = re.compile(
    rf"(?P<open><{_NAMES}>|\[THINK\]|<\|(?:begin_of_thought|START_THINKING|inner_prefix)\|>|\u25c1think\u25b7)"
    rf"|</{_NAMES}>|\[/THINK\]|<\|(?:end_of_thought|END_THINKING|inner_suffix)\|>|\u25c1/think\u25b7",
    re.IGNORECASE,
)
"""Tags of DeepSeek, Qwen and most others; Magistral; Sky-T1, Command A, Apertus; and Kimi."""
_INK = re.compile(r"\S")
_MENTION = "`\"'\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}"
"""A tag between these is spoken of, and not used, unless thinking has begun."""
_ANSWER_TAGS = re.compile(
    r"\s*(?:<(answer|response|output|final_answer)>(?P<text>.*?)(?:</\1>\s*)?"
    r"|<\|(?:begin_of_solution|START_RESPONSE)\|>(?P<solution>.*?)(?:<\|(?:end_of_solution|END_RESPONSE)\|>\s*)?)",
    re.IGNORECASE | re.DOTALL,
)
"""Tags around the answers of models that put their thinking into tags."""
_CHANNEL = re.compile(r"<\|channel\|>\s*(?P<name>[a-z]+)(?:[^<\n]*(?:<\|constrain\|>[^<]*)?<\|message\|>)?")
_CHANNELS_BEGIN = re.compile(r"\s*(?:<\|start\|>\s*assistant\s*)?(?=<\|channel\|>)")
_CHANNEL_END = re.compile(r"<\|(?:end|return|call|start|channel)\|>")
_BARE_CHANNELS = re.compile(
    r"\s*(?:assistant)?analysis(?=[A-Z\s])(?P<thinking>.*?)(?:assistantfinal(?P<answer>.*))?", re.DOTALL
)
"""Channels without the marks that the engine left out; without `assistantfinal`, "analysis" is a word like others."""


@dataclass(frozen=True, slots=True)
class Thought:
    """A model's text taken apart into its thinking and its answer; each is empty where there is none."""

    thinking: str
    answer: str
    start: int = 0
    """Where the answer begins in the text; the text's length where there is none."""


def split_thinking(text: str) -> Thought:
    """Tell a model's thinking apart from its answer.

    A text that ends before its thinking does has no answer. A text without thinking is the answer as it stands.
    """
    if begin := _CHANNELS_BEGIN.match(text):
        return _split_channels(text, begin.end())
    if (bare := _BARE_CHANNELS.fullmatch(text)) and bare["answer"] is not None:
        return Thought(bare["thinking"].strip(), bare["answer"].strip(), _begin(text, bare.start("answer")))
    pieces = _pieces(text)
    if not any(piece.thinks for piece in pieces):
        return Thought("", text, _begin(text, 0))
    thoughts = [_TAG.sub("", text[piece.start : piece.end]).strip() for piece in pieces if piece.thinks]
    thinking = "\n".join(filter(None, thoughts))
    spoken = [piece for piece in pieces if not piece.thinks and text[piece.start : piece.end].strip()]
    answer = "\n".join(text[piece.start : piece.end].strip() for piece in spoken)
    if wrapped := _ANSWER_TAGS.fullmatch(answer):
        answer = (wrapped["text"] or wrapped["solution"] or "").strip()
    return Thought(thinking, answer, _begin(text, spoken[0].start) if spoken else len(text))


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    thinks: bool


def _pieces(text: str) -> list[_Piece]:
    """Cut a text where its thinking begins and ends.

    Tags may be nested, and a closing tag without an opening one makes all that stands before it thinking. An opening
    tag without a closing one begins thinking only where a line does: in the midst of a line it is spoken of.
    """
    pieces: list[_Piece] = []
    depth = done = begin = closed = 0
    for tag in _TAG.finditer(text):
        if not depth and _is_mentioned(text, tag):
            continue
        if tag["open"]:
            if not depth:
                begin = closed = tag.start()
            depth += 1
            continue
        closed = tag.end()
        if not depth:
            pieces = [_Piece(0, closed, thinks=True)]
        elif depth == 1:
            pieces += [_Piece(done, begin, thinks=False), _Piece(begin, closed, thinks=True)]
        depth = max(depth - 1, 0)
        done = done if depth else closed
    if depth and closed > begin:  # one tag too many was opened: the last that closes ends the thinking
        pieces += [_Piece(done, begin, thinks=False), _Piece(begin, closed, thinks=True)]
        done = closed
    elif depth and not text[:begin].rpartition("\n")[2].strip():
        pieces += [_Piece(done, begin, thinks=False), _Piece(begin, len(text), thinks=True)]
        done = len(text)
    return [*pieces, _Piece(done, len(text), thinks=False)]


def _begin(text: str, start: int) -> int:
    """Return where the first character from a place on stands that is no white space."""
    found = _INK.search(text, start)
    return found.start() if found else len(text)


def _is_mentioned(text: str, tag: re.Match[str]) -> bool:
    around = text[max(tag.start() - 1, 0) : tag.start()], text[tag.end() : tag.end() + 1]
    return all(character and character in _MENTION for character in around)


def _split_channels(text: str, start: int) -> Thought:
    """Read the channels of gpt-oss: the final one is the answer, all else is thinking."""
    thinking: list[str] = []
    answer: list[str] = []
    begin = len(text)
    for channel in _CHANNEL.finditer(text, start):
        end = _CHANNEL_END.search(text, channel.end())
        said = text[channel.end() : end.start() if end else len(text)].strip()
        if channel["name"] != "final":
            thinking.append(said)
        elif said:
            answer.append(said)
            begin = min(begin, _begin(text, channel.end()))
    return Thought("\n".join(filter(None, thinking)), "\n".join(answer), begin)
