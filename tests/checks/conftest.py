"""An adapter of the tiny Llama as tuning leaves it: PEFT folder, merged GGUF, and the base in the same form."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from weighbridge.results import Record, Score
from weighbridge.train.export.gguf import merged_weights, write_gguf
from weighbridge.train.runtime.base_model import BaseFiles, base_weights, load_network
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Answer, Example, Finish, Prompt, Question, Timing, Usage

from ..tiny_llama import examples, one_thread, recipe, tiny

__all__ = ["examples", "one_thread", "recipe", "tiny"]


@dataclass(frozen=True)
class Tuned:
    """A folder with an adapter and its GGUF, and the base model's."""

    folder: Path
    base_gguf: Path


def write_adapter(base: BaseFiles, folder: Path, config: object) -> Path:
    """Write a PEFT folder of random weights."""
    import torch
    from peft import get_peft_model

    torch.manual_seed(3)
    with quiet():
        get_peft_model(load_network(base, precision=torch.float32), config).save_pretrained(str(folder))
    return folder


@pytest.fixture(scope="session")
def tuned(tiny: BaseFiles, tmp_path_factory: pytest.TempPathFactory) -> Tuned:
    """A LoRA of random weights, merged and exported."""
    from peft import LoraConfig

    folder = tmp_path_factory.mktemp("tuned")
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    adapter = write_adapter(tiny, folder / "adapter", config)
    write_gguf(tiny, merged_weights(tiny, adapter), folder / "model.gguf", quantisation="F16")
    base = write_gguf(tiny, base_weights(tiny), folder / "base.gguf", quantisation="F16")
    return Tuned(folder=folder, base_gguf=base)


Said = Callable[..., Record]


@pytest.fixture
def record() -> Said:
    """Makes the record of an answer to an example."""

    def made(
        example: Example, text: str, *, abstained: bool = False, finish: Finish = "stop", score: float | None = 1.0
    ) -> Record:
        answer = Answer(
            text=text, raw=text, prompt=Prompt(()), abstained=abstained, citations=(), usage=Usage(), timing=Timing(),
            finish=finish,
        )  # fmt: skip
        outcome = ("abstained" if example.answerable else "right") if abstained else "wrong"
        scores = (Score("accuracy", score),)
        return Record(
            key=example.id, strategy="s", example_id=example.id, answer=answer, scores=scores, outcome=outcome
        )

    return made


@pytest.fixture
def asked() -> Callable[..., tuple[Example, ...]]:
    """Makes dev examples."""

    def made(count: int, *, answerable: bool = True, family: str = "") -> tuple[Example, ...]:
        return tuple(
            Example(
                id=f"{'a' if answerable else 'u'}{n}",
                question=Question(f"What is the number of harbour {n}?"),
                answers=(str(n),) if answerable else (),
                answerable=answerable,
                family=family,
                split="dev",
            )
            for n in range(count)
        )

    return made
