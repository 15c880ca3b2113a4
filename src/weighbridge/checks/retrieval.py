"""Whether a tuned embedder or reranker is kept: the whole search as served, before and after, on the same questions.

A tuned model is kept only if nDCG@10 is better with confidence: the lower end of the 95 % paired bootstrap interval of
the difference is above 0, and the sign-flip test agrees at 5 %, because the interval is too narrow where only a few
questions moved (+0.008 [+0.001, +0.035] with p = 0.18 was seen). Otherwise it is reverted. Questions of one family ask
for the same thing and count as one.

Does not know: families that are alike for another reason, such as a document that many of them ask about; then the
true uncertainty is larger than stated.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from weighbridge.evaluate.ranking import ndcg
from weighbridge.evaluate.statistics import SHARE, PairedTest, compare_pairs, mean_interval
from weighbridge.protocols import Notify, Retriever, silent
from weighbridge.results import Estimate
from weighbridge.types import Example, Progress

FEWEST = 20
"""Fewer families than this decide nothing."""
_SIGNIFICANT = 0.05
"""The same level as that of the intervals."""
DEPTH = 20
"""Passages searched for; a document stands where its best passage does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalVerdict:
    """The verdict on a tuned search with its figures; each estimate is of families of questions."""

    kept: bool
    sentence: str
    questions: int
    k: int
    """Passages a strategy is shown."""
    before: Estimate | None
    """nDCG@10 of the documents that prove the answers; None, as all others, where there is no question to ask."""
    after: Estimate | None
    difference: Estimate | None
    """After minus before, paired."""
    p_value: float | None
    hits_before: Estimate | None
    """Share with evidence among the documents of the first k passages."""
    hits_after: Estimate | None


@dataclass(frozen=True, slots=True)
class _Asked:
    questions: int
    k: int


@dataclass(frozen=True, slots=True)
class Found:
    """The figures of a search, by the key of the family."""

    ndcg: Mapping[str, float]
    hits: Mapping[str, float]


def judge_retrieval(
    before: Retriever, after: Retriever, examples: Sequence[Example], *, k: int, seed: int, notify: Notify = silent
) -> RetrievalVerdict:
    """Ask both searches all questions with known evidence, and keep the second only if it is better for certain."""
    asked = judgeable_examples(examples)
    if not asked:
        return revert_undecided("no question names its evidence; add doc_ids to the examples", k)
    notify(Progress(task="weighing the search", done=0, total=2, note="before"))
    first = measure_search(before, asked, k=k)
    notify(Progress(task="weighing the search", done=1, total=2, note="after"))
    second = measure_search(after, asked, k=k)
    notify(Progress(task="weighing the search", done=2, total=2))
    return decide_retrieval(first, second, questions=len(asked), k=k, seed=seed)


def judgeable_examples(examples: Sequence[Example]) -> tuple[Example, ...]:
    """Return the examples a search can be judged by: answerable, with evidence."""
    return tuple(example for example in examples if example.answerable and example.evidence)


def family(example: Example) -> str:
    """Return the key of an example's family; all examples with one key count as one."""
    return f"family {example.family}" if example.family else f"example {example.id}"


def measure_search(retriever: Retriever, examples: Sequence[Example], *, k: int) -> Found:
    """Return nDCG@10 and whether the evidence is among the first k passages, each the mean over a family."""
    gains: defaultdict[str, list[float]] = defaultdict(list)
    hits: defaultdict[str, list[float]] = defaultdict(list)
    for example in examples:
        passages = retriever.search(example.question, limit=max(DEPTH, k))
        documents = tuple(dict.fromkeys(name for passage in passages for name in passage.documents))
        gains[family(example)].append(ndcg(documents, dict.fromkeys(example.evidence, 1)))
        shown = {name for passage in passages[:k] for name in passage.documents}
        hits[family(example)].append(float(not shown.isdisjoint(example.evidence)))
    return Found(*({name: sum(each) / len(each) for name, each in found.items()} for found in (gains, hits)))


def decide_retrieval(before: Found, after: Found, *, questions: int, k: int, seed: int) -> RetrievalVerdict:
    """Return the verdict on two searches that were asked the same questions."""
    names = sorted(before.ndcg)
    compared = compare_pairs([after.ndcg[name] for name in names], [before.ndcg[name] for name in names], seed)
    enough = len(names) >= FEWEST
    kept = enough and compared.difference.low > 0 and compared.p_value < _SIGNIFICANT
    first, second = (_mean(found.ndcg, names, seed) for found in (before, after))
    hits = (_mean(before.hits, names, seed), _mean(after.hits, names, seed))
    return RetrievalVerdict(
        kept=kept,
        sentence=_sentence(compared, (first, second), hits, kept=kept, asked=_Asked(questions, k)),
        questions=questions,
        k=k,
        before=first,
        after=second,
        difference=compared.difference,
        p_value=compared.p_value,
        hits_before=hits[0],
        hits_after=hits[1],
    )


def _mean(values: Mapping[str, float], names: Sequence[str], seed: int) -> Estimate:
    return mean_interval([values[name] for name in names], seed, bounds=SHARE)


def revert_undecided(why: str, k: int) -> RetrievalVerdict:
    """Return the verdict where there is nothing to decide by: reverted, with the reason."""
    return RetrievalVerdict(
        kept=False,
        sentence=f"Reverted: it cannot be decided whether the search became better, because {why}",
        questions=0,
        k=k,
        before=None,
        after=None,
        difference=None,
        p_value=None,
        hits_before=None,
        hits_after=None,
    )


def _sentence(
    compared: PairedTest,
    ndcgs: tuple[Estimate, Estimate],
    hits: tuple[Estimate, Estimate],
    *,
    kept: bool,
    asked: _Asked,
) -> str:
    difference, families = compared.difference, compared.difference.scored
    counted = f"{asked.questions:,} questions"
    if families != asked.questions:
        counted += f" of {families:,} families"
    numbers = (
        f"nDCG@10 {ndcgs[0].value:.3f} before and {ndcgs[1].value:.3f} after, a difference of {difference.value:+.3f} "
        f"[{difference.low:+.3f}, {difference.high:+.3f}], p = {compared.p_value:.2g}; evidence among the first "
        f"{asked.k} passages {hits[0].value:.0%} before and {hits[1].value:.0%} after; {counted}"
    )
    if kept:
        return f"Kept: the search is better ({numbers})"
    if families < FEWEST:
        return f"Reverted: {families} families of questions cannot decide it, {FEWEST} are needed ({numbers})"
    worse = "it is worse" if difference.high < 0 else "it is not better with confidence"
    return f"Reverted: {worse} ({numbers})"
