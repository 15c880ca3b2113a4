"""The nouns of a tuned adapter: its training, its checks and its card. Reports see these."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from weighbridge.results import Estimate

GuardName = Literal["forgetting", "refusals", "paraphrases", "repetition", "learning curve", "serving speed"]
Access = tuple[frozenset[str], ...]
"""Of each of these sets an asker must have a group; without any, everybody is admitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochScore:
    """One pass over the training examples: its mean loss, and the dev score after it (None: there was none)."""

    epoch: int
    loss: float
    dev: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """The course of a training."""

    epochs: tuple[EpochScore, ...]
    chosen_epoch: int
    """The epoch of the kept weights, from 1."""
    examples: int
    tokens: int
    """Tokens of all examples; a prefix shared by several examples counts once for each."""
    steps: int
    seconds: float
    """Loading the model, all steps and the scoring of epochs. If a training was killed, the
    steps after its last checkpoint are not counted."""
    first_loss: float
    last_loss: float
    precision: str
    notes: tuple[str, ...] = ()
    """Notes for the owner: a batch halved for want of memory, an early stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How well one form of a tuned model agrees with the adapter it was made from."""

    form: str
    """The compared form: `merged`, `adapter F16`, `GGUF Q8_0`, `endpoint Q8_0`."""
    ok: bool
    reasons: tuple[str, ...]
    """Why it is not ok, and where the two parted; empty where it is."""
    changed: bool
    """Whether the adapter gives any of the prompts another answer than the base model."""
    prompts: int
    identical: float
    """Share of the prompts that both answer with the same tokens."""
    agreement: float
    """Share of the tokens this form chose that the adapter would have chosen there."""
    common_prefix: float
    """Mean tokens before the first disagreement, or to the end of the answer."""
    divergence: float
    """Mean over the places of the Kullback-Leibler divergence, in nats, over this form's ten likeliest tokens."""
    divergence_from_base: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """One check for a regression after tuning, measured on this adapter against its base model."""

    name: GuardName
    passed: bool | None
    """None if nothing is required, or if there was nothing to measure on; `summary` gives the reason."""
    summary: str
    """One sentence with its figures and, after a failure, advice."""
    figures: Mapping[str, Estimate]
    """By name, such as "base", "tuned", "difference"."""
    shown: tuple[str, ...] = ()
    """A few cases in words, worst first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """One of several trainings that differ in nothing but their seed."""

    id: str
    seed: int
    dev: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Learnt:
    """The training data of an adapter. The examples themselves are in `examples.jsonl`, one `Lesson` a line."""

    fingerprint: str
    """Of all conversations, in order."""
    split: str
    """Fingerprint of the split the examples are the train side of."""
    examples: int
    documents: Mapping[str, str]
    """The version (`Chunk.version`) of each document shown in training, by its id."""
    search: Mapping[str, str] = field(default_factory=dict)
    """How the passages of its prompts were found: the models' weights and the settings of the search, by name. Empty
    where it reads none, or was trained before this was noted."""
    access: Access = ()
    """Who may be answered by this adapter, inherited from all it learnt from: see `inherit_access`."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document that a lesson rests on."""

    document_id: str
    start: int
    end: int
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """One training item: its example, and its places in the documents."""

    example_id: str
    question: str = ""
    """The question after the earlier turns of its asker. Empty for a stretch of text, and for older adapters."""
    target: str
    spans: tuple[Span, ...]
    """The passages its prompt showed, or the spans it was made from."""
    evidence: tuple[str, ...] = ()
    """The documents that prove its answer, by id."""
    access: Access = ()
    """Who may see it: the readers of all that its prompt showed, and its asker's own groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdapterCard:
    """A finished tuning; `adapter` and `gguf` are names inside the card's folder."""

    id: str
    """Its folder's name: the first 12 hex digits of the fingerprint."""
    strategy: str
    fingerprint: str
    """Of the base model, the conversations and the recipe."""
    made_at: str
    """ISO 8601, UTC."""
    base_reference: str
    base_fingerprint: str
    licence: str
    """The licence of the base model, inherited by the tuned one; empty if it is not known."""
    recipe: Mapping[str, Any]
    """The training settings, by name."""
    learnt: Learnt
    training: Training
    dev: Estimate | None
    """The task metric on the dev questions, as the served form answers them."""
    parity: tuple[Parity, ...]
    """The form that is served comes first."""
    seconds: float
    """Seconds of training and exporting, over all processes that worked on it. Checks are not included."""
    quantisation: str
    warnings: tuple[str, ...]
    guards: tuple[Guard, ...] = ()
    seeds: tuple[Seeded, ...] = ()
    """The trainings it was chosen from; empty where it was the only one."""
    searched: int = 0
    """The settings that were raced on the dev questions before these were taken; 0: they were given."""
    parent: str = ""
    """The id of the adapter it goes on from; empty where it began with the base model."""
    adapter: str = "adapter"
    gguf: str = "model.gguf"
    """Empty where the method cannot be merged."""
    hosted: str = ""
    """The tuned model's name at its endpoint; then there is neither an adapter nor a GGUF."""

    @property
    def seed(self) -> int:
        return int(self.recipe["seed"])

    @property
    def chosen_on_dev(self) -> tuple[str, ...]:
        """The choices made on the dev questions, in words. If there are any, its dev score is too good.

        The choices made for the adapter that it continues count too.
        """
        scored = sum(epoch.dev is not None for epoch in self.training.epochs)
        if self.parent:
            scored = int(self.recipe.get("epochs", 1))
        picked = (("settings", self.searched), ("seed", len(self.seeds) > 1), ("epoch", scored > 1))
        return tuple(f"the {name}" for name, chosen in picked if chosen)

    @property
    def differing_forms(self) -> tuple[Parity, ...]:
        """The forms that say something else than the adapter, and may therefore not be served.

        A GGUF of another quantisation than the one that is served is not among them: it cannot be exported, but it
        stands in nobody's way.
        """
        others = {f"GGUF {name}" for name in ("F16", "BF16", "Q8_0", "Q4_0") if name != self.quantisation}
        return tuple(parity for parity in self.parity if not parity.ok and parity.form not in others)

    @property
    def promotable(self) -> bool:
        """Whether the served form answers like the adapter."""
        return not self.differing_forms


def inherit_access(sets: Iterable[frozenset[str]]) -> Access:
    """Return the access label of an adapter trained on documents with these groups: askers who may see them all.

    The label is the shortest one: public documents add nothing, and a set is implied by each of its subsets.
    """
    distinct = {one for one in sets if one}
    least = (one for one in distinct if not any(other < one for other in distinct))
    return tuple(sorted(least, key=sorted))


def admits(access: Access, groups: frozenset[str]) -> bool:
    """Tell whether an asker of these groups may hear an adapter with this label."""
    return all(one & groups for one in access)


def access_words(access: Access) -> str:
    """Describe the groups of a label: "everybody", or like "finance and (board or people)"."""
    told = [" or ".join(sorted(one)) for one in access]
    return " and ".join(f"({words})" if " or " in words and len(told) > 1 else words for words in told) or "everybody"


def optimism(card: AdapterCard) -> tuple[str, ...]:
    """Return, in one sentence, why the dev score of a card is better than it should be; nothing where it is not."""
    if card.dev is None or not card.dev.value or not (chosen := card.chosen_on_dev):
        return ()
    listed = chosen[0] if len(chosen) == 1 else f"{', '.join(chosen[:-1])} and {chosen[-1]}"
    told = f"The dev questions also chose {listed}, so expect a lower score than theirs on others"
    return (f"{told}; the one to quote is on the test questions, from weighbridge compare.",)
