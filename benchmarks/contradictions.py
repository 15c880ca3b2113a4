"""Are the contradictions that are found worth a person's time? Precision of the first ten, recall, and seconds.

Of the samples: each batch of edits makes newer versions of the documents that it changes, and old and new stand side by
side; the changed facts should be found, and nothing else. Of a folder of documents (quarterly reports, say): first as
it is, where reports of different quarters differ in nearly everything and contradict each other in nothing; then with
facts changed in it, always by the same seed:

- rule: a sentence of two documents that says how long something lasts and names no year; one of them says it otherwise
- dated: a sentence of two documents that names a date with its year, and a number; one of them has another number
- draft: three documents have a draft beside them that differs in four figures

Run: python benchmarks/contradictions.py [FOLDER ...] [--changes 10] [--cache FOLDER]
"""

import argparse
import json
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time

from weighbridge.ingest.consistency.conflicts import Conflict, conflict_lines, find_conflicts
from weighbridge.ingest.consistency.statements import find_statements
from weighbridge.ingest.outline import find_outline
from weighbridge.ingest.read import read_documents
from weighbridge.types import Document

EXAMPLES = Path(__file__).parents[1] / "examples"
SHOWN, SEED = 10, 7
DRAFTS, IN_A_DRAFT = 3, 4
WORDS = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
LASTS = re.compile(rf"\b(\d{{1,3}}|{'|'.join(WORDS)}) (?:business |calendar )?(?:years?|months?|weeks?|days|hours)\b")
YEAR = re.compile(r"\b(?:19|20)\d\d\b")
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
DATE = re.compile(rf"\b(?:{MONTHS}) \d{{1,2}}, (?:19|20)\d\d\b")
DAY = re.compile(rf"\b(?:{MONTHS}) \d{{1,2}}\b")
PART = re.compile(
    r"(?i)\b(?:notes?|items?|parts?|sections?|pages?|exhibits?|asu|form|no\.|rule|tables?)[\s\d\u2013-]*$"
)
"""What stands before the number of a part of a document, which is no fact."""
NUMBER = re.compile(r"(?<![\w.,-])\d{1,3}(?:,\d{3})*(?:\.\d+)?(?![\w,-]|\.\d)")
PROSE = 12
"""Words that a changed sentence has at least, so that a person would call it one."""


Edit = tuple[int, int, str, str]
"""Where a text is changed, of what kind that is, and what stands there afterwards."""


@dataclass(frozen=True, slots=True)
class Change:
    """A fact changed on purpose: of what kind, in which document, and the place of the sentence there."""

    kind: str
    document_id: str
    start: int
    end: int


def main() -> None:
    """Print the figures of the samples, then of each folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--changes", type=int, default=10, help="of each kind, where a folder has so many")
    parser.add_argument("--cache", type=Path, help="where what was read is kept")
    given = parser.parse_args()
    for name, documents in (("handbook", _handbook()), ("formulary", _formulary())):
        _weigh_sample(name, documents)
    for folder in given.folders:
        cache = given.cache / folder.name if given.cache else None
        documents = list(read_documents(folder, cache=cache).documents)
        _weigh_folder(folder.name, documents, given.changes)


def _weigh_sample(name: str, documents: Sequence[Document]) -> None:
    now = {one.id: one for one in documents}
    for file in sorted((EXAMPLES / name / "edits").glob("*.jsonl")):
        edits = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        before, changes = dict(now), []
        for edit in edits:
            one = now[edit["doc_id"]]
            now[one.id] = replace(one, text=one.text.replace(edit["old"], edit["new"]))
        for edit in edits:
            at = before[edit["doc_id"]].text.index(edit["old"])
            changes.append(Change("edit", edit["doc_id"], at, at + len(edit["old"])))
        newer = [replace(now[one], id=f"{one} (new)") for one in {edit["doc_id"] for edit in edits}]
        _print_figures(f"{name} {file.stem}", [*before.values(), *newer], changes)


def _weigh_folder(name: str, documents: Sequence[Document], most: int) -> None:
    print(f"\n{name}: {len(documents):,} documents, {sum(len(one.text) for one in documents):,} characters")
    _print_figures("as it is", documents, [])
    changed, changes = _change_shared(documents, most, random.Random(SEED))
    _print_figures("with changes", changed, changes)
    drafts, changes = _drafts(documents, random.Random(SEED))
    _print_figures("with drafts", [*documents, *drafts], changes)


def _print_figures(name: str, documents: Sequence[Document], changes: Sequence[Change]) -> None:
    start = process_time()
    found = find_conflicts(documents)
    seconds = process_time() - start
    first = found[:SHOWN]
    right = [any(_shows(conflict, change) for change in changes) for conflict in first]
    print(f"{name}: {len(found)} found in {seconds:.1f} s", end="")
    if changes:
        print(f"; precision at {SHOWN} {sum(right) / max(len(first), 1):.2f}", end="")
        kinds: dict[str, list[bool]] = defaultdict(list)
        for change in changes:
            kinds[change.kind].append(any(_shows(conflict, change) for conflict in found))
        print("".join(f"; {kind} {sum(own)} of {len(own)}" for kind, own in kinds.items()), end="")
    print()
    for conflict, is_right in zip(first, right, strict=True):
        if not is_right:
            print("\n".join(f"    {line}" for line in conflict_lines([conflict], width=110)))


def _shows(conflict: Conflict, change: Change) -> bool:
    return any(
        one.document_id == change.document_id and one.start < change.end and change.start < one.end
        for one in conflict.readings
    )


def _change_shared(
    documents: Sequence[Document], most: int, chosen: random.Random
) -> tuple[Sequence[Document], Sequence[Change]]:
    """Change sentences that stand in two documents or more, in one of them."""
    said: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for at, document in enumerate(documents):
        for statement in find_statements(document, find_outline(document.text)):
            text = document.text[statement.start : statement.end]
            if _is_prose(text):
                said[" ".join(text.split())].append((at, statement.start, statement.end))
    shared = {text: places for text, places in said.items() if len({at for at, *_ in places}) == len(places) > 1}
    edits: dict[int, list[Edit]] = defaultdict(list)
    for kind, find_spots in (("rule", _rule_spots), ("dated", _dated_spots)):
        eligible = sorted(text for text in shared if find_spots(text))
        for text in chosen.sample(eligible, min(most, len(eligible))):
            at, start, end = chosen.choice(shared[text])
            if spots := find_spots(documents[at].text[start:end]):
                begin, close = chosen.choice(spots)
                value = _another(documents[at].text[start + begin : start + close], chosen)
                edits[at].append((start + begin, start + close, kind, value))
    edited = {at: _edit(documents[at], own) for at, own in edits.items()}
    changed = [edited[at][0] if at in edited else document for at, document in enumerate(documents)]
    return changed, [change for _, made in edited.values() for change in made]


def _drafts(documents: Sequence[Document], chosen: random.Random) -> tuple[Sequence[Document], Sequence[Change]]:
    """Return drafts of some of the documents, with other figures in a few sentences."""
    drafts: list[Document] = []
    changes: list[Change] = []
    for document in chosen.sample(list(documents), min(DRAFTS, len(documents))):
        spots = []
        for statement in find_statements(document, find_outline(document.text)):
            text = document.text[statement.start : statement.end]
            if _is_prose(text) and (numbers := _numbers(text)):
                begin, end = chosen.choice(numbers)
                spots.append((statement.start + begin, statement.start + end))
        edits = [
            (start, end, "draft", _another(document.text[start:end], chosen))
            for start, end in chosen.sample(spots, min(IN_A_DRAFT, len(spots)))
        ]
        draft, made = _edit(replace(document, id=f"{document.id} (draft)"), edits)
        drafts.append(draft)
        changes += made
    return drafts, changes


def _is_prose(text: str) -> bool:
    """Tell a sentence from a row of a table that lost its lines."""
    words = text.split()
    figures = sum(any(map(str.isdigit, word)) for word in words)
    return len(words) >= PROSE and text.endswith(".") and text[0].isupper() and figures <= len(words) / 3


def _edit(document: Document, edits: Sequence[Edit]) -> tuple[Document, Sequence[Change]]:
    text, moved, changes = document.text, 0, []
    for start, end, kind, value in sorted(edits):
        text = text[: start + moved] + value + text[end + moved :]
        changes.append(Change(kind, document.id, start + moved, start + moved + len(value)))
        moved += len(value) - (end - start)
    return replace(document, text=text), changes


def _rule_spots(text: str) -> Sequence[tuple[int, int]]:
    return [] if YEAR.search(text) else [found.span(1) for found in LASTS.finditer(text)]


def _dated_spots(text: str) -> Sequence[tuple[int, int]]:
    return _numbers(text) if DATE.search(text) else []


def _numbers(text: str) -> Sequence[tuple[int, int]]:
    """Return the places of numbers that belong to no date and are not the number of a note or a page."""
    dates = [found.span() for found in DAY.finditer(text)]
    return [
        found.span()
        for found in NUMBER.finditer(text)
        if found.start()
        and not YEAR.fullmatch(found.group())
        and not any(start <= found.start() < end for start, end in dates)
        and not PART.search(text[: found.start()])
    ]


def _another(value: str, chosen: random.Random) -> str:
    """Return another number of the same look."""
    if value in WORDS:
        return chosen.choice([word for word in WORDS if word != value])
    digits = [mark for mark in value if mark.isdigit()]
    place = chosen.randrange(len(digits))
    digits[place] = chosen.choice([digit for digit in "123456789" if digit != digits[place]])
    replaced = iter(digits)
    return "".join(next(replaced) if mark.isdigit() else mark for mark in value)


def _handbook() -> Sequence[Document]:
    found = []
    for file in sorted((EXAMPLES / "handbook" / "documents").glob("*.md")):
        text = file.read_text(encoding="utf-8")
        found.append(Document(id=file.stem, text=text, title=text.split("# ", 1)[1].split("\n", 1)[0]))
    return found


def _formulary() -> Sequence[Document]:
    lines = (EXAMPLES / "formulary" / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    return [Document(**json.loads(line)) for line in lines]


if __name__ == "__main__":
    main()
