"""A real vLLM: base and two adapters from one server that we start, against transformers and peft.

Runs where WEIGHBRIDGE_VLLM names a vllm command: `make vllm-test` installs one beside this project and sets it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import torch

from weighbridge.generate.server import EXECUTABLE, shared_server, stop_server
from weighbridge.generate.vllm import open_vllm
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Message

pytestmark = pytest.mark.skipif(
    EXECUTABLE not in os.environ, reason=f"{EXECUTABLE} names no vllm command; make vllm-test installs one and sets it"
)
ASKED = [[Message("user", "When does the museum open?")], [Message("user", "Name a colour.")]]
SETTINGS = ModelSettings(
    engine="vllm",
    maximum_tokens=8,
    context=256,
    timeout_seconds=600,
    server_arguments=("--dtype", "float32", "--enforce-eager"),
)
CLOSEST = 1e-3
"""Log-probabilities of a float32 model differ by about 1e-5; another adapter changes them by more than 1."""


@pytest.fixture(autouse=True)
def vllm(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "nobind")  # threads may use any core that is free
    yield
    stop_server()


@pytest.fixture
def base(tiny_llama: Path, tmp_path: Path) -> Path:
    """The tiny Llama with heads of 64 numbers: vLLM's attention for processors has none of 16."""
    from transformers import AutoConfig, LlamaForCausalLM

    folder = tmp_path / "base"
    shutil.copytree(tiny_llama, folder)
    config = AutoConfig.from_pretrained(tiny_llama)
    config.update({"hidden_size": 128, "head_dim": 64})
    torch.manual_seed(7)
    LlamaForCausalLM(config).save_pretrained(str(folder))
    return folder


def adapter(base: Path, folder: Path, seed: int) -> Path:
    """Save a LoRA adapter with random weights that changes the answers."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    network: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    layers = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    config = LoraConfig(r=8, lora_alpha=32, target_modules=layers, init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(network, config).save_pretrained(str(folder))
    return folder


def reference(base: Path, folder: Path | None, messages: list[Message]) -> tuple[list[int], list[float]]:
    """Return the greedy tokens of transformers and peft, with their log-probabilities."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    network: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    network = PeftModel.from_pretrained(network, str(folder)) if folder else network
    turns = [{"role": message.role, "content": message.content} for message in messages]
    ids = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = network.generate(
        **ids, max_new_tokens=SETTINGS.maximum_tokens, do_sample=False, return_dict_in_generate=True, output_logits=True
    )
    tokens = made.sequences[0, ids["input_ids"].shape[1] :].tolist()
    steps = [
        torch.log_softmax(logits[0].float(), -1)[token].item()
        for logits, token in zip(made.logits, tokens, strict=True)
    ]
    return tokens, steps


def log_probabilities(model: Any, messages: list[Message]) -> list[float]:
    reply = model.connection.client.chat.completions.create(
        model=model.name,
        messages=[{"role": message.role, "content": message.content} for message in messages],
        max_tokens=SETTINGS.maximum_tokens,
        temperature=0,
        logprobs=True,
    )
    return [token.logprob for token in reply.choices[0].logprobs.content]


@pytest.mark.filterwarnings("ignore")
def test_base_and_two_adapters_agree_with_transformers_and_are_swapped_without_a_restart(
    base: Path, tmp_path: Path
) -> None:
    folders = [None, adapter(base, tmp_path / "one", 1), adapter(base, tmp_path / "two", 2)]
    server = shared_server(base, SETTINGS, lora=True, notify=lambda _: None)
    seen: list[list[float]] = []
    for folder in (*folders, folders[1]):  # the first adapter again, after the second
        with ExitStack() as stack:
            model = stack.enter_context(open_vllm(SETTINGS, server, folder=base, adapter=folder))
            for messages in ASKED:
                tokens, expected = reference(base, folder, messages)
                completion = model.generate(messages)
                assert completion.usage.output_tokens == len(tokens)
                found = log_probabilities(model, messages)
                worst = max(abs(a - b) for a, b in zip(found, expected, strict=True))
                assert worst < CLOSEST, folder
                seen.append(found)
    print(f"{len(seen)} answers agree with transformers")  # noqa: T201 - make vllm-test runs with -s
    assert seen[0] != seen[2] != seen[4], "each adapter changes the answers"
    assert seen[2] + seen[3] == pytest.approx(seen[6] + seen[7], abs=CLOSEST)
    assert shared_server(base, SETTINGS, lora=True, notify=lambda _: None) == server, "there was no restart"
    assert os.environ["WEIGHBRIDGE_VLLM_SERVER"]
