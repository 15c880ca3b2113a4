"""Near misses: like the questions documents answer, and answered by none."""

from weighbridge.dataset.synthesise.english import build_vocabulary
from weighbridge.dataset.synthesise.tables import draft_questions
from weighbridge.dataset.synthesise.unanswerable import drop_answered, make_candidates
from weighbridge.ingest.outline import find_outline
from weighbridge.types import Document

FLEET = Document(
    id="fleet",
    text="# Fleet\n\n"
    "| Ship | Built | Draught |\n|---|---|---|\n| Marrowby | 2009 | 3 m |\n| Stormcock | 2021 | 1 m |\n",
)
PORTS = Document(
    id="ports", text="# Ports\n\n| Port | Berths |\n|---|---|\n| Dunmarrow | four berths |\n| Skerrow | two berths |\n"
)


def candidates(*documents):
    words = build_vocabulary(document.text for document in documents)
    drafts = [
        placed for document in documents for placed in draft_questions(document, find_outline(document.text), words)
    ]
    return make_candidates(drafts, seed=7)


def test_what_another_table_says_is_asked_of_a_row_that_lacks_it():
    asked = {one.question for one in drop_answered(candidates(FLEET, PORTS), [FLEET, PORTS])}
    assert "How many berths does Marrowby have?" in asked
    assert "When was Skerrow built?" in asked
    assert "When was Marrowby built?" not in asked


def test_a_document_that_may_answer_refutes_whoever_may_read_it():
    secret = Document(id="secret", text="Skerrow was built in 1850.", groups=frozenset({"people"}))
    asked = {one.question for one in drop_answered(candidates(FLEET, PORTS), [FLEET, PORTS, secret])}
    assert "When was Skerrow built?" not in asked


def test_made_up_names_stand_nowhere():
    invented = [one for one in drop_answered(candidates(FLEET, PORTS), [FLEET, PORTS]) if one.invented]
    assert invented
    assert all(one.invented in one.question for one in invented)
    assert not any(one.invented.casefold() in (FLEET.text + PORTS.text).casefold() for one in invented)
    found = Document(id="found", text=" ".join(one.invented for one in invented))
    assert not [one for one in drop_answered(candidates(FLEET, PORTS), [FLEET, PORTS, found]) if one.invented]


def test_the_same_seed_gives_the_same():
    assert candidates(FLEET, PORTS) == candidates(FLEET, PORTS)
    assert candidates() == ()
