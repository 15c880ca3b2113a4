"""Documents become rows without loss; what not everybody may read does not."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.train.data.tokens import readable, text_rows
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.train.supervised.prefix_packing import labels
from weighbridge.train.supervised.train import Job, train_supervised
from weighbridge.types import Document

words = st.text(st.sampled_from("ab thin.\n\u00c6\N{GRINNING FACE}"), max_size=80)


@pytest.fixture(scope="module")
def tokenizer(tiny: BaseFiles):
    return load_tokenizer(tiny)


@given(text=words, limit=st.integers(1, 30))
def test_no_text_is_lost(tokenizer, text: str, limit: int):
    rows = text_rows([Document(id="doc.md", text=text)], tokenizer, maximum_tokens=limit)
    whole = [token for row in rows for token in row.tokens]
    if not text.strip():
        assert not rows
        return
    assert whole == [*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    assert max(len(row.tokens) for row in rows) <= limit
    assert limit < 4 or all(labels([row]) for row in rows)
    assert not any(row.start for row in rows)
    spans = [tuple(map(int, row.example_id.removeprefix("doc.md#").split("-"))) for row in rows]
    assert spans[0][0] == 0
    assert spans[-1][1] == len(text)
    assert all(before[1] == after[0] for before, after in pairwise(spans))


def test_rows_end_between_words(tokenizer):
    rows = text_rows([Document(id="d", text="lorem ipsum dolor sit amet")], tokenizer, maximum_tokens=14)
    assert [tokenizer.decode(row.tokens) for row in rows] == ["lorem ipsum", " dolor sit", " amet<|im_end|>"]
    assert [row.example_id for row in rows] == ["d#0-11", "d#11-21", "d#21-26"]


def test_restricted_documents_are_left_out(tokenizer):
    documents = [
        Document(id="open", text="for all"),
        Document(id="shut", text="for some", groups=frozenset({"crew"})),
    ]
    assert [document.id for document in readable(documents)] == ["open"]
    rows = text_rows(documents, tokenizer, maximum_tokens=99)
    assert [row.example_id for row in rows] == ["open#0-7"]


def test_rows_are_learnt(recipe: Recipe, tokenizer, tmp_path: Path):
    documents = [Document(id=str(n), text=f"Ferry {n} leaves at {n}:30 from the old pier.") for n in range(4)]
    rows = text_rows(documents, tokenizer, maximum_tokens=30)
    assert labels(rows) == sum(len(row.tokens) - 1 for row in rows)
    done = train_supervised(Job(encoded=rows, folder=tmp_path, recipe=recipe))
    assert done.last_loss < done.first_loss / 2
