from pathlib import Path

import pytest

from weighbridge.errors import PromptTooLongError, UserError
from weighbridge.generate.transformers import open_transformers
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Message

ASKED = [Message("user", "When does it open?")]
OTHER = [Message("user", "Who is there?")]
SHORT = ModelSettings(context=200, maximum_tokens=12)


@pytest.fixture
def adapter(tiny_llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that is not the identity."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "down_proj"], init_lora_weights=False)
    torch.manual_seed(3)
    tuned = get_peft_model(AutoModelForCausalLM.from_pretrained(tiny_llama), config)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            weight.data.mul_(200)
    folder = tmp_path_factory.mktemp("adapter")
    tuned.save_pretrained(folder)
    return folder


def test_greedy_text_is_what_transformers_itself_gives(tiny_llama: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = open_transformers(tiny_llama, settings=SHORT, name="tiny")
    tokenizer = AutoTokenizer.from_pretrained(tiny_llama)
    network = AutoModelForCausalLM.from_pretrained(tiny_llama, dtype=model.network.dtype)
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": ASKED[0].content}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    whole = network.generate(**prompt, max_new_tokens=12, do_sample=False)
    new = whole[0, prompt["input_ids"].shape[1] :]
    completion = model.generate(ASKED)
    assert completion.text == tokenizer.decode(new, skip_special_tokens=True)
    assert completion.usage.output_tokens == len(new)
    assert torch.is_grad_enabled()


def test_sampling_follows_the_seed_and_not_the_past(tiny_llama: Path) -> None:
    def sampled(seed: int) -> list[str]:
        settings = ModelSettings(context=200, maximum_tokens=12, temperature=1.0, seed=seed)
        model = open_transformers(tiny_llama, settings=settings, name="tiny")
        return [model.generate(prompt).text for prompt in (ASKED, OTHER, ASKED)]

    first, other = sampled(1), sampled(2)
    assert first[0] == first[2]
    assert first != other


def test_generation_leaves_the_random_state_alone(tiny_llama: Path) -> None:
    import torch

    model = open_transformers(tiny_llama, settings=SHORT, name="tiny")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    model.generate(ASKED)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft's, in the fixture
def test_an_adapter_changes_the_answer_and_the_fingerprint(tiny_llama: Path, adapter: Path) -> None:
    plain = open_transformers(tiny_llama, settings=SHORT, name="tiny")
    tuned = open_transformers(tiny_llama, settings=SHORT, adapter=adapter, name="tiny")
    assert plain.generate(ASKED).text != tuned.generate(ASKED).text
    assert plain.fingerprint != tuned.fingerprint


def test_an_answer_that_the_context_would_cut_is_an_error(tiny_llama: Path) -> None:
    read = open_transformers(tiny_llama, settings=SHORT, name="tiny").generate(ASKED).usage.input_tokens
    tight = ModelSettings(context=read + 2, maximum_tokens=12)
    with pytest.raises(PromptTooLongError, match=f"context holds {read + 2}"):
        open_transformers(tiny_llama, settings=tight, name="tiny").generate(ASKED)


def test_a_folder_that_is_no_model_is_the_users_to_fix(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such model folder"):
        open_transformers(tmp_path / "gone", settings=SHORT, name="m")
    with pytest.raises(UserError, match="cannot be loaded"):
        open_transformers(tmp_path, settings=SHORT, name="m")
