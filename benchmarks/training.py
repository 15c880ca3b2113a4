"""Trained tokens per second of ours against plain TRL: python benchmarks/training.py DATA [--steps 10] [--runs 2].

DATA holds tuning/banking77 and qa/squad_v1_dev. Both train a model (--model, tiny by default) by LoRA with the same
data, order, rank, precision, batch and schedule, in alternating runs of this process, with the threads that
OMP_NUM_THREADS names; TRL pads and computes logits as it does by default, but does not checkpoint activations, which
would slow it down. Tokens are those of the examples as if each was read by itself; the first step, which warms up, is
not timed. Processor time is told beside the clock's: on a machine that does other work only their ratio means
something.

- labels: messages of 77 classes behind one long prompt that lists them.
- passages: questions, each behind two passages of its own.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter, process_time
from typing import Any

from weighbridge.answer.prompt import build_prompt, instructions_for
from weighbridge.models import cache_folder, fetch, file_fingerprint
from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import Encoded, encode
from weighbridge.train.runtime.base_model import load_network, load_tokenizer, prepare_base
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import precision
from weighbridge.train.supervised.train import Job, read_losses, train_supervised
from weighbridge.train.supervised.trainer import epoch_batches, rate_share
from weighbridge.types import Chunk, Passage, Progress, Question


@dataclass(frozen=True, slots=True)
class Run:
    """What one training of so many steps took, first step apart, and what it lost at each."""

    seconds: float
    cpu_seconds: float
    losses: tuple[float, ...]


def main() -> None:
    """Train on each data set by turns, and print rates and losses."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--float32", action="store_true", help="Compute in float32 also where bfloat16 is native.")
    parser.add_argument("--only", choices=["labels", "passages"])
    parser.add_argument("--model", default="tiny", help="a name of `weighbridge models known`, or a reference")
    wanted = parser.parse_args()
    file = fetch(wanted.model)
    with quiet():
        base = prepare_base(file, cache_folder() / "bases" / file_fingerprint(file)[:16])
    how = TrainingSettings(epochs=1, maximum_examples=10**6)
    recipe = Recipe(base=base, training=how, model=ModelSettings())
    for name, read in {"labels": labels, "passages": passages}.items():
        if wanted.only in {None, name}:
            texts = encoded(read(wanted.data), recipe, count=wanted.steps * how.batch_size)
            compare(name, texts, recipe, runs=wanted.runs, exact=wanted.float32)


def labels(data: Path) -> list[Conversation]:
    """Return messages to be classified; the prompt lists all classes."""
    rows = _rows(data / "tuning" / "banking77" / "train.jsonl")
    classes = sorted({row["completion"] for row in rows})
    asks = instructions_for("label", reads=False, choices=classes)
    return [
        Conversation(
            example_id=row["id"],
            prompt=build_prompt(asks, Question(row["prompt"])).messages,
            target=row["completion"],
        )
        for row in rows
    ]


def passages(data: Path) -> list[Conversation]:
    """Return one question of each passage, to be answered from that passage and the next."""
    folder = data / "qa" / "squad_v1_dev"
    texts = [
        Passage(Chunk(id=row["id"], document_id=row["id"], text=row["text"], start=0, end=len(row["text"])), 1.0)
        for row in _rows(folder / "documents.jsonl")
    ]
    after = {one.chunk.id: other for one, other in zip(texts, texts[1:] + texts[:1], strict=True)}
    own = {one.chunk.id: one for one in texts}
    asks = instructions_for("answer", reads=True)
    first = {row["doc_ids"][0]: row for row in reversed(_rows(folder / "questions.jsonl"))}
    return [
        Conversation(
            example_id=row["id"],
            prompt=build_prompt(asks, Question(row["question"]), passages=(own[key], after[key])).messages,
            target=f"{row['answers'][0]} [1]",
        )
        for key, row in first.items()
    ]


def encoded(conversations: Sequence[Conversation], recipe: Recipe, *, count: int) -> tuple[Encoded, ...]:
    """Return so many of the conversations, drawn at random, as tokens."""
    tokenizer = load_tokenizer(recipe.base)
    return tuple(encode(tokenizer, one) for one in Random(1).sample(conversations, count))


def compare(name: str, texts: Sequence[Encoded], recipe: Recipe, *, runs: int, exact: bool) -> None:
    """Train by turns, and print both rates, their ratio, and both curves."""
    order = epoch_batches(len(texts), recipe.training.batch_size, recipe.training.seed)
    timed = sum(len(texts[number].tokens) for batch in order[1:] for number in batch)
    kind = "float32" if exact else str(precision()).removeprefix("torch.")
    lengths = [len(one.tokens) for one in texts]
    steps = f"{len(order)} steps of {recipe.training.batch_size} texts"
    print(f"{name}: {steps}, {kind}; a text has {median(lengths):.0f} tokens", flush=True)
    sides: Mapping[str, Callable[..., Run]] = {"ours": partial(ours, exact=exact), "TRL": partial(theirs, exact=exact)}
    done: dict[str, list[Run]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, run in sides.items():
            with tempfile.TemporaryDirectory() as folder, quiet():
                done[side].append(run(texts, recipe, Path(folder)))
            rate, cpu_rate = timed / done[side][-1].seconds, timed / done[side][-1].cpu_seconds
            print(f"  {side:<5} {rate:7.0f} tokens/s, {cpu_rate:7.0f} a processor second", flush=True)
    clock = {side: median(run.seconds for run in done[side]) for side in sides}
    cpu = {side: median(run.cpu_seconds for run in done[side]) for side in sides}
    apart = max(abs(a - b) for a, b in zip(done["ours"][0].losses, done["TRL"][0].losses, strict=True))
    faster = f"{clock['TRL'] / clock['ours']:.2f} by the clock, {cpu['TRL'] / cpu['ours']:.2f} by processor time"
    print(f"  ours / TRL: {faster}; losses at most {apart:.6f} apart")
    for side in sides:
        print(f"  {side:<5} {' '.join(f'{loss:.4f}' for loss in done[side][0].losses)}")


def ours(texts: Sequence[Encoded], recipe: Recipe, folder: Path, *, exact: bool) -> Run:
    """Train by `weighbridge.train`."""
    times: list[tuple[float, float]] = []

    def note(progress: Progress) -> None:
        if progress.note:
            times.append((perf_counter(), process_time()))

    train_supervised(Job(encoded=texts, folder=folder, recipe=recipe, notify=note, exact=exact))
    return Run(*_between(times), read_losses(folder))


def theirs(texts: Sequence[Encoded], recipe: Recipe, folder: Path, *, exact: bool) -> Run:
    """Train by `trl.SFTTrainer`, told the order of the texts and the schedule of the learning rate."""
    import torch
    from datasets import Dataset
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    times: list[tuple[float, float]] = []

    class Clock(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            times.append((perf_counter(), process_time()))

    how = recipe.training
    order = epoch_batches(len(texts), how.batch_size, how.seed)
    rows = [{"input_ids": list(texts[n].tokens), "labels": list(texts[n].labels)} for batch in order for n in batch]
    network = _with_lora(recipe, torch.float32 if exact else precision())
    adam = torch.optim.AdamW(
        [one for one in network.parameters() if one.requires_grad], lr=how.rate, weight_decay=0, fused=True
    )
    trainer = SFTTrainer(
        model=network,
        args=SFTConfig(
            output_dir=str(folder),
            max_steps=len(order),
            per_device_train_batch_size=how.batch_size,
            train_sampling_strategy="sequential",
            activation_checkpointing=False,
            max_length=None,
            bf16=not exact and precision() == torch.bfloat16,
            use_cpu=not torch.cuda.is_available(),
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=load_tokenizer(recipe.base),
        optimizers=(adam, torch.optim.lr_scheduler.LambdaLR(adam, lambda step: rate_share(step, len(order)))),
        callbacks=[Clock()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return Run(*_between(times), tuple(e["loss"] for e in trainer.state.log_history if "loss" in e))


def _with_lora(recipe: Recipe, kind: Any) -> Any:
    from peft import LoraConfig, get_peft_model
    from transformers import set_seed

    how = recipe.training
    set_seed(how.seed)
    lora = LoraConfig(r=how.rank, lora_alpha=how.alpha, target_modules="all-linear", task_type="CAUSAL_LM")
    return get_peft_model(load_network(recipe.base, precision=kind), lora)


def _between(times: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return times[-1][0] - times[0][0], times[-1][1] - times[0][1]


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


if __name__ == "__main__":
    main()
