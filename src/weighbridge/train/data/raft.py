"""The passages a tuned reader is trained on: RAFT as published, with distractors from the workload's own retriever.

Zhang et al., "RAFT: Adapting Language Model to Domain Specific RAG", 2024: a share of the examples shows the golden
passages among distractors, the others distractors alone.
"""

from collections.abc import Sequence
from random import Random

from weighbridge.answer.composed import Composed
from weighbridge.answer.quote import answer_words
from weighbridge.fingerprint import fingerprint
from weighbridge.settings.training import RaftSettings
from weighbridge.types import Example, Passage, Prompt

AS_RETRIEVED = RaftSettings()
"""Trains on the prompts that the strategy sends, and on nothing else."""

_DEPTHS = (20, 100)
"""How deep to search for evidence and distractors; the second only where the first was not deep enough."""
_BITS = 64
"""Of a fingerprint."""


def raft_prompt(strategy: Composed, example: Example, *, raft: RaftSettings, seed: int) -> Prompt:
    """Return the prompt to train a strategy on for one example.

    It is the strategy's own, unless the example's evidence is withheld or distractors are asked for. Then:

    - evidence withheld: other passages only, as many as there would be with it, so that their number tells nothing;
    - else: of each evidence document its golden passage, and `raft.distractors` others, in an order drawn with `seed`.
      Evidence that a deep search does not find counts as withheld.

    A passage of an evidence document, or one that holds the answer by itself, is no distractor. An answerable example
    that names no evidence is left as it is: nothing tells its golden passage.
    """
    if not strategy.instructions.reads or (example.answerable and not example.evidence):
        return strategy.prompt_for(example.question)
    withheld = example.answerable and is_withheld(example.id, raft.withheld, seed)
    if not (withheld or raft.distractors):
        return strategy.prompt_for(example.question)
    wanted = raft.distractors + max(1, len(example.evidence)) if raft.distractors else strategy.limit
    golden, others = _search_distractors(strategy, example, wanted)
    shown = [] if withheld else golden
    passages = [*shown, *others[: raft.distractors if shown else wanted]]
    if raft.distractors:
        Random(_hash(seed, "order", example.id)).shuffle(passages)  # noqa: S311 - an order, not a secret
    return strategy.prompt_with(example.question, passages)


def is_withheld(example_id: str, share: float, seed: int) -> bool:
    """Tell whether the evidence of an example is withheld. A hash decides, so the choice is stable.

    An example that is withheld at one share is withheld at every larger one too.
    """
    return _hash(seed, "withheld", example_id) < share * (1 << _BITS)


def _hash(*parts: object) -> int:
    return int(fingerprint(*parts), 16)


def _search_distractors(
    strategy: Composed, example: Example, wanted: int
) -> tuple[Sequence[Passage], Sequence[Passage]]:
    """Return the golden passages and the distractors, best first.

    The search goes deeper for `wanted` distractors, for all evidence, and for a passage that holds an answer.
    """
    golden: Sequence[Passage] = ()
    others: Sequence[Passage] = ()
    for depth in _DEPTHS:
        limit = max(depth, strategy.limit, 2 * wanted)
        found = strategy.retriever.search(example.question, limit=limit)
        golden = _golden(found, example)
        others = [passage for passage in found if not _proves(passage, strategy, example)]
        proven = {name for passage in golden for name in passage.documents}
        complete = proven.issuperset(_evidence(example)) and len(others) >= wanted
        if len(found) < limit or (complete and (not golden or any(_holds(each, example) for each in golden))):
            break
    return golden, others


def _evidence(example: Example) -> Sequence[str]:
    return tuple(dict.fromkeys(example.evidence)) if example.answerable else ()


def _golden(found: Sequence[Passage], example: Example) -> list[Passage]:
    """Return of each evidence document the best passage that holds an answer, else its best."""
    golden: dict[str, Passage] = {}
    for document in _evidence(example):
        own = [passage for passage in found if document in passage.documents]
        best = ([passage for passage in own if _holds(passage, example)] or own)[:1]
        golden.update((passage.chunk.id, passage) for passage in best)
    return list(golden.values())


def _proves(passage: Passage, strategy: Composed, example: Example) -> bool:
    """Tell whether a passage may prove the answer. A label is not proved by passages."""
    if not set(passage.documents).isdisjoint(_evidence(example)):
        return True
    return strategy.instructions.abstains and _holds(passage, example, telling=True)


def _holds(passage: Passage, example: Example, *, telling: bool = False) -> bool:
    """Tell whether any of the answers stands in a passage, with `telling` only such as stand nowhere by chance."""
    words = map(answer_words, example.answers)
    return any(one.find(passage.chunk.text) for one in words if one.is_telling or not telling)
