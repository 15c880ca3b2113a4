"""Does the exported file still say what the adapter learnt? No tuned strategy is measured before this is answered.

llama.cpp answers a few prompts from the exported GGUF, with the log-probabilities of its likeliest tokens. The
adapter on the float32 base model then reads the same tokens and is compared at every place. Four things must hold:

1. Both read the prompt as the same number of tokens.
2. They choose the same token at every place where the adapter's best token leads clearly. Near ties may fall
   either way, and are only reported.
3. Their probabilities differ by no more than rounding makes them differ. An export that forgot the adapter, or scaled
   it wrongly, fails here even where the words happen to be the same.
4. The file is nearer to the adapter than to the base model, wherever the adapter moves the base model by more than
   rounding does. Where the tolerance of the third rule is wide, only this one notices a forgotten adapter.

What rounding allows depends on the quantisation: `TOLERANCES`, measured in docs/adr/0004-merge-and-gguf.md. An adapter
that moves less than rounding does cannot be told from none; `changed` says whether it changed any word.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from weighbridge.errors import ModelError, TrainingError
from weighbridge.generate.llamacpp import LlamaCpp, open_llamacpp
from weighbridge.settings import ModelSettings
from weighbridge.train.base import BaseFiles, load_network, load_tokenizer, turns
from weighbridge.train.export import Quantisation
from weighbridge.train.quiet import quiet
from weighbridge.train.tokens import prompt_tokens
from weighbridge.types import Message

_LIKELIEST = 10
_PROMPTS = 4


@dataclass(frozen=True, slots=True)
class Tolerance:
    """What rounding the weights does to a good export, and may do: some three to five times that."""

    rounding: float
    """Nats, mean over the places: what it was seen to do."""
    divergence: float
    """Nats, mean over the places: what it may do."""
    lead: float
    """Nats by which a token must lead for both to be held to it."""


TOLERANCES: Mapping[Quantisation, Tolerance] = {
    "F16": Tolerance(rounding=0.00001, divergence=0.001, lead=0.5),
    "BF16": Tolerance(rounding=0.0002, divergence=0.005, lead=0.5),
    "Q8_0": Tolerance(rounding=0.004, divergence=0.02, lead=1.0),
    "Q4_0": Tolerance(rounding=0.28, divergence=0.8, lead=4.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parity:
    """How well an exported file agrees with the adapter it was made from."""

    ok: bool
    reasons: tuple[str, ...]
    """Why it is not ok; empty where it is."""
    changed: bool
    """Whether the adapter gives any of the prompts another answer than the base model."""
    prompts: int
    identical: float
    """Share of the prompts that both answer with the same tokens."""
    agreement: float
    """Share of the tokens llama.cpp chose that the adapter would have chosen there."""
    common_prefix: float
    """Mean tokens before the first disagreement, or to the end of the answer."""
    divergence: float
    """Mean over the places of the Kullback-Leibler divergence, in nats, over llama.cpp's ten likeliest tokens."""
    divergence_from_base: float


@dataclass(frozen=True, slots=True)
class Place:
    """One token of an answer: what llama.cpp chose, and what the adapter and the base model make of the place."""

    agrees: bool
    lead: float
    """Nats by which the adapter's best token leads its second."""
    base_agrees: bool
    divergence: float
    divergence_from_base: float
    effect: float
    """Nats: the Kullback-Leibler divergence of the base model from the adapter, over llama.cpp's likeliest tokens."""


@dataclass(frozen=True, slots=True)
class _Reply:
    """A greedy answer of llama.cpp: its tokens, and at each place the log-probabilities of the likeliest."""

    prompt_length: int
    tokens: tuple[int, ...]
    likeliest: tuple[Mapping[int, float], ...]
    texts: tuple[str, ...]
    """What the engine says each token is; it holds back the bytes of a character until they are complete."""


def check_parity(
    adapter: Path, base: BaseFiles, gguf: Path, prompts: Sequence[tuple[Message, ...]], *, settings: ModelSettings
) -> Parity:
    """Compare an adapter folder with the GGUF made from it, on the first few prompts.

    Raises:
        TrainingError: there are no prompts to compare on.
        UserError: llama.cpp cannot load the file.
        ModelError: llama.cpp cannot answer.
    """
    import torch
    from peft import PeftModel

    if not prompts:
        raise TrainingError("the exported model cannot be checked without a prompt; give at least one example")
    asked = tuple(prompts[:_PROMPTS])
    replies = _replies(gguf, asked, settings)
    with quiet(), torch.inference_mode():
        tokenizer = load_tokenizer(base)
        network = PeftModel.from_pretrained(load_network(base, precision=torch.float32), str(adapter)).eval()
        read = [prompt_tokens(tokenizer, messages) for messages in asked]
        whole = [_reported(reply, tokenizer) for reply in replies]
        answers = [_places(network, one, reply) for one, reply in zip(read, whole, strict=True)]
    lengths_agree = all(len(one) == reply.prompt_length for one, reply in zip(read, replies, strict=True))
    return judge(answers, lengths_agree=lengths_agree, tolerance=TOLERANCES[settings.quantisation])


def judge(answers: Sequence[Sequence[Place]], *, lengths_agree: bool, tolerance: Tolerance) -> Parity:
    """Apply the four rules to the places of each answer."""
    places = [place for answer in answers for place in answer]
    count = max(len(places), 1)
    agreement = sum(place.agrees for place in places) / count
    clear = sum(not place.agrees and place.lead > tolerance.lead for place in places)
    divergence = math.fsum(place.divergence for place in places) / count
    from_base = math.fsum(place.divergence_from_base for place in places) / count
    effect = math.fsum(place.effect for place in places) / count
    checks = (
        (bool(places), "llama.cpp answered none of the prompts with a token"),
        (lengths_agree, "llama.cpp reads the prompt as another number of tokens: chat template or tokenizer differ"),
        (not clear, f"{clear} tokens differ where the adapter is sure"),
        (
            divergence <= tolerance.divergence,
            f"it is {divergence:.3f} nats away from the adapter, and {from_base:.3f} from the base model",
        ),
        (
            divergence < from_base or effect <= tolerance.rounding,
            f"it is no nearer to the adapter ({divergence:.3f} nats away) than to the base model ({from_base:.3f})",
        ),
    )
    reasons = [reason for holds, reason in checks if not holds]
    return Parity(
        ok=not reasons,
        reasons=tuple(reasons),
        changed=any(not place.base_agrees for place in places),
        prompts=len(answers),
        identical=sum(all(place.agrees for place in answer) for answer in answers) / max(len(answers), 1),
        agreement=agreement,
        common_prefix=sum(_agreeing(answer) for answer in answers) / max(len(answers), 1),
        divergence=divergence,
        divergence_from_base=from_base,
    )


def _agreeing(answer: Sequence[Place]) -> int:
    return next((number for number, place in enumerate(answer) if not place.agrees), len(answer))


def _replies(gguf: Path, prompts: Sequence[tuple[Message, ...]], settings: ModelSettings) -> tuple[_Reply, ...]:
    with open_llamacpp(gguf, settings=settings, name="parity") as model:
        return tuple(_reply(model, messages) for messages in prompts)


def _reply(model: LlamaCpp, messages: tuple[Message, ...]) -> _Reply:
    request = {
        "messages": turns(messages),
        "max_tokens": model.settings.maximum_tokens,
        "temperature": 0.0,
        "logprobs": True,
        "top_logprobs": _LIKELIEST,
        "cache_prompt": False,
    }
    said: list[dict[str, Any]] = []
    engine = model.idle.get()
    try:
        engine.handle_chat_completions(request, said.append)
    finally:
        model.idle.put(engine)
    if "error" in said[0]:
        raise ModelError(f"llama.cpp could not answer: {said[0]['error']}")
    places = said[0]["choices"][0].get("logprobs", {"content": ()})["content"]
    return _Reply(
        prompt_length=said[0]["usage"]["prompt_tokens"],
        tokens=tuple(place["id"] for place in places),
        likeliest=tuple({one["id"]: one["logprob"] for one in place["top_logprobs"]} for place in places),
        texts=tuple(place["token"] for place in places),
    )


def _reported(reply: _Reply, tokenizer: Any) -> _Reply:
    """Return the answer up to where llama.cpp leaves out tokens: those that are only a part of a character."""
    own = [str(tokenizer.decode([token], skip_special_tokens=True)).strip() for token in reply.tokens]
    pairs = enumerate(zip(own, reply.texts, strict=True))
    end = next((place for place, (ours, theirs) in pairs if ours != theirs.strip()), len(own))
    return replace(reply, tokens=reply.tokens[:end], likeliest=reply.likeliest[:end], texts=reply.texts[:end])


def _places(network: Any, prompt: tuple[int, ...], reply: _Reply) -> tuple[Place, ...]:
    if not reply.tokens:
        return ()
    tuned = _log_probabilities(network, prompt, reply.tokens)
    with network.disable_adapter():
        base = _log_probabilities(network, prompt, reply.tokens)
    return tuple(_compared(reply, tuned, base))


def _log_probabilities(network: Any, prompt: tuple[int, ...], tokens: tuple[int, ...]) -> Any:
    """Return log-probabilities of shape (len(tokens), vocabulary): those before each token of the answer."""
    import torch

    ids = torch.tensor([[*prompt, *tokens[:-1]]], device=network.device)
    return network(input_ids=ids, logits_to_keep=len(tokens)).logits[0].float().log_softmax(-1)


def _compared(reply: _Reply, tuned: Any, base: Any) -> Iterator[Place]:
    for token, likeliest, ours, theirs in zip(reply.tokens, reply.likeliest, tuned, base, strict=True):
        best = ours.topk(2)
        yield Place(
            agrees=int(best.indices[0]) == token,
            lead=float(best.values[0] - best.values[1]),
            base_agrees=int(theirs.argmax()) == token,
            divergence=_divergence(likeliest, ours),
            divergence_from_base=_divergence(likeliest, theirs),
            effect=_divergence({token: float(ours[token]) for token in likeliest}, theirs),
        )


def _divergence(likeliest: Mapping[int, float], other: Any) -> float:
    """Return KL(likeliest || other) in nats, with all tokens but the likeliest taken together as one."""
    terms = [(math.exp(score), math.exp(float(other[token]))) for token, score in likeliest.items()]
    rest = tuple(max(1.0 - math.fsum(side), 1e-9) for side in zip(*terms, strict=True))
    return math.fsum(p * math.log(p / max(q, 1e-30)) for p, q in [*terms, (rest[0], rest[1])] if p > 0)
