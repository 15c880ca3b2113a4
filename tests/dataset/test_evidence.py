"""Examples cite documents by ids that may be asked for, and are told what a document is called now."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.dataset.evidence import resolve_evidence
from weighbridge.errors import DataError
from weighbridge.ingest.consistency.duplicates import DroppedCopy, drop_duplicates, find_duplicates, list_dropped_copies
from weighbridge.types import Document, Example, Question


def example(number: int, answer: str, **more: object) -> Example:
    return Example(id=f"e{number}", question=Question(f"question {number}"), answers=(answer,), **more)  # type: ignore[arg-type]


def restricted(number: int, *groups: str, evidence: tuple[str, ...] = ("pay",), answerable: bool = True) -> Example:
    return Example(
        id=f"e{number}",
        question=Question(f"question {number}", groups=frozenset(groups)),
        answers=("x",) if answerable else (),
        evidence=evidence,
        answerable=answerable,
    )


PAY = (Document(id="pay", text="x", groups=frozenset({"hr", "finance"})), Document(id="open", text="y"))


def test_an_answer_from_a_restricted_document_is_refused_unless_its_asker_may_read_it() -> None:
    resolve_evidence([restricted(1, "hr"), restricted(2, "finance", "sales"), restricted(3, answerable=False)], PAY)
    resolve_evidence([restricted(1, evidence=("open",)), restricted(2, "sales", evidence=())], PAY)
    expected = r"^1 answerable examples .*: 'e2' cites 'pay', for finance, hr\. .*add \"groups\""
    with pytest.raises(DataError, match=expected):
        resolve_evidence([restricted(1, "hr"), restricted(2, evidence=("open", "pay"))], PAY)
    with pytest.raises(DataError, match=r"^1 answerable .*'e1' cites 'pay'"):
        resolve_evidence([restricted(1, "sales")], PAY)
    with pytest.raises(DataError, match=r"^7 answerable .*'e4' cites 'pay', for finance, hr and 2 more\. "):
        resolve_evidence([restricted(number) for number in range(7)], PAY)


def test_evidence_must_exist() -> None:
    documents = [Document(id="a", text="x"), Document(id="b", text="y")]
    resolve_evidence([example(1, "x", evidence=("a", "b")), example(2, "y")], documents)
    resolve_evidence([example(1, "x", evidence=("gone",))], [])
    with pytest.raises(DataError, match=r"cite 1 document that is not there: 'c' \(example 'e1'\)\. Document ids look"):
        resolve_evidence([example(1, "x", evidence=("a", "c"))], documents)
    with pytest.raises(DataError, match=r"cite 9 documents .*'d4' \(example 'e4'\) and 4 more\."):
        resolve_evidence([example(n, "x", evidence=(f"d{n}",)) for n in range(9)], documents)


def test_an_unknown_id_is_told_the_closest_known_one() -> None:
    documents = [Document(id="handbook", text="x"), Document(id="tickets", text="y")]
    expected = r"'handbok.md' \(example 'e1'; did you mean 'handbook'\?\), 'zzz' \(example 'e1'\)\. "
    with pytest.raises(DataError, match=expected):
        resolve_evidence([example(1, "x", evidence=("handbok.md", "zzz"))], documents)
    documents += [Document(id=f"page {n}", text="z") for n in range(10_000)]
    with pytest.raises(DataError, match=r"'handbok.md' \(example 'e1'\)\. "):
        resolve_evidence([example(1, "x", evidence=("handbok.md",))], documents)


def cited(name: str, *documents: Document) -> tuple[str, ...]:
    return resolve_evidence([example(1, "x", evidence=(name,))], documents)[0].evidence


def filed(source: str, id_: str) -> Document:
    return Document(id=id_, text="x", source=source)


@given(
    folder=st.sampled_from(["", "finance/", "finance/2024.1/"]),
    stem=st.sampled_from(["fees", "v1.2", "fees.md"]),
    suffix=st.sampled_from([".md", ".PDF", ".txt"]),
    prefix=st.sampled_from(["", "docs/"]),
)
def test_a_file_is_cited_with_its_suffix_or_without(folder: str, stem: str, suffix: str, prefix: str) -> None:
    source = f"{folder}{stem}{suffix}"
    short, long = f"{prefix}{folder}{stem}", f"{prefix}{source}"
    for id_ in (short, long):
        for name in (short, long):
            assert cited(name, filed(source, id_), filed("other.md", "other")) == (id_,)


def test_the_same_name_with_another_suffix_is_another_document() -> None:
    both = filed("fees.md", "fees"), filed("fees.txt", "fees.txt")
    assert cited("fees", *both) == ("fees",)
    assert cited("fees.md", *both) == ("fees",)
    assert cited("fees.txt", *both) == ("fees.txt",)


def test_what_a_document_may_be_called_now_is_told() -> None:
    both = filed("fees.md", "fees.md"), filed("fees.txt", "fees.txt")
    with pytest.raises(DataError, match=r"'fees' \(example 'e1'; this could be 'fees.md' or 'fees.txt': cite one of"):
        cited("fees", *both)


def test_who_may_read_a_document_holds_however_it_is_cited() -> None:
    secret = Document(id="pay", text="x", source="pay.md", groups=frozenset({"hr"}))
    with pytest.raises(DataError, match=r"'e1' cites 'pay.md', for hr"):
        cited("pay.md", secret)


def test_a_dropped_copy_counts_for_the_one_kept() -> None:
    copy = DroppedCopy(filed("backup/fees.md", "backup/fees"), kept="fees")
    both = example(1, "x", evidence=("backup/fees", "fees", "other", "backup/fees.md"))
    (resolved,) = resolve_evidence([both], [filed("fees.md", "fees"), filed("other.md", "other")], [copy])
    assert resolved.evidence == ("fees", "other")
    with pytest.raises(
        DataError, match=r"cite 1 document that is not there: 'backup/fee' \(example 'e1'; did you mean 'backup/fees'"
    ):
        resolve_evidence([example(1, "x", evidence=("backup/fee",))], [filed("fees.md", "fees")], [copy])


def test_a_name_of_two_copies_is_no_question() -> None:
    kept, copy, other = (filed(f"fees.{suffix}", f"fees.{suffix}") for suffix in ("md", "txt", "pdf"))
    asked = [example(1, "x", evidence=("fees",))]
    assert resolve_evidence(asked, [kept], [DroppedCopy(copy, kept.id)])[0].evidence == ("fees.md",)
    with pytest.raises(DataError, match=r"this could be 'fees.md' or 'fees.pdf' or 'fees.txt'"):
        resolve_evidence(asked, [kept, other], [DroppedCopy(copy, kept.id)])


GROUPS = st.frozensets(st.sampled_from("xyz"))


@given(
    owners=st.lists(st.tuples(GROUPS, st.sampled_from(["one two", "One  two", "other words"])), min_size=1, max_size=6),
    asker=GROUPS,
)
def test_whoever_may_cite_a_dropped_copy_may_read_the_one_kept(
    owners: list[tuple[frozenset[str], str]], asker: frozenset[str]
) -> None:
    documents = [Document(id=f"d{n}", text=text, groups=groups) for n, (groups, text) in enumerate(owners)]
    found = find_duplicates(documents)
    left = {one.id: one for one in drop_duplicates(documents, found)}
    for document in documents:
        asked = restricted(1, *asker, evidence=(document.id,))
        if document.groups and not document.groups & asker:
            with pytest.raises(DataError, match="their askers may not read: 'e1' cites"):
                resolve_evidence([asked], left.values(), list_dropped_copies(documents, found))
            continue
        (resolved,) = resolve_evidence([asked], left.values(), list_dropped_copies(documents, found))
        (name,) = resolved.evidence
        assert left[name].text.casefold().split() == document.text.casefold().split()
        assert not left[name].groups or left[name].groups & asker
