from pathlib import Path

import pytest
from tests.tiny_llama import TEMPLATE, write_tiny_gguf

from weighbridge.errors import SettingsError
from weighbridge.generate.chat_template import has_thinking_switch, without_thinking
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.generate.transformers import open_transformers
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import encode, prompt_tokens
from weighbridge.train.runtime.base_model import BaseFiles, load_tokenizer, prepare_base, turns
from weighbridge.types import Message
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.reporter import Reporter

THINKS = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if loop.last and message['role'] == 'assistant' %}{{ '<think>\n\n</think>\n\n' }}{% endif %}"
    "{{ message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% if enable_thinking is defined and not enable_thinking %}{{ '<think>\n\n</think>\n\n' }}{% endif %}{% endif %}"
)
"""As Qwen3's: it thinks unless it is told not to, and an answer without a thought has an empty one."""
ASKED = (Message("system", "Answer in a few words."), Message("user", "When does it open?"))
SHORT = ModelSettings(context=256, maximum_tokens=4)


@pytest.fixture(scope="module")
def thinker(tmp_path_factory: pytest.TempPathFactory) -> BaseFiles:
    folder = tmp_path_factory.mktemp("thinker")
    return prepare_base(write_tiny_gguf(folder / "thinker.gguf", template=THINKS), folder / "base")


def test_training_and_both_engines_read_the_same_prompt_without_a_thought(thinker: BaseFiles) -> None:
    tokenizer = load_tokenizer(thinker)
    learnt = prompt_tokens(tokenizer, ASKED)
    assert tokenizer.decode(learnt).endswith("<think>\n\n</think>\n\n")
    served = open_transformers(thinker.hf, settings=SHORT, name="m")
    assert served.generate(ASKED).usage.input_tokens == len(learnt)
    with open_llamacpp(thinker.source_gguf, settings=SHORT, name="m") as model, model.engine() as engine:
        assert tuple(engine.prompt_tokens(turns(ASKED))) == learnt
        assert engine.complete({"messages": turns(ASKED), "max_tokens": 1})["usage"]["prompt_tokens"] == len(learnt)


def test_thinking_on_leaves_the_thought_to_the_model(thinker: BaseFiles) -> None:
    thinking = SHORT.model_copy(update={"thinking": "on"})
    served = open_transformers(thinker.hf, settings=thinking, name="m")
    with open_llamacpp(thinker.source_gguf, settings=thinking, name="m") as model, model.engine() as engine:
        read = engine.prompt_tokens(turns(ASKED))
    assert served.tokenizer.decode(read).endswith("assistant\n")
    assert served.generate(ASKED).usage.input_tokens == len(read)
    assert served.fingerprint != open_transformers(thinker.hf, settings=SHORT, name="m").fingerprint


def test_the_answer_to_learn_follows_the_empty_thought(thinker: BaseFiles) -> None:
    tokenizer = load_tokenizer(thinker)
    made = encode(tokenizer, Conversation(example_id="e", prompt=ASKED, target="at six"))
    assert tokenizer.decode(made.tokens[made.start :]).startswith("at six")


def test_a_template_without_a_switch_stays_as_it_is(thinker: BaseFiles, tmp_path: Path) -> None:
    assert without_thinking(TEMPLATE) == TEMPLATE
    assert has_thinking_switch(thinker.source_gguf)
    assert has_thinking_switch(thinker.hf)
    assert not has_thinking_switch(write_tiny_gguf(tmp_path / "plain.gguf"))


def test_it_is_said_whether_a_model_thinks_and_tuning_needs_it_off(thinker: BaseFiles) -> None:
    said: list[str] = []
    reporter = Reporter(say=said.append)
    model = ModelSettings(reference=str(thinker.source_gguf))
    open_engine(Settings(examples=Path("e.jsonl"), strategies=("rag",), model=model), reporter)
    assert said == [f"{thinker.source_gguf} can think before it answers: model.thinking is off"]
    thinking = model.model_copy(update={"thinking": "on"})
    with pytest.raises(SettingsError, match="raft learn answers without thoughts"):
        open_engine(Settings(examples=Path("e.jsonl"), strategies=("rag", "raft"), model=thinking), reporter)
