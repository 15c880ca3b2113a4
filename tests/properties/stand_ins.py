"""The smallest parts that strategies are made of, and how each kind of strategy, retriever and model is made of them.

Needs no weights, so that another process can ask for the same fingerprints.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from weighbridge.answer.build import Installed
from weighbridge.answer.composed import Composed
from weighbridge.answer.demonstrations import Nearest
from weighbridge.answer.prompt import Instructions
from weighbridge.answer.restricted import Admitted
from weighbridge.dataset.synthesise.cached_model import CachedModel as RememberedAnswers
from weighbridge.evaluate.run import record_key
from weighbridge.generate.openai import OpenAICompatible
from weighbridge.generate.scripted import Scripted
from weighbridge.library import _OpenStrategy
from weighbridge.machine import Hardware
from weighbridge.retrieve.embed.static import StaticEmbedder
from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.retrieve.search.copies import Distinct
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.search.mmr import Diverse
from weighbridge.retrieve.search.neighbours import Surrounded, WholeSections
from weighbridge.retrieve.search.rerank import LateInteraction, Reranked, RerankEndpoint
from weighbridge.retrieve.search.rewrite import Expansion, Hypothetical, Rewritten, SubQuestions
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.types import Example, Message, Question
from weighbridge.wiring.workload import index_key, settings_key

from ..walk import Case


@dataclass(frozen=True)
class Part:
    """Any model, embedder, retriever or scorer that a strategy holds: it is told apart by its fingerprint."""

    fingerprint: str
    name = "part"
    dimensions = 2


HISTORY = (Message("user", "On weekdays?"), Message("assistant", "Yes."))
EXAMPLE = Example(
    id="e1",
    question=Question("When does it open?", HISTORY, frozenset({"crew", "board", "people"})),
    answers=("at 9", "at nine"),
    evidence=("d1",),
    family="f1",
)
COMPOSED = Composed(
    name="rag",
    model=Part("model"),
    instructions=Instructions(system="Answer.", illustrations=HISTORY),
    retriever=Part("retriever"),
    demonstrations=Part("demonstrations"),
)
INDEX = Part("index")
HELD = {"index": "is told apart by the fingerprint of what it holds, which the search over it has"}
ENDPOINTS = {
    "settings.engine": "this class is what it names",
    "settings.reference": "comes as the name",
    "settings.quantisation": "is the endpoint's own business",
    "settings.context": "is the endpoint's own business",
    "settings.server_arguments": "enter the weights of a server of ours",
    "settings.thinking": "is for models that run here",
    "settings.key_variable": "says who pays, not what is answered",
    "settings.timeout_seconds": "what is too slow is an error, never another answer",
    "connection": "is made of the settings, and says who pays",
    "counter": "counts tokens, and changes no answer",
}
FOUND = {"retriever": Part("retriever")}


def _attempt(strategy: str, example: Example, seed: int) -> Part:
    return Part(record_key(strategy, example, seed))


def _opened(strategy: Composed) -> _OpenStrategy:
    return _OpenStrategy(strategy, ExitStack())


def _indexed(settings: Settings) -> Part:
    return Part(index_key(settings))


def _outlined(settings: Settings) -> Part:
    return Part(settings_key(settings))


NOT_INDEXED = {
    **dict.fromkeys(
        (
            "name", "instructions", "strategies", "models", "model", "training", "measure", "needs", "prices",
            "ownership", "plan",
        ),
        "asks and measures, and is not what is searched",
    ),
    "distribute": "says who does the work, which comes out the same",
    **dict.fromkeys(
        (
            "retrieval.limit", "retrieval.candidates", "retrieval.weight", "retrieval.feedback", "retrieval.rewrite",
            "retrieval.rerank", "retrieval.rerank_endpoint", "retrieval.diversity", "retrieval.neighbours",
            "retrieval.sections",
        ),
        "is how an index is searched, and not what it holds",
    ),
    "retrieval.embedder_endpoint": "counts where retrieval.embedder is openai:..., and not for a model here",
}  # fmt: skip
NOT_OUTLINED = {f"settings.{name}": why for name, why in NOT_INDEXED.items()}
SETTINGS = Settings(documents=Path("/nowhere/documents"), examples=Path("/nowhere/examples.jsonl"))
CASES: Mapping[str, Case] = {
    "machine.hardware.Hardware": Case(
        make=Hardware,
        given={
            "processor": "a Xeon",
            "flags": ("avx2", "fma"),
            "cores": 2,
            "memory_gib": 16,
            "libraries": {"numpy": "2.4", "torch": "2.13"},
        },
    ),
    "workflow.workload.index_key": Case(
        make=_indexed,
        given={"settings": SETTINGS},
        silent={
            **NOT_OUTLINED,
            "settings.examples": "are not searched",
            "settings.task": "is not searched",
            "settings.json_schema": "is not searched",
            "settings.splits": "are not searched",
        },
    ),
    "workflow.workload.settings_key": Case(make=_outlined, given={"settings": SETTINGS}, silent=NOT_OUTLINED),
    "answer.build.Installed": Case(make=Installed, given={"name": "a", "strategy": COMPOSED, "origin": "own 1"}),
    "answer.composed.Composed": Case(
        make=Composed, given={f.name: getattr(COMPOSED, f.name) for f in fields(COMPOSED)}
    ),
    "library._OpenStrategy": Case(make=_opened, given={"strategy": COMPOSED}),
    "answer.restricted.Admitted": Case(
        make=Admitted,
        given={
            "tuned": COMPOSED,
            "base": replace(COMPOSED, model=Part("base model")),
            "access": (frozenset({"crew"}), frozenset({"board"})),
        },
    ),
    "answer.demonstrations.Nearest": Case(
        make=Nearest,
        given={"examples": (EXAMPLE,), "vectors": np.ones((1, 2)), "embedder": Part("embedder"), "count": 4},
        silent={
            "vectors": "are what the embedder makes of the examples",
            "examples[0].evidence": "is not shown",
            "examples[0].family": "is not shown",
            "examples[0].split": "is always train",
            "examples[0].answerable": "is told by the answers: without any it is not",
        },
    ),
    "generate.scripted.Scripted": Case(
        make=Scripted,
        given={"reply": Part("reply")},
        silent={"reply": "is a function, which its version stands for"},
    ),
    "generate.openai.OpenAICompatible": Case(
        make=OpenAICompatible,
        given={
            "name": "m",
            "settings": ModelSettings(base_url="http://127.0.0.1/v1"),
            "connection": Part("c"),
            "counter": Part("n"),
        },
        silent=ENDPOINTS,
    ),
    "dataset.synthesise.cached_model.CachedModel": Case(
        make=RememberedAnswers,
        given={"model": Part("model"), "path": Path("/nowhere/said.jsonl")},
        silent={"path": "says where answers are kept, by what was asked"},
    ),
    "measure.run.record_key": Case(
        make=_attempt,
        given={"strategy": "s", "example": EXAMPLE, "seed": 7},
        silent={
            "example.family": "decides the split alone",
            "example.split": "records outlive a new split",
        },
    ),
    "retrieve.search.hybrid.Hybrid": Case(
        make=Hybrid,
        given={"index": INDEX, "embedder": Part("embedder"), "content": "c"},
        silent={"index": "is told apart by its content"},
    ),
    "retrieve.search.cache.CachedRetriever": Case(
        make=CachedRetriever, given=FOUND, silent={"size": "how much is remembered changes no answer"}
    ),
    "retrieve.search.rerank.LateInteraction": Case(make=LateInteraction, given={"embedder": Part("embedder")}),
    "retrieve.search.rerank.RerankEndpoint": Case(
        make=RerankEndpoint,
        given={"name": "m", "connection": Part("c"), "where": "http://127.0.0.1/v1", "batch": 4, "forms": frozenset()},
        silent={
            "connection": "is told by its address",
            "batch": "changes no score",
            "forms": "say the same in other fields",
        },
    ),
    "retrieve.search.rerank.Reranked": Case(make=Reranked, given={**FOUND, "scorer": Part("scorer")}),
    "retrieve.search.rewrite.Expansion": Case(make=Expansion, given=FOUND),
    "retrieve.search.rewrite.SubQuestions": Case(make=SubQuestions, given={"model": Part("model")}),
    "retrieve.search.rewrite.Hypothetical": Case(make=Hypothetical, given={"model": Part("model")}),
    "retrieve.search.rewrite.Rewritten": Case(make=Rewritten, given={**FOUND, "rewriter": Part("rewriter")}),
    "retrieve.search.copies.Distinct": Case(make=Distinct, given=FOUND),
    "retrieve.search.mmr.Diverse": Case(make=Diverse, given={**FOUND, "index": INDEX}, silent=HELD),
    "retrieve.search.neighbours.Surrounded": Case(make=Surrounded, given={**FOUND, "index": INDEX}, silent=HELD),
    "retrieve.search.neighbours.WholeSections": Case(make=WholeSections, given={**FOUND, "index": INDEX}, silent=HELD),
    "retrieve.embed.static.StaticEmbedder": Case(
        make=StaticEmbedder,
        given={"embedder": Part("embedder"), "vectors": np.ones((2, 2)), "weights": np.ones(2), "digest": "d"},
        silent={"vectors": "stand in the file of the digest", "weights": "stand in the file of the digest"},
    ),
}
"""By the module and name of what has the fingerprint."""
