"""The registry as it is printed, word for word, on a narrow terminal and on a wide one."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from weighbridge.adapters import AdapterCard
from weighbridge.checks.retrieval import RetrievalVerdict
from weighbridge.cli.models_table import base_lines, listing, side_by_side, status_lines
from weighbridge.models import find_model
from weighbridge.results import Estimate
from weighbridge.settings.schema import SMOLLM2
from weighbridge.settings.training import PreferenceSettings, TrainingSettings
from weighbridge.wiring.tuned_retrievers import RetrieverCard
from weighbridge.workflow.known_models import KnownModel
from weighbridge.workflow.models import Listed, ListedRetriever

from ..train.cards import card, parity
from ..workflow.tuned import tuned

Golden = Callable[[Path, str], None]
LORA = card(TrainingSettings(), forms=(parity("GGUF Q8_0"), parity("merged"), parity("adapter F16")))
FAILED = tuple(replace(guard, name=name, passed=False) for guard in LORA.guards for name in ("refusals", "paraphrases"))


def other(base: AdapterCard, number: int, strategy: str = "raft") -> AdapterCard:
    return replace(base, id=f"{number:012x}", strategy=strategy)


KNOWN = (
    Listed(card=LORA, promoted=True, stale=(), other_search=()),
    Listed(
        card=replace(other(card(TrainingSettings(method="prompt-tuning")), 1, "fine-tuned"), parity=(), guards=()),
        promoted=False,
        stale=None,
        other_search=(),
    ),
    Listed(
        card=replace(
            other(card(TrainingSettings(), forms=(parity("GGUF Q8_0", "other words"),)), 2),
            guards=FAILED,
            learnt=replace(LORA.learnt, access=(frozenset({"finance"}), frozenset({"board", "people"}))),
        ),
        promoted=False,
        stale=("fees.md", "harbour.md", "piers.md"),
        other_search=("embedder", "reranker", "retrieval.limit"),
    ),
    Listed(
        card=other(card(TrainingSettings(preference=PreferenceSettings(method="dpo")), parent="3f2a9c41d0e7"), 3),
        promoted=False,
        stale=(),
        other_search=None,
    ),
    Listed(
        card=replace(
            other(card(TrainingSettings(), hosted="ft:gpt-4o-mini-2024-07-18:harbour-office:weighbridge:9abcDEF0"), 4),
            parity=(),
            dev=None,
        ),
        promoted=True,
        stale=(),
        other_search=("embedder",),
    ),
)


def verdict(before: float, after: float, low: float, *, kept: bool) -> RetrievalVerdict:
    def at(value: float) -> Estimate:
        return Estimate(value=value, low=0.0, high=1.0, scored=40)

    change = Estimate(value=after - before, low=low, high=after - before + 0.05, scored=40)
    return RetrievalVerdict(
        kept=kept,
        sentence="",
        questions=40,
        k=3,
        before=at(before),
        after=at(after),
        difference=change,
        p_value=0.01,
        hits_before=at(before),
        hits_after=at(after),
    )


@pytest.fixture
def retrievers(tiny_bert: Path) -> tuple[ListedRetriever, ...]:
    first: RetrieverCard = tuned("tiny", tiny_bert)
    better = replace(first, verdict=verdict(0.61, 0.7, 0.02, kept=True))
    against = replace(better, id="ba9876543210", against=("embedder 0123456789ab",))
    worse = replace(against, which="reranker", verdict=verdict(0.7, 0.65, -0.1, kept=False))
    return tuple(ListedRetriever(card=one, in_force=one is better) for one in (first, better, worse))


def printed(shown: RenderableType, width: int) -> str:
    file = StringIO()
    Console(file=file, width=width, color_system=None).print(shown)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


@pytest.mark.parametrize("width", [80, 120])
def test_the_list_fits_and_says_everything(width: int, retrievers: tuple[ListedRetriever, ...], golden: Golden) -> None:
    told = printed(listing(KNOWN, retrievers), width)
    assert max(map(len, told.splitlines())) <= width
    golden(Path(f"models_list_{width}.txt"), told)


@pytest.mark.parametrize("width", [80, 120])
def test_adapters_beside_each_other_fit(width: int, golden: Golden) -> None:
    told = printed(side_by_side(KNOWN, width), width)
    assert max(map(len, told.splitlines())) <= width
    golden(Path(f"models_compare_{width}.txt"), told)


def test_what_became_stale_is_told_with_what_to_do(golden: Golden) -> None:
    golden(Path("models_standing.txt"), "\n".join(printed(status_lines(each), 80) for each in KNOWN))


def test_many_documents_are_counted_and_some_named() -> None:
    stale = tuple(f"notice-{number}" for number in range(1200))
    told = " ".join(printed(status_lines(replace(KNOWN[0], stale=stale)), 80).split())
    assert (
        "1,200 documents of its training changed: notice-0, notice-1, notice-2, notice-3, notice-4 and 1,195 more."
        in told
    )


def test_many_adapters_are_all_listed() -> None:
    known = [replace(KNOWN[0], card=other(LORA, number, "fine-tuned")) for number in range(60)]
    told = printed(listing(known, ()), 80).splitlines()
    assert len(told) == 121
    assert told[119].startswith("00000000003b  fine-tuned  lora")
    beside = printed(side_by_side(known[:7], 80), 80)
    assert all(each.card.id in beside for each in known[:7])
    assert beside.count("dev score") == 3


def test_without_anything_trained_nothing_is_listed() -> None:
    assert printed(listing((), ()), 80) == ""


def test_default_models_say_where_they_are() -> None:
    tiny = find_model("tiny")
    assert tiny
    here = KnownModel(model=tiny, path=Path("/there/b"), speed=None)
    lines = list(base_lines([here, replace(here, path=None)]))
    assert lines[0] == lines[3] == f"tiny ({SMOLLM2})"
    assert lines[1].startswith("  SmolLM2-135M-Instruct, GGUF Q4_1: ")
    assert lines[2] == "  Apache-2.0, 93 MB: /there/b"
    assert lines[5] == "  Apache-2.0, 93 MB: not here yet; weighbridge models fetch tiny"


def test_guards_that_could_not_tell_have_not_passed() -> None:
    silent = tuple(replace(guard, passed=None) for guard in LORA.guards)
    told = printed(listing([replace(KNOWN[0], card=replace(LORA, guards=silent))], ()), 80)
    assert "guards gave no verdict" in told
    assert "passed" not in told
