from hypothesis import given
from hypothesis import strategies as st

from weighbridge.answer.prompt import build_prompt, instructions_for
from weighbridge.generate.scripted import Scripted, quote_reader
from weighbridge.scoring.language.refusals import is_refusal
from weighbridge.types import Chunk, Message, Passage, Question

OPEN = instructions_for("answer", reads=True)
CLOSED = instructions_for("answer", reads=False)


def passage(text: str) -> Passage:
    return Passage(Chunk(id=text, document_id="d", text=text, start=0, end=len(text)), 1.0)


PASSAGES = (passage("Boats are blue. Sails are red."), passage("The harbour opens at six. Dogs are welcome."))


def test_it_quotes_the_sentence_that_answers_and_marks_its_passage() -> None:
    prompt = build_prompt(OPEN, Question("When does the harbour open?"), passages=PASSAGES)
    assert quote_reader(prompt.messages) == "The harbour opens at six. [2]"


def test_it_abstains_where_no_sentence_is_about_the_question() -> None:
    prompt = build_prompt(OPEN, Question("Who pays for broken windows and lost keys?"), passages=PASSAGES)
    assert is_refusal(quote_reader(prompt.messages))


def test_it_abstains_without_passages() -> None:
    question = Question("When does the harbour open?")
    assert is_refusal(quote_reader(build_prompt(CLOSED, question).messages))
    assert is_refusal(quote_reader(build_prompt(OPEN, question).messages))


def test_a_reply_can_be_any_function() -> None:
    model = Scripted(reply=lambda messages: messages[-1].content.upper(), name="shout", version="a")
    assert model.generate([Message("user", "hello you")]).text == "HELLO YOU"


def test_the_fingerprint_is_the_same_in_every_process() -> None:
    assert Scripted().fingerprint == "6e684d08c398b98c"
    assert Scripted(version="2").fingerprint != Scripted().fingerprint


@given(st.text(), st.integers(1, 5))
def test_a_text_is_whole_or_says_that_it_is_not(text: str, limit: int) -> None:
    said: list[str] = []
    completion = Scripted(reply=lambda _: text, maximum_tokens=limit).generate([Message("user", "?")], emit=said.append)
    assert "".join(said) == completion.text
    assert (completion.text == text.rstrip()) == (completion.finish == "stop")
    assert completion.usage.output_tokens <= limit
