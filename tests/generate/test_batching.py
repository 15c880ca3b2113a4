"""Prompts answered together: the texts of each alone, whoever else asks."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from weighbridge.generate import transformers
from weighbridge.generate.batching import BatchQueue, Tokens, decode_together
from weighbridge.generate.transformers import Transformers, open_transformers
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Message

PROMPTS = [[Message("user", "When does the harbour open? " * times)] for times in (1, 2, 3, 1, 2)]


def opened(folder: Path, workers: int, *, temperature: float = 0.0) -> Transformers:
    settings = ModelSettings(context=400, maximum_tokens=12, temperature=temperature)
    return open_transformers(folder, settings=settings, workers=workers, name="tiny")


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHBRIDGE_TRAINING_PRECISION", "float32")


def test_texts_are_those_of_one_at_a_time(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = [opened(tiny_llama, 1).generate(prompt) for prompt in PROMPTS]
    sizes = []

    def decode(network: Any, prompts: Sequence[Tokens], config: Any) -> Sequence[Tokens | None]:
        sizes.append(len(prompts))
        return decode_together(network, prompts, config, near=0.0)  # random weights lead by little

    monkeypatch.setattr(transformers, "decode_together", decode)
    together = opened(tiny_llama, 4)
    with together.lock, ThreadPoolExecutor(len(PROMPTS)) as pool:
        coming = [pool.submit(together.generate, prompt) for prompt in PROMPTS]
        while len(together.queues[0].waiting) < len(PROMPTS):
            pass
        together.lock.release()
        answers = [future.result() for future in coming]
        together.lock.acquire()
    assert answers == alone
    assert max(sizes) > 1


def test_a_near_tie_is_answered_alone(tiny_llama: Path) -> None:
    from transformers import GenerationConfig

    model = opened(tiny_llama, 2)
    prompts = [list(range(5, 5 + length)) for length in (4, 9, 7)]
    config = GenerationConfig(max_new_tokens=12, eos_token_id=[1], pad_token_id=1, do_sample=False)
    assert decode_together(model.network, prompts, config, near=1e9) == [None] * len(prompts)
    assert None not in decode_together(model.network, prompts, config, near=-1.0)


def test_sampling_and_bfloat16_are_answered_alone(tiny_llama: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(tiny_llama, 2).queues
    assert not opened(tiny_llama, 1).queues
    assert not opened(tiny_llama, 2, temperature=0.5).queues
    monkeypatch.setenv("WEIGHBRIDGE_TRAINING_PRECISION", "bfloat16")
    assert not opened(tiny_llama, 2).queues


def _ask_all(queue: BatchQueue, lock: Lock, prompts: Sequence[Tokens]) -> list[Tokens | None]:
    with ThreadPoolExecutor(len(prompts)) as pool:
        lock.acquire()
        coming = [pool.submit(queue.ask, prompt) for prompt in prompts]
        while len(queue.waiting) < len(prompts):
            pass
        lock.release()
        return [future.result() for future in coming]


def test_each_thread_gets_its_own_answer_from_batches_of_similar_length() -> None:
    batches, lock = [], Lock()

    def decode(prompts: Sequence[Tokens]) -> Sequence[Tokens | None]:
        batches.append(sorted(map(len, prompts)))
        return [[len(prompt)] for prompt in prompts]

    queue = BatchQueue(decode, 3, lock)
    answers = _ask_all(queue, lock, [[0] * length for length in (10, 11, 12, 13, 14, 100, 101)])
    assert [answer and answer[0] for answer in answers[5:]] == [100, 101]
    assert all(len(batch) <= 3 and batch[0] >= batch[-1] / 2 for batch in batches)
    assert all(answer in ([10 + place], None) for place, answer in enumerate(answers[:5]))


@pytest.mark.parametrize("error", [RuntimeError, IndexError])
def test_a_batch_that_fails_is_answered_one_by_one(error: type[Exception]) -> None:
    lock = Lock()

    def fail(_: Sequence[Tokens]) -> Sequence[Tokens | None]:
        raise error("no memory, or no such place")

    assert _ask_all(BatchQueue(fail, 4, lock), lock, [[1], [2], [3]]) == [None, None, None]


def test_prompts_of_a_batch_that_broke_down_are_answered_alone() -> None:
    lock = Lock()

    def fail(_: Sequence[Tokens]) -> Sequence[Tokens | None]:
        raise MemoryError

    with pytest.raises(MemoryError):
        _ask_all(queue := BatchQueue(fail, 4, lock), lock, [[1], [2], [3]])
    assert queue.waiting == []
    assert queue.ask([4]) is None
