"""Tiny decoders of eight architectures: folders of random weights with a real small BPE tokenizer and chat template.

No weight is a constant: a norm of ones or a bias of zeros would look the same in any order.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "olmo2", "smollm3")
_SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
_OWN: Mapping[str, Mapping[str, Any]] = {
    "llama": {
        "tie_word_embeddings": False,
        "attention_bias": True,
        "mlp_bias": True,
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 10_000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "mistral": {"head_dim": 32, "sliding_window": None},
    "qwen2": {"tie_word_embeddings": True},
    "qwen3": {"head_dim": 32, "tie_word_embeddings": True},
    "gemma3_text": {
        "num_hidden_layers": 6,
        "head_dim": 32,
        "query_pre_attn_scalar": 32,
        "sliding_window": 16,
        "layer_types": ["sliding_attention"] * 5 + ["full_attention"],
        "rope_parameters": {
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            "full_attention": {"rope_type": "linear", "rope_theta": 1_000_000.0, "factor": 8.0},
        },
    },
    "phi3": {"sliding_window": None},
    "olmo2": {},
    "smollm3": {"num_hidden_layers": 4, "no_rope_layers": [1, 1, 1, 0]},
}
"""What is odd about each: biases, wide heads, windows (in llama.cpp, of the first five blocks in six) with positions of
their own, a block without positions (in llama.cpp, every fourth). llama.cpp scales the queries of Gemma 3 by the width
of a head, as all published sizes do, and not by the configuration's `query_pre_attn_scalar`."""
_SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_TEXT = ["Say alpha!", "Say beta!", "The answer is no.", "user assistant", "12 and 345 are numbers"]


def write_tiny_decoder(folder: Path, architecture: str, *, seed: int = 0, **changed: Any) -> Path:
    """Write a folder of a tiny decoder, and return it."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    tokens = _write_tokenizer(folder)
    config = AutoConfig.for_model(
        architecture,
        **{**_SHAPE, **_OWN[architecture], **changed},
        vocab_size=tokens,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )
    network = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    torch.manual_seed(seed)
    shifted = architecture.startswith("gemma")
    with torch.no_grad():
        for name, weight in network.named_parameters():
            if weight.ndim == 1:
                weight.copy_(torch.randn_like(weight) * 0.2 + (0.0 if shifted or name.endswith("bias") else 1.0))
            else:
                # Gemma multiplies its embeddings by the root of the width: the words would outshout the blocks.
                embedding = 0.06 if shifted else 0.5
                weight.copy_(torch.randn_like(weight) * (embedding if "embed" in name else 0.15))
    network.save_pretrained(folder)
    if architecture == "phi3":  # as Phi-4 says it; the converter reads any other as a sentencepiece model
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "tokenizer_class": "GPT2Tokenizer"}))
    return folder


def _write_tokenizer(folder: Path) -> int:
    """Write a byte-level BPE tokenizer learnt from a few sentences, and return the number of its tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=288,
        special_tokens=list(_SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_TEXT, trainer)
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=_SPECIAL[1], eos_token=_SPECIAL[2], pad_token=_SPECIAL[2]
    )
    wrapped.chat_template = _TEMPLATE
    wrapped.save_pretrained(folder)
    return len(wrapped)
