"""All that the rules make of documents: grounded, with wordings in one family, and near misses without answers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.dataset.synthesise.filters import is_grounded
from weighbridge.dataset.synthesise.rules import WORDINGS, make_by_rules
from weighbridge.types import Document, Progress

CANTEEN = Document(
    id="canteen",
    title="The canteen",
    text="# The canteen\n\n"
    "| Dish | Price | Served |\n|---|---|---|\n| Soup | £4.80 | from noon |\n| Pie | £6 | on Mondays |\n",
)
HOSTEL = Document(
    id="hostel",
    text="# The hostel\n\n| Room | Beds |\n|---|---|\n| Chart Room | four beds |\n\nWarden: Sunniva Pell\n",
)


def make(*documents, seed=7):
    return make_by_rules(documents, documents, version=lambda document: f"v-{document.id}", seed=seed)


def test_questions_their_wordings_and_near_misses():
    made = make(CANTEEN, HOSTEL)
    firsts = [one for one in made if one.id == one.family and one.answerable]
    assert {one.question for one in firsts} == {
        "What is the price of Soup?",
        'The canteen: what is given as "Served" for Soup?',
        "What is the price of Pie?",
        'The canteen: what is given as "Served" for Pie?',
        "How many beds does Chart Room have?",
        "What is the warden of the hostel?",
    }
    wordings = [one for one in made if "paraphrase" in one.made_by]
    assert len(wordings) == WORDINGS * len(firsts)
    assert {one.family for one in wordings} == {one.id for one in firsts}
    assert "Price of Soup?" in {one.question for one in wordings}
    absent = [one for one in made if not one.answerable]
    assert "How many beds does Soup have?" in {one.question for one in absent}
    assert all(not one.answers and not one.evidence and one.spans for one in absent)


def test_each_carries_its_span_and_version():
    texts = {document.id: document.text for document in (CANTEEN, HOSTEL)}
    for one in make(CANTEEN, HOSTEL):
        (span,) = one.spans
        assert span.version == f"v-{span.document_id}"
        assert is_grounded(one, texts)


def test_progress_is_told_document_by_document():
    told: list[Progress] = []
    make_by_rules([CANTEEN, HOSTEL], [], version=lambda _: "", seed=1, notify=told.append)
    assert [(step.done, step.total) for step in told] == [(1, 2), (2, 2)]


def test_nothing_is_made_of_nothing():
    assert make() == ()


LINES = st.sampled_from([
    "# Fleet", "| Ship | Built |", "|---|---|", "| Marrowby | 2009 |", "Phone: 12", "The fee is £5.", "", "## Dogs?",
    "- Fare: £3 each", "Dogs travel on Mondays.", "```", "Ilse Brandt runs the bar.", "**bold** costs £4.", "\\|",
])  # fmt: skip


@settings(max_examples=60)
@given(st.lists(LINES, max_size=12).map("\n".join) | st.text(max_size=120))
def test_whatever_the_document_every_answer_stands_in_its_span(text):
    document = Document(id="d", text=text, title="Title")
    made = make(document)
    assert all(is_grounded(one, {"d": text}) for one in made)
    assert make(document) == made
