"""A model is asked once; what it said is kept, and a failure is neither kept nor an answer."""

from collections.abc import Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from time import sleep

import pytest

from weighbridge.dataset.synthesise.cached_model import CachedModel, ask_each_prompt
from weighbridge.errors import ModelError, PromptTooLongError, WorkspaceError
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import Emit, ignore
from weighbridge.types import Completion, Message, Progress, Usage


def ask(text: str) -> tuple[Message, ...]:
    return (Message("user", text),)


class Counting:
    """Says what it was told, in capitals, and remembers having been asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, messages: Sequence[Message]) -> str:
        self.asked.append(messages[-1].content)
        return messages[-1].content.upper()


def test_the_same_is_not_asked_again_by_this_or_the_next_process(tmp_path: Path):
    counting = Counting()
    model = Scripted(reply=counting, name="shout")
    kept = CachedModel(model, tmp_path / "said" / "said.jsonl")
    assert (kept.name, kept.fingerprint) == (model.name, model.fingerprint)
    assert [kept.generate(ask(text)).text for text in ("a b", "c", "a b")] == ["A B", "C", "A B"]
    again = CachedModel(model, tmp_path / "said" / "said.jsonl")
    said: list[str] = []
    assert again.generate(ask("c"), emit=said.append).text == "C"
    assert (counting.asked, said) == (["a b", "c"], ["C"])


def test_another_model_is_asked_itself(tmp_path: Path):
    file = tmp_path / "said.jsonl"
    CachedModel(Scripted(reply=lambda _: "one", name="one"), file).generate(ask("a"))
    assert CachedModel(Scripted(reply=lambda _: "two", name="two"), file).generate(ask("a")).text == "two"


@pytest.mark.parametrize("torn", ['{"key": "x', '{"key": "x", "text": "cut"}', "nonsense\n", "[]\n"])
def test_a_line_that_was_cut_off_is_taken_away(tmp_path: Path, torn: str):
    file = tmp_path / "said.jsonl"
    model = Scripted(reply=Counting())
    CachedModel(model, file).generate(ask("a"))
    whole = file.read_text()
    file.write_text(whole + torn)
    kept = CachedModel(model, file)
    assert file.read_text() == whole
    kept.generate(ask("b"))
    assert len(file.read_text().splitlines()) == 2


def test_what_cannot_be_kept_is_said_so(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        CachedModel(Scripted(), tmp_path / "file" / "said.jsonl").generate(ask("a"))


def test_replies_come_in_order_and_a_failure_is_none(tmp_path: Path):
    told: list[Progress] = []
    model = CachedModel(Scripted(reply=Counting(), context=4), tmp_path / "said.jsonl")
    prompts = [ask("a"), ask("much too long for this"), ask("b")]
    assert ask_each_prompt(model, prompts, task="asking", workers=2, notify=told.append) == ("A", None, "B")
    assert [(step.done, step.total) for step in told] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert told[-1].note == "1 failed"
    assert len((tmp_path / "said.jsonl").read_text().splitlines()) == 2


def test_a_model_that_always_fails_is_an_error():
    with pytest.raises(ModelError) as raised:
        ask_each_prompt(Scripted(context=1), [ask("a b"), ask("c d")], task="asking")
    assert isinstance(raised.value, PromptTooLongError)
    assert ask_each_prompt(Scripted(), [], task="asking") == ()


@pytest.mark.parametrize(("answers", "asked"), [(0, 3), (2, 14)])
def test_a_model_that_fails_on_and_on_is_not_asked_for_the_rest(answers: int, asked: int):
    tried: list[str] = []

    def reply(messages: Sequence[Message]) -> str:
        tried.append(messages[-1].content)
        if len(tried) > answers:
            raise ModelError("it is down")
        return "yes"

    with pytest.raises(ModelError, match=f"it is down. It failed {asked - answers} times in a row") as raised:
        ask_each_prompt(Scripted(reply=reply), [ask(str(number)) for number in range(99)], task="asking")
    assert len(tried) <= asked + 4
    assert ("is kept" in str(raised.value)) == bool(answers)


def test_prompts_that_are_too_long_do_not_count():
    prompts = [*(ask("much too long") for _ in range(20)), ask("a")]
    assert ask_each_prompt(Scripted(context=2), prompts, task="asking")[-1]


class Thoughtful:
    """Thinks aloud before it answers."""

    name = fingerprint = "thoughtful"

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        return Completion(text=f"<think>{messages[-1].content}?</think>\n\nfour", usage=Usage())


def test_what_a_model_thinks_is_no_part_of_its_reply():
    assert ask_each_prompt(Thoughtful(), [ask("a"), ask("b")], task="asking") == ("four", "four")


class Hanging:
    """Answers once, and then is silent until whoever waits ends it."""

    name = fingerprint = "hanging"

    def __init__(self) -> None:
        self.ended = 0

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        if messages[-1].content == "first":
            return Completion(text="one", usage=Usage())
        try:
            for _ in range(1000):
                emit("")
                sleep(0.01)
        except CancelledError:
            self.ended += 1
            raise
        raise ModelError("it was waited for")


def test_an_interruption_waits_for_no_silent_model():
    def interrupt(step: Progress) -> None:
        if step.done:
            raise KeyboardInterrupt

    model = Hanging()
    with pytest.raises(KeyboardInterrupt):
        ask_each_prompt(
            model, [ask("first"), *(ask(f"{n}") for n in range(9))], task="asking", workers=2, notify=interrupt
        )
    assert 1 <= model.ended <= 2
