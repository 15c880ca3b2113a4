"""Compares the memory that a step takes with that of the machine, before the step is started.

What is reckoned here is the least that a step takes: its weights, and the context of an engine. A training also holds
the states of the tokens that it reads, which `compare --estimate` measures.
"""

from collections.abc import Iterator, Sequence

from weighbridge.errors import UserError
from weighbridge.machine import training_precision
from weighbridge.models.facts import read_model_facts
from weighbridge.settings.fit import ModelFacts
from weighbridge.settings.schema import Arm, Settings
from weighbridge.settings.training import TrainingSettings
from weighbridge.wiring.engines import Engine
from weighbridge.workflow.footprint import size_of
from weighbridge.workflow.reckon import EstimatedStep

_WEIGHT_BYTES = {"float32": 4, "bfloat16": 2}
_FULL = 3
"""Copies of the weights beside themselves in a full tuning: gradients, and the two moments of Adam."""
_QUARTER = 0.5
"""Bytes of a weight in 4 bits."""
_SMALLER = "choose a smaller base model (weighbridge models known)"


def training_warning(arm: Arm, settings: Settings, engine: Engine, available: int) -> str:
    """Return a sentence where a training certainly takes more bytes than are available; empty where it may fit."""
    facts = _facts(engine) if engine.base else None
    if facts is None:
        return ""
    needed = _training_bytes(facts.parameters, settings.training)
    return _sentence(f"train: {arm}", needed, available, _training_remedy(settings.training))


def answering_warning(arm: Arm, settings: Settings, engine: Engine, available: int) -> str:
    """Return a sentence where answering certainly takes more bytes than are available; empty where it may fit."""
    facts = _facts(engine)
    if facts is None or engine.served is None:
        return ""
    workers, each = 1, facts.parameters * _WEIGHT_BYTES[training_precision()]
    if engine.settings.engine == "llamacpp":  # each worker has weights and a context of its own
        workers, each = settings.measure.workers, size_of(engine.served) + engine.settings.context * facts.cache_bytes
    fitting = available // each
    remedy = _answering_remedy(engine)
    if 0 < fitting < workers:
        remedy = f"set measure.workers to {fitting}, or {remedy}"
    return _sentence(f"answer: {arm}", workers * each, available, remedy)


def measured_warnings(
    steps: Sequence[EstimatedStep], settings: Settings, engines: Sequence[Engine], available: int
) -> Iterator[str]:
    """Yield a sentence for each step of an estimate that takes more bytes than are available."""
    by_arm = {arm: engine for one, engine in zip(settings.by_base, engines, strict=True) for arm in one.strategies}
    for step in steps:
        kind, _, arm = step.step.partition(": ")
        if kind == "train":
            remedy = _training_remedy(settings.training)
        elif arm in by_arm:
            remedy = _answering_remedy(by_arm[arm])
            remedy = f"set measure.workers lower, or {remedy}" if settings.measure.workers > 1 else remedy
        else:
            remedy = "set reading.workers lower"
        if sentence := _sentence(step.step, step.memory_bytes, available, remedy):
            yield sentence


def _facts(engine: Engine) -> ModelFacts | None:
    """Return the facts of the weights that an engine trains or runs; None where they are not on this machine."""
    source = engine.base.hf if engine.base else engine.served
    if source is None or engine.settings.engine == "vllm":  # its server plans its memory itself
        return None
    try:
        return read_model_facts(source, source.name)
    except UserError:
        return None


def _training_bytes(parameters: int, training: TrainingSettings) -> int:
    if training.method == "qlora":
        return round(parameters * _QUARTER)
    weight = _WEIGHT_BYTES[training_precision() if training.precision == "auto" else training.precision]
    copies = 1 + _FULL if training.method == "full" else 1
    return parameters * weight * copies


def _training_remedy(training: TrainingSettings) -> str:
    """Return what lowers the memory of a training. Not the batch: its tokens are read a part at a time."""
    if training.method == "full":
        return f"set training.method to lora, or {_SMALLER}"
    precision = training_precision() if training.precision == "auto" else training.precision
    return f"set training.precision to bfloat16, or {_SMALLER}" if precision == "float32" else _SMALLER


def _answering_remedy(engine: Engine) -> str:
    if engine.settings.engine == "llamacpp":
        return f"set model.context or model.quantisation lower, or {_SMALLER}"
    return _SMALLER


def _sentence(step: str, needed: int, available: int, remedy: str) -> str:
    if needed <= available:
        return ""
    return (
        f"{step} takes {needed / 2**30:.1f} GiB of memory or more, and this machine has {available / 2**30:.1f} GiB; "
        f"{remedy}"
    )
