"""An index on disk is complete or not there, is built once, and embeds only what is new."""

from dataclasses import asdict, replace
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest

from weighbridge.errors import WorkspaceError
from weighbridge.retrieve import indexing
from weighbridge.retrieve.indexing import build_index, open_index, read_card, require_card
from weighbridge.types import PUBLIC, Chunk, Progress
from weighbridge.workspace import write_json

CHUNKS = [
    Chunk(id=f"d{i}#0", document_id=f"d{i}", title=f"Title {i}", text=f"number {i} is here", start=0, end=16)
    for i in range(6)
]


def ids(folder: Path) -> list[str]:
    return [chunk.id for chunk in open_index(folder, dimensions=8).contents().chunks]


def test_builds_then_leaves_alone(tmp_path: Path, hashing) -> None:
    seen: list[Progress] = []
    card = build_index(tmp_path, CHUNKS, hashing, notify=seen.append)
    assert (card.documents, card.chunks, card.embedded, card.dimensions) == (6, 6, 6, 8)
    assert card.bytes > 0
    assert card.embedder == "hashing"
    assert read_card(tmp_path) == card
    assert [(p.done, p.total, p.unit) for p in seen] == [(0, 6, "chunks"), (6, 6, "chunks")]
    assert hashing.asked[0] == "Title 0\nnumber 0 is here"
    assert build_index(tmp_path, list(reversed(CHUNKS)), hashing) == card
    assert len(hashing.asked) == 6


def test_embeds_only_new_texts_and_drops_what_is_gone(tmp_path: Path, hashing) -> None:
    build_index(tmp_path, CHUNKS, hashing)
    hashing.asked.clear()
    changed = [*CHUNKS[1:], replace(CHUNKS[0], text="rewritten")]
    card = build_index(tmp_path, changed, hashing)
    assert hashing.asked == ["Title 0\nrewritten"]
    assert (card.chunks, card.embedded) == (6, 1)
    contents = open_index(tmp_path, dimensions=8).contents()
    assert list(contents.chunks) == sorted(changed, key=lambda chunk: chunk.id)
    texts = [f"{chunk.title}\n{chunk.text}" for chunk in contents.chunks]
    np.testing.assert_array_equal(contents.vectors, hashing.embed(texts, kind="document"))
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [card.fingerprint]


def test_changed_groups_make_a_new_index_without_embedding(tmp_path: Path, hashing) -> None:
    before = build_index(tmp_path, CHUNKS, hashing)
    hashing.asked.clear()
    card = build_index(tmp_path, [replace(chunk, groups=frozenset({"staff"})) for chunk in CHUNKS], hashing)
    assert card.fingerprint != before.fingerprint
    assert hashing.asked == []
    assert open_index(tmp_path, dimensions=8).matching("number", limit=9, groups=PUBLIC) == []


def test_seconds_are_what_a_fresh_build_would_have_taken(tmp_path: Path, hashing) -> None:
    card = build_index(tmp_path, CHUNKS, hashing)
    assert 0 < card.embedding_seconds < card.seconds
    hour = replace(card, seconds=3700.0, embedding_seconds=3600.0)
    write_json(tmp_path / "manifest.json", asdict(hour))
    assert build_index(tmp_path, CHUNKS, hashing) == hour
    changed = build_index(tmp_path, [replace(CHUNKS[0], text="rewritten"), *CHUNKS[1:]], hashing)
    assert 3000 < changed.embedding_seconds < changed.seconds < 3100
    fewer = build_index(tmp_path, CHUNKS[1:4], hashing)
    assert 1500 < fewer.embedding_seconds < fewer.seconds < 1600
    other = build_index(tmp_path, CHUNKS, replace(hashing, fingerprint="hashing-2"))
    assert other.seconds < 1500


def test_another_layout_of_the_table_is_built_anew(tmp_path: Path, hashing, monkeypatch: pytest.MonkeyPatch) -> None:
    before = build_index(tmp_path, CHUNKS, hashing)
    monkeypatch.setattr(indexing, "LAYOUT", "2")
    card = build_index(tmp_path, CHUNKS, hashing)
    assert card.fingerprint != before.fingerprint
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == [card.fingerprint]


def test_a_card_is_required_of_the_same_embedder(tmp_path: Path, hashing) -> None:
    with pytest.raises(WorkspaceError, match="no complete index; run: weighbridge index"):
        require_card(tmp_path, hashing)
    card = build_index(tmp_path, CHUNKS, hashing)
    assert require_card(tmp_path, hashing) == card
    same_width = replace(hashing, name="other", fingerprint="other-1")
    expected = r"another embedder \(hashing, hashing-1\) than .* \(other, other-1\); run: weighbridge index"
    with pytest.raises(WorkspaceError, match=expected):
        require_card(tmp_path, same_width)


def test_another_embedder_embeds_everything(tmp_path: Path, hashing) -> None:
    build_index(tmp_path, CHUNKS, hashing)
    other = replace(hashing, fingerprint="hashing-2", asked=[])
    assert build_index(tmp_path, CHUNKS, other).embedded == 6


def test_interrupted_build_leaves_the_old_index_and_is_cleaned_up(tmp_path: Path, hashing) -> None:
    card = build_index(tmp_path, CHUNKS, hashing)

    def interrupt(progress: Progress) -> None:
        if progress.done == 7:
            raise KeyboardInterrupt

    more = [*CHUNKS, Chunk(id="new#0", document_id="new", text="new", start=0, end=3)]
    with pytest.raises(KeyboardInterrupt):
        build_index(tmp_path, more, hashing, notify=interrupt)
    assert read_card(tmp_path) == card
    assert len(ids(tmp_path)) == 6
    (tmp_path / "half-built").mkdir()
    assert build_index(tmp_path, more, hashing).chunks == 7
    assert "new#0" in ids(tmp_path)
    assert not (tmp_path / "half-built").exists()


def test_an_empty_index_is_an_index(tmp_path: Path, hashing) -> None:
    assert build_index(tmp_path, [], hashing).chunks == 0
    assert ids(tmp_path) == []


@pytest.mark.parametrize("manifest", ["", "[]", '{"fingerprint": "x"}'])
def test_a_manifest_that_is_not_whole_is_no_index(tmp_path: Path, hashing, manifest: str) -> None:
    build_index(tmp_path, CHUNKS, hashing)
    (tmp_path / "manifest.json").write_text(manifest)
    assert read_card(tmp_path) is None
    with pytest.raises(WorkspaceError, match="weighbridge index"):
        open_index(tmp_path, dimensions=8)
    assert build_index(tmp_path, CHUNKS, hashing).embedded == 6


def test_an_index_before_that_cannot_be_read_is_built_anew(tmp_path: Path, hashing) -> None:
    card = build_index(tmp_path, CHUNKS, hashing)
    rmtree(tmp_path / card.fingerprint)
    (tmp_path / card.fingerprint).mkdir()
    (tmp_path / card.fingerprint / "chunks.lance").write_text("")
    assert build_index(tmp_path, CHUNKS[1:], hashing).embedded == 5


def test_other_dimensions_are_refused(tmp_path: Path, hashing) -> None:
    build_index(tmp_path, CHUNKS, hashing)
    with pytest.raises(WorkspaceError, match="8 dimensions"):
        open_index(tmp_path, dimensions=384)
