"""Whether an answer is called right: by its content, in however many words, and for a reason that can be read."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge import scoring
from weighbridge.scoring.classifier import load_classifier
from weighbridge.scoring.grade import ExampleKind, grade, scorer_fingerprint

SAMPLES = Path(__file__).parents[2] / "examples"
SENTENCES = [
    "{}",
    "{}.",
    "**{}**",
    "The answer is {}.",
    "According to the documents, it is {}.",
    "It is {}, as far as the handbook says.",
    "Based on the passages provided, the answer to your question is {}. Let me know if you need anything else!",
]
UNANSWERABLE = ExampleKind(answerable=False)


def mark(reference: str, answer: str, question: str = "What is it?") -> str:
    return grade(question, (reference,), answer).mark


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("What is the interest rate of the loan?", "2.5 %", "25 %"),
        ("What does the small box cost in euro?", "3.50", "350"),
        ("How cold may the store get?", "-8 °C", "8 °C"),
        ("How long does delivery take?", "14-16 days", "1416 days"),
        ("Which part of a pill do children get?", "1/4 pill", "14 pill"),
        ("Which firmware is needed?", "4.2.0", "420"),
        ("What is the part number of the valve?", "XK-31-7", "XK-3-17"),
        ("Which hepatitis vaccine is needed?", "Hepatitis B", "Hepatitis"),
        ("How much powder is mixed in?", "7 mg", "7 g"),
        ("How long is the trial period?", "6 weeks", "6 days"),
        ("How high is the deposit?", "200 euro", "200 dollars"),
        ("Who runs the ferry office?", "Mary Fenwick", "Anna Fenwick"),
        ("In which wing is the library?", "east wing", "west wing"),
        ("May bicycles be taken along?", "not permitted", "permitted"),
        ("Is the shop open on Mondays?", "no, it is closed", "yes, it is open"),
        ("When did the works begin?", "9 May 2023", "9 June 2023"),
        ("Wie hoch ist die Kaution?", "2.000 Euro", "2 Euro"),
        ("For how many days is storage free?", "3 days", "form IT3"),
        ("How often may I work from home?", "two days a week", "The answer is 45 days."),
    ],
)
def test_another_value_is_wrong_alone_and_in_a_sentence(question: str, reference: str, answer: str):
    for text in (answer, f"The answer is {answer}"):
        found = grade(question, (reference,), text)
        assert found.mark == "wrong", text
        assert found.reason
    assert grade(question, (reference,), reference).mark == "right"


@pytest.mark.parametrize(
    ("question", "reference", "answer"),
    [
        ("When does the ferry leave?", "at 17:05", "It leaves at 5:05 pm."),
        ("How long is the notice period?", "2 weeks", "You have to give 14 days of notice."),
        ("What does it weigh?", "1,500 g", "It weighs 1.5 kg."),
        ("How many seats are there?", "twelve", "There are 12 seats."),
        ("When was it built?", "March 5, 1987", "It was built on 5 March 1987."),
        ("When was it built?", "1987", "It was built on 5 March 1987."),
        ("Who founded the yard?", "J. Thornbury", "The yard was founded by John Thornbury."),
        ("Where is the key?", "at reception", "I can't say it often enough: reception"),
        ("How long may I stay?", "60 days", "I could not find a shorter limit: 60 days"),
        ("仓库几点关门？", "下午六点", "下午六点。"),
        ("鍵はどこですか？", "２階の受付", "2階の受付"),
        (
            "What is the boat called?",
            "Edda Marlow",
            "“Edda Marlow”",
        ),
        ("Where is the branch?", "Cafe\u0301 O\u0308sund", "Café Ösund"),
        ("Combien coûte le billet ?", "1 350 €", "1350 €"),
        ("מה שם הספינה?", "שָׁלוֹם", "שלום"),
        ("ما اسم السفينة؟", "سَلَام", "سلام"),
    ],
)
def test_the_same_value_in_other_words_is_right(question: str, reference: str, answer: str):
    assert grade(question, (reference,), answer).mark == "right"


@given(
    value=st.decimals("0.1", "999", places=1),
    unit=st.sampled_from(["kg", "litres", "euro", "%", "days", "bar"]),
    sentence=st.sampled_from(SENTENCES),
)
def test_a_quantity_is_right_in_any_sentence_and_ten_times_of_it_in_none(value: Any, unit: str, sentence: str):
    reference = f"{value} {unit}"
    assert mark(reference, sentence.format(reference), "How much is it?") == "right"
    assert mark(reference, sentence.format(f"{value * 10} {unit}"), "How much is it?") == "wrong"


@pytest.mark.parametrize(
    ("question", "reference", "other"),
    [
        ("What is the dose?", "5 mg", "5 g"),
        ("When does the night bus leave?", "23:40", "23:14"),
        ("When was the mill built?", "12 March 1987", "12 May 1987"),
        ("How many seats are there?", "14", "41"),
    ],
)
def test_a_value_that_is_ruled_out_is_not_given(question: str, reference: str, other: str):
    for text in ("The answer is {other}, not {right}.", "It is {other} rather than {right}.", "It isn't {right}."):
        assert grade(question, (reference,), text.format(other=other, right=reference)).mark == "wrong", text
    assert grade(question, (reference,), f"The answer is {reference}, not {other}.").mark == "right"
    assert grade(question, (f"not {reference}",), f"It is not {reference}.").mark == "right"


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("red, blue and green", "red and blue"),
        ("red, blue and green", "It has red and blue stripes."),
        ("passport; tenancy agreement; payslip", "You must bring your payslip and your passport."),
        ("Ada Marlow and Tom Reed", "It was Ada Marlow."),
    ],
)
def test_a_list_without_an_item_is_wrong(reference: str, answer: str):
    assert mark(reference, answer) == "wrong"
    assert mark(reference, reference) == "right"
    assert mark("Jakkur, Holm, India", "It is in Holm, India.") == "right"


def test_another_quantity_in_a_long_answer_is_wrong():
    question, tail = "How far is the cabin from the station?", "This is an important detail to keep in mind, and it is "
    answer = f"Great question! The cabin is **{{}}** from the station. {tail}laid out clearly in the documentation."
    heading = (
        '## Answer\n\nThe cabin is {0} from the station.\n\n> "The cabin is {0} from the station."\n\nSource: p. 12'
    )
    for form in (answer, heading):
        assert mark("4 km", form.format("14 km"), question) == "wrong"
        assert mark("4 km", form.format("4 km"), question) == "right"


@given(st.text(max_size=80), st.lists(st.text(max_size=40), max_size=3), st.text(max_size=200))
def test_any_text_gets_one_mark_and_a_reason(question: str, references: list[str], answer: str):
    found = grade(question, references, answer)
    assert found.mark in {"right", "wrong", "abstained", "unscored"}
    assert found.reason
    assert found.probability is None or 0 <= found.probability <= 1
    if not answer.strip():
        assert found.mark == "wrong"


def _samples() -> Iterator[dict[str, Any]]:
    for name in ("handbook", "formulary"):
        for line in (SAMPLES / name / "examples.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if row.get("answerable", True):
                yield {**row, "task": "json" if name == "formulary" else "answer"}


def test_one_who_answers_everything_rightly_in_sentences_is_always_right():
    """A chat model that knows everything gets 100 %, as one that was tuned to the short form does."""
    for row in _samples():
        for sentence in SENTENCES:
            said = sentence.format(row["answers"][0])
            found = grade(row["question"], row["answers"], said, task=row["task"])
            assert found.mark == "right", (said, found.reason)


def test_one_who_answers_other_questions_is_hardly_ever_right():
    rows = list(_samples())
    asked = right = 0
    for place, row in enumerate(rows):
        for step in (7, 31, 97):
            other = rows[(place + step) % len(rows)]
            if other["family"] == row["family"] or other["task"] != row["task"]:
                continue
            if set(other["answers"]) & set(row["answers"]):
                continue
            for said in (other["answers"][0], f"The answer is {other['answers'][0]}."):
                asked += 1
                right += grade(row["question"], row["answers"], said, task=row["task"]).mark == "right"
    assert asked > 1000
    assert right / asked < 0.005


def test_refusals_are_right_where_there_is_no_answer_and_abstained_where_there_is():
    assert grade("Who founded it?", ("Ada",), "Sorry, I don't know.").mark == "abstained"
    assert grade("Who founded it?", (), "Sorry, I don't know.", example=UNANSWERABLE).mark == "right"
    assert grade("Who founded it?", (), "Ada", example=UNANSWERABLE).mark == "wrong"
    assert grade("Who founded it?", ("unknown",), "Unknown.").mark == "right"


def test_a_strategy_that_may_say_whether_it_abstained_is_believed():
    assert grade("Which queue?", ("spam",), "I cannot tell.", task="label", abstained=False).mark == "wrong"
    assert grade("Which queue?", ("spam",), "I don't know.", task="label", abstained=True).mark == "abstained"


def test_what_cannot_be_compared_is_not_scored():
    assert grade("What?", (), "Ada").mark == "unscored"
    assert grade("What?", (" ",), "Ada").mark == "unscored"
    assert grade("What?", ("not json",), "{}", task="json").mark == "unscored"


def test_one_reference_that_agrees_is_enough():
    assert grade("How long?", ("5 weeks", "12 weeks"), "12 weeks").mark == "right"
    assert grade("How long?", ("5 weeks", "12 weeks"), "7 weeks").mark == "wrong"
    assert grade("How long?", ("14 days", "until the tide turns"), "until the tide turns over").mark == "right"


@pytest.mark.parametrize("name", ["vitamin", "vaccine type", "platform"])
@pytest.mark.parametrize("letter", ["A", "C", "K"])
def test_a_letter_may_be_all_that_is_asked_for(name: str, letter: str):
    asked = f"Which {name} is it?"
    assert grade(asked, (f"{name} {letter}",), f"It is {name} {letter}.").mark == "right"
    for other in (name, f"It is {name}", f"{name} Z"):
        assert grade(asked, (f"{name} {letter}",), other).mark == "wrong"


def test_a_sign_may_be_all_that_differs():
    assert mark("C++", "C++", "Which language?") == "right"
    assert mark("C++", "C", "Which language?") == "wrong"


def test_the_classifier_is_read_once_and_named_by_its_content():
    classifier = load_classifier()
    assert classifier is load_classifier()
    content = (Path(scoring.__file__).parent / "classifier.json").read_bytes()
    assert classifier.fingerprint == sha256(content).hexdigest()[:16]
    assert 0.5 <= classifier.threshold < 1
    assert scorer_fingerprint() == scorer_fingerprint()


def test_a_classified_answer_tells_how_likely_people_call_it_right():
    found = grade("What is kept in the shed?", ("ropes from the old mill",), "There is a rope of the mill.")
    assert found.probability is not None
    assert found.mark == ("right" if found.probability >= load_classifier().threshold else "wrong")
    assert f"{found.probability:.2f}" in found.reason


def test_the_right_one_of_many_aliases_counts_wherever_it_stands():
    aliases = [f"alias number {place} of something" for place in range(40)]
    said = "It was the lighthouse of Skellan that they saw first."
    for place in (0, 20, 40):
        references = [*aliases[:place], "Skellan lighthouse", *aliases[place:]]
        assert grade("What did they see first?", references, said).mark == "right"
    assert grade("What did they see first?", aliases, said).mark == "wrong"


@pytest.mark.parametrize(
    ("reference", "answers"),
    [
        ("at gate 3", ("from gates", "at the main gate")),
        ("within 21 days", ("within days", "It is due within days.")),
        ("in room 14", ("in the room",)),
        ("platform 4", ("at the platform",)),
    ],
)
def test_a_number_beside_one_word_cannot_be_left_out(reference: str, answers: tuple[str, ...]):
    for answer in answers:
        graded = grade("Where or when is it?", (reference,), answer)
        assert (graded.mark, graded.probability) == ("wrong", None)
    shorter = reference.removeprefix("at ").removeprefix("in ")
    assert grade("Where or when is it?", (reference,), shorter).mark == "right"
