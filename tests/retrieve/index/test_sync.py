"""An index follows its documents exactly, is complete or not there, and embeds only what is new."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from weighbridge.errors import DataError, WorkspaceError
from weighbridge.protocols import Embedder
from weighbridge.retrieve.index import build as building
from weighbridge.retrieve.index import sync as indexing
from weighbridge.retrieve.index.build import IndexSource
from weighbridge.retrieve.index.sync import (
    IndexCard,
    IndexHome,
    open_stored,
    plan_sync,
    read_index_card,
    require_card,
    restore_index,
    sync,
)
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.types import PUBLIC, Chunk, Document, Progress
from weighbridge.workspace import write_json

ALL = frozenset({"staff"})


def document(name: str, text: str = "", groups: frozenset[str] = PUBLIC) -> Document:
    return Document(id=name, text=text or f"number {name}\nis here", title=f"Title {name}", groups=groups)


DOCUMENTS = [document(f"d{i}") for i in range(6)]


def version(document: Document) -> str:
    return f"{document.text}|{sorted(document.groups)}"


def lines(document: Document) -> Sequence[Chunk]:
    """Cut a document into its lines."""
    return [
        Chunk(
            id=f"{document.id}#{n}", document_id=document.id, text=line, start=100 * n, end=100 * n + len(line),
            title=document.title,
            version=version(document), groups=document.groups,
        )
        for n, line in enumerate(document.text.split("\n"))
        if line
    ]  # fmt: skip


def material(documents: Iterable[Document], chunking: str = "lines") -> IndexSource:
    return IndexSource(documents=list(documents), version=version, cut=lines, chunking=chunking)


def home(folder: Path, embedder: Embedder) -> IndexHome:
    return IndexHome(folder=folder, store=FaissStore(folder), embedder=embedder)


def synced(folder: Path, documents: Iterable[Document], embedder: Embedder, **kinds: str) -> IndexCard:
    place, sources = home(folder, embedder), material(documents, **kinds)
    return sync(place, sources, plan_sync(place, sources))


def texts(folder: Path, name: str) -> list[str]:
    return [chunk.text for chunk in open_stored(folder, FaissStore(folder)).chunks_of(name, groups=ALL)]


def test_builds_then_leaves_alone(tmp_path: Path, hashing) -> None:
    seen: list[Progress] = []
    place, sources = home(tmp_path, hashing), material(DOCUMENTS)
    plan = plan_sync(place, sources)
    assert (plan.added, plan.unchanged, plan.anew) == (tuple(d.id for d in DOCUMENTS), 0, "there is no index yet")
    card = sync(place, sources, plan, notify=seen.append)
    assert (card.documents, card.chunks, card.embedded, card.dimensions) == (6, 12, 12, 8)
    assert card.bytes > 0
    assert read_index_card(tmp_path) == card == require_card(place)
    assert [(p.done, p.total, p.unit) for p in seen] == [(0, 6, "documents"), (6, 6, "documents")]
    assert hashing.asked[0] == "Title d0\nnumber d0"
    assert plan_sync(place, material(reversed(DOCUMENTS))).empty
    assert synced(tmp_path, reversed(DOCUMENTS), hashing) == card
    assert len(hashing.asked) == 12
    assert not (tmp_path / "building.json").exists()


def test_a_changed_document_is_embedded_where_it_changed_and_its_old_text_is_gone(tmp_path: Path, hashing) -> None:
    before = synced(tmp_path, DOCUMENTS, hashing)
    hashing.asked.clear()
    changed = document("d0", "number d0\nis elsewhere")
    card = synced(tmp_path, [changed, *DOCUMENTS[1:-1], document("d9")], hashing)
    assert hashing.asked == ["Title d0\nis elsewhere", "Title d9\nnumber d9", "Title d9\nis here"]
    assert (card.documents, card.chunks, card.embedded, card.name) == (6, 12, 3, before.name)
    assert card.fingerprint != before.fingerprint
    assert texts(tmp_path, "d0") == ["number d0", "is elsewhere"]
    assert texts(tmp_path, "d5") == []
    index = open_stored(tmp_path, FaissStore(tmp_path))
    wanted = hashing.embed(["Title d0\nnumber d0", "Title d0\nis elsewhere"], kind="document")
    np.testing.assert_array_equal(index.vectors(["d0#0", "d0#1"], groups=PUBLIC), wanted)


def test_a_renamed_document_is_not_embedded_again(tmp_path: Path, hashing) -> None:
    synced(tmp_path, DOCUMENTS, hashing)
    hashing.asked.clear()
    renamed = replace(DOCUMENTS[0], id="elsewhere/d0")
    card = synced(tmp_path, [renamed, *DOCUMENTS[1:]], hashing)
    assert (card.embedded, hashing.asked) == (0, [])
    assert texts(tmp_path, "elsewhere/d0") == ["number d0", "is here"]
    index = open_stored(tmp_path, FaissStore(tmp_path))
    wanted = hashing.embed(["Title d0\nnumber d0"], kind="document")
    np.testing.assert_array_equal(index.vectors(["elsewhere/d0#0"], groups=PUBLIC), wanted)


def test_what_is_said_twice_is_embedded_once(tmp_path: Path, hashing) -> None:
    same = [Document(id=f"d{n}", text="always the same\nand one more", title="T") for n in range(3)]
    card = synced(tmp_path, same, hashing)
    assert hashing.asked == ["T\nalways the same", "T\nand one more"]
    assert (card.chunks, card.embedded) == (6, 6)
    index = open_stored(tmp_path, FaissStore(tmp_path))
    wanted = hashing.embed(["T\nalways the same", "T\nand one more"] * 3, kind="document")
    found = index.vectors([f"d{n}#{part}" for n in range(3) for part in range(2)], groups=PUBLIC)
    np.testing.assert_array_equal(found, wanted)


def test_changed_groups_change_the_index_without_embedding(tmp_path: Path, hashing) -> None:
    before = synced(tmp_path, DOCUMENTS, hashing)
    hashing.asked.clear()
    card = synced(tmp_path, [replace(each, groups=ALL) for each in DOCUMENTS], hashing)
    assert card.fingerprint != before.fingerprint
    assert hashing.asked == []
    assert open_stored(tmp_path, FaissStore(tmp_path)).search_text("number", limit=9, groups=PUBLIC) == []


@pytest.mark.parametrize("change", ["embedder", "chunking", "layout", "many"])
def test_what_changes_everything_is_built_beside_and_swapped(
    tmp_path: Path, hashing, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    before = synced(tmp_path, DOCUMENTS, hashing)
    reader = open_stored(tmp_path, FaissStore(tmp_path))
    embedder = (
        replace(hashing, fingerprint="hashing-2", asked=[]) if change == "embedder" else replace(hashing, asked=[])
    )
    documents = DOCUMENTS
    if change == "layout":
        monkeypatch.setattr(FaissStore, "layout", "2")
    if change == "many":
        monkeypatch.setattr(indexing, "_MOST_IN_PLACE", 2)
        documents = [*DOCUMENTS, *(document(f"new{i}") for i in range(3))]
    card = synced(tmp_path, documents, embedder, chunking="others" if change == "chunking" else "lines")
    assert card.name != before.name
    assert len(embedder.asked) == {"embedder": 12, "many": 6}.get(change, 0), "known texts keep their vectors"
    assert reader.count() == 12, "who reads the old index can go on"
    assert set(FaissStore(tmp_path).names()) == {before.name, card.name}
    synced(tmp_path, documents[1:], replace(embedder, fingerprint="hashing-3"))
    assert before.name not in FaissStore(tmp_path).names()


def test_seconds_are_what_a_fresh_build_would_have_taken(tmp_path: Path, hashing) -> None:
    card = synced(tmp_path, DOCUMENTS, hashing)
    assert 0 < card.embedding_seconds < card.seconds
    hour = replace(card, seconds=3700.0, embedding_seconds=3600.0)
    write_json(tmp_path / "manifest.json", asdict(hour))
    assert synced(tmp_path, DOCUMENTS, hashing) == hour
    changed = synced(tmp_path, [document("d0", "rewritten"), *DOCUMENTS[1:]], hashing)
    assert 2900 < changed.embedding_seconds < changed.seconds < 3100
    other = synced(tmp_path, DOCUMENTS, replace(hashing, fingerprint="hashing-2"))
    assert other.seconds < 1500


class InterruptedHereError(Exception):
    """What an interruption looks like from inside."""


@pytest.mark.parametrize("stop", range(1, 7))
def test_an_interrupted_build_goes_on_where_it_stopped(
    tmp_path: Path, hashing, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    monkeypatch.setattr(building, "_BATCH_CHUNKS", 2)

    def interrupt(progress: Progress) -> None:
        if progress.done == stop:
            raise InterruptedHereError

    place, sources = home(tmp_path, hashing), material(DOCUMENTS)
    with pytest.raises(InterruptedHereError):
        sync(place, sources, plan_sync(place, sources), notify=interrupt)
    assert read_index_card(tmp_path) is None
    with pytest.raises(WorkspaceError, match="no complete index"):
        require_card(place)
    later = [document("d0", "written anew"), *DOCUMENTS[1:-1]]
    card = synced(tmp_path, later, hashing)
    assert (card.documents, card.chunks) == (5, 9)
    assert set(FaissStore(tmp_path).names()) == {card.name}
    assert texts(tmp_path, "d0") == ["written anew"]
    assert texts(tmp_path, "d5") == []
    first, second = stop, 6 - stop
    spared = max(first - 1, 0) * 2
    assert len(hashing.asked) <= first * 2 + 1 + second * 2
    assert card.embedded >= spared


def test_an_interrupted_change_leaves_the_index_as_it_was(tmp_path: Path, hashing) -> None:
    card = synced(tmp_path, DOCUMENTS, hashing)

    def interrupt(progress: Progress) -> None:
        raise InterruptedHereError

    place, sources = home(tmp_path, hashing), material([document("d0", "new"), *DOCUMENTS[1:]])
    with pytest.raises(InterruptedHereError):
        sync(place, sources, plan_sync(place, sources), notify=interrupt)
    assert read_index_card(tmp_path) == card
    assert texts(tmp_path, "d0") == ["number d0", "is here"]
    assert synced(tmp_path, [document("d0", "new"), *DOCUMENTS[1:]], hashing).chunks == 11


def test_a_change_that_was_applied_but_not_written_down_is_written_down(tmp_path: Path, hashing) -> None:
    before = synced(tmp_path, DOCUMENTS, hashing)
    after = synced(tmp_path, DOCUMENTS[1:], hashing)
    write_json(tmp_path / "manifest.json", asdict(before))
    again = synced(tmp_path, DOCUMENTS[1:], hashing)
    assert (again.fingerprint, again.documents) == (after.fingerprint, 5)


def test_a_build_that_was_swapped_in_but_not_tidied_up_after_is_not_gone_on_with(
    tmp_path: Path, hashing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = synced(tmp_path, DOCUMENTS, hashing)
    write_json(tmp_path / "building.json", {"key": before.key, "name": before.name, "embedded": 12, "seconds": 1.0})
    monkeypatch.setattr(indexing, "_MOST_IN_PLACE", 2)
    reader = open_stored(tmp_path, FaissStore(tmp_path))
    card = synced(tmp_path, [document(each.id, "rewritten") for each in DOCUMENTS], hashing)
    assert card.name != before.name
    assert reader.count() == 12
    assert open_stored(tmp_path, FaissStore(tmp_path)).count() == 6


def test_a_card_is_required_of_the_same_embedder(tmp_path: Path, hashing) -> None:
    with pytest.raises(WorkspaceError, match="no complete index; run: weighbridge index"):
        require_card(home(tmp_path, hashing))
    synced(tmp_path, DOCUMENTS, hashing)
    expected = r"another embedder \(hashing, hashing-1\) than .* \(other, other-1\); run: weighbridge index"
    with pytest.raises(WorkspaceError, match=expected):
        require_card(home(tmp_path, replace(hashing, name="other", fingerprint="other-1")))


@pytest.mark.parametrize("manifest", ["", "[]", '{"fingerprint": "x"}'])
def test_a_manifest_that_is_not_whole_is_no_index(tmp_path: Path, hashing, manifest: str) -> None:
    synced(tmp_path, DOCUMENTS, hashing)
    (tmp_path / "manifest.json").write_text(manifest)
    assert read_index_card(tmp_path) is None
    with pytest.raises(WorkspaceError, match="weighbridge index"):
        open_stored(tmp_path, FaissStore(tmp_path))
    assert synced(tmp_path, DOCUMENTS, hashing).embedded == 12


def test_two_documents_with_one_id_are_refused(tmp_path: Path, hashing) -> None:
    twice = [document("d0"), replace(document("d0"), source="other/d0.md")]
    with pytest.raises(DataError, match=r"other/d0\.md: the id 'd0' is another document's too"):
        plan_sync(home(tmp_path, hashing), material(twice))


def test_what_could_not_be_read_this_time_is_kept(tmp_path: Path, hashing) -> None:
    synced(tmp_path, DOCUMENTS, hashing)
    place = home(tmp_path, hashing)
    sources = replace(material(DOCUMENTS[1:-1]), unsettled=frozenset({"d5", "never seen"}))
    plan = plan_sync(place, sources)
    assert (plan.deleted, plan.unchanged) == (("d0",), 5)
    assert sync(place, sources, plan).documents == 5
    assert texts(tmp_path, "d5") == ["number d5", "is here"]


def test_an_index_that_another_store_made_is_built_again_and_said(tmp_path: Path, hashing) -> None:
    """LanceDB, which was a store once, kept a folder `chunks.lance` for each index."""
    before = synced(tmp_path, DOCUMENTS, hashing)
    FaissStore(tmp_path).drop(before.name)
    (tmp_path / before.name / "chunks.lance" / "data").mkdir(parents=True)
    place, sources = home(tmp_path, hashing), material(DOCUMENTS)
    with pytest.raises(WorkspaceError, match="no complete index; run: weighbridge index"):
        require_card(place)
    plan = plan_sync(place, sources)
    assert (plan.anew, len(plan.added)) == (f"index {before.name} was made by another store", 6)
    assert (sync(place, sources, plan).chunks, texts(tmp_path, "d0")) == (12, ["number d0", "is here"])


def test_an_empty_index_is_an_index(tmp_path: Path, hashing) -> None:
    assert synced(tmp_path, [], hashing).chunks == 0
    assert synced(tmp_path, [document("blank", " \n ")], hashing).chunks == 0


def test_a_rollback_brings_back_the_documents_of_then(tmp_path: Path, hashing) -> None:
    card = synced(tmp_path, DOCUMENTS, hashing)
    then = open_stored(tmp_path, FaissStore(tmp_path)).version
    synced(tmp_path, [document("d0", "rewritten"), *DOCUMENTS[2:]], hashing)
    back = restore_index(tmp_path, FaissStore(tmp_path), then)
    assert (back.fingerprint, back.documents, back.chunks) == (card.fingerprint, 6, 12)
    assert read_index_card(tmp_path) == back
    assert texts(tmp_path, "d0") == ["number d0", "is here"]
    assert plan_sync(home(tmp_path, hashing), material(DOCUMENTS[2:])).deleted == ("d0", "d1")


states = st.lists(
    st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["one", "one\ntwo", "two\nthree"])), min_size=1, max_size=4
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=states)
def test_whatever_came_before_the_index_holds_exactly_the_documents(history: list[Mapping[str, str]], hashing) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for state in history:
            card = synced(folder, [document(key, text) for key, text in state.items()], hashing)
        last = history[-1]
        assert card.documents == len(last)
        assert {key: "\n".join(texts(folder, key)) for key in "abcd"} == {key: last.get(key, "") for key in "abcd"}
