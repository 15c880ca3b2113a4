"""Typed values of a reference are found in an answer, however it writes them; another value is another answer."""

import pytest

from weighbridge.scoring.values import compare_values


def relations(question, reference, answer):
    return [(match.kind, match.relation) for match in compare_values(question, reference, answer)]


@pytest.mark.parametrize(
    ("question", "reference", "answer", "kind", "relation"),
    [
        ("What is the rate of the Birch loan?", "2.5 %", "25 %", "quantity", "different"),
        ("What is the rate of the Birch loan?", "2.5 %", "2.5 percent", "quantity", "same"),
        ("Which share is paid?", "0.15", "15 %", "number", "same"),
        ("What does the tray cost in euro?", "3.40", "340", "number", "different"),
        ("What does the tray cost in euro?", "3.40", "It costs 3.40 euro.", "number", "same"),
        ("What does the tray cost in euro?", "3.40", "3.40 dollars", "number", "different"),
        ("What does the tray cost?", "200 euro", "200 dollars", "money", "different"),
        ("What does the tray cost?", "$1.2 million", "1,200,000 dollars", "money", "same"),
        ("Wie hoch ist die Gebühr?", "2.000 Euro", "2 Euro", "money", "different"),
        ("Wie hoch ist die Gebühr?", "2.000 Euro", "2000 €", "money", "same"),
        ("Combien ?", "1 250 €", "1250 €", "money", "same"),
        ("How cold is the store?", "-7 °C", "7 °C", "quantity", "different"),
        ("How cold is the store?", "-7 °C", "minus 7 degrees Celsius", "quantity", "same"),
        ("How much is added?", "8 mg", "8 g", "quantity", "different"),
        ("How much is added?", "8 mg", "0.008 g", "quantity", "same"),
        ("How much is added?", "8 mg", "eight milligrams", "quantity", "same"),
        ("How long is it?", "3 weeks", "21 days", "quantity", "same"),
        ("How long is it?", "3 weeks", "3 days", "quantity", "different"),
        ("How many days is it?", "3 weeks", "21", "quantity", "same"),
        ("How many days does it take?", "10-12 days", "1012 days", "quantity", "different"),
        ("How many days does it take?", "10-12 days", "between 10 and 12 days", "quantity", "same"),
        ("How many days does it take?", "10-12 days", "11 days", "quantity", "different"),
        ("How many weeks?", "5", "5 or 6", "number", "different"),
        ("How many may enter?", "at most 8", "at least 8", "number", "different"),
        ("Which part?", "1/4 tablet", "14 tablet", "number", "different"),
        ("Which part?", "1/4 tablet", "a quarter tablet", "number", "same"),
        ("By how much did sales change?", "-4 %", "They fell by 4 %.", "quantity", "same"),
        ("By how much did sales change?", "-4 %", "+4 %", "quantity", "different"),
        ("How many people live there?", "1,234,567", "about 1.2 million", "number", "same"),
        ("How many people live there?", "1,234,567", "about 1.3 million", "number", "different"),
        ("How many nurses?", "12", "There are twelve nurses.", "number", "same"),
        ("When did it begin?", "5 March 2024", "It began on March 5th, 2024.", "date", "same"),
        ("When did it begin?", "5 March 2024", "5 April 2024", "date", "different"),
        ("When did it begin?", "5 March 2024", "in 2024", "date", "missing"),
        ("When did it begin?", "2024", "on 5 March 2024", "date", "same"),
        ("When did it begin?", "the 1980s", "in 1984", "date", "same"),
        ("When does it open?", "08:00", "8:00", "time", "same"),
        ("When does it close?", "5 pm", "at 17:00", "time", "same"),
        ("几点关门？", "下午五点", "17:00", "time", "same"),
        ("On which day?", "Monday", "Tuesday", "weekday", "different"),
        ("Which firmware?", "2.4.0", "240", "code", "different"),
        ("Which firmware?", "2.4.0", "version 2.4.0", "code", "same"),
        ("Which part number?", "CD-31-7", "CD-3-17", "code", "different"),
        ("Which vaccine?", "Hepatitis A", "Hepatitis", "code", "missing"),
        ("Which vaccine?", "Hepatitis A", "Hepatitis B", "code", "different"),
        ("Is the shop open?", "no", "The shop is closed.", "polarity", "same"),
        ("Is the shop open?", "no, it is closed", "yes, it is open", "polarity", "different"),
        ("May cats enter?", "not allowed", "allowed", "polarity", "different"),
        ("May cats enter?", "not allowed", "Cats are forbidden.", "polarity", "same"),
        ("May cats enter?", "no", "Cats may not enter the hall.", "polarity", "same"),
        ("In which hall?", "east hall", "west hall", "polarity", "different"),
        ("Which colours?", "red, blue and green", "green, red, blue", "list", "same"),
        ("Which colours?", "red, blue and green", "red and green", "list", "missing"),
        ("Who runs it?", "Ann Baker", "Tom Baker", "name", "different"),
        ("Who runs it?", "Ann Baker", "It is run by A. Baker.", "name", "same"),
        ("Who runs it?", "Ann Baker", "Baker, Ann", "name", "same"),
        ("Who runs it?", "Ann Baker", "Ms Baker", "name", "same"),
    ],
)
def test_a_value_is_compared_by_what_it_means(question, reference, answer, kind, relation):
    assert (kind, relation) in relations(question, reference, answer)
    assert {found for found, _ in relations(question, reference, answer)} <= {kind, "polarity", "name"}


@pytest.mark.parametrize("reference", ["a blue door", "one of the nurses", "because of the rain", "", "  "])
def test_words_are_no_typed_values(reference):
    assert compare_values("Why?", reference, "the answer") == ()


def test_the_reason_tells_what_differs():
    (match,) = compare_values("How much?", "5 mg", "5 g")
    assert match.reason == "5 g is 1,000 times 5 mg"
    assert (match.reference, match.answer) == ("5 mg", "5 g")


def test_an_answer_that_says_less_is_told_from_one_that_says_nothing():
    less, nothing = (compare_values("When?", "5 March 2024", answer)[0] for answer in ("2024", "in spring"))
    assert (less.relation, less.partial) == ("missing", True)
    assert (nothing.relation, nothing.partial) == ("missing", False)
