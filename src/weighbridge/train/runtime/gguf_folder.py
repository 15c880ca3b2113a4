"""Turns a GGUF into a folder of float32 safetensors with its configuration and tokenizer.

transformers reads the GGUFs of some architectures, and leaves out parts of their configuration: the width of heads, the
biases, the rotations of windows. Those are read here, and so are the architectures that need nothing but other names.
A wrong guess cannot pass: the values are compared afterwards, and so are the answers (ADR 33).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.train.runtime.gguf_layout import (
    architecture_of,
    keys_by_name,
    read_gguf,
    restore_heads,
    stored_values,
)

_OURS: Mapping[str, bool] = {"olmo2": False, "smollm3": True}
"""Architectures that are read here, by the name that they have in both; whether the rows of queries and keys lie with
the pairs of a rotation side by side."""
_SHAPE = {
    "context_length": "max_position_embeddings",
    "embedding_length": "hidden_size",
    "block_count": "num_hidden_layers",
    "feed_forward_length": "intermediate_size",
    "attention.head_count": "num_attention_heads",
    "attention.head_count_kv": "num_key_value_heads",
    "attention.layer_norm_rms_epsilon": "rms_norm_eps",
    "rope.freq_base": "rope_theta",
}
_TOKENS = {"bos": "bos", "eos": "eos", "pad": "padding"}
_GEMMA_27B = 62
"""Blocks of the one size of Gemma 3 whose queries llama.cpp scales by the width of the network, not of a head."""
_FREQUENCIES = "rope_freqs.weight"


def write_folder(gguf: Path, folder: Path) -> Any:
    """Write a GGUF as a folder of safetensors, and return its tokenizer as transformers opens it from there.

    Raises:
        TrainingError: neither transformers nor we can read it.
    """
    from transformers import AutoTokenizer

    reader = read_gguf(gguf)
    try:
        config = _config(gguf, reader)
        tokenizer = _tokenizer_class(reader).from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)
        network = (_our_network if architecture_of(reader) in _OURS else _network)(gguf, reader, config)
    except (MemoryError, OSError, TrainingError):
        raise
    except Exception as error:  # the tokenizers library raises bare ones
        raise TrainingError(
            f"{gguf}: transformers cannot read it as a base model for training: {error}; set model.reference to the "
            "folder of safetensors that it was made of"
        ) from error
    network.config.__dict__.pop("quantization_config", None)
    network.hf_quantizer = None
    network.is_quantized = False
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def _config(gguf: Path, reader: Any) -> Any:
    from transformers import AutoConfig

    architecture = architecture_of(reader)
    fields = {
        name.removeprefix(f"{architecture}."): field.contents()
        for name, field in reader.fields.items()
        if name.startswith(f"{architecture}.")
    }
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    if architecture in _OURS:
        said = {ours: fields[theirs] for theirs, ours in _SHAPE.items() if theirs in fields}
        for token, name in _TOKENS.items():
            field = reader.fields.get(f"tokenizer.ggml.{name}_token_id")
            said[f"{token}_token_id"] = field.contents() if field else None
        config = AutoConfig.for_model(
            architecture,
            **said,
            vocab_size=int(tensors["token_embd.weight"].shape[1]),
            tie_word_embeddings="output.weight" not in tensors,
        )
    else:
        config = AutoConfig.from_pretrained(gguf.parent, gguf_file=gguf.name, local_files_only=True)
    _complete(config, fields, tensors)
    return config


def _complete(config: Any, fields: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
    """Set what the file says and transformers does not read."""
    if "attention.key_length" in fields and hasattr(config, "head_dim"):
        config.head_dim = fields["attention.key_length"]
    for switch, tensor in (("attention_bias", "attn_q"), ("mlp_bias", "ffn_gate")):
        if hasattr(config, switch):
            setattr(config, switch, f"blk.0.{tensor}.bias" in tensors)
    if config.model_type == "gemma3_text":
        wide = config.num_hidden_layers == _GEMMA_27B
        config.query_pre_attn_scalar = config.hidden_size // config.num_attention_heads if wide else config.head_dim
        config.final_logit_softcapping = fields.get("final_logit_softcapping")
        config.rope_parameters["sliding_attention"]["rope_theta"] = fields.get("rope.freq_base_swa", 10_000.0)
        if fields.get("rope.scaling.type") == "linear":
            config.rope_parameters["full_attention"].update(rope_type="linear", factor=fields["rope.scaling.factor"])
    if _FREQUENCIES in tensors:
        _scale_rotations(config, [float(one) for one in stored_values(tensors[_FREQUENCIES], slice(None))])


def _scale_rotations(config: Any, factors: list[float]) -> None:
    """Divide each frequency by its own factor, which is how Llama 3.1 and later reach further.

    A GGUF holds the factors and not the rule that made them; "longrope" is the rule in transformers that takes a list.
    """
    if all(factor == 1.0 for factor in factors):
        return
    config.rope_parameters = {
        "rope_type": "longrope",
        "rope_theta": config.rope_parameters["rope_theta"],
        "short_factor": factors,
        "long_factor": factors,
        "attention_factor": 1.0,
        "original_max_position_embeddings": config.max_position_embeddings,
    }


def _tokenizer_class(reader: Any) -> Any:
    """Return the class that reads the tokenizer: the architecture's own, where it cuts text as the file says.

    Gemma's own reads no tokenizer of bytes, and Qwen's cuts all text in its own way.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    architecture = architecture_of(reader)
    kind, cut = (reader.fields.get(f"tokenizer.ggml.{name}") for name in ("model", "pre"))
    of_bytes, plain = kind and kind.contents() == "gpt2", cut and cut.contents() == "gpt-2"
    odd = architecture in _OURS or (of_bytes and (plain or architecture.startswith("gemma")))
    return PreTrainedTokenizerFast if odd else AutoTokenizer


def _network(gguf: Path, _: Any, config: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, config=config, dtype=torch.float32, local_files_only=True
    )


def _our_network(gguf: Path, reader: Any, config: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    weights = network.state_dict()
    keys = keys_by_name(gguf, reader, weights)
    in_pairs = {".attn_q.": config.num_attention_heads, ".attn_k.": config.num_key_value_heads}
    in_pairs = in_pairs if _OURS[architecture_of(reader)] else {}
    with torch.no_grad():
        for tensor in reader.tensors:
            if key := keys.get(tensor.name):
                values = stored_values(tensor, slice(None))
                heads = next((heads for part, heads in in_pairs.items() if part in tensor.name), 0)
                values = restore_heads(values, heads) if heads else values
                weights[key].copy_(torch.from_numpy(values.copy()))
    return network
