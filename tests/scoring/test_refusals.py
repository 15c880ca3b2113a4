import pytest

from weighbridge.scoring.refusals import ABSTENTION, is_agreed_abstention, is_refusal


@pytest.mark.parametrize(
    "text",
    [
        ABSTENTION,
        "I don\N{RIGHT SINGLE QUOTATION MARK}t know",
        "i do not know the answer",
        "Unknown.",
        "The passages do not say when.",
        "Not stated in the passages",
        "The passages don't say.",
        "The passage doesn\N{RIGHT SINGLE QUOTATION MARK}t mention it",
        "I'm not sure.",
        "I am not sure about that",
        "Not sure",
        "I'm unsure",
        "No information.",
        "There is no information on parking.",
        "It isn't specified",
    ],
)
def test_abstentions_are_recognised(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    ["", "Unknown Pleasures", "14 days", "No", "I know: 14 days",
     "None", "The passage", '{"not stated": 1}', "No information desk"],
)  # fmt: skip
def test_answers_are_not_abstentions(text):
    assert not is_refusal(text)


@pytest.mark.parametrize("text", [ABSTENTION, "i don\N{RIGHT SINGLE QUOTATION MARK}t know", " **I  don't know.**\n"])
def test_the_agreed_abstention_is_recognised_exactly(text):
    assert is_agreed_abstention(text)
    assert is_refusal(text)


@pytest.mark.parametrize("text", ["", "unknown", "Not specified", "I don't know how", "I do not know"])
def test_other_words_are_not_the_agreed_abstention(text):
    assert not is_agreed_abstention(text)
