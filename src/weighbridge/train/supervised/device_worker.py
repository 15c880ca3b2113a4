"""One of the other processes of a training: it holds a replica on a device of its own, and computes gradients.

For each step it is told the number of, it takes over the weights of the first process, reads its share of the rows
forward and back, says how that went, and once all are done, adds its gradients to theirs. It knows neither optimiser
nor checkpoints. It ends when its pipe is closed, and when the first process is gone.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

from weighbridge.protocols import silent
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles
from weighbridge.train.runtime.memory import out_of_memory
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.supervised.frozen_layers import keep_lower
from weighbridge.train.supervised.methods import Recipient, prepare
from weighbridge.train.supervised.shards import Work
from weighbridge.train.supervised.trainer import row_loss


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    """What the same network can be made of again."""

    base: BaseFiles
    how: TrainingSettings
    start: Path | None
    exact: bool
    folder: Path
    """Of the training: where the states below the border lie."""
    key: str
    """Under which they were kept."""
    upper: bool
    """Whether rows begin at that border."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A process's place among the others: its number is that of its device, and the first process has 0."""

    rank: int
    port: int
    """Where the first process's store listens, on this machine."""
    threads: int
    seconds: float
    """How long the processes wait for each other's tensors."""
    replica: Replica
    work: Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a process fared: the loss of its rows, or why there is none."""

    loss: float = 0.0
    failure: str = ""
    memory: bool = False
    """Whether it failed for want of memory."""


def serve(seat: Seat, pipe: Any) -> None:
    """Be such a process; does not return."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _print_nothing()
    try:
        with quiet():
            _serve(seat, pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass
    except Exception as error:  # noqa: BLE001 - whatever it is, the first process raises it
        with suppress(OSError):
            pipe.send(_failed(error))
    finally:
        os._exit(0)  # what is left is the system's to clear away; NCCL may wait for the dead


def join(seat: Seat, store: Any) -> Any:
    """Return the group of all processes, by NCCL between GPUs, else by Gloo; each has to call this.

    It is not torch's default group: that one is seen by the libraries, which then take over.
    """
    import torch
    from torch import distributed

    wait = _span(seat.seconds)
    if torch.cuda.is_available() and distributed.is_nccl_available():
        os.environ.setdefault("TORCH_NCCL_BLOCKING_WAIT", "1")  # a peer that is gone is an error, and no end
        options = distributed.ProcessGroupNCCL.Options()
        options._timeout = wait  # noqa: SLF001 - the only way there is
        return distributed.ProcessGroupNCCL(store, seat.rank, seat.work.processes, options)
    return distributed.ProcessGroupGloo(store, seat.rank, seat.work.processes, wait)


def open_store(seat: Seat) -> Any:
    """Return where the processes find each other; the first one, of port 0, opens it at a free port."""
    from torch.distributed import TCPStore  # type: ignore[attr-defined] # it is one of its names all the same

    first = seat.rank == 0
    processes = seat.work.processes
    return TCPStore("127.0.0.1", seat.port, processes, first, timeout=_span(seat.seconds), wait_for_workers=False)


def learning(recipient: Recipient) -> list[Any]:
    """Return the weights that learn, in the same order in every process."""
    return [weight for weight in recipient.network.parameters() if weight.requires_grad]


def spread(group: Any, weights: Sequence[Any]) -> None:
    """Give all processes the first one's weights."""
    for going in [group.broadcast(weight.data, 0) for weight in weights]:
        going.wait()


def add_up(group: Any, weights: Sequence[Any]) -> None:
    """Give all processes the sum of their gradients, in float32."""
    import torch

    for weight in weights:
        if weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    for going in [group.allreduce(weight.grad) for weight in weights]:
        going.wait()


def _serve(seat: Seat, pipe: Any) -> None:
    import torch

    torch.set_num_threads(seat.threads)
    if torch.cuda.is_available():
        torch.cuda.set_device(seat.rank)
    recipient = _made(seat.replica, seat.work)
    pipe.send(Said())
    group = join(seat, open_store(seat))
    pipe.send(Said())
    weights = learning(recipient)
    while True:
        step = pipe.recv()
        recipient.network.zero_grad(set_to_none=True)
        spread(group, weights)
        pipe.send(_read(recipient, seat, step))
        pipe.recv()
        add_up(group, weights)


def _made(replica: Replica, work: Work) -> Recipient:
    how = replica.how
    recipient = prepare(replica.base, how, replica.start, exact=replica.exact)
    if replica.upper:
        recipient = keep_lower(
            recipient, work.encoded, replica.folder, layers=how.layers, key=replica.key, notify=silent
        )
    recipient.network.train()
    return recipient


def _read(recipient: Recipient, seat: Seat, step: int) -> Said:
    """Read its rows forward and back."""
    total = 0.0
    try:
        for row in seat.work.rows(step, seat.rank):
            loss = row_loss(recipient, row) / seat.work.labels(step)
            loss.backward()
            total += float(loss.detach())
    except Exception as error:  # noqa: BLE001 - whatever it is, the first process raises it
        return _failed(error)
    return Said(loss=total)


def _failed(error: Exception) -> Said:
    return Said(failure=f"{type(error).__name__}: {error}", memory=out_of_memory(error))


def _span(seconds: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=seconds)


def _end_with_parent() -> None:
    if parent := parent_process():
        connection.wait([parent.sentinel])
        os._exit(1)


def _print_nothing() -> None:
    """Keep what libraries print out of the first process's output, which may be read by a program."""
    sys.stdout.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.close(nowhere)
