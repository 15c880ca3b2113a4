"""The adapters of a workspace: each in a folder of its own, and of every strategy one that is promoted.

`promoted.json` beside the adapters' folders holds the ids that were promoted, in order, the last one being in force,
and whether a person chose it: a chosen one is used whatever the settings say, until the next training. What was
found to be the best of several is used as long as data and settings are those it was found for. The tuned models of
the search have such a file each, too.
"""

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from weighbridge.adapters import AdapterCard
from weighbridge.arms import find_arm, strategy_of
from weighbridge.errors import TrainingError, UserError, WorkspaceError
from weighbridge.train.card import read_adapter_card, write_adapter_card
from weighbridge.workspace import Workspace, load_json, write_json

_RECORD = "promoted.json"


@dataclass(frozen=True, slots=True)
class Promotions:
    """The promoted adapters of one strategy, oldest first, and whether a person chose the last one."""

    history: tuple[str, ...] = ()
    chosen: bool = False
    found_for: str = ""
    """Fingerprint of the data and settings of several trainings, if it was the best of them."""


def adapters(workspace: Workspace, strategy: str) -> tuple[AdapterCard, ...]:
    """Return the finished adapters of a strategy, oldest first."""
    folder = workspace.adapters(strategy)
    cards = (read_adapter_card(path) for path in sorted(folder.iterdir()) if path.is_dir()) if folder.is_dir() else ()
    return tuple(sorted((card for card in cards if card), key=lambda card: (card.made_at, card.id)))


def strategies(workspace: Workspace) -> tuple[str, ...]:
    """Return the strategies that have adapters, in the order of their names."""
    folder = workspace.state / "adapters"
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir())) if folder.is_dir() else ()


def find_adapter(workspace: Workspace, name: str) -> AdapterCard:
    """Return the adapter with an id that begins with `name`; for a strategy's name, the promoted one.

    Raises:
        UserError: none has, or several have.
    """
    known = [card for strategy in strategies(workspace) for card in adapters(workspace, strategy)]
    if any(name in (card.strategy, strategy_of(card.strategy)) for card in known):
        arm = strategy_with_adapters(workspace, name)
        if card := promoted_adapter(workspace, arm):
            return card
        own = ", ".join(card.id for card in known if card.strategy == arm)
        raise UserError(f"no adapter of {arm} serves; name one by its id: {own}")
    if len(fitting := [card for card in known if card.id.startswith(name)]) == 1:
        return fitting[0]
    told = ", ".join(f"{card.id} ({card.strategy})" for card in fitting or known) or "none; run: weighbridge train"
    raise UserError(f"'{name}' names {'several adapters' if fitting else 'no adapter'} of this workspace: {told}")


def strategy_with_adapters(workspace: Workspace, name: str) -> str:
    """Return the arm with adapters that a name stands for; a strategy alone is enough where one base model has it.

    Raises:
        UserError: it has no adapters, or has some on several base models.
    """
    there = strategies(workspace)
    unknown = f"'{name}' has no adapters here; strategies that have: {', '.join(there) or 'none'}"
    return find_arm(name, there, unknown=unknown)


def adopt_adapter(workspace: Workspace, arm: str, name: str) -> None:
    """Take over an adapter of the same strategy under another name: from before, or after, `models:` was set.

    The id says that base model, data and settings are the same. Files are linked where the file system allows it.
    """
    folder = workspace.adapter(arm, name)
    if read_adapter_card(folder) is not None:
        return
    for other in workspace.same_strategy(workspace.adapters(arm)):
        card = read_adapter_card(other / name)
        if card is not None:
            without_card = shutil.ignore_patterns("card.json")
            shutil.copytree(other / name, folder, copy_function=_link, dirs_exist_ok=True, ignore=without_card)
            write_adapter_card(replace(card, strategy=arm), folder)  # last: a card says that the folder is complete
            return


def _link(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)


def promotions(workspace: Workspace, kind: str) -> Promotions:
    """Return the promoted adapters of a strategy, or the promoted models of the search."""
    kept: Any = load_json(workspace.adapters(kind) / _RECORD)
    if not kept:
        return Promotions()
    return Promotions(tuple(kept["history"]), bool(kept["chosen"]), kept.get("found_for", ""))


def promoted_adapter(workspace: Workspace, strategy: str) -> AdapterCard | None:
    """Return the adapter that a strategy answers with; None where none is promoted, or it is gone.

    One that was exported anew since, and then said something else than the adapter, is not in force any more.
    """
    history = promotions(workspace, strategy).history
    return _fit(workspace, strategy, history[-1]) if history else None


def _fit(workspace: Workspace, strategy: str, name: str) -> AdapterCard | None:
    card = read_adapter_card(workspace.adapter(strategy, name))
    return card if card and card.promotable else None


def record_promotion(workspace: Workspace, card: AdapterCard, *, chosen: bool, found_for: str = "") -> None:
    """Put an adapter in force; `chosen` where a person did, `found_for` as in `Promotions`.

    Raises:
        TrainingError: a form of it that was compared says something else than the adapter.
    """
    if parted := [f"{parity.form}: {'; '.join(parity.reasons)}" for parity in card.differing_forms]:
        raise TrainingError(
            f"{card.id} ({card.strategy}) cannot be promoted: what would be served differs from the adapter. "
            f"{' | '.join(parted)}. Try model.quantisation: F16, or train again"
        )
    put_in_force(workspace, card.strategy, card.id, chosen=chosen, found_for=found_for)


def put_in_force(workspace: Workspace, kind: str, name: str, *, chosen: bool = False, found_for: str = "") -> None:
    """Write down that an adapter of a strategy, or a tuned model of the search, is in force from now on."""
    history = promotions(workspace, kind).history
    after = history if history[-1:] == (name,) else (*history, name)
    write_promotions(workspace, kind, Promotions(after, chosen, found_for))


def undo_promotion(workspace: Workspace, strategy: str) -> AdapterCard:
    """Put the adapter in force that was before the present one, and return it.

    Raises:
        WorkspaceError: there is no earlier one.
    """
    history = promotions_before(workspace, strategy, lambda name: _fit(workspace, strategy, name) is not None)
    card = _fit(workspace, strategy, history[-1]) if history else None
    if card is None:
        raise WorkspaceError(
            f"{workspace.adapters(strategy)}: {strategy} has no earlier adapter to go back to; "
            "list them with: weighbridge models list"
        )
    write_promotions(workspace, strategy, Promotions(history, chosen=True))
    return card


def promotions_before(workspace: Workspace, kind: str, is_usable: Callable[[str], bool]) -> tuple[str, ...]:
    """Return the ids promoted before the one in force, up to the newest that is still usable."""
    history = promotions(workspace, kind).history[:-1]
    while history and not is_usable(history[-1]):
        history = history[:-1]
    return history


def write_promotions(workspace: Workspace, kind: str, promotions: Promotions) -> None:
    """Write `promoted.json` of a strategy, or of a model of the search."""
    write_json(workspace.adapters(kind) / _RECORD, asdict(promotions))


def folder_of(workspace: Workspace, card: AdapterCard) -> Path:
    """Return where an adapter lies."""
    return workspace.adapter(card.strategy, card.id)
