"""What a step takes of the machine's memory, said before it is started."""

from pathlib import Path

import pytest

from weighbridge.models import machine_memory
from weighbridge.models.facts import read_model_facts
from weighbridge.settings.schema import Settings
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.wiring.engines import Engine
from weighbridge.workflow.memory import answering_warning, measured_warnings, training_warning
from weighbridge.workflow.reckon import EstimatedStep

from ..tiny_llama import write_tiny_gguf

SETTINGS = Settings(
    strategies=("raft", "rag"), model={"context": 1000}, measure={"workers": 3}, training={"precision": "float32"}
)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    gguf = write_tiny_gguf(tmp_path_factory.mktemp("memory") / "tiny.gguf")
    return Engine(settings=SETTINGS.model, base=BaseFiles(hf=gguf, source_gguf=gguf, fingerprint=""), served=gguf)


def training(**changed: object) -> Settings:
    return SETTINGS.model_copy(update={"training": SETTINGS.training.model_copy(update=changed)})


@pytest.mark.parametrize(
    ("changed", "weight", "remedy"),
    [
        ({}, 4, "set training.precision to bfloat16, or choose a smaller base model"),
        ({"precision": "bfloat16"}, 2, "GiB; choose a smaller base model"),
        ({"method": "full"}, 16, "set training.method to lora, or choose a smaller base model"),
        ({"method": "qlora"}, 0.5, "choose a smaller base model"),
    ],
)
def test_a_training_takes_at_least_its_weights(
    engine: Engine, changed: dict[str, object], weight: float, remedy: str
) -> None:
    assert engine.served is not None
    needed = round(weight * read_model_facts(engine.served, "").parameters)
    assert training_warning("raft", training(**changed), engine, needed) == ""
    found = training_warning("raft", training(**changed), engine, needed - 1)
    assert found.startswith("train: raft takes 0.0 GiB of memory or more, and this machine has 0.0 GiB; ")
    assert remedy in found


def test_each_worker_of_llama_cpp_takes_weights_and_a_context(engine: Engine) -> None:
    assert engine.served is not None
    each = engine.served.stat().st_size + 1000 * read_model_facts(engine.served, "").cache_bytes
    assert answering_warning("rag", SETTINGS, engine, 3 * each) == ""
    assert "set measure.workers to 2, or set model.context" in answering_warning("rag", SETTINGS, engine, 3 * each - 1)
    assert "workers" not in answering_warning("rag", SETTINGS, engine, each - 1), "not even one fits"


def test_nothing_is_said_of_a_model_elsewhere() -> None:
    hosted = Engine(settings=SETTINGS.model.model_copy(update={"engine": "openai"}), base=None, served=None)
    assert training_warning("raft", SETTINGS, hosted, 0) == answering_warning("rag", SETTINGS, hosted, 0) == ""


def test_a_measured_step_names_the_setting_that_lowers_it(engine: Engine) -> None:
    named = {"read, split and index": "reading.workers", "train: raft": "training.precision", "answer: rag": "workers"}
    steps = [EstimatedStep(step=step, seconds=1.0, memory_bytes=2**31) for step in named]
    assert list(measured_warnings(steps, SETTINGS, [engine], 2**31)) == []
    told = list(measured_warnings(steps, SETTINGS, [engine], 2**30))
    assert [line.partition(" takes 2.0 GiB of memory or more, and this machine has 1.0 GiB; ")[0] for line in told] == [
        *named
    ]
    assert all(setting in line for setting, line in zip(named.values(), told, strict=True))


def test_a_container_may_grant_less_than_the_machine_has(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    whole = machine_memory(limit)
    limit.write_text("max\n")
    assert machine_memory(limit) == whole
    limit.write_text("1048576\n")
    assert machine_memory(limit) == 1048576
