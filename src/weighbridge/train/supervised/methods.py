"""The methods of `training.method`, by PEFT's own names: their trainable weights and their forward pass."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from weighbridge.errors import TrainingError
from weighbridge.machine import training_precision
from weighbridge.settings.training import ChosenPrecision, Method, TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles, load_network
from weighbridge.train.supervised.prefix_packing import PackedRow

USUAL_RATES: Mapping[Method, tuple[float, float]] = {
    **dict.fromkeys(("lora", "rslora", "dora", "qlora"), (1e-4, 5e-3)),
    "ia3": (3e-3, 1e-1),
    "prompt-tuning": (3e-3, 3e-1),
    "full": (1e-5, 5e-4),
}
"""Bounds of the learning-rate search: rates that usually teach something and spoil nothing."""
_DARED = 6.0
"""How many times more than that a rate of the LoRA methods may be before it is called odd, or less."""
_WITHOUT_LAYERS = "training.layers cannot be used with training.method: prompt-tuning, which learns below all blocks"


def odd_rates(how: TrainingSettings) -> Iterator[str]:
    """Yield a warning if a learning rate is unusual for its method."""
    low, high = USUAL_RATES[how.method]
    dared = 1.0 if how.method in ("ia3", "prompt-tuning", "full") else _DARED
    if low / dared <= how.rate <= high * dared:
        return
    slow = how.rate < low
    odd = f"{how.rate:g} is {'low' if slow else 'high'}"
    what = "it may learn next to nothing" if slow else "it may lose what it knew"
    yield f"training.learning_rate: {odd} for training.method: {how.method}, so {what}; {low:g} to {high:g} is usual"


def precision(chosen: ChosenPrecision = "auto") -> Any:
    """Return the torch type to compute in.

    Args:
        chosen: `training.precision` of the settings. auto is bfloat16 on a GPU that has it, and on a processor the
            faster one, by a measurement that is made once (`weighbridge.machine`).
    """
    import torch

    if chosen == "auto" and torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    return getattr(torch, training_precision() if chosen == "auto" else chosen)


def prepare_network(base: BaseFiles, how: TrainingSettings, kind: Any) -> Any:
    """Return the base model with the weights of its method added, drawn with the seed.

    Frozen weights are of the torch type `kind`. What learns, and nothing else, requires gradients and is float32.

    Raises:
        TrainingError: the method cannot be had on this machine, or with this model; with the reason.
    """
    import torch
    from transformers import set_seed

    set_seed(how.seed)
    if how.method == "full":
        network = _whole(base, how)
    else:
        frozen = _load_in_4bit(base, kind) if how.method == "qlora" else load_network(base, precision=kind)
        network = _with_adapter(frozen, how)
    for weight in network.parameters():
        if weight.requires_grad:
            weight.data = weight.data.to(torch.float32)
    if torch.cuda.is_available() and how.method != "qlora":
        network.to("cuda")
    return network


def has_learnt_prompt(network: Any) -> bool:
    """Tell whether PEFT puts a learnt prompt before what a network reads."""
    from peft import PeftModel

    return isinstance(network, PeftModel) and bool(network.active_peft_config.is_prompt_learning)


def read_row(network: Any, row: PackedRow) -> Any:
    """Return the logits, shape (labels, vocabulary), at the places of a row."""
    if has_learnt_prompt(network):
        return _read_prompted(network, row)
    return network(**inputs_of(network, row), use_cache=False).logits[0]


def _read_prompted(network: Any, row: PackedRow) -> Any:
    """Read a row behind the learnt prompt, visible to every token. PEFT itself cannot: it knows 2D masks only."""
    import torch

    inputs = inputs_of(network, row)
    prompt = network.get_prompt(batch_size=1)
    before = prompt.shape[1]
    read = network.get_input_embeddings()(inputs.pop("input_ids"))
    seen = torch.ones(before + len(row.tokens), before + len(row.tokens), dtype=torch.bool, device=read.device).tril()
    if (mask := inputs.pop("attention_mask", None)) is not None:
        seen[before:, before:] = mask[0, 0]
    own = torch.arange(before, device=read.device)
    inputs["position_ids"] = torch.cat([own, inputs["position_ids"][0] + before])[None]
    inputs["logits_to_keep"] = inputs["logits_to_keep"] + before
    embedded = torch.cat([prompt.to(read.dtype), read], dim=1)
    plain = network.get_base_model()
    return plain(inputs_embeds=embedded, attention_mask=seen[None, None], **inputs, use_cache=False).logits[0]


def inputs_of(network: Any, row: PackedRow) -> dict[str, Any]:
    """Return a row as the arguments of a transformers language model, on its device."""
    import torch

    def there(values: Any) -> Any:
        return torch.from_numpy(values).to(network.device)

    made = {
        "input_ids": there(row.tokens)[None],
        "position_ids": there(row.positions)[None],
        "logits_to_keep": there(row.places),
    }
    return made if row.plain else {**made, "attention_mask": there(row.sees)[None, None]}


def transformer_blocks(network: Any) -> Any:
    """Return the blocks of a language model, a `ModuleList`, the lowest first."""
    import torch

    decoder, count = network.get_decoder(), network.config.get_text_config().num_hidden_layers
    lists = (part for part in decoder.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == count)
    if (blocks := next(lists, None)) is None:
        raise TrainingError(
            f"{network.config.model_type} models do not show which of their parts are the blocks; choose another model"
        )
    return blocks


def _load_in_4bit(base: BaseFiles, kind: Any) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    four = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=kind,
    )
    where = {"": torch.cuda.current_device() if torch.cuda.is_available() else "cpu"}
    try:
        network = AutoModelForCausalLM.from_pretrained(
            base.hf, dtype=kind, quantization_config=four, device_map=where, local_files_only=True
        )
    except (ImportError, ValueError, NotImplementedError) as error:
        raise TrainingError(
            f"training.method: qlora cannot be had on this machine: {error}; install bitsandbytes, or choose lora, "
            "which learns the same and takes more memory"
        ) from error
    _keep_layout(network)
    return network


def _keep_layout(network: Any) -> None:
    """Keep bitsandbytes from laying out weights anew when it is asked in the middle of a training on a CPU.

    What it lays out so can be multiplied only by a kernel that is no part of it, and is not what training reads.
    """
    from bitsandbytes.nn import Linear4bit

    for part in network.modules():
        if isinstance(part, Linear4bit):
            part.support_avx512bf16_for_cpu = False


def _whole(base: BaseFiles, how: TrainingSettings) -> Any:
    import torch

    network = load_network(base, precision=torch.float32)
    if how.layers:
        network.requires_grad_(requires_grad=False)
        for block in _upper(network, how):
            block.requires_grad_(requires_grad=True)
        for name, part in network.get_decoder().named_children():
            if "norm" in name or name.startswith("ln_"):  # the last one, above all blocks
                part.requires_grad_(requires_grad=True)
    return network


def _with_adapter(network: Any, how: TrainingSettings) -> Any:
    from peft import get_peft_model

    try:
        return get_peft_model(network, ADAPTERS[how.method](network, how))
    except (ValueError, KeyError) as error:
        raise TrainingError(f"training.method: {how.method} cannot be had with this base model: {error}") from error


def _upper(network: Any, how: TrainingSettings) -> Any:
    """Return the blocks that learn."""
    blocks = transformer_blocks(network)
    if how.layers > len(blocks):
        raise TrainingError(f"training.layers: {how.layers} is more than the {len(blocks)} blocks of the base model")
    return blocks[len(blocks) - how.layers :]


def _lora(network: Any, how: TrainingSettings, *, stable: bool = False, magnitudes: bool = False) -> Any:
    from peft import LoraConfig

    if how.rank > (width := network.get_input_embeddings().weight.shape[1]):
        raise TrainingError(
            f"training.rank: {how.rank:,} is more than the base model's width of {width:,}, so the adapter would hold "
            f"more than the weights it stands for; lower it (8 to 64 is usual), or set training.method to full"
        )
    return LoraConfig(
        r=how.rank,
        lora_alpha=how.alpha,
        lora_dropout=0.0,
        use_rslora=stable,
        use_dora=magnitudes,
        task_type="CAUSAL_LM",
        **_where(network, how),
    )


def _where(network: Any, how: TrainingSettings) -> dict[str, Any]:
    """Return PEFT's words for all linear layers of the blocks that learn: never the head, nor an embedding."""
    import torch
    from transformers.pytorch_utils import Conv1D

    blocks = transformer_blocks(network)
    inside = {id(part) for part in blocks.modules()}
    linear = [(name, id(part)) for name, part in network.named_modules() if isinstance(part, (torch.nn.Linear, Conv1D))]
    leaves = sorted({name.rsplit(".", 1)[-1] for name, part in linear if part in inside})
    if how.layers:
        _upper(network, how)
        numbers = list(range(len(blocks) - how.layers, len(blocks)))
        return {"target_modules": leaves, "layers_to_transform": numbers}
    if any(name.rsplit(".", 1)[-1] in leaves for name, part in linear if part not in inside):
        return {"target_modules": [name for name, part in linear if part in inside]}
    return {"target_modules": leaves}


def _ia3(network: Any, how: TrainingSettings) -> Any:
    from peft import IA3Config
    from peft.utils import constants

    if not how.layers:
        return IA3Config(task_type="CAUSAL_LM")
    kind, every = network.config.model_type, len(transformer_blocks(network))
    _upper(network, how)
    numbers = "|".join(map(str, range(every - how.layers, every)))

    def within(names: Any) -> str:
        return rf".*\.layers\.({numbers})\..*\.({'|'.join(sorted(names))})"

    scaled = constants.TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING[kind]
    inner = constants.TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING[kind]
    return IA3Config(task_type="CAUSAL_LM", target_modules=within(scaled), feedforward_modules=within(inner))


def _prompt(_: Any, how: TrainingSettings) -> Any:
    from peft import PromptTuningConfig, PromptTuningInit

    if how.layers:
        raise TrainingError(_WITHOUT_LAYERS)
    return PromptTuningConfig(
        num_virtual_tokens=how.rank, prompt_tuning_init=PromptTuningInit.SAMPLE_VOCAB, task_type="CAUSAL_LM"
    )


ADAPTERS: Mapping[Method, Callable[[Any, TrainingSettings], Any]] = {
    "lora": _lora,
    "rslora": lambda network, how: _lora(network, how, stable=True),
    "dora": lambda network, how: _lora(network, how, magnitudes=True),
    "qlora": _lora,
    "ia3": _ia3,
    "prompt-tuning": _prompt,
}
"""The PEFT configuration of each method. `full` has none, because it adds no weights."""
