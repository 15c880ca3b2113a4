"""Token vectors that imitate an embedder."""

from pathlib import Path

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve.embed.local import open_embedder
from weighbridge.retrieve.embed.static import learn_static, open_static
from weighbridge.types import Progress

pytestmark = pytest.mark.models

PLACES = ("harbour", "quarry", "airfield", "library", "bakery", "mill", "station", "museum")
FACTS = ("opens at six", "was built by masons", "closed after the flood", "sells bread", "has a blue door")
TEXTS = [f"The {place} {fact}." for place in PLACES for fact in FACTS]


def test_it_comes_near_to_what_it_imitates_in_the_same_space(minilm: Path, tmp_path: Path) -> None:
    embedder = open_embedder(minilm, precision="int8")
    seen: list[Progress] = []
    static = learn_static(embedder, TEXTS[::2], tmp_path / "vectors.npz", notify=seen.append)
    exact, near = embedder.embed(TEXTS, kind="document"), static.embed(TEXTS, kind="document")
    assert (exact * near).sum(1)[1::2].mean() > 0.75
    query = ["When does the quarry open?"]
    np.testing.assert_array_equal(static.embed(query, kind="query"), embedder.embed(query, kind="query"))
    assert TEXTS[int((near @ static.embed(query, kind="query")[0]).argmax())] == "The quarry opens at six."
    assert (seen[-1].done, seen[-1].total) == (20, 20)


def test_what_was_learnt_is_opened_again_only_for_its_embedder(minilm: Path, tmp_path: Path) -> None:
    # In the precision of the test above, so that the words of the model are embedded once.
    embedder, file = open_embedder(minilm, precision="int8"), tmp_path / "vectors.npz"
    learnt = learn_static(embedder, TEXTS, file, sample=10)
    opened = open_static(file, embedder)
    assert opened.fingerprint == learnt.fingerprint != embedder.fingerprint
    np.testing.assert_array_equal(opened.embed(TEXTS, kind="document"), learnt.embed(TEXTS, kind="document"))
    with pytest.raises(WorkspaceError, match="another embedder"):
        open_static(file, open_embedder(minilm, precision="float32"))


def test_an_unreadable_file_is_named(minilm: Path, tmp_path: Path) -> None:
    embedder = open_embedder(minilm)
    with pytest.raises(WorkspaceError, match=r"absent\.npz"):
        open_static(tmp_path / "absent.npz", embedder)
    (tmp_path / "cut.npz").write_bytes(b"PK\3\4")
    with pytest.raises(WorkspaceError, match=r"cut\.npz"):
        open_static(tmp_path / "cut.npz", embedder)
