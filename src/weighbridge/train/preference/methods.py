"""DPO, KTO and ORPO as a table: the data of each, and TRL's trainer of it, fed with our own tokens.

DPO: Rafailov et al., 2023. KTO: Ethayarajh et al., 2024. ORPO: Hong, Lee and Thorne, 2024.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.train.data.preferences import PreferencePair, Thumb
from weighbridge.train.data.tokens import IGNORED, Encoded

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Compared:
    """A pair's tokens, or a thumb's: of a thumb `worse` is None."""

    better: Encoded
    worse: Encoded | None
    up: bool

    @property
    def tokens(self) -> int:
        """The tokens of both answers, each with its prompt."""
        return len(self.better.tokens) + (len(self.worse.tokens) if self.worse else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One method: its data and its trainer."""

    learns: type[PreferencePair] | type[Thumb]
    least: int
    """Rows that must be run through the model together."""
    rows: Callable[[Sequence[Compared], int], Rows]
    """Turns lessons, in their order, into the trainer's rows; the number is the size of a forward pass."""
    trainer: Callable[[], Any]
    """TRL's trainer, made to take rows of tokens as they are."""
    arguments: Callable[[Sequence[Compared], Mapping[str, Any]], Any]
    """TRL's arguments, of those that all methods share."""


def _halves(one: Compared) -> tuple[list[int], list[int], list[int]]:
    """Return the prompt, the better answer and the worse one; the prompt ends where the first of the two parts."""
    worse = one.worse or one.better
    start = min(one.better.start, worse.start)
    return list(one.better.tokens[:start]), list(one.better.tokens[start:]), list(worse.tokens[start:])


def _dpo_rows(compared: Sequence[Compared], _at_once: int) -> Rows:
    cut = map(_halves, compared)
    return [{"prompt_ids": asked, "chosen_ids": chosen, "rejected_ids": other} for asked, chosen, other in cut]


def _kto_rows(compared: Sequence[Compared], at_once: int) -> Rows:
    """Pair each answer with the one before it in its batch: KTO estimates its reference point from the pairs."""
    halves = [_halves(one)[:2] for one in compared]
    rows = []
    for begin in range(0, len(halves), at_once):
        batch = halves[begin : begin + at_once]
        for number, (prompt, answer) in enumerate(batch):
            mismatched = batch[number - 1][1]
            liked = compared[begin + number].up
            rows.append(
                {"prompt_ids": prompt, "completion_ids": answer, "KL_completion_ids": mismatched, "label": liked}
            )
    return rows


def _orpo_rows(compared: Sequence[Compared], _at_once: int) -> Rows:
    rows = []
    for prompt, chosen, rejected in map(_halves, compared):
        row: dict[str, Any] = {"prompt_input_ids": prompt, "prompt_attention_mask": [1] * len(prompt)}
        for name, answer in (("chosen", chosen), ("rejected", rejected)):
            row[f"{name}_input_ids"] = prompt + answer
            row[f"{name}_attention_mask"] = [1] * len(prompt + answer)
            row[f"{name}_labels"] = [IGNORED] * len(prompt) + answer
        rows.append(row)
    return rows


def _dpo_trainer() -> Any:
    from trl import DPOTrainer

    class Dpo(DPOTrainer):  # type: ignore[misc] # trl is untyped
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    return Dpo


def _kto_trainer() -> Any:
    from trl import KTOTrainer

    class Kto(KTOTrainer):  # type: ignore[misc] # trl is untyped
        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    return Kto


def _orpo_trainer() -> Any:
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.orpo import ORPOTrainer

    class Orpo(ORPOTrainer):  # type: ignore[misc] # trl is untyped
        def tokenize_row(self, feature: Any, model: Any = None) -> Any:
            return feature

    return Orpo


def _dpo_arguments(_compared: Sequence[Compared], shared: Mapping[str, Any]) -> Any:
    from trl import DPOConfig

    return DPOConfig(max_length=None, **shared)


def _kto_arguments(compared: Sequence[Compared], shared: Mapping[str, Any]) -> Any:
    """Weigh liked and disliked answers so that they count alike: the low end of equation 8 of the paper's range."""
    from trl import KTOConfig

    liked = sum(one.up for one in compared)
    ratio = liked / (len(compared) - liked)
    return KTOConfig(
        max_length=None,
        train_sampling_strategy="sequential",
        desirable_weight=max(1.0, 1 / ratio),
        undesirable_weight=max(1.0, ratio),
        **shared,
    )


def _orpo_arguments(compared: Sequence[Compared], shared: Mapping[str, Any]) -> Any:
    os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")
    from trl.experimental.orpo import ORPOConfig

    return ORPOConfig(max_length=max(one.tokens for one in compared), remove_unused_columns=False, **shared)


METHODS: Mapping[str, Method] = {
    "dpo": Method(learns=PreferencePair, least=1, rows=_dpo_rows, trainer=_dpo_trainer, arguments=_dpo_arguments),
    "kto": Method(learns=Thumb, least=2, rows=_kto_rows, trainer=_kto_trainer, arguments=_kto_arguments),
    "orpo": Method(learns=PreferencePair, least=1, rows=_orpo_rows, trainer=_orpo_trainer, arguments=_orpo_arguments),
}
