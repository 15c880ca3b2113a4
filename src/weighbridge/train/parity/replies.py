"""Asks each form of a tuned model: tokens, and at each place the log-probabilities of the likeliest.

A form is asked as it would be used: a GGUF file in this process, a served one through the official OpenAI client over
HTTP, and a network of PyTorch by reading tokens. All answers are greedy.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from weighbridge.errors import ModelError, UserError
from weighbridge.generate.llama_engine import engine_parameters, start_engine
from weighbridge.generate.llamacpp import LlamaCpp, open_llamacpp
from weighbridge.generate.openai import OpenAICompatible, open_openai
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.parity.teacher_forcing import places
from weighbridge.train.parity.tolerance import TOLERANCES
from weighbridge.train.runtime.base_model import turns
from weighbridge.types import Message

if TYPE_CHECKING:
    from openai import OpenAI

_LIKELIEST = 10
_LONGEST = 64
"""Tokens compared of an answer. A fault of a form shows long before."""
_UNFINISHED = "\N{REPLACEMENT CHARACTER}"
"""Stands for an incomplete character at the end of an answer; a stream leaves it out."""

Prompts = Sequence[tuple[Message, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A greedy answer to one prompt."""

    prompt_length: int
    """Tokens that the form read."""
    tokens: tuple[int, ...]
    likeliest: tuple[Mapping[int, float], ...]
    texts: tuple[str, ...]
    """The text of each token by the form; llama.cpp holds back bytes until a character is complete."""
    fault: str = ""
    """A fault other than its tokens."""


def ask_file(
    gguf: Path, prompts: Prompts, *, settings: ModelSettings, adapter: Path | None = None
) -> tuple[Reply, ...]:
    """Ask llama.cpp in this process, with a LoRA adapter (a GGUF) where one is given.

    Raises:
        UserError: llama.cpp cannot load the file.
        ModelError: llama.cpp cannot answer.
    """
    with open_llamacpp(gguf, settings=settings, name="parity", adapter=adapter) as model:
        return tuple(_ask_llamacpp(model, messages) for messages in prompts)


def ask_endpoint(gguf: Path, prompts: Prompts, *, settings: ModelSettings) -> tuple[Reply, ...]:
    """Serve a GGUF by llama.cpp's own HTTP server on 127.0.0.1, and ask it as the `openai` engine asks an endpoint.

    Besides its tokens, its streamed text must equal its text in one piece, but for near ties: the same prompt may be
    read in other pieces, and round otherwise.

    Raises:
        UserError: llama.cpp cannot load the file.
        ModelError: the endpoint cannot answer.
    """
    from openai import OpenAIError

    with _serve(gguf, settings) as model:
        try:
            return tuple(_over_http(model, messages) for messages in prompts)  # each twice, so nothing is kept
        except OpenAIError as error:
            raise ModelError(f"{gguf}: llama.cpp's server could not answer: {error}") from error


def ask_network(
    network: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], drafts: Sequence[tuple[int, ...]]
) -> tuple[Reply, ...]:
    """Ask a PyTorch network. Each answer is followed as long as it equals the draft, and one token more.

    A draft (another form's answer) is read in one pass, many times faster than generating.
    """
    return tuple(
        _follow_draft(network, tokenizer, prompt, draft) for prompt, draft in zip(prompts, drafts, strict=True)
    )


def write_drafts(
    network: Any, tokenizer: Any, prompts: Sequence[tuple[int, ...]], *, maximum_tokens: int
) -> tuple[tuple[int, ...], ...]:
    """Return a network's own greedy answers, token by token, for the forms of a model that no other program answers."""
    import torch
    from transformers import GenerationConfig

    stop = tokenizer.eos_token_id
    greedy = GenerationConfig(
        max_new_tokens=min(maximum_tokens, _LONGEST), do_sample=False, eos_token_id=stop, pad_token_id=stop
    )
    made = []
    with torch.inference_mode():
        for prompt in prompts:
            ids = torch.tensor([prompt], device=network.device)
            answer = network.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=greedy)
            made.append(tuple(answer[0, len(prompt) :].tolist()))
    return tuple(made)


def _ask_llamacpp(model: LlamaCpp, messages: tuple[Message, ...]) -> Reply:
    with model.engine() as engine:
        return _reply(engine.complete({"messages": turns(messages), **_greedy(model.settings)}))


def _greedy(settings: ModelSettings) -> dict[str, Any]:
    return {
        "max_tokens": min(settings.maximum_tokens, _LONGEST),
        "temperature": 0.0,
        "logprobs": True,
        "top_logprobs": _LIKELIEST,
    }


def _reply(said: Mapping[str, Any]) -> Reply:
    found = (said["choices"][0].get("logprobs") or {"content": ()})["content"]
    return Reply(
        prompt_length=said["usage"]["prompt_tokens"],
        tokens=tuple(place["id"] for place in found),
        likeliest=tuple({one["id"]: one["logprob"] for one in place["top_logprobs"]} for place in found),
        texts=tuple(place["token"] for place in found),
    )


@contextmanager
def _serve(gguf: Path, settings: ModelSettings) -> Iterator[OpenAICompatible]:
    """Serve a file until the block ends. No proxy that the environment names is asked for it."""
    key = token_urlsafe(24)
    parameters = engine_parameters(gguf, context=settings.context)
    parameters.api_keys = [key]
    parameters.cache_prompt = False
    try:
        engine = start_engine(parameters)
    except RuntimeError as error:
        raise UserError(f"{gguf}: llama.cpp's server cannot load this file; export it again") from error
    url = f"{engine.listening_address}/v1"
    asked = ModelSettings(
        reference=gguf.stem,
        base_url=url,
        maximum_tokens=min(settings.maximum_tokens, _LONGEST),
        quantisation=settings.quantisation,
        timeout_seconds=settings.timeout_seconds,
        seed=settings.seed,
    )
    try:
        with closing(open_openai(asked, environment={asked.key_variable: key})) as model:
            yield model
    finally:
        del engine


def _over_http(model: OpenAICompatible, messages: tuple[Message, ...]) -> Reply:
    client: OpenAI = model.connection.client
    sent: Any = turns(messages)
    said = client.chat.completions.create(
        model=model.name, messages=sent, extra_body={"cache_prompt": False}, **_greedy(model.settings)
    ).model_dump()
    whole = said["choices"][0]["message"]["content"] or ""
    sound, cut, _ = whole.partition(_UNFINISHED)
    streamed = model.generate(messages).text if sound else ""
    reply = _reply(said)
    same = streamed.startswith(sound) if cut else streamed == whole
    if same or lead_at(reply, common_prefix_length(streamed, whole)) <= TOLERANCES[model.settings.quantisation].lead:
        return reply
    return replace(reply, fault=f"it streams {streamed!r} and says {whole!r} in one piece")


def common_prefix_length(left: str, right: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (ours, theirs) in pairs if ours != theirs), min(len(left), len(right)))


def lead_at(reply: Reply, character: int) -> float:
    """Return the lead in nats of the token at a character of an answer; infinite behind its end."""
    end = 0
    for text, likeliest in zip(reply.texts, reply.likeliest, strict=True):
        end += len(text)
        if end > character:
            best = sorted(likeliest.values(), reverse=True)
            return best[0] - best[1] if len(best) > 1 else math.inf
    return math.inf


def _follow_draft(network: Any, tokenizer: Any, prompt: tuple[int, ...], draft: tuple[int, ...]) -> Reply:
    import torch

    with torch.inference_mode():
        best = next(places(network, prompt, [draft])).topk(_LIKELIEST, dim=-1)
    chosen = tuple(int(token) for token in best.indices[:, 0])
    end = next((n for n, pair in enumerate(zip(chosen, draft, strict=False), 1) if pair[0] != pair[1]), len(chosen))
    rows = zip(best.indices[:end].tolist(), best.values[:end].tolist(), strict=True)
    return Reply(
        prompt_length=len(prompt),
        tokens=chosen[:end],
        likeliest=tuple(dict(zip(*row, strict=True)) for row in rows),
        texts=tuple(str(tokenizer.decode([token], skip_special_tokens=True)) for token in chosen[:end]),
    )
