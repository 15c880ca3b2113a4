import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from json import dumps
from pathlib import Path

import psutil
import pytest
from httpx2 import Response

from weighbridge.errors import ModelError, PromptTooLongError, UserError
from weighbridge.generate.llama_engine import SEGMENT, LlamaEngine
from weighbridge.generate.llamacpp import _Reply, open_llamacpp
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.runtime.base_model import turns
from weighbridge.types import Message

SYSTEM = Message("system", "Answer the question in a few words.")
CAPITAL = [SYSTEM, Message("user", "What is the capital of France?")]
COLOUR = [SYSTEM, Message("user", "What is the colour of the sky on a clear day?")]
SHORT = ModelSettings(context=256, maximum_tokens=12)


class FakeLlama:
    """A llama.cpp whose prompts are 80 tokens by its own tokenizer, and `prompt_tokens` in an answer's usage."""

    def __init__(self, prompt_tokens: int) -> None:
        self.prompt_tokens, self.cached = prompt_tokens, 0
        self.asked_to_keep: list[bool] = []

    def post(self, path: str, json: dict[str, object]) -> Response:
        replies = {"/apply-template": {"prompt": "p"}, "/tokenize": {"tokens": list(range(80))}, "/completion": {}}
        return Response(200, json=replies[path])

    @contextmanager
    def stream(self, method: str, path: str, json: dict[str, object]) -> Iterator[Response]:
        self.asked_to_keep.append(bool(json["cache_prompt"]))
        usage = {"prompt_tokens": self.prompt_tokens, "prompt_tokens_details": {"cached_tokens": self.cached}}
        chunk = dumps({"choices": [], "usage": usage})
        yield Response(200, text=f"data: {chunk}\n\ndata: [DONE]\n\n")


def test_thinking_that_the_engine_tells_apart_is_kept_apart() -> None:
    """The pieces are those of llama.cpp's server for a model whose template marks its thinking."""
    heard: list[str] = []
    reply = _Reply(heard.append)
    for delta in (
        {"reasoning_content": "The capital"},
        {"reasoning_content": "."},
        {"content": "Pa"},
        {"content": "ris"},
    ):
        reply.take({"choices": [{"delta": delta, "finish_reason": None}]})
    usage = {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}}
    reply.take({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": usage})
    completion = reply.completion("m")
    assert (completion.text, completion.thinking) == ("Paris", "The capital.")
    assert heard == ["", "", "Pa", "ris"]


@pytest.mark.models
def test_it_is_silent_and_opens_no_port(smollm2_gguf: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {connection.laddr for connection in psutil.Process().net_connections("inet")}
    with open_llamacpp(smollm2_gguf, settings=SHORT, name="smollm2") as model:
        assert {connection.laddr for connection in psutil.Process().net_connections("inet")} <= before
        assert stat.S_IMODE(model.sockets.stat().st_mode) == 0o700
        assert model.generate(CAPITAL).text
        sockets = model.sockets
    assert not sockets.exists()
    said = capfd.readouterr()
    assert said.out == said.err == ""


LONG = [
    Message("system", "Answer the question in a few words. " * 9),
    Message("user", "The harbour opens at six. It closes at noon. Boats are blue."),
]
"""Some 100 tokens: three whole segments."""
ASKED = ("When does the harbour open?", "When does it close, and what is the colour of the boats in it?", "Boats?")
LIKELY = {"max_tokens": 6, "temperature": 0.0, "logprobs": True, "top_logprobs": 5}


@pytest.mark.models
def test_a_kept_prefix_changes_no_bit_of_an_answer(smollm2_gguf: Path) -> None:
    """The log-probabilities are those of an engine that read the whole prompt, in any order of prompts."""
    with open_llamacpp(smollm2_gguf, settings=SHORT, name="m") as model, model.engine() as engine:
        requests = [{"messages": turns([*LONG, Message("user", text)]), **LIKELY} for text in ASKED]
        anew = [engine.complete(request)["choices"][0]["logprobs"]["content"] for request in requests]
        kept = []
        for number in (0, 1, 0, 2, 1, 1):
            chunks = list(engine.chat(requests[number]))
            places = [choice.get("logprobs") or {"content": []} for chunk in chunks for choice in chunk["choices"]]
            said = [token for place in places for token in place["content"]]
            assert said == anew[number]
            kept.append(chunks[-1]["usage"]["prompt_tokens_details"]["cached_tokens"])
    assert kept[0] == 0
    assert min(kept[1:]) >= 3 * SEGMENT
    assert not any(tokens % SEGMENT for tokens in kept)


def test_a_prompt_that_was_read_otherwise_than_foreseen_keeps_nothing_more() -> None:
    client = FakeLlama(prompt_tokens=70)
    engine = LlamaEngine(client=client, owner=None)
    for cached in (0, 0):
        client.cached = cached
        assert list(engine.chat({"messages": []}))
    assert client.asked_to_keep == [False, False]


def test_an_answer_over_a_part_of_a_segment_is_an_error() -> None:
    client = FakeLlama(prompt_tokens=80)
    engine = LlamaEngine(client=client, owner=None)
    assert list(engine.chat({"messages": []}))
    client.cached = 79
    with pytest.raises(ModelError, match="79 tokens of another prompt"):
        list(engine.chat({"messages": []}))
    client.cached = 0
    assert list(engine.chat({"messages": []}))
    assert client.asked_to_keep == [False, True, False]


@pytest.mark.models
def test_sampling_follows_the_seed_and_not_the_past(smollm2_gguf: Path) -> None:
    def sampled(seed: int) -> list[str]:
        settings = ModelSettings(context=256, maximum_tokens=12, temperature=1.0, seed=seed)
        with open_llamacpp(smollm2_gguf, settings=settings, name="m") as model:
            return [model.generate(prompt).text for prompt in (CAPITAL, COLOUR, CAPITAL)]

    first, other = sampled(1), sampled(2)
    assert first[0] == first[2]
    assert first != other


@pytest.mark.models
def test_an_answer_that_the_context_would_cut_is_an_error(smollm2_gguf: Path) -> None:
    settings = ModelSettings(context=60, maximum_tokens=50)
    with open_llamacpp(smollm2_gguf, settings=settings, name="m") as model:
        story = [Message("user", "Tell me a long story about a harbour and its pilots.")]
        with pytest.raises(PromptTooLongError, match="context holds 60"):
            model.generate(story)


@pytest.mark.models
def test_models_are_freed_at_once_even_if_they_were_never_asked(smollm2_gguf: Path) -> None:
    for _ in range(4):
        models = [open_llamacpp(smollm2_gguf, settings=SHORT, workers=2, name="m") for _ in range(2)]
        for model in reversed(models):
            model.close()


@pytest.mark.models
def test_a_closed_model_says_so(smollm2_gguf: Path) -> None:
    with open_llamacpp(smollm2_gguf, settings=SHORT, workers=2, name="m") as model:
        model.close()
    with pytest.raises(ModelError, match="closed"):
        model.generate(CAPITAL)


@pytest.mark.models
def test_a_long_temporary_path_still_opens(smollm2_gguf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("deep" * 25)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", os.fspath(deep))
    with open_llamacpp(smollm2_gguf, settings=SHORT, name="m") as model:
        ports = [connection.laddr.ip for connection in psutil.Process().net_connections("inet")]
        assert set(ports) == {"127.0.0.1"}
        assert model.generate(CAPITAL).text


def test_a_file_that_is_no_model_is_the_users_to_fix(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF but not really")
    with pytest.raises(UserError, match=r"broken\.gguf: llama\.cpp cannot load"):
        open_llamacpp(broken, settings=SHORT, name="m")
    with pytest.raises(UserError, match="no such GGUF"):
        open_llamacpp(tmp_path / "gone.gguf", settings=SHORT, name="m")
    assert capfd.readouterr().err == ""


INTERRUPTED_START = """
import os, signal, sys
import xllamacpp
from pathlib import Path
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.settings.schema import ModelSettings

real = xllamacpp.Server

def interrupted(parameters):
    server = real(parameters)
    os.kill(os.getpid(), signal.SIGINT)  # before its loop runs
    return server

xllamacpp.Server = interrupted
try:
    open_llamacpp(Path(sys.argv[1]), settings=ModelSettings(context=256, maximum_tokens=4), name="tiny")
except KeyboardInterrupt:
    print("stopped")
"""


@pytest.mark.models
def test_an_interrupt_while_the_engine_starts_does_not_hang(smollm2_gguf: Path) -> None:
    """With a tiny model the loop runs before the interrupt; with a real one two of three starts used to hang."""
    command = [sys.executable, "-c", INTERRUPTED_START, str(smollm2_gguf)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
