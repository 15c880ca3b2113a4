"""Fixtures that many tests share: the default models, a tiny one, and a real chat completions endpoint."""

import contextlib
import gc
import io
import json
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from weighbridge.checks import run_all
from weighbridge.checks.abstention import unanswerable
from weighbridge.checks.forgetting import probes
from weighbridge.errors import ModelError, PromptTooLongError, WeighbridgeError
from weighbridge.generate.scripted import Scripted
from weighbridge.models import fetch
from weighbridge.settings.schema import MINILM, SMOLLM2
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Message
from weighbridge.wiring.reporter import Reporter
from weighbridge.workflow import latency
from weighbridge.workspace import Workspace

from .environment import isolate
from .postgres_server import postgres_server

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
_own = isolate(os.environ)
os.environ.clear()
os.environ.update(_own)
settings.register_profile(  # no test asserts a time: the machine may be busy with something else
    "weighbridge", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("weighbridge")
GOLDEN = Path(__file__).parent / "golden"


SLOWEST = (
    "end_to_end/test_real_models.py",
    "end_to_end/test_compare.py",
    "workflow/training/test_train.py",
    "train/preference/test_kills.py",
    "end_to_end/test_knowledge.py",
    "end_to_end/test_bad_input.py",
    "train/supervised/test_kills.py",
    "contracts/test_model_contract.py",
    "properties/test_access.py",
    "workflow/training/test_retriever.py",
    "train/supervised/test_train.py",
    "train/test_tune.py",
    "workflow/training/test_rate_search.py",
    "train/preference/test_train.py",
)
"""Files that take the longest, as measured, slowest first: begun last, one of them would leave a processor idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first; the others stay in their order."""
    ranks = {Path(__file__).parent / name: rank for rank, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: ranks.get(item.path, len(ranks)))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="Write the golden files anew instead of comparing.")
    parser.addoption("--postgres", type=int, choices=(16, 18), default=18, help="The version of PostgreSQL to use.")


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> None:
    """Exempt what lives already from collections of garbage: else each takes 0.3 s, and a training asks for ten."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def training_libraries() -> None:
    """Load what trainings need, and exempt it from collections of garbage, as `quick_collections` does."""
    with quiet():
        import peft  # noqa: F401
        from transformers import LlamaForCausalLM  # noqa: F401
        from trl import SFTTrainer  # noqa: F401
    gc.collect()
    gc.freeze()


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Compares a text with a file under tests/golden, to the letter."""

    def compare(name: Path, text: str) -> None:
        file = GOLDEN / name
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.read_text(encoding="utf-8") == text

    return compare


@pytest.fixture(scope="session")
def smollm2_gguf() -> Path:
    """The default generator, a GGUF file."""
    return fetch(SMOLLM2)


@pytest.fixture(scope="session")
def minilm() -> Path:
    """The default embedder, a folder of safetensors with its tokenizer."""
    return fetch(MINILM)


@pytest.fixture(scope="session")
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL server with pgvector, started for these tests."""
    with postgres_server(request.config.getoption("--postgres")) as server:
        server.psql("alter system set fsync = off;")  # what a test writes need not outlive the machine
        server.psql("select pg_reload_conf();")
        yield server.get_uri()


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real Llama folder with random weights: two layers, byte-level tokenizer, ChatML template, 100 kB."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-llama")
    special = ["<|im_start|>", "<|im_end|>"]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    spelt = {token: number for number, token in enumerate([*special, *alphabet])}
    tokenizer = Tokenizer(models.BPE(vocab=spelt, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=special[1], pad_token=special[1])
    wrapped.chat_template = CHAT_TEMPLATE
    wrapped.save_pretrained(folder)
    torch.manual_seed(7)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    LlamaForCausalLM(LlamaConfig(vocab_size=len(spelt), eos_token_id=1, **shape)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real BERT embedder's folder with random weights: two layers, a letter a token, 100 kB."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("tiny") / "tiny-bert"
    folder.mkdir()
    signs = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *signs, *(f"##{sign}" for sign in signs)]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(vocab=str(folder / "vocab.txt"), model_max_length=128).save_pretrained(folder)
    torch.manual_seed(7)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=128, **shape)).save_pretrained(folder)
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 64, "do_lower_case": false}')
    return folder


@pytest.fixture(scope="module")
def few_guard_questions(training_libraries: None) -> Iterator[None]:
    """Guards ask 6 questions of general knowledge and 3 without an answer, where they ask 120 and 40.

    From the first test of a file that wants it: those above ask all.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_all, "probes", lambda: probes()[:6])
        patch.setattr(run_all, "unanswerable", lambda: unanswerable()[:3])
        yield


@pytest.fixture(scope="module")
def latency_here() -> Iterator[None]:
    """Time strategies in the process of the tests, from the first test of a file that wants it.

    A process of its own loads libraries for three seconds. It is tested by the whole runs of `test_compare.py`,
    `test_own_parts.py` and `test_real_models.py` in `end_to_end`.
    """

    def run(arm: str, workspace: Workspace, asked: dict[str, Any], reporter: Reporter) -> dict[str, Any]:
        try:
            with contextlib.redirect_stderr(io.StringIO()):  # its progress
                return json.loads(
                    json.dumps(vars(latency)["_child"](workspace.root, arm, json.loads(json.dumps(asked))))
                )
        except WeighbridgeError as error:
            raise ModelError(f"timing {arm} in its own process failed: {error}") from error

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(latency, "_run", run)
        yield


Behaviour = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]
"""What an endpoint does with one request: the handler to write to, and the parsed body."""


@pytest.fixture
def chat_endpoint() -> Iterator[Callable[[Behaviour], str]]:
    """Starts HTTP servers on 127.0.0.1 that behave as told; gives the base URL of each."""
    servers: list[tuple[ThreadingHTTPServer, Thread]] = []

    def start(behave: Behaviour) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                behave(self, json.loads(self.rfile.read(length)))

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's own name
                """Say nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/v1"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def scripted_endpoint(chat_endpoint: Callable[[Behaviour], str]) -> str:
    """An endpoint that answers well, as `Scripted` does, with a context of 60 words."""
    return chat_endpoint(answer_well)


@pytest.fixture
def roomy_endpoint(chat_endpoint: Callable[[Behaviour], str]) -> str:
    """The same, with a context of 100,000 words."""
    return chat_endpoint(partial(answer_well, context=100_000))


@pytest.fixture
def broken_endpoint(chat_endpoint: Callable[[Behaviour], str]) -> str:
    """An endpoint that answers every request with HTTP 500."""
    return chat_endpoint(lambda handler, _: refuse(handler, 500, {"message": "out of order"}))


@pytest.fixture
def failing_endpoint(chat_endpoint: Callable[[Behaviour], str]) -> str:
    """An endpoint that answers the tiny request before a comparison, and each question with HTTP 500."""

    def answer(handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if len(body["messages"]) == 1 and "the word yes" in body["messages"][0]["content"]:
            answer_well(handler, body)
        else:
            refuse(handler, 500, {"message": "out of order"})

    return chat_endpoint(answer)


def answer_well(handler: BaseHTTPRequestHandler, body: dict[str, Any], context: int = 60) -> None:
    """Stream what `Scripted` says, as a well-behaved endpoint does."""
    model = Scripted(maximum_tokens=body["max_tokens"], context=context)
    said: list[str] = []
    try:
        whole = model.generate([Message(m["role"], m["content"]) for m in body["messages"]], emit=said.append)
    except PromptTooLongError as error:
        refuse(handler, 400, {"message": f"This model's maximum context length is 60 tokens. {error}"})
        return
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.end_headers()
    for text in said:
        send_event(handler, {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
    send_event(handler, {"choices": [{"index": 0, "delta": {}, "finish_reason": whole.finish}]})
    usage = {"prompt_tokens": whole.usage.input_tokens, "completion_tokens": whole.usage.output_tokens}
    send_event(handler, {"choices": [], "usage": {**usage, "total_tokens": sum(usage.values())}})
    handler.wfile.write(b"data: [DONE]\n\n")


def send_event(handler: BaseHTTPRequestHandler, chunk: dict[str, Any]) -> None:
    """Send one piece of a streamed chat completion."""
    whole = {"id": "chat-1", "object": "chat.completion.chunk", "created": 0, "model": "scripted", **chunk}
    handler.wfile.write(f"data: {json.dumps(whole)}\n\n".encode())
    handler.wfile.flush()


def refuse(handler: BaseHTTPRequestHandler, status: int, error: dict[str, Any]) -> None:
    """Send an error as endpoints do."""
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(json.dumps({"error": error}).encode())
