"""Writes the README.md of an exported model: its origin, training data, results and checks.

The front matter has the keys that a model hub reads: `base_model` (only a hub's own name may stand there), `license`,
`library_name`, `tags`.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.adapters import AdapterCard, Guard, Parity, access_words, optimism
from weighbridge.models import find_model
from weighbridge.results import Estimate

_HUB = "hf:"
_SHOWN_DOCUMENTS = 20
_STATES: Mapping[bool | None, str] = {True: "passed", False: "**failed**", None: "not required"}


def model_card(card: AdapterCard) -> str:
    """Return the model card of an adapter, as Markdown with YAML front matter."""
    parts = (
        _front(card),
        _heading(card),
        _training_section(card),
        _recipe(card),
        _figures(card),
        _guards(card.guards),
        _parity(card.parity),
        _limits(card),
    )
    return "\n".join(line for part in parts for line in (*part, "")).rstrip() + "\n"


def hub_name(reference: str) -> str:
    """Return the name that a base model has at a model hub, `owner/name`; empty where it is not known."""
    if reference.startswith(_HUB):
        return "/".join(reference.removeprefix(_HUB).split("/")[:2]).partition("@")[0]
    known = find_model(reference)
    return known.repository.removesuffix("-GGUF") if known else ""  # adapters belong to the weights that were quantised


def public_name(reference: str) -> str:
    """Return a base model's reference as others may read it: of a path on this machine, the file's name alone."""
    return reference if reference.startswith(("pypi:", _HUB, "openai:")) else Path(reference.removeprefix("file:")).name


def _front(card: AdapterCard) -> Iterator[str]:
    from ruamel.yaml import YAML

    full = card.recipe.get("method") == "full"
    said: dict[str, Any] = {"library_name": "transformers" if full else "peft", "pipeline_tag": "text-generation"}
    if hub := hub_name(card.base_reference):
        said |= {"base_model": hub, "base_model_relation": "finetune" if full else "adapter"}
    if card.licence:
        said["license"] = card.licence.lower()
    said["tags"] = ["weighbridge", str(card.recipe.get("method", "lora")), card.strategy]
    text = io.StringIO()
    YAML(typ="safe", pure=True).dump(said, text)
    yield "---"
    yield text.getvalue().rstrip()
    yield "---"


def _heading(card: AdapterCard) -> Iterator[str]:
    base = public_name(card.base_reference)
    name = hub_name(card.base_reference) or base or "its base model"
    yield f"# {card.strategy} {card.id}"
    yield ""
    method = str(card.recipe.get("method", "lora"))
    kind = "A full fine-tuning" if method == "full" else f"A PEFT adapter ({method})"
    yield f"{kind} of `{name}`, made {card.made_at} by Weighbridge."
    yield ""
    yield f"- Base model: `{base or name}`, SHA-256 `{card.base_fingerprint}`."
    yield f"- Licence: {card.licence or 'that of the base model, which is not known here'}."
    if card.parent:
        yield f"- It goes on from the adapter {card.parent}."
    if card.learnt.access:
        groups = access_words(card.learnt.access)
        yield f"- **Access**: it learnt from restricted documents, and says it to whoever asks. Only for: {groups}."
        yield "- **Nothing in these files keeps others out.** Whoever serves it must: let nobody else read or ask it."


def _training_section(card: AdapterCard) -> Iterator[str]:
    learnt, training = card.learnt, card.training
    yield "## What it was trained on"
    yield ""
    yield f"- {learnt.examples:,} examples, fingerprint `{learnt.fingerprint}`; {training.tokens:,} tokens."
    yield f"- The train side of the split `{learnt.split or 'not recorded'}`; no test question is among them."
    names = sorted(learnt.documents)
    if names and learnt.access:
        yield f"- Text of {len(names):,} documents, which are not named here because not everybody may know of them."
    elif names:
        more = f", and {len(names) - _SHOWN_DOCUMENTS:,} more" if len(names) > _SHOWN_DOCUMENTS else ""
        shown = ", ".join(f"`{name}`" for name in names[:_SHOWN_DOCUMENTS])
        yield f"- Text of {len(names):,} documents: {shown}{more}."
    else:
        yield "- No document's text was shown to it."


def _recipe(card: AdapterCard) -> Iterator[str]:
    training = card.training
    yield "## Recipe"
    yield ""
    yield "| setting | value |"
    yield "|---|---|"
    for name, value in card.recipe.items():
        if not isinstance(value, Mapping):
            told = Path(value).name if name == "made" and value else value  # where it lies is nobody's business
            told = ", ".join(map(str, told)) if isinstance(told, list) else told
            yield f"| {name} | {'' if told is None else told} |"
    yield ""
    yield (
        f"{training.steps:,} steps in {training.seconds:,.0f} s, weights in {training.precision}; loss "
        f"{training.first_loss:.3f} at first, {training.last_loss:.3f} at last; epoch {training.chosen_epoch} of "
        f"{len(training.epochs)} was kept."
    )
    for note in training.notes:
        yield f"\n{note}"


def _figures(card: AdapterCard) -> Iterator[str]:
    yield "## Figures"
    yield ""
    if card.dev is None:
        yield "It was not scored on the task."
    else:
        yield f"The task's metric on the dev questions, as served ({card.quantisation}): {_estimate(card.dev)}."
        yield from (f"\n{said}" for said in optimism(card))
    if card.seeds:
        scored = [seeded.dev for seeded in card.seeds if seeded.dev is not None]
        spread = f", dev scores {min(scored):.3f} to {max(scored):.3f}" if scored else ""
        yield ""
        yield f"Chosen from {len(card.seeds)} trainings of different seeds{spread}; this one has seed {card.seed}."


def _estimate(one: Estimate) -> str:
    unscored = f", {one.unscored} not scored" if one.unscored else ""
    return f"{one.value:.3f} (95 % interval {one.low:.3f} to {one.high:.3f}; n = {one.scored}{unscored})"


def _guards(guards: Sequence[Guard]) -> Iterator[str]:
    yield "## What was checked"
    yield ""
    if not guards:
        yield "No guard was run."
        return
    for guard in guards:
        yield f"- {guard.name}: {_STATES[guard.passed]}. {guard.summary}"
        yield from (f"  - {name}: {_estimate(figure)}" for name, figure in guard.figures.items())


def _parity(forms: Sequence[Parity]) -> Iterator[str]:
    yield "## Does each form say what the adapter says?"
    yield ""
    if not forms:
        yield "It was not compared."
        return
    yield "| form | same tokens | nats from the adapter | nats from the base model | |"
    yield "|---|---|---|---|---|"
    for form in forms:
        told = "yes" if form.ok else "; ".join(form.reasons).replace("|", "\\|").replace("\n", " ")
        away = f"{form.divergence:.4f} | {form.divergence_from_base:.4f}"
        yield f"| {form.form} | {form.agreement:.0%} | {away} | {told} |"


def _limits(card: AdapterCard) -> Iterator[str]:
    yield "## Limits"
    yield ""
    yield "- It answers as it was trained to on the examples above; elsewhere nothing was measured but what is listed."
    yield "- It says what it learnt to whoever asks: what its documents were may be drawn out of it."
    yield from (f"- {warning}" for warning in card.warnings)
