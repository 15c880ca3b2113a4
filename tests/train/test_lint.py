"""What would spoil a training is found before it, and what is trained on can be looked at token by token."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.errors import TrainingError
from weighbridge.train.base import BaseFiles, load_tokenizer
from weighbridge.train.conversations import Conversation
from weighbridge.train.lint import Lint, lint
from weighbridge.train.tokens import IGNORED, encode, prompt_tokens
from weighbridge.types import Message


@pytest.fixture(scope="module")
def tokenizer(tiny: BaseFiles):
    return load_tokenizer(tiny)


def exercise(said: str = "yes", *, asked: str = "Is it?", name: str = "e1") -> Conversation:
    return Conversation(example_id=name, prompt=(Message("system", "Be brief."), Message("user", asked)), target=said)


def messages(found: Lint, severity: str) -> list[str]:
    return [finding.message for finding in found.findings if finding.severity == severity]


def test_only_the_answer_and_its_stop_token_are_trained(tokenizer):
    found = lint([exercise()], tokenizer, context=512, maximum_tokens=32)
    assert not found.findings
    (row,) = found.rows
    assert "".join(token.text for token in row.tokens if token.trained) == "yes<|im_end|>"
    assert [token.text for token in row.tokens if token.stop] == ["<|im_end|>"]
    assert row.tokens[-1].stop
    (one,) = found.require()
    assert one.labels[: one.start] == (IGNORED,) * one.start
    assert one.labels[one.start :] == one.tokens[one.start :]


@given(st.text(min_size=1, max_size=20), st.text(max_size=20))
def test_the_prompt_is_what_an_engine_reads(tokenizer, said: str, asked: str):
    if "<|" in said + asked:
        return
    conversation = exercise(said, asked=asked)
    one = encode(tokenizer, conversation)
    assert one.tokens[: one.start] == prompt_tokens(tokenizer, conversation.prompt)
    assert one.tokens[-1] == tokenizer.eos_token_id


def test_nothing_to_learn(tokenizer):
    assert "no training examples" in messages(lint([], tokenizer, context=512, maximum_tokens=32), "error")[0]
    assert "empty" in messages(lint([exercise(" ")], tokenizer, context=512, maximum_tokens=32), "error")[0]


def test_too_long(tokenizer):
    with pytest.raises(TrainingError, match=r"e1: up to .* raise model.context"):
        lint([exercise("long " * 50)], tokenizer, context=64, maximum_tokens=32).require()


def test_answers_that_service_would_cut(tokenizer):
    answers = [exercise("a" * length, asked=f"{length}?", name=str(length)) for length in (3, 7, 8, 40)]
    (warning,) = messages(lint(answers, tokenizer, context=512, maximum_tokens=8), "warning")
    assert warning.startswith("2 of 4 answers are longer than model.maximum_tokens = 8 tokens")
    assert warning.endswith("raise it to 41")
    assert not lint(answers, tokenizer, context=512, maximum_tokens=41).findings


def test_contradictions(tokenizer):
    twice = [exercise("yes"), exercise("no", name="e2")]
    assert "several ways" in messages(lint(twice, tokenizer, context=512, maximum_tokens=32), "warning")[0]
    assert not lint([exercise(), exercise(name="e2")], tokenizer, context=512, maximum_tokens=32).findings


def test_abstentions(tokenizer):
    declining = [exercise("I don't know.", asked=f"{n}?", name=str(n)) for n in range(3)]
    assert "every answer" in messages(lint(declining, tokenizer, context=512, maximum_tokens=32), "error")[0]
    mostly = lint([*declining, exercise()], tokenizer, context=512, maximum_tokens=32)
    assert "3 of 4" in messages(mostly, "warning")[0]
    assert mostly.require()


def test_a_template_that_rewrites_the_prompt(tokenizer):
    import copy

    other = copy.deepcopy(tokenizer)
    other.chat_template = (
        "{% for m in messages %}{{ m['content'] + ('!' if loop.last else '?') + '<|im_end|>' }}{% endfor %}"
    )
    found = lint([exercise()], other, context=512, maximum_tokens=32)
    assert "renders the prompt otherwise" in messages(found, "error")[0]


def test_a_template_without_a_stop_token(tokenizer):
    import copy

    other = copy.deepcopy(tokenizer)
    other.chat_template = "{% for m in messages %}{{ m['content'] + '\n' }}{% endfor %}"
    assert "stop token" in messages(lint([exercise()], other, context=512, maximum_tokens=32), "error")[0]
    four = [exercise(name=str(n)) for n in range(4)]
    assert "and 1 more" in messages(lint(four, other, context=512, maximum_tokens=32), "error")[0]
