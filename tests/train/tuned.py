"""Adapters of the tiny Llama, trained for a second by a loop of our own: LoRA and its kin, IA3, prompts, or whole."""

from pathlib import Path

from weighbridge.adapters import Parity
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.data.conversations import Conversation
from weighbridge.train.data.tokens import encode
from weighbridge.train.parity.judge import compare_form, file_form
from weighbridge.train.parity.replies import Prompts
from weighbridge.train.runtime.base_model import BaseFiles, layout, load_network, load_tokenizer
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Message

PROMPTS = tuple((Message("user", f"Say {word}!"),) for word in ("alpha", "beta", "gamma", "delta"))
LEARNT = tuple(
    Conversation(example_id=str(number), prompt=prompt, target=prompt[0].content[4:-1].upper())
    for number, prompt in enumerate(PROMPTS)
)
SETTINGS = ModelSettings(context=512, maximum_tokens=8, quantisation="F16")


def save_tuned(base: BaseFiles, method: str, folder: Path, *, steps: int = 100) -> Path:
    """Train the base model to say words in capitals, and return the adapter folder; the same each time."""
    import torch

    torch.manual_seed(7)
    rate = {"full": 3e-3, "ia3": 1e-1, "prompt-tuning": 1e-1}.get(method, 1e-2)
    with quiet():
        network = load_network(base, precision=torch.float32)
        if method != "full":
            from peft import get_peft_model

            network = get_peft_model(network, _config(method))
        _learn(network, [encode(load_tokenizer(base), one) for one in LEARNT], rate, steps)
        network.save_pretrained(folder)
    return folder


def parity_of_file(adapter: Path, base: BaseFiles, gguf: Path, prompts: Prompts, *, settings: ModelSettings) -> Parity:
    """Compare an adapter folder with one GGUF made from it in `settings.quantisation`."""
    form = file_form(layout(base), gguf, prompts, settings=settings)
    return compare_form((form,), adapter, base, prompts)[0]


def _config(method: str):
    from peft import IA3Config, LoraConfig, PromptTuningConfig

    if method == "ia3":
        ff, every = ["down_proj"], ["k_proj", "v_proj", "down_proj"]
        return IA3Config(task_type="CAUSAL_LM", target_modules=every, feedforward_modules=ff)
    if method == "prompt-tuning":
        return PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4)
    return LoraConfig(
        r=8,
        lora_alpha=16,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
        use_rslora=method == "rslora",
        use_dora=method == "dora",
    )


def _learn(network, rows, rate: float, steps: int) -> None:
    import torch

    longest = max(len(row.tokens) for row in rows)
    ids = torch.tensor([(*row.tokens, *[2] * (longest - len(row.tokens))) for row in rows])
    labels = torch.tensor([(*row.labels, *[-100] * (longest - len(row.tokens))) for row in rows])
    mask = torch.tensor([[1] * len(row.tokens) + [0] * (longest - len(row.tokens)) for row in rows])
    optimiser = torch.optim.AdamW([one for one in network.parameters() if one.requires_grad], lr=rate)
    for _ in range(steps):
        network(input_ids=ids, attention_mask=mask, labels=labels).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
