"""A tiny Llama with a byte-level tokenizer, written as a GGUF: real files through the real code, in seconds."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from weighbridge.settings.schema import ModelSettings
from weighbridge.settings.training import TrainingSettings
from weighbridge.train.runtime.base_model import BaseFiles, prepare_base
from weighbridge.train.runtime.recipe import Recipe
from weighbridge.types import Example, Question

TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
WIDTH, HEADS, GROUPS, BLOCKS, INNER = 64, 4, 2, 2, 96


def byte_letters() -> list[str]:
    """Return the 256 letters that GPT-2 tokenizers write bytes with, in the order of the bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def write_tiny_gguf(path: Path, *, seed: int = 0, template: str = TEMPLATE) -> Path:
    """Write a Llama of random weights whose tokens are bytes; its arithmetic and metadata are a real model's."""
    from gguf import GGUFWriter

    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *byte_letters(), "th", "in"]
    writer = GGUFWriter(path, "llama")
    _describe(writer, tokens, template)
    for name, shape in tiny_shapes(len(tokens)).items():
        random = np.random.default_rng([seed, len(name), sum(map(ord, name))])
        values = np.ones(shape) if len(shape) == 1 else random.normal(0, 0.5 if "embd" in name else 0.15, shape)
        writer.add_tensor(name, values.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _describe(writer, tokens: list[str], template: str) -> None:
    from gguf import LlamaFileType, TokenType

    writer.add_block_count(BLOCKS)
    writer.add_context_length(512)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_freq_base(10000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(LlamaFileType.ALL_F32)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([TokenType.CONTROL] * 3 + [TokenType.NORMAL] * (len(tokens) - 3))
    writer.add_token_merges(["t h", "i n"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)  # noqa: FBT003 - the library's signature
    writer.add_add_space_prefix(False)  # noqa: FBT003 - the library's signature
    writer.add_chat_template(template)


def tiny_shapes(vocabulary: int) -> dict[str, tuple[int, ...]]:
    """Return the tensors of the tiny Llama, embeddings tied."""
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (vocabulary, WIDTH), "output_norm.weight": (WIDTH,)}
    narrow = WIDTH // HEADS * GROUPS
    for block in range(BLOCKS):
        shapes |= {
            f"blk.{block}.attn_norm.weight": (WIDTH,),
            f"blk.{block}.attn_q.weight": (WIDTH, WIDTH),
            f"blk.{block}.attn_k.weight": (narrow, WIDTH),
            f"blk.{block}.attn_v.weight": (narrow, WIDTH),
            f"blk.{block}.attn_output.weight": (WIDTH, WIDTH),
            f"blk.{block}.ffn_norm.weight": (WIDTH,),
            f"blk.{block}.ffn_gate.weight": (INNER, WIDTH),
            f"blk.{block}.ffn_up.weight": (INNER, WIDTH),
            f"blk.{block}.ffn_down.weight": (WIDTH, INNER),
        }
    return shapes


@pytest.fixture(scope="session", autouse=True)
def one_thread(training_libraries: None) -> None:
    """Matrices this small are multiplied faster by one thread than by several that wait for each other."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> BaseFiles:
    """The tiny Llama, converted."""
    folder = tmp_path_factory.mktemp("tiny")
    return prepare_base(write_tiny_gguf(folder / "tiny.gguf"), folder / "hf")


@pytest.fixture(scope="session")
def recipe(tiny: BaseFiles) -> Recipe:
    """A recipe that overfits the tiny Llama in a second or two."""
    return Recipe(
        base=tiny,
        training=TrainingSettings(rank=8, alpha=16, learning_rate=2e-2, epochs=6, batch_size=4),
        model=ModelSettings(context=512, maximum_tokens=8, quantisation="F16"),
        reference="file:tiny.gguf",
    )


@dataclass(frozen=True)
class NoModel:
    """The model of a strategy that is never asked."""

    name: str = "unused"
    fingerprint: str = "unused"


@pytest.fixture(scope="session")
def examples() -> tuple[Example, ...]:
    """Ten train and two dev examples, which the tiny Llama can learn by heart."""
    ports = ["Tarrow", "Skelly", "Brannoch", "Orma", "Lunday", "Hask", "Vell", "Dunnet", "Pirrie", "Caddis"]
    train = [
        Example(id=f"t{n}", question=Question(f"Code of {port}?"), answers=(port[:2],), split="train")
        for n, port in enumerate(ports)
    ]
    dev = [
        Example(id=f"d{n}", question=Question(f"What is the code of {port}?"), answers=(port[:2],), split="dev")
        for n, port in enumerate(ports[:2])
    ]
    return (*train, *dev)


@pytest.fixture(scope="session")
def no_model() -> NoModel:
    """A model that is never asked: building prompts needs none."""
    return NoModel()
