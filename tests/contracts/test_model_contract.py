"""What every `Model` owes, run on each engine with real weights, a real endpoint, or the shipped script."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from shutil import copytree

import pytest

from weighbridge.errors import PromptTooLongError
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.generate.openai import open_openai
from weighbridge.generate.scripted import Scripted
from weighbridge.generate.transformers import open_transformers
from weighbridge.protocols import Model
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Message

Open = Callable[..., Model]
"""Opens the engine under test with `maximum_tokens`, and with other weights where `other` is true."""

PASSAGES = "Passages:\n[1] The harbour opens at six. It closes at noon.\n[2] Boats are blue.\n\nQuestion: "
ASKED = ("When does the harbour open?", "When does the harbour close?", "Which colour are boats?")
PROMPTS = [[Message("system", "Answer in a few words."), Message("user", PASSAGES + asked)] for asked in ASKED]
CONTEXT = 400


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(
    params=[
        "scripted",
        "openai",
        "transformers",
        pytest.param("llamacpp", marks=pytest.mark.models),
    ]
)
def open_model(request: pytest.FixtureRequest, opened: ExitStack, tmp_path: Path) -> Open:
    def scripted(maximum_tokens: int, *, other: bool = False) -> Model:
        return Scripted(context=CONTEXT, maximum_tokens=maximum_tokens, version="2" if other else "1")

    def openai(maximum_tokens: int, *, other: bool = False) -> Model:
        settings = ModelSettings(
            engine="openai",
            reference="openai:other" if other else "openai:scripted",
            base_url=request.getfixturevalue("scripted_endpoint"),
            maximum_tokens=maximum_tokens,
        )
        return opened.enter_context(closing(open_openai(settings, environment={})))

    def transformers(maximum_tokens: int, *, other: bool = False) -> Model:
        folder = request.getfixturevalue("tiny_llama")
        if other:
            folder = copytree(folder, tmp_path / "other")
            (folder / "added.json").write_text("{}")
        return open_transformers(folder, settings=local(maximum_tokens), name="tiny")

    def llamacpp(maximum_tokens: int, *, other: bool = False) -> Model:
        gguf = request.getfixturevalue("smollm2_gguf")
        if other:  # the same weights with one byte more: another file
            changed = tmp_path / "other.gguf"
            changed.write_bytes(gguf.read_bytes() + b"\0")
            gguf = changed
        return opened.enter_context(open_llamacpp(gguf, settings=local(maximum_tokens), workers=2, name="smollm2"))

    def local(maximum_tokens: int) -> ModelSettings:
        return ModelSettings(context=CONTEXT, maximum_tokens=maximum_tokens)

    engines: dict[str, Open] = {
        "scripted": scripted,
        "openai": openai,
        "transformers": transformers,
        "llamacpp": llamacpp,
    }
    return engines[request.param]


def test_what_is_emitted_is_the_text(open_model: Open) -> None:
    said: list[str] = []
    completion = open_model(8).generate(PROMPTS[0], emit=said.append)
    assert len(said) > 1
    assert "".join(said) == completion.text


def test_tokens_are_counted(open_model: Open) -> None:
    usage = open_model(8).generate(PROMPTS[0]).usage
    assert usage.input_tokens > 20
    assert 1 <= usage.output_tokens <= 8


def test_the_same_prompt_gives_the_same_text_in_any_order_and_any_thread(open_model: Open) -> None:
    model = open_model(8)
    alone = [model.generate(prompt).text for prompt in PROMPTS]
    with ThreadPoolExecutor(4) as pool:
        together = [completion.text for completion in pool.map(model.generate, PROMPTS[::-1] * 2)]
    assert together == alone[::-1] * 2
    assert any(alone)


def test_an_answer_at_its_limit_says_so(open_model: Open) -> None:
    completion = open_model(2).generate(PROMPTS[0])
    assert completion.finish == "length"
    assert completion.usage.output_tokens == 2


def test_a_prompt_is_never_cut(open_model: Open) -> None:
    model = open_model(8)
    with pytest.raises(PromptTooLongError, match="context holds"):
        model.generate([Message("user", "word " * 500)])
    assert model.generate(PROMPTS[0]).text


def test_the_fingerprint_tells_models_apart(open_model: Open) -> None:
    model = open_model(8)
    assert model.name
    assert model.fingerprint == open_model(8).fingerprint
    assert model.fingerprint != open_model(9).fingerprint
    assert model.fingerprint != open_model(8, other=True).fingerprint


def test_a_broken_listener_is_not_swallowed(open_model: Open) -> None:
    def fail(text: str) -> None:
        raise BrokenPipeError(text)

    model = open_model(8)
    with pytest.raises(BrokenPipeError):
        model.generate(PROMPTS[0], emit=fail)
    assert model.generate(PROMPTS[0]).text
