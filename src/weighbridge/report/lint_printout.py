"""Prints a lint: the tokens of a few conversations, the learnt ones among them, and the problems.

Nothing is told by colour alone: brackets hold the learnt tokens, and a mark stands behind the token that stops.
"""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from weighbridge.lints import Linted, LintRow, LintToken
from weighbridge.report.safe_text import count_noun, visible

_BETWEEN = "\N{BOX DRAWINGS LIGHT VERTICAL}"
_STOP = "\N{BLACK SQUARE FOR STOP}"
_LINE = "\N{DOWNWARDS ARROW WITH CORNER LEFTWARDS}"
_OPEN, _CLOSE = "[[", "]]"
_READ, _LEARNT, _STOPS, _EDGE = "dim", "green", "bold red reverse", "bright_black"
_HEAD, _TAIL = 24, 40
"""Tokens of a long prompt, and of a long answer, that are shown of its beginning and of its end."""
_STYLES = {"error": "bold red", "warning": "yellow"}


def render_lint(lint: Linted) -> RenderableType:
    """Return a lint for a terminal: the learnt tokens, a legend, then errors, then warnings."""
    return Group(*_texts(lint))


def _texts(lint: Linted) -> Iterator[Text]:
    if lint.rows:
        yield Text("What is learnt, token by token:", style="bold")
        yield from map(_conversation_line, lint.rows)
        yield _legend()
    for severity, style in _STYLES.items():
        for finding in lint.findings:
            if finding.severity == severity:
                line = Text("  ").append(severity, style)
                yield line.append(f": {visible(finding.message)}")


def _conversation_line(row: LintRow) -> Text:
    prompt = [token for token in row.tokens if not token.trained]
    learnt = [token for token in row.tokens if token.trained]
    stop = "" if any(token.stop for token in learnt) else "; no token stops it"
    line = Text(f"  {visible(row.example_id)}: ")
    line.append_text(_join_tokens(prompt)).append(_OPEN, "bold").append_text(_join_tokens(learnt)).append(
        _CLOSE, "bold"
    )
    return line.append(f"  ({len(learnt):,} of {count_noun(len(row.tokens), 'token')} learnt{stop})")


def _join_tokens(tokens: Sequence[LintToken]) -> Text:
    """Join tokens with a mark between them; the middle of many is left out, and how many they are is said."""
    if (left := len(tokens) - _HEAD - _TAIL) <= 1:
        return _mark_tokens(tokens)
    line = _mark_tokens(tokens[:_HEAD])
    line.append(f" \N{HORIZONTAL ELLIPSIS} {left:,} tokens left out \N{HORIZONTAL ELLIPSIS} ", "italic")
    return line.append_text(_mark_tokens(tokens[-_TAIL:]))


def _mark_tokens(tokens: Sequence[LintToken]) -> Text:
    line = Text()
    for place, token in enumerate(tokens):
        line.append(_BETWEEN if place else "", _EDGE).append_text(_token(token))
    return line


def _token(token: LintToken) -> Text:
    text = visible(token.text.replace("\n", _LINE))
    return Text(f"{text}{_STOP}" if token.stop else text, _STOPS if token.stop else _LEARNT if token.trained else _READ)


def _legend() -> Text:
    line = Text("  ").append("read", _READ).append(f" {_BETWEEN} ", _EDGE).append(_OPEN, "bold")
    line.append("learnt", _LEARNT).append(f" {_BETWEEN} ", _EDGE).append(f"stops the answer{_STOP}", _STOPS)
    return line.append(_CLOSE, "bold").append(f"   {_BETWEEN} parts tokens, {_LINE} is a new line", _EDGE)
