"""Runs a trainer of the libraries with our arguments, on one device, reporting to a checkpoint store."""

import os
from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.train.runtime.checkpoints import CheckpointStore
from weighbridge.train.runtime.out_of_memory import trim

Note = Callable[[Mapping[str, float]], str]
"""Turns the logged values of a step into a note for the progress line."""


def shared_arguments(store: CheckpointStore, seed: int) -> dict[str, Any]:
    """Return the training arguments that all trainers have: the store says when to save, and nothing is printed.

    Raises:
        TrainingError: this is one of several processes that a launcher started.
    """
    import torch

    _refuse_launcher()
    return {
        "output_dir": str(store.folder),
        "use_cpu": not torch.cuda.is_available(),
        "max_grad_norm": 1.0,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "seed": seed,
    }


def one_device(arguments: Any) -> Any:
    """Return transformers' training arguments, made to see one GPU at most.

    Where it sees several, its trainer wraps the network in `nn.DataParallel`, multiplies batches, and so takes other
    steps than those asked for.
    """
    arguments._n_gpu = min(1, arguments.n_gpu)  # noqa: SLF001 - as transformers itself does; there is no setting for it
    return arguments


def record_into(
    store: CheckpointStore, kind: Any, *, note: Note, score: Callable[[], float | None] | None = None
) -> Any:
    """Return the library's trainer class `kind`, but one that reports its steps and checkpoints to a store.

    `score` gives the dev score of the weights as they are; it is asked at the end of each epoch.
    """

    class Recorded(kind):  # type: ignore[misc] # the libraries are untyped, and imported late
        def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
            super().log(logs, start_time)
            if "loss" in logs:
                store.report(float(logs["loss"]), note(self.state.log_history[-1]))
                self.control.should_save = store.is_due()

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            start = perf_counter()
            super()._save_checkpoint(model, trial)
            trim()
            store.save(perf_counter() - start, score)
            # Only here is something to go on from, so only here may a time limit end the run.
            self.control.should_training_stop |= store.is_finished or store.limit.is_over

    return Recorded


def run_trainer(trainer: Any, store: CheckpointStore) -> None:
    """Take the steps that are left, from the latest checkpoint on, without the trainer's own printing.

    Raises:
        UnfinishedError: the time limit passed before the last step.
    """
    from transformers import PrinterCallback, TrainerState

    trainer.remove_callback(PrinterCallback)
    if not store.is_finished:
        trainer.train(resume_from_checkpoint=str(store.latest) if store.latest else None)
    elif store.latest is not None:  # it was killed after its last checkpoint
        trainer.state = TrainerState.load_from_json(str(store.latest / "trainer_state.json"))
    if not store.is_finished:
        raise store.unfinished_error()


def _refuse_launcher() -> None:
    """Refuse to be one of several processes: transformers would wait for the others, and all write to one folder."""
    if "LOCAL_RANK" in os.environ and int(os.environ.get("WORLD_SIZE") or 1) > 1:
        raise TrainingError(
            "weighbridge trains in one process on one GPU, and this is one of several that accelerate launch, torchrun "
            "or the like started; run the same command without it, and choose the GPU by CUDA_VISIBLE_DEVICES"
        )
