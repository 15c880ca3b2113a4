"""A packed step is the step: nothing is lost, nothing is seen that should not be, and every gradient is the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.data.tokens import IGNORED, Encoded
from weighbridge.train.runtime.quiet import quiet
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.methods import prepare_network, read_row
from weighbridge.train.supervised.prefix_packing import labels, pack, shared_prefix_length
from weighbridge.train.supervised.trainer import row_loss

few = st.integers(3, 5)
text = st.lists(few, min_size=2, max_size=12)


@st.composite
def some_examples(draw) -> list[Encoded]:
    made = []
    for number, tokens in enumerate(draw(st.lists(text, min_size=1, max_size=8))):
        made.append(Encoded(example_id=str(number), tokens=tuple(tokens), start=draw(st.integers(0, len(tokens) - 1))))
    return made


@given(some_examples(), st.integers(4, 40))
def test_every_example_can_be_read_off_a_row(examples: list[Encoded], limit: int):
    rows = pack(examples, limit=limit)
    taught = []
    for row in rows:
        assert len(row.tokens) <= limit or row.plain
        for place, target in zip(row.places, row.targets, strict=True):
            path = np.flatnonzero(row.sees[place])
            assert row.positions[path].tolist() == list(range(len(path)))
            taught.append((*row.tokens[path].tolist(), int(target)))
    wanted = [one.tokens[: place + 1] for one in examples for place in range(max(one.start, 1), len(one.tokens))]
    assert sorted(taught) == sorted(wanted)
    assert labels(examples) == len(wanted)


@given(some_examples())
def test_a_token_sees_the_beginning_of_an_example_and_nothing_else(examples: list[Encoded]):
    beginnings = {one.tokens[: end + 1] for one in examples for end in range(len(one.tokens))}
    for row in pack(examples):
        for place, position in enumerate(row.positions):
            path = np.flatnonzero(row.sees[place])
            assert tuple(row.tokens[path].tolist()) in beginnings
            assert len(path) == position + 1
            assert path[-1] == place


@given(some_examples())
def test_what_is_shared_is_read_once(examples: list[Encoded]):
    (row,) = pack(examples, limit=1000)
    prefixes = {one.tokens[: end + 1] for one in examples for end in range(len(one.tokens))}
    assert len(row.tokens) == len(prefixes)


def test_shared_counts_what_two_texts_begin_with():
    assert [shared_prefix_length((1, 2, 3), other) for other in ((1, 2, 4), (1, 2), (2,), (1, 2, 3))] == [2, 2, 0, 3]


def mixed() -> list[Encoded]:
    """Two prefixes, one inside the other; one ends directly before its answers; one text twice; one alone."""
    random = np.random.default_rng(3)

    def words(count: int) -> tuple[int, ...]:
        return tuple(int(token) for token in random.integers(3, 250, count))

    system, passage, alone, twice = words(40), words(25), words(30), words(6)
    made = [
        (system + words(5) + words(4), 45),
        (system + words(7) + words(3), 47),
        (system + passage + words(3), 65),
        (system + passage + words(2), 65),
        (system + passage + words(6) + words(2), 71),
        (alone, 0),
        (system + twice, 42),
        (system + twice, 42),
    ]
    return [Encoded(example_id=str(n), tokens=tokens, start=start) for n, (tokens, start) in enumerate(made)]


def gradients(network) -> dict[str, np.ndarray]:
    found = {n: p.grad.numpy().copy() for n, p in network.named_parameters() if p.requires_grad}
    network.zero_grad(set_to_none=True)
    return found


@pytest.mark.parametrize("method", ["lora", "prompt-tuning", "ia3", "full"])
@pytest.mark.parametrize("limit", [1024, 130, 10])
def test_loss_and_gradients_are_those_of_the_examples_alone(recipe: Recipe, method: str, limit: int):
    import torch

    how = recipe.training.model_copy(update={"method": method})
    with quiet():
        network = prepare_network(recipe.base, how, torch.float32)
    random = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for weight in filter(lambda weight: weight.requires_grad, network.parameters()):
            weight.add_(torch.randn(weight.shape, generator=random), alpha=0.05)
    examples = mixed()
    rows = pack(examples, limit=limit)
    read = [read_row(network, row).tolist() for row in rows]
    packed = sum(_back(network, row) for row in rows)
    assert [read_row(network, row).tolist() for row in rows] == read
    together = gradients(network)
    alone = sum(_plainly(network, one) for one in examples)
    assert packed == pytest.approx(alone, rel=1e-6)
    wanted = gradients(network)
    assert together.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_allclose(together[name], values, rtol=2e-4, atol=1e-5 * max(1.0, np.abs(values).max()))


def _back(network, row) -> float:
    import torch

    loss = row_loss(network, row, torch.float32)
    loss.backward()
    return loss.item()


def _plainly(network, one: Encoded) -> float:
    """One example by itself, through PEFT's and transformers' own loss; nothing foretells its first token."""
    import torch

    count = labels([one])
    out = network(
        input_ids=torch.tensor([one.tokens]),
        attention_mask=torch.ones(1, len(one.tokens), dtype=torch.long),
        labels=torch.tensor([(IGNORED, *one.labels[1:])]),
    )
    loss = out.loss * count
    loss.backward()
    return loss.item()
