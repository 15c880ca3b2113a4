"""However many share a batch, each example is read once, by rows within the limit, and nobody has more than need be."""

from collections.abc import Sequence
from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.data.tokens import Encoded
from weighbridge.train.supervised.prefix_packing import pack
from weighbridge.train.supervised.shards import Work, divide

TEXTS = st.lists(
    st.tuples(st.sampled_from([(), (3,) * 6, (3, 3, 4, 4, 4)]), st.lists(st.integers(3, 6), min_size=2, max_size=7)),
    min_size=1,
    max_size=7,
)


def encoded(texts: Sequence[tuple[tuple[int, ...], list[int]]]) -> tuple[Encoded, ...]:
    return tuple(
        Encoded(example_id=str(number), tokens=(*begin, *own), start=len(begin) + 1)
        for number, (begin, own) in enumerate(texts)
    )


def tokens(examples: Sequence[Encoded], part: Sequence[int]) -> int:
    return sum(len(row.tokens) for row in pack(examples, among=part, limit=10**6)) if part else 0


@given(TEXTS, st.integers(1, 5), st.integers(4, 40))
def test_every_example_is_read_once(texts, processes: int, limit: int):
    examples = encoded(texts)
    work = Work(encoded=examples, order=[range(len(examples))], row_tokens=limit, processes=processes)
    rows = [row for rank in range(processes) for row in work.rows(0, rank)]
    every = list(range(len(examples)))
    assert sorted(number for part in divide(examples, every, processes) for number in part) == every
    assert sorted(target for row in rows for target in row.targets.tolist()) == sorted(
        token for one in examples for token in one.tokens[one.start :]
    )
    longest = max(len(one.tokens) for one in examples)
    assert all(len(row.tokens) <= max(limit, longest) for row in rows)
    assert work.longest() == max(len(row.tokens) for row in rows)
    assert work.rows(0, 0)


@given(TEXTS, st.integers(1, 3))
def test_no_cut_leaves_the_busiest_with_less(texts, processes: int):
    examples = encoded(texts)
    order = sorted(range(len(examples)), key=lambda number: (examples[number].tokens, number))
    made = divide(examples, order[::-1], processes)
    assert len(made) == processes
    cuts = (
        (0, *places, len(order))
        for few in range(min(processes, len(order)))
        for places in combinations(range(1, len(order)), few)
    )
    others = [max(tokens(examples, order[i:j]) for i, j in pairwise(cut)) for cut in cuts]
    assert max(tokens(examples, part) for part in made) == min(others)


@given(TEXTS)
def test_one_process_does_what_it_has_always_done(texts):
    examples = encoded(texts)
    batch = list(range(len(examples)))[::-1]
    work = Work(encoded=examples, order=[batch], row_tokens=20)
    ours, theirs = work.rows(0, 0), pack(examples, among=batch, limit=20)
    assert [row.tokens.tolist() for row in ours] == [row.tokens.tolist() for row in theirs]
    assert work.labels(0) == sum(len(one.tokens) - one.start for one in examples)


def test_what_all_share_is_not_cut_for_little():
    begin = (3,) * 100
    examples = encoded([(begin, [4, 4]), (begin, [5, 5])])
    made = divide(examples, [0, 1], 4)
    assert [tokens(examples, part) for part in made] == [102, 102, 0, 0]
