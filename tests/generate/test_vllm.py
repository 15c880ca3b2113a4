"""Base model and adapters of one server with vLLM's LoRA API: one on this machine, and one that we start ourselves."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import psutil
import pytest

from weighbridge.errors import ModelError, UserError
from weighbridge.generate.server import EXECUTABLE, server_arguments, shared_server, stop_server
from weighbridge.generate.vllm import Served, open_vllm
from weighbridge.settings.file import conflicts
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.types import Message, Progress

from ..lora_server import LoraServer, handler_of

ASKED = [Message("user", "Who?")]
SETTINGS = ModelSettings(engine="vllm", reference="base", key_variable="LORA_KEY")


@pytest.fixture
def server() -> Iterator[LoraServer]:
    known = LoraServer()
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler_of(known))
    known.url = f"http://127.0.0.1:{http.server_port}/v1"
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield known
    http.shutdown()
    thread.join()
    http.server_close()


def make_adapter(folder: Path, answer: str) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "answer.txt").write_text(answer)
    return folder


def test_base_and_adapters_answer_from_one_server_and_are_swapped_without_a_restart(
    server: LoraServer, tmp_path: Path
) -> None:
    served = Served(url=server.url)
    one, two = (make_adapter(tmp_path / name, name) for name in ("one", "two"))
    with open_vllm(SETTINGS, served) as base, open_vllm(SETTINGS, served, adapter=one) as tuned:
        assert (base.generate(ASKED).text, tuned.generate(ASKED).text) == ("base", "one")
        with open_vllm(SETTINGS, served, adapter=two) as other:
            assert [model.generate(ASKED).text for model in (other, tuned, base)] == ["two", "one", "base"]
            assert len({base.fingerprint, tuned.fingerprint, other.fingerprint}) == 3
        assert len(server.adapters) == 1, "the closed one is unloaded"
        assert base.generate(ASKED).text == "base"
    assert server.adapters == {}


def test_an_adapter_that_is_open_twice_stays_until_both_are_closed(server: LoraServer, tmp_path: Path) -> None:
    served, folder = Served(url=server.url), make_adapter(tmp_path / "one", "one")
    with open_vllm(SETTINGS, served, adapter=folder) as first:
        with open_vllm(SETTINGS, served, adapter=folder) as second:
            assert second.generate(ASKED).text == "one"
        assert first.generate(ASKED).text == "one"
    assert (server.calls.count("/v1/load_lora_adapter"), server.adapters) == (1, {})


def test_an_adapter_that_another_process_loaded_is_used(server: LoraServer, tmp_path: Path) -> None:
    folder = make_adapter(tmp_path / "one", "one")
    with open_vllm(SETTINGS, Served(url=server.url), adapter=folder) as model:
        name = model.name
    server.adapters[name] = "one"
    with open_vllm(SETTINGS, Served(url=server.url), adapter=folder) as model:
        assert model.generate(ASKED).text == "one"


def test_what_a_server_cannot_do_is_one_sentence_with_the_remedy(server: LoraServer, tmp_path: Path) -> None:
    folder, served = make_adapter(tmp_path / "one", "one"), Served(url=server.url)
    (folder / "answer.txt").unlink()
    with pytest.raises(ModelError, match="must see this folder under the same path"), ExitStack() as stack:
        stack.enter_context(open_vllm(SETTINGS, served, adapter=folder))
    server.updates = False
    with pytest.raises(ModelError, match="VLLM_ALLOW_RUNTIME_LORA_UPDATING=True"), ExitStack() as stack:
        stack.enter_context(open_vllm(SETTINGS, served, adapter=folder))
    with pytest.raises(UserError, match="holds no PEFT adapter"), ExitStack() as stack:
        stack.enter_context(open_vllm(SETTINGS, served, adapter=tmp_path))


def test_the_base_model_is_found_by_its_name_or_as_the_only_one(server: LoraServer) -> None:
    server.adapters["old"] = "old"
    for reference in ("base", "/models/base", "file:somewhere.gguf"):
        with open_vllm(SETTINGS.model_copy(update={"reference": reference}), Served(url=server.url)) as model:
            assert model.name == "base"


def test_a_key_is_sent(server: LoraServer) -> None:
    server.key = "s3cret"
    with open_vllm(SETTINGS, Served(url=server.url), environment={"LORA_KEY": "s3cret"}) as model:
        assert model.generate(ASKED).text == "base"
    with pytest.raises(ModelError, match="HTTP 401"), ExitStack() as stack:
        stack.enter_context(open_vllm(SETTINGS, Served(url=server.url), environment={}))


@pytest.mark.parametrize("method", ["dora", "ia3", "prompt-tuning", "full"])
def test_only_adapters_that_vllm_loads_are_trained_for_it(method: str) -> None:
    settings = Settings.model_validate(
        {"examples": "e.jsonl", "model": {"engine": "vllm"}, "training": {"method": method}}
    )
    assert "vLLM cannot load" in next(problem for _, problem in conflicts(settings))


@pytest.fixture
def vllm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A stand-in for the vllm command, and a folder of weights; whatever was started is stopped."""
    command = tmp_path / "bin" / "vllm"
    command.parent.mkdir()
    script = Path(__file__).parents[1] / "lora_server.py"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv(EXECUTABLE, str(command))
    monkeypatch.setenv("WEIGHBRIDGE_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    yield folder
    stop_server()


def test_a_server_is_started_once_shared_with_child_processes_and_stopped(
    vllm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[Progress] = []
    before = set(psutil.Process().children(recursive=True))
    served = shared_server(vllm, SETTINGS, lora=True, notify=steps.append)
    assert steps[0].task == "starting vLLM"
    children = set(psutil.Process().children(recursive=True)) - before
    assert not any(served.key in argument for child in children for argument in child.cmdline()), "keys are not shown"
    assert shared_server(vllm, SETTINGS, lora=True, notify=steps.append) == served
    inherited = json.loads(os.environ["WEIGHBRIDGE_VLLM_SERVER"])
    assert inherited == {"url": served.url, "key": served.key, "weights": served.weights}
    folder = make_adapter(tmp_path / "one", "one")
    with open_vllm(SETTINGS, served, adapter=folder) as tuned, open_vllm(SETTINGS, served, folder=vllm) as base:
        assert (base.generate(ASKED).text, tuned.generate(ASKED).text) == ("base", "one")
        assert base.settings.base_url not in base.fingerprint
    stop_server()
    _, alive = psutil.wait_procs(list(children), timeout=10)
    assert alive == []
    assert "WEIGHBRIDGE_VLLM_SERVER" not in os.environ
    monkeypatch.setenv("WEIGHBRIDGE_VLLM_SERVER", json.dumps(inherited))
    assert shared_server(vllm, SETTINGS, lora=True, notify=steps.append) == served, "a child uses its parent's"


def test_the_server_ends_with_the_process_that_started_it(vllm: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from weighbridge.generate.server import shared_server; "
        "from weighbridge.settings.schema import ModelSettings; import psutil, time; "
        f"shared_server(Path({str(vllm)!r}), ModelSettings(engine='vllm'), lora=False, notify=lambda step: None); "
        "print(*[child.pid for child in psutil.Process().children(recursive=True)], flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        numbers = [int(number) for number in process.stdout.readline().split()]
        assert numbers
        process.kill()
    deadline = monotonic() + 20
    while any(psutil.pid_exists(number) for number in numbers) and monotonic() < deadline:
        sleep(0.05)
    assert not any(psutil.pid_exists(number) for number in numbers)


def test_a_server_that_ends_while_it_starts_says_why(vllm: Path) -> None:
    failing = SETTINGS.model_copy(update={"server_arguments": ("--fail", "now")})
    with pytest.raises(ModelError, match=r"ended while it started: .*no memory for the weights.*; the whole log: "):
        shared_server(vllm, failing, lora=False, notify=lambda _: None)


def test_without_vllm_the_remedy_is_said(vllm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(EXECUTABLE, "/nowhere/vllm")
    with pytest.raises(UserError, match="names '/nowhere/vllm', which is no command; install vLLM in an environment"):
        shared_server(vllm, SETTINGS, lora=False, notify=lambda _: None)


def test_what_changes_the_answers_of_a_server_is_in_its_arguments() -> None:
    usual: Any = server_arguments(SETTINGS, lora=False)
    assert server_arguments(SETTINGS, lora=True) != usual
    assert server_arguments(SETTINGS.model_copy(update={"server_arguments": ("--dtype", "float32")}), lora=False)[
        -2:
    ] == (
        "--dtype",
        "float32",
    )
    assert server_arguments(SETTINGS.model_copy(update={"context": 4096}), lora=False) != usual
