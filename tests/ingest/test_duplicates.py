import random

import pytest
from datasketch import MinHash
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.ingest.duplicates import (
    Copy,
    Duplicates,
    duplicate_lines,
    find_duplicates,
    signature,
    without_duplicates,
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


def test_what_somebody_could_no_longer_read_is_not_dropped() -> None:
    documents = [document("a", groups="xy"), document("b", groups="x"), document("c", groups="yz")]
    found = find_duplicates(documents)
    assert [copy.obstacle for copy in found[0].copies] == ["", "some who may read it may not read a"]
    assert [one.id for one in without_duplicates(documents, found)] == ["a", "c"]


def test_a_copy_with_other_figures_is_not_dropped() -> None:
    documents = [document("a", f"{LONG} costs 20"), document("b", f"{LONG} costs 30")]
    found = find_duplicates(documents)
    assert [copy.obstacle for copy in found[0].copies] == ["its figures differ"]
    assert list(without_duplicates(documents, found)) == documents
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
CORPORA = st.lists(st.tuples(st.sampled_from(TEXTS), st.frozensets(st.sampled_from("xyz"))), max_size=12).map(
    lambda found: [Document(id=f"{n:02}", text=text, groups=groups) for n, (text, groups) in enumerate(found)]
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
    kept = list(without_duplicates(documents, found))
    stands_for = {copy.id: one.kept for one in found for copy in one.copies}

    def readable(some: list[Document], groups: frozenset[str]) -> set[str]:
        return {one.id for one in some if not one.groups or one.groups & groups}

    for size in range(8):
        groups = frozenset(letter for bit, letter in enumerate("xyz") if size >> bit & 1)
        before, after = readable(documents, groups), readable(kept, groups)
        assert all(name in after or stands_for[name] in after for name in before)
    exact = {" ".join(one.text.casefold().split()) for one in documents if words_of(one.text)}
    assert {one.id for one in documents if not words_of(one.text)} <= {one.id for one in kept}
    assert len(exact) >= len(found)
