"""Batches hold every text once, within the limit."""

from hypothesis import given
from hypothesis import strategies as st

from weighbridge.retrieve.embed.batches import batches

TOKENS = st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=40), max_size=30)


@given(tokens=TOKENS, limit=st.integers(1, 200), multiple=st.sampled_from([1, 8]), above=st.sampled_from([0, 8, 20]))
def test_every_text_is_in_one_batch_as_it_was(tokens: list[list[int]], limit: int, multiple: int, above: int) -> None:
    found = list(batches(tokens, limit=limit, multiple=multiple, above=above))
    assert sorted(place for batch in found for place in batch.places) == list(range(len(tokens)))
    for batch in found:
        assert batch.ids.size <= limit or len(batch.places) == 1
        width = max(len(tokens[place]) for place in batch.places)
        assert batch.ids.shape[1] % multiple == 0 or width <= above
        assert batch.ids.shape[1] - width < (multiple if width > above else 1)
        for row, place in enumerate(batch.places):
            real = batch.mask[row] == 1
            assert batch.ids[row][real].tolist() == tokens[place]
            assert batch.ids[row][~real].sum() == batch.mask[row][~real].sum() == 0
