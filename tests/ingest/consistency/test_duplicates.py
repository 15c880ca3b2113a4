import random
from dataclasses import replace

import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.consistency.duplicates import (
    Copy,
    DroppedCopy,
    Duplicates,
    drop_duplicates,
    duplicate_lines,
    find_duplicates,
    list_dropped_copies,
    signature,
    words_of,
)
from weighbridge.types import Document

WORDS = [f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(300)]
LONG = " ".join(WORDS)


def document(name: str, text: str = LONG, groups: str = "") -> Document:
    return Document(id=name, text=text, groups=frozenset(groups))


def test_case_and_white_space_make_no_other_text() -> None:
    found = find_duplicates([document("b", "One  two\n"), document("a", "one TWO"), document("c", "one two three")])
    assert found == (Duplicates("a", (Copy("b", 1.0, exact=True),)),)


def test_a_near_duplicate_is_found_by_its_words() -> None:
    near = LONG.replace("wordca", "other")
    (found,) = find_duplicates([document("a"), document("b", near), document("c", " ".join(reversed(WORDS)))])
    (copy,) = found.copies
    assert (found.kept, copy.id, copy.exact, copy.obstacle) == ("a", "b", False, "")
    assert copy.similarity == pytest.approx(295 / 301, abs=0.03)
    assert not find_duplicates([document("a"), document("b", near)], threshold=1)


def test_a_public_document_is_kept_before_others() -> None:
    found = find_duplicates([document("a", groups="x"), document("b"), document("c", groups="y")])
    assert found == (Duplicates("b", (Copy("a", 1.0, exact=True), Copy("c", 1.0, exact=True))),)


ORIGINALS = [
    "chlorine",
    "Chlorine (1998)",
    "cold storage",
    "golden rule",
    "oldenburg",
    "copyright",
    "draughts",
    "altitude",
]
SECONDARY = [
    "{} (copy)", "{} (2)", "{} - Copy", "{} - Copy (3)", "Copy of {}", "{}-old", "{}_old", "{}Old", "OLD {}", "{}.bak",
    "{} copy2", "{}_v1", "{}V2", "{}.v1.2", "{} draft", "{} Kopie", "Kopie von {}", "{} - copia", "{} - C\u00f3pia",
    "{} \u043a\u043e\u043f\u0438\u044f", "{} - \u526f\u672c", "{}\u7684\u526f\u672c", "{} - \u30b3\u30d4\u30fc",
    "{} \ubcf5\uc0ac\ubcf8", "{}~", "backup/{}", "Backup 2024/{}", "backups/{}", "archive/{}", "Archiv/{}",
    "old/2019/{}", "drafts/{}", "v1/{}", "tmp\\{}",
]  # fmt: skip
"""What people and file managers make of a name."""


@given(
    original=st.sampled_from(ORIGINALS),
    folder=st.sampled_from(["", "a/", "Finance/2024/", "x\\y\\"]),
    made=st.lists(st.sampled_from(SECONDARY), min_size=1, max_size=4, unique=True),
    near=st.booleans(),
    chosen=st.randoms(use_true_random=False),
)
def test_the_likeliest_original_is_kept(original: str, folder: str, made: list[str], *, near: bool, chosen) -> None:
    copied = LONG + " more" if near else LONG.upper()
    documents = [document(folder + original), *(document(one.format(original), copied) for one in made)]
    chosen.shuffle(documents)
    (found,) = find_duplicates(documents)
    assert found.kept == folder + original


@pytest.mark.parametrize(
    ("kept", "copies"),
    [
        ("longer/name", ["a/b/c", "b/c/d/e"]),  # the fewest folders
        ("zz", ["aaa", "zzz"]),  # the shortest
        ("aa", ["ab", "ac"]),  # the first
        ("b/backup/x", ["backup/x (copy)", "old/copy of x"]),  # the fewest words that tell a copy
        ("backup/x", ["archive/y/x", "archive/xy"]),
    ],
)
def test_of_equal_names_the_shallowest_the_shortest_the_first_is_kept(kept: str, copies: list[str]) -> None:
    (found,) = find_duplicates([*map(document, copies), document(kept)])
    assert (found.kept, [copy.id for copy in found.copies]) == (kept, sorted(copies))


def test_what_everybody_may_read_is_kept_even_if_its_name_says_copy() -> None:
    (found,) = find_duplicates([document("chlorine", groups="x"), document("backup/chlorine (copy)")])
    assert found.kept == "backup/chlorine (copy)"


def test_what_somebody_could_no_longer_read_is_not_dropped() -> None:
    documents = [document("a", groups="xy"), document("b", groups="x"), document("c", groups="yz")]
    found = find_duplicates(documents)
    assert [copy.obstacle for copy in found[0].copies] == ["", "some who may read it may not read a"]
    assert [one.id for one in drop_duplicates(documents, found)] == ["a", "c"]


def test_a_copy_with_other_figures_is_not_dropped() -> None:
    documents = [document("a", f"{LONG} costs 20"), document("b", f"{LONG} costs 30")]
    found = find_duplicates(documents)
    assert [copy.obstacle for copy in found[0].copies] == ["its figures differ"]
    assert list(drop_duplicates(documents, found)) == documents
    assert list(duplicate_lines(found)) == ["b: 99% of the words of a; not to be dropped: its figures differ"]


def test_a_copy_is_close_to_the_one_kept_not_only_to_another_copy() -> None:
    versions = [" ".join([*(f"new{chr(97 + n)}" for n in range(at)), *WORDS[at:]]) for at in (0, 20, 40, 60)]
    found = find_duplicates([document(str(at), text) for at, text in enumerate(versions)], threshold=0.85)
    assert [(one.kept, [copy.id for copy in one.copies]) for one in found] == [("0", ["1"]), ("2", ["3"])]


def test_documents_without_words_have_no_duplicates() -> None:
    assert not find_duplicates([document("a", ""), document("b", " "), document("c", "...")])


def test_texts_of_few_words_are_compared_whole() -> None:
    assert not find_duplicates([document("a", "one two"), document("b", "one three")], threshold=0.5)


def test_a_signature_estimates_the_share_of_word_runs() -> None:
    chosen = random.Random(5)
    for _ in range(5):
        left, right = WORDS, [word if chosen.random() > 0.1 else "x" + word for word in WORDS]
        runs = [{tuple(words[at : at + 3]) for at in range(298)} for words in (left, right)]
        estimated = (signature(left) == signature(right)).mean()
        assert estimated == pytest.approx(len(runs[0] & runs[1]) / len(runs[0] | runs[1]), abs=0.12)
        reference = [MinHash(num_perm=256) for _ in runs]
        for sketch, own in zip(reference, runs, strict=True):
            sketch.update_batch([" ".join(run).encode() for run in own])
        assert estimated == pytest.approx(reference[0].jaccard(reference[1]), abs=0.15)


def test_words_of_scripts_without_spaces_are_characters() -> None:
    assert list(words_of("\u732b\u3068\u72ac Cats")) == ["\u732b", "\u3068", "\u72ac", "cats"]


TEXTS = ["one two three four five", "One two  three four five", LONG, LONG + " more", LONG + " 7", "else", ""]
NAMES = ["{}", "backup/{}", "{} (copy)", "a/b/{}", "old/{}-draft"]
CORPORA = st.lists(
    st.tuples(st.sampled_from(TEXTS), st.frozensets(st.sampled_from("xyz")), st.sampled_from(NAMES)), max_size=12
).map(
    lambda found: [
        Document(id=name.format(f"{n:02}"), text=text, groups=groups) for n, (text, groups, name) in enumerate(found)
    ]
)


@given(documents=CORPORA, chosen=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_each_document_is_in_one_place(documents: list[Document], chosen) -> None:
    found = find_duplicates(documents)
    shuffled = list(documents)
    chosen.shuffle(shuffled)
    assert find_duplicates(shuffled) == found
    named = [name for one in found for name in (one.kept, *(copy.id for copy in one.copies))]
    assert len(named) == len(set(named))
    assert set(named) <= {one.id for one in documents}


@given(documents=CORPORA)
def test_dropping_takes_a_text_from_nobody(documents: list[Document]) -> None:
    found = find_duplicates(documents)
    kept = list(drop_duplicates(documents, found))
    stands_for = {copy.id: one.kept for one in found for copy in one.copies}

    def readable(some: list[Document], groups: frozenset[str]) -> set[str]:
        return {one.id for one in some if not one.groups or one.groups & groups}

    for size in range(8):
        groups = frozenset(letter for bit, letter in enumerate("xyz") if size >> bit & 1)
        before, after = readable(documents, groups), readable(kept, groups)
        assert all(name in after or stands_for[name] in after for name in before)
    dropped = list_dropped_copies(documents, found)
    assert {one.document.id for one in dropped} == {one.id for one in documents} - {one.id for one in kept}
    assert all(one == DroppedCopy(replace(one.document, text=""), stands_for[one.document.id]) for one in dropped)
    exact = {" ".join(one.text.casefold().split()) for one in documents if words_of(one.text)}
    assert {one.id for one in documents if not words_of(one.text)} <= {one.id for one in kept}
    assert len(exact) >= len(found)
