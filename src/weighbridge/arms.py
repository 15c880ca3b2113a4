"""The names of arms: `rag`, or `rag@small` where a workspace weighs its strategies on several base models."""

import re
from collections.abc import Iterable, Mapping, Sequence

from weighbridge.errors import UserError

_BETWEEN = "@"
BASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", re.ASCII)
"""The names of base models. They stand in the names of files and folders, so they are short and plain."""


def strategy_of(arm: str) -> str:
    """Return the strategy of an arm: `rag` for `rag@small`, and for `rag`."""
    return arm.partition(_BETWEEN)[0]


def base_of(arm: str) -> str:
    """Return the name of an arm's base model: `small` for `rag@small`; empty for `rag`."""
    return arm.partition(_BETWEEN)[2]


def arm_on(strategy: str, base: str) -> str:
    """Return the arm of a strategy on a base model; without a name of one, the strategy alone."""
    return f"{strategy}{_BETWEEN}{base}" if base else strategy


def short_name(reference: str) -> str:
    """Return the name of a model by its reference: the last part, without a revision and without .gguf.

    `hf:owner/small@main` and `file:models/small.gguf` are both `small`; `qwen2.5:7b` of Ollama is `qwen2.5-7b`.
    """
    path = re.sub(r"^(pypi|hf|file|openai):", "", reference).replace("\\", "/").rstrip("/")
    last = path.rpartition("/")[2].partition("@")[0].removesuffix(".gguf")
    return re.sub(r"[^A-Za-z0-9._-]+", "-", last).strip("-._")[:40]


def find_arm(name: str, arms: Sequence[str], *, unknown: str = "") -> str:
    """Return the arm with a name. A strategy alone is enough where it runs on one base model.

    Args:
        name: the name of an arm, or of a strategy.
        arms: the arms to choose from.
        unknown: the sentence for a name of none of them; by default, that it is no strategy of the workspace.

    Raises:
        UserError: there is no such arm, or the strategy runs on several base models.
    """
    if name in arms:
        return name
    fitting = [arm for arm in arms if strategy_of(arm) == name]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UserError(f"'{name}' runs on {len(fitting)} base models here; name one: {', '.join(fitting)}")
    raise UserError(unknown or f"'{name}' is not one of this workspace's strategies: {', '.join(arms)}")


def bases_of(arms: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the base models of some arms, in their order; one empty name where there is one model."""
    return tuple(dict.fromkeys(base_of(arm) for arm in arms))


def words_for_each(words: Mapping[str, str]) -> str:
    """Return words about each base model as one text, `tiny: F16; small: Q8_0`; once where all have the same."""
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    return "; ".join(told if told == base else f"{base}: {told}" for base, told in words.items())


def words_about(base: str, text: str) -> str:
    """Return the words about one base model in a text of `words_for_each`; the whole text where it does not tell."""
    parts = {part.partition(": ")[0]: part.partition(": ")[2] or part for part in text.split("; ")}
    return parts.get(base, text) if base else text


def write_arms(sentence: str, arms: Iterable[str]) -> str:
    """Return a sentence with these arms as people name them: `rag on small` for `rag@small`."""
    names = sorted((arm for arm in arms if _BETWEEN in arm), key=len, reverse=True)  # a longer one may hold a shorter
    if not names:
        return sentence
    # Not within a path or a longer name; a full stop after a name ends the sentence.
    pattern = rf"(?<![\w@/.-])(?:{'|'.join(map(re.escape, names))})(?![\w@/-]|\.\w)"
    return re.sub(pattern, lambda found: write_arm(found[0]), sentence)


def write_arm(arm: str) -> str:
    """Return the name of an arm for a sentence: `rag on small` for `rag@small`."""
    strategy, between, base = arm.partition(_BETWEEN)
    return f"{strategy} on {base}" if between else strategy
