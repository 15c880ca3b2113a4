"""PyTorch generation: for a model that has no GGUF, and for an adapter before it is exported.

Slower than llama.cpp on a CPU by a factor of three to seven. Threads that ask at the same time are answered together
where that changes no text (`batching.py`), else one after another.
"""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any

from weighbridge.errors import MissingExtraError, ModelError, PromptTooLongError, UserError
from weighbridge.fingerprint import fingerprint
from weighbridge.generate.batching import BatchQueue, Tokens, decode_together
from weighbridge.generate.chat_template import thinking_arguments
from weighbridge.machine import choose_threads, training_precision
from weighbridge.models import file_fingerprint
from weighbridge.protocols import Emit, ignore
from weighbridge.settings.schema import ModelSettings
from weighbridge.types import Completion, Message, Usage

_UNFINISHED = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformers:
    """A `Model` of a folder of safetensors with its tokenizer and, maybe, a LoRA adapter. See `open_transformers`.

    Greedy where the temperature is 0, and then the same prompt gives the same text on the same machine. Otherwise
    each prompt is sampled from the settings' seed, whatever was asked before.
    """

    name: str
    settings: ModelSettings
    fingerprint: str
    network: Any = field(repr=False)
    tokenizer: Any = field(repr=False)
    lock: Lock = field(repr=False, default_factory=Lock)
    queues: Sequence[BatchQueue] = field(repr=False, default=())
    """The queue of the prompts to answer together; empty where that could change a text, or nobody asks so."""

    def generate(self, messages: Sequence[Message], *, emit: Emit = ignore) -> Completion:
        import torch

        tokens = self._tokens(messages)
        room = self.settings.context - tokens.shape[1]
        if room < 1:
            raise PromptTooLongError(tokens.shape[1], self.settings.context)
        limit = min(self.settings.maximum_tokens, room)
        writer = _Writer(self.tokenizer, emit)
        for queue in self.queues if limit == self.settings.maximum_tokens else ():
            if (answer := queue.ask(tokens[0].tolist())) is not None:
                writer.tokens.extend(answer)
                return self._completion(tokens, writer)
        devices = [self.network.device] if self.network.device.type == "cuda" else []
        with (
            self.lock,
            _ignore_position_warning(),
            torch.inference_mode(),
            torch.random.fork_rng(devices=devices),
        ):
            torch.manual_seed(self.settings.seed)
            try:
                self.network.generate(
                    input_ids=tokens,
                    attention_mask=torch.ones_like(tokens),
                    generation_config=self._generation_config(limit),
                    streamer=writer,
                )
            except (RuntimeError, IndexError) as error:
                raise ModelError(f"{self.name}: generation failed: {error}") from error
        completion = self._completion(tokens, writer)
        if completion.finish == "length" and limit < self.settings.maximum_tokens:
            raise PromptTooLongError(tokens.shape[1] + self.settings.maximum_tokens, self.settings.context)
        return completion

    def _completion(self, tokens: Any, writer: "_Writer") -> Completion:
        finished = writer.tokens[-1:] and writer.tokens[-1] in _ends(self.network, self.tokenizer)
        return Completion(
            text=writer.finish(),
            usage=Usage(input_tokens=tokens.shape[1], output_tokens=len(writer.tokens)),
            finish="stop" if finished else "length",
        )

    def _tokens(self, messages: Sequence[Message]) -> Any:
        turns = [{"role": message.role, "content": message.content} for message in messages]
        made = self.tokenizer.apply_chat_template(
            turns,
            add_generation_prompt=True,
            return_tensors="pt",
            return_dict=True,
            **thinking_arguments(self.settings.thinking),
        )
        return made["input_ids"].to(self.network.device)

    def _generation_config(self, limit: int) -> Any:
        """Return the generation settings: only ours, none that the model's folder may carry."""
        from transformers import GenerationConfig

        temperature = self.settings.temperature
        sampled = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
        ends = sorted(_ends(self.network, self.tokenizer))
        return GenerationConfig(max_new_tokens=limit, eos_token_id=ends, pad_token_id=ends[0], **sampled)

    def close(self) -> None:
        """Free nothing early: the weights go with the last reference to this value."""


def open_transformers(
    folder: Path, *, settings: ModelSettings, adapter: Path | None = None, workers: int = 1, name: str
) -> Transformers:
    """Load a model folder, and a PEFT adapter folder over it. It computes with a thread for each core.

    `workers` threads may ask at once. They are answered together where the weights are float32 and the temperature is
    0, with the texts that each gets alone.

    An adapter folder that full fine-tuning left is a whole model: its weights are loaded in place of the folder's.
    The weights are bfloat16 on a GPU; on a processor, the faster of bfloat16 and float32 by measurement.
    """
    if missing := [path for path in (folder, adapter) if path and not path.is_dir()]:
        raise UserError(f"{missing[0]}: there is no such model folder")
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils.logging import disable_progress_bar
    except ImportError:
        raise MissingExtraError("the transformers engine", "local") from None
    disable_progress_bar()
    torch.set_num_threads(choose_threads())
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else getattr(torch, training_precision())
    try:
        # Without the second, transformers asks at the terminal whether it may run a folder's code.
        safely = {"local_files_only": True, "trust_remote_code": False}
        tokenizer = AutoTokenizer.from_pretrained(folder, **safely)
        whole = adapter is not None and not (adapter / "adapter_config.json").exists()
        network: Any = AutoModelForCausalLM.from_pretrained(
            adapter if adapter and whole else folder, dtype=dtype, **safely
        )
        if adapter and not whole:
            network = _add_adapter(network, adapter)
    except (OSError, ValueError) as error:
        raise UserError(f"{adapter or folder}: cannot be loaded as a model: {error}") from error
    files = [file_fingerprint(path) for path in (folder, adapter) if path]
    how = (
        settings.context,
        settings.maximum_tokens,
        settings.temperature,
        settings.seed,
        settings.thinking,
        str(dtype),
    )
    model = Transformers(
        name=name,
        settings=settings,
        fingerprint=fingerprint("transformers", version("transformers"), version("torch"), name, files, how),
        network=network.to(device).eval(),
        tokenizer=tokenizer,
    )
    return replace(model, queues=[_open_queue(model, workers)]) if workers > 1 and _may_batch(model) else model


def _may_batch(model: Transformers) -> bool:
    """Tell whether prompts get the same texts together and alone. A learnt prompt would stand before the padding."""
    import torch

    learnt = getattr(getattr(model.network, "active_peft_config", None), "is_prompt_learning", False)
    return not model.settings.temperature and model.network.dtype == torch.float32 and not learnt


def _open_queue(model: Transformers, workers: int) -> BatchQueue:
    import torch

    config = model._generation_config(model.settings.maximum_tokens)  # noqa: SLF001 - of this module

    def decode(prompts: Sequence[Tokens]) -> Sequence[Tokens | None]:
        with torch.inference_mode():
            return decode_together(model.network, prompts, config)

    return BatchQueue(decode, workers, model.lock)


def _add_adapter(network: Any, adapter: Path) -> Any:
    from peft import PeftModel

    with warnings.catch_warnings():  # peft asks transformers for a property by its old name
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
        return PeftModel.from_pretrained(network, str(adapter))


@contextmanager
def _ignore_position_warning() -> Iterator[None]:
    """Silence peft where a prompt-tuned model counts the places of its tokens itself, as it should."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Position ids are not supported for parameter efficient tuning")
        yield


class _Writer:
    """Turns tokens into text as they come, and holds back the end that a later token may still change.

    It is a streamer for `generate` of transformers: `put` gets the prompt first, then each token.
    """

    def __init__(self, tokenizer: Any, emit: Emit) -> None:
        self.tokens: list[int] = []
        self._decode: Callable[[list[int]], str] = lambda tokens: str(
            tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
        self._emit = emit
        self._sent = ""
        self._prompt_seen = False

    def put(self, value: Any) -> None:
        if self._prompt_seen:
            self.tokens.extend(value.reshape(-1).tolist())
            self._send(self._decode(self.tokens).rstrip(_UNFINISHED))
        self._prompt_seen = True

    def end(self) -> None:
        """Be told that generation is over; `finish` sends the rest."""

    def finish(self) -> str:
        """Send the rest of the text, and return all of it."""
        self._send(self._decode(self.tokens))
        return self._sent

    def _send(self, text: str) -> None:
        if new := text[len(self._sent) :]:
            self._emit(new)
            self._sent += new


def _ends(network: Any, tokenizer: Any) -> frozenset[int]:
    known = network.generation_config.eos_token_id
    listed = known if isinstance(known, list) else [known]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id) if token is not None)
