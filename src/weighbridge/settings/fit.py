"""Settings that fit a model, a machine and a workload: every rule of `weighbridge init`, with its reason and source.

All rules are arithmetic on counts, so the same facts give the same settings on any machine. Lengths are counted in
tokens of the model, at `BYTES_PER_TOKEN`. What a rule cannot know (how well a model reads long prompts) is a table that
was measured: `benchmarks/fitting.py`, docs/adr/0037-settings-that-fit.md.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from weighbridge.types import Task

Profile = Literal["quick", "standard", "thorough"]
PROFILES: tuple[Profile, ...] = ("quick", "standard", "thorough")

BYTES_PER_TOKEN = 1.6
"""Bytes of UTF-8 a token, the least of four samples: SmolLM2's tokenizer needs 3.7 in English, 2.4 in German and
Russian, 1.6 in Chinese. The lower, the more room is kept."""
PASSAGE_FACTOR = 1.5
"""Tokens of the model for each token of a chunk, which is cut by the tokens of the embedder. 128 documents of the
sample workloads need 1.08 (median) and at most 1.25 with SmolLM2's tokenizer."""
PASSAGE_EXTRA = 24
"""Tokens of the number and the title before each passage."""
TEMPLATE_TOKENS = 48
"""Tokens that a chat template adds around the turns of a prompt."""
_STEP = 256
"""Contexts are multiples of this, as llama.cpp rounds them."""
_LEAST_CONTEXT = 2048
"""Fewer save no memory that matters: 2,048 tokens of a model of 0.5 billion parameters take 25 MB."""
_EMBEDDER_TOKENS = 256
"""Tokens that all-MiniLM-L6-v2 reads of a chunk, its title included; what follows has no influence on its vector."""
_SHORTEST_CHUNK = 16
"""Tokens: a sentence. A model that has no room for one passage of it cannot read at all."""
_MARK_TOKENS = 16
"""The tokens of a citation mark or of the abstention, and the stop token."""
_SHOWN = 4
"""Worked examples of a few-shot prompt, as in the default settings."""
_TRAINING_STEPS = 32
"""Optimiser steps of 128 examples in 2 epochs of batches of 8. In a first trial they took the token F1 of RAG with
SmolLM2 on SQuAD from 0.12 to 0.51; fewer steps were not compared."""

_TRAINING_SHARE = 0.5
"""Share of the measured operations a second that a training reaches. SmolLM2's raft ran at 170 tokens a second, 92
GFLOP/s, on an Intel Xeon that multiplies at 163: 0.56."""
_OPERATIONS_A_CORE = 5e10
"""Operations a second of a core that was not measured: a third of the 150 GFLOP/s of that Xeon's core in float32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What is known of a base model without loading it."""

    name: str
    context: int
    """Tokens that it was trained to read at once."""
    parameters: int = 0
    """0: unknown, because it runs at an endpoint."""
    cache_bytes: int = 0
    """Bytes of memory for each token of context; 0: unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineFacts:
    """The machine, as far as the rules look at it."""

    cores: int
    memory_bytes: int
    operations: float = 0.0
    """Floating-point operations a second in training; 0: not measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadFacts:
    """The documents and examples of the user. Lengths are bytes of UTF-8, 95 of 100 are no longer."""

    task: Task
    documents: int
    examples: int
    question_bytes: int
    """A question with the conversation before it."""
    answer_bytes: int
    """The first accepted answer."""
    instruction_bytes: int
    """The longest constant part of a prompt: instructions, and the illustrations of an open-book one."""


@dataclass(frozen=True, slots=True)
class FittedSetting:
    """One setting that fits, and the reason in words for the settings file."""

    key: str
    """With its group: training.epochs."""
    value: float | bool
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Effort:
    """How much time a profile spends."""

    questions: int
    latency_questions: int
    dev_examples: int
    training_seconds: int
    """The most seconds of one training, as far as can be reckoned."""


_EFFORTS: dict[Profile, _Effort] = {
    "quick": _Effort(questions=30, latency_questions=6, dev_examples=8, training_seconds=180),
    "standard": _Effort(questions=100, latency_questions=12, dev_examples=24, training_seconds=1200),
    # 60 timed questions bound the 95th percentile (evaluate/timing.py).
    "thorough": _Effort(questions=1000, latency_questions=60, dev_examples=48, training_seconds=4 * 3600),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """Passages that models of a size read well."""

    below: float
    """Parameters."""
    chunk: int
    passages: int
    answer: int
    """Tokens of an answer, at the least: larger models answer in sentences."""
    source: str


_READINGS = (
    _Reading(below=3e8, chunk=64, passages=3, answer=48, source="measured with SmolLM2-135M, docs/adr/0005"),
    _Reading(below=1e9, chunk=128, passages=4, answer=64, source="chosen, not measured: docs/adr/0037"),
    _Reading(
        below=math.inf,
        chunk=200,
        passages=5,
        answer=64,
        source="close to the most that the embedder reads",
    ),
)


def fit_settings(
    model: ModelFacts, machine: MachineFacts, workload: WorkloadFacts, profile: Profile
) -> tuple[FittedSetting, ...]:
    """Return the settings that fit a model, a machine, a workload and the time that a profile spends.

    The longest prompt that they allow fits into their context, and that into the model's, where `fits` is true. More
    context never makes any of them smaller.
    """
    return (
        *_fit_prompt(model, workload),
        *_fit_splits(workload, profile),
        *_fit_training(model, machine, workload, profile),
        *_fit_measuring(model, machine, workload, profile),
    )


def fits(model: ModelFacts, workload: WorkloadFacts) -> bool:
    """Tell whether the instructions, a question, an answer and one passage of a sentence fit into the context."""
    return _fixed_tokens(workload) + _shortest_answer(workload) + passage_tokens(_SHORTEST_CHUNK) <= model.context


def longest_prompt(workload: WorkloadFacts, *, chunk: int, passages: int) -> int:
    """Return the most tokens of an open-book prompt, without its answer."""
    return _fixed_tokens(workload) + passages * passage_tokens(chunk)


def tokens_of(text_bytes: int) -> int:
    """Return the most tokens of a text of so many bytes."""
    return math.ceil(text_bytes / BYTES_PER_TOKEN)


def passage_tokens(chunk: int) -> int:
    """Return the most tokens of the model in a passage of a chunk of so many tokens."""
    return math.ceil(chunk * PASSAGE_FACTOR) + PASSAGE_EXTRA


def _reading_of(model: ModelFacts) -> _Reading:
    """Return how a model of this size reads. One at an endpoint counts as large."""
    return next(each for each in _READINGS if (model.parameters or math.inf) <= each.below)


def _fixed_tokens(workload: WorkloadFacts) -> int:
    """Return the tokens of a prompt without passages and demonstrations."""
    return TEMPLATE_TOKENS + tokens_of(workload.instruction_bytes) + tokens_of(workload.question_bytes)


def _shortest_answer(workload: WorkloadFacts) -> int:
    return tokens_of(workload.answer_bytes) + _MARK_TOKENS


def _fit_prompt(model: ModelFacts, workload: WorkloadFacts) -> Iterator[FittedSetting]:
    """Yield the sizes of prompts and answers. Where room is short, chunks become shorter first, then passages fewer."""
    own = _reading_of(model)
    room = model.context - _fixed_tokens(workload)
    shortest = _shortest_answer(workload)
    # Other wordings take half as many tokens again. A label has no other wordings.
    wanted = shortest if workload.task == "label" else max(own.answer, math.ceil(shortest * 1.5 / 8) * 8)
    answer = max(shortest, min(wanted, room // 3, room - passage_tokens(_SHORTEST_CHUNK)))
    room = max(1, room - answer)
    share = (room // own.passages - PASSAGE_EXTRA) / PASSAGE_FACTOR
    chunk = min(own.chunk, max(_SHORTEST_CHUNK, int(share) // 8 * 8))
    passages = min(own.passages, max(1, room // passage_tokens(chunk)))
    shown = tokens_of(workload.question_bytes) + _shortest_answer(workload)
    demonstrations = min(_SHOWN, max(1, room // shown))
    longest = longest_prompt(workload, chunk=chunk, passages=passages) + answer
    longest = max(longest, _fixed_tokens(workload) + answer + demonstrations * shown)
    context = min(model.context, max(_LEAST_CONTEXT, math.ceil(longest / _STEP) * _STEP))
    short = f"more does not fit into the {model.context:,} tokens of {model.name}"
    answers = f"95 of 100 of your answers have about {tokens_of(workload.answer_bytes):,} tokens or fewer"
    yield FittedSetting("model.context", context, f"the longest prompt and its answer have at most {longest:,} tokens")
    yield FittedSetting("model.maximum_tokens", answer, answers if answer >= wanted else short)
    yield FittedSetting("chunks.tokens", chunk, own.source if chunk == own.chunk else short)
    yield FittedSetting("retrieval.limit", passages, own.source if passages == own.passages else short)
    few = f"each has up to {shown:,} tokens"
    yield FittedSetting("measure.demonstrations", demonstrations, few if demonstrations == _SHOWN else short)


def _fit_splits(workload: WorkloadFacts, profile: Profile) -> Iterator[FittedSetting]:
    """Yield the shares of dev and test: as many as the profile asks, at most a tenth for dev and four for test."""
    effort, there = _EFFORTS[profile], max(1, workload.examples)
    dev = min(0.1, max(0.02, math.ceil(100 * effort.dev_examples / there) / 100))
    test = min(0.4, max(0.1, math.ceil(100 * effort.questions / there) / 100))
    yield FittedSetting("splits.dev", dev, f"about {dev * there:.0f} of your {there:,} examples")
    yield FittedSetting("splits.test", test, f"about {test * there:.0f} of your {there:,} examples")


def _fit_training(
    model: ModelFacts, machine: MachineFacts, workload: WorkloadFacts, profile: Profile
) -> Iterator[FittedSetting]:
    effort, split = _EFFORTS[profile], {each.key: each.value for each in _fit_splits(workload, profile)}
    there = max(1, workload.examples)
    learnable = max(1, round(there * (1 - split["splits.dev"] - split["splits.test"])))
    affordable, minutes = learnable, effort.training_seconds // 60
    why = f"about {minutes} minutes a training, reckoned"
    if model.parameters:
        own = _reading_of(model)
        length = longest_prompt(workload, chunk=own.chunk, passages=own.passages) + _shortest_answer(workload)
        operations = machine.operations or machine.cores * _OPERATIONS_A_CORE
        # Frozen weights have no gradient of their own: 2 operations a weight forward and 2 back (Kaplan et al. 2020).
        rate = operations * _TRAINING_SHARE / (4 * model.parameters)
        # Two passes, and lessons of half the longest length, as those of the sample workloads are.
        affordable = int(effort.training_seconds * rate / length) // 8 * 8
        if affordable < _TRAINING_STEPS:
            affordable = _TRAINING_STEPS
            why = f"fewer teach little; reckoned, a training takes longer than the {minutes} minutes of its profile"
    used = min(learnable, affordable)
    batch = 8 if used >= 2 * _TRAINING_STEPS else 4
    epochs = min(6, max(2, math.ceil(_TRAINING_STEPS * batch / used)))
    why = f"all of about {learnable:,}" if used == learnable else why
    yield FittedSetting("training.epochs", epochs, f"at least {_TRAINING_STEPS} steps, or 6 passes")
    yield FittedSetting("training.batch_size", batch, "few examples take small steps, so that there are more of them")
    # All of them: their exact number is known after the split only.
    most = there if used == learnable else used
    yield FittedSetting("training.maximum_examples", most, why)
    yield FittedSetting("training.dev_examples", effort.dev_examples, f"profile {profile}")
    curve = f"profile {profile}; a curve takes one and a half more trainings"
    yield FittedSetting("training.learning_curve", profile == "thorough", curve)


def _fit_measuring(
    model: ModelFacts, machine: MachineFacts, workload: WorkloadFacts, profile: Profile
) -> Iterator[FittedSetting]:
    effort = _EFFORTS[profile]
    yield FittedSetting("measure.questions", effort.questions, f"profile {profile}")
    yield FittedSetting("measure.latency_questions", effort.latency_questions, f"profile {profile}")
    readers = max(1, min(machine.cores, machine.memory_bytes // 2**31))
    yield FittedSetting("reading.workers", readers, f"{machine.cores} cores, and 2 GiB of memory for each reader")
    if not model.parameters:
        return
    context = next(each.value for each in _fit_prompt(model, workload) if each.key == "model.context")
    # One copy of the weights in 8 bits for each worker, and half of the memory for everything else.
    each = model.parameters * 1.07 + context * model.cache_bytes
    workers = max(1, min(machine.cores, int(machine.memory_bytes / 2 / each)))
    why = f"{machine.cores} cores, and {each / 2**30:.1f} GiB of memory for each worker"
    yield FittedSetting("measure.workers", workers, why)
