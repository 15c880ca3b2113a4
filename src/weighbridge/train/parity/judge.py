"""Judges whether an exported form answers like its adapter. `forms.py` lists the forms.

A form answers a few prompts, and reports the log-probabilities of its likeliest tokens. The adapter on the float32
base model then reads the same tokens and is compared at every place. These must hold:

1. A file has the base model's tokenizer and chat template, and both read a prompt as the same number of tokens.
2. They choose the same token at every place where the adapter's best token leads clearly. Near ties may fall
   either way, and are only reported.
3. Their probabilities differ by no more than rounding makes them differ. An export that forgot the adapter, or scaled
   it wrongly, fails here even where the words happen to be the same. The surer the adapter is, the less may they.
4. The form is nearer to the adapter than to the base model, wherever the adapter moves the base model by more than
   rounding does. Where the tolerance of the third rule is wide, only this one notices a forgotten adapter.

The tolerance depends on the quantisation: `TOLERANCES`, measured in docs/adr/0004-merge-and-gguf.md. An adapter
that moves less than rounding does cannot be told from none; `changed` says whether it changed any word.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from weighbridge.adapters import Parity
from weighbridge.errors import ModelError, TrainingError, UserError, WorkspaceError
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.data.tokens import prompt_tokens
from weighbridge.train.export.gguf import faults
from weighbridge.train.parity.replies import Prompts, Reply, ask_file
from weighbridge.train.parity.teacher_forcing import AnswerTokens, Readings, TokenReading, read
from weighbridge.train.parity.tolerance import TOLERANCES, Tolerance
from weighbridge.train.runtime.adapter_weights import load_tuned, method_of
from weighbridge.train.runtime.base_model import BaseFiles, load_network, load_tokenizer
from weighbridge.train.runtime.gguf_layout import GgufLayout, architecture_of, read_gguf
from weighbridge.train.runtime.out_of_memory import release
from weighbridge.train.runtime.quiet import quiet
from weighbridge.types import Message

PROMPTS = 4
"""Prompts that forms are compared on, at most."""
_BASE_PROMPTS = (
    (
        Message(
            "user",
            "The harbour office is open from 8 to 17:30. A boat of 12 metres pays 345 crowns a night, and half of it "
            "in winter; a guest who comes at night pays in the morning. What does a boat of 6.7 metres pay in July?",
        ),
    ),
    (Message("user", "Name three rivers."),),
)
"""What base models are asked: one long enough for another scale, rotation or window to show, and one short."""
_BASE_CONTEXT = 512
"""Tokens: the longer prompt takes 220 where a tokenizer cuts text into bytes."""
_BASE_TOKENS = 12
_QUOTED = re.compile(r"""['"].*['"]""", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a tuned model, and its answers to the prompts."""

    name: str
    tolerance: Tolerance
    replies: tuple[Reply, ...] = ()
    faults: tuple[str, ...] = ()
    """Faults found before any token is compared."""


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """One place of an answer: the form's token, and the probabilities of the adapter and the base model."""

    agrees: bool
    lead: float
    """The lead of the adapter's best token over its second, in nats."""
    base_agrees: bool
    divergence: float
    divergence_from_base: float
    effect: float
    """Nats: the Kullback-Leibler divergence of the base model from the adapter, over the form's likeliest tokens."""
    said: str = ""
    """The token that the form chose, as text, and below it the adapter's."""
    wanted: str = ""
    behind: float = 0.0
    """The adapter's log-probability of its own token minus that of the chosen one, in nats."""
    doubt: float = 1.0
    """The chance that two tokens drawn from the adapter's distribution differ: rounding moves doubtful places only."""


def file_form(template: GgufLayout, gguf: Path, prompts: Prompts, *, settings: ModelSettings) -> Form:
    """Return a GGUF in `settings.quantisation` as a form: faults of the file, and answers by llama.cpp."""
    kind = settings.quantisation
    try:
        wrong = faults(template, gguf, quantisation=kind)
    except TrainingError as error:
        return Form(name=f"GGUF {kind}", tolerance=TOLERANCES[kind], faults=(str(error),))
    return asked_form(f"GGUF {kind}", TOLERANCES[kind], lambda: ask_file(gguf, prompts, settings=settings), wrong)


def asked_form(
    name: str, tolerance: Tolerance, ask: Callable[[], tuple[Reply, ...]], wrong: tuple[str, ...] = ()
) -> Form:
    """Return a form and its replies; where it cannot be made or asked, with the reason and without any.

    A disk that is full says nothing of a form, so a `WorkspaceError` is raised.
    """
    try:
        return Form(name=name, tolerance=tolerance, replies=ask(), faults=wrong)
    except WorkspaceError:
        raise
    except (UserError, ModelError, TrainingError) as error:
        return Form(name=name, tolerance=tolerance, faults=(*wrong, str(error)))


def compare_form(forms: Sequence[Form], adapter: Path, base: BaseFiles, prompts: Prompts) -> tuple[Parity, ...]:
    """Return how well each form agrees with the adapter. One network is in memory at a time."""
    with quiet():
        tokenizer = load_tokenizer(base)
        read_as = [prompt_tokens(tokenizer, messages) for messages in prompts]
        whole = [
            replace(form, replies=tuple(_cut_where_incomplete(one, tokenizer) for one in form.replies))
            for form in forms
        ]
        tuned, untuned = _read(adapter, base, read_as, whole)
    return tuple(
        judge(
            tuple(_places(form, tuned, untuned, tokenizer)),
            form=form.name,
            tolerance=form.tolerance,
            wrong=(*form.faults, *_misread(form, read_as)),
        )
        for form in whole
    )


def base_difference(base: BaseFiles) -> str:
    """Return how llama.cpp's answers, from the base model's own GGUF, differ from its weights in transformers.

    Empty if they do not. Equal weights are no proof: a configuration may say what a GGUF of its architecture cannot,
    such as another scale of the queries, or another order of the layers that attend to a window.
    """
    import torch

    if (gguf := base.source_gguf) is None:
        return base.no_gguf
    reader = read_gguf(gguf)
    kinds = {tensor.tensor_type.name for tensor in reader.tensors} - {"F32"}
    tolerance = TOLERANCES["F16" if kinds <= {"F16"} else "BF16" if kinds <= {"F16", "BF16"} else "Q8_0"]
    settings = ModelSettings(context=_BASE_CONTEXT, maximum_tokens=_BASE_TOKENS)
    form = asked_form("GGUF", tolerance, lambda: ask_file(gguf, _BASE_PROMPTS, settings=settings))
    with quiet():
        tokenizer = load_tokenizer(base)
        read_as = [prompt_tokens(tokenizer, messages) for messages in _BASE_PROMPTS]
        form = replace(form, replies=tuple(_cut_where_incomplete(one, tokenizer) for one in form.replies))
        network = load_network(base, precision=torch.float32).eval()
        readings = read(network, read_as, _tokens_to_read([form]))
    places = [place for answer in _places(form, readings, readings, tokenizer) for place in answer]
    divergence = math.fsum(place.divergence for place in places) / max(len(places), 1)
    allowed = tolerance.allowance(math.fsum(place.doubt for place in places) / max(len(places), 1))
    reasons = [*form.faults, *_misread(form, read_as)]
    if divergence > allowed:
        reasons.append(
            f"llama.cpp answers otherwise from its GGUF than transformers from its weights: {divergence:.4f} nats away "
            f"(rounding: {allowed:.4f} at most); its configuration says what a GGUF of "
            f"{architecture_of(reader)!r} models cannot, or is read otherwise"
        )
    return "; ".join(reasons)


def judge(
    answers: Sequence[Sequence[TokenPlace]], *, tolerance: Tolerance, form: str = "", wrong: Sequence[str] = ()
) -> Parity:
    """Apply the rules to the places of each answer; `wrong` holds the faults found by rule 1 and by the form itself."""
    places = [place for answer in answers for place in answer]
    count = max(len(places), 1)
    divergence = math.fsum(place.divergence for place in places) / count
    from_base = math.fsum(place.divergence_from_base for place in places) / count
    effect = math.fsum(place.effect for place in places) / count
    reasons = list(wrong)
    if not places and not wrong:
        reasons.append("it answered none of the prompts with a token")
    reasons.extend(_sure(answers, tolerance))
    allowed = tolerance.allowance(math.fsum(place.doubt for place in places) / count)
    if divergence > allowed:
        away = f"it is {divergence:.4f} nats away from the adapter (rounding: {allowed:.4f} at most)"
        reasons.append(f"{away} and {from_base:.3f} from the base model; {_furthest(answers)}")
    if not (divergence < from_base or effect <= tolerance.rounding or not places):
        reasons.append(
            f"it is no nearer to the adapter ({divergence:.3f} nats away) than to the base model ({from_base:.3f})"
        )
    return Parity(
        form=form,
        ok=not reasons,
        reasons=tuple(reasons),
        changed=any(not place.base_agrees for place in places),
        prompts=len(answers),
        identical=sum(all(place.agrees for place in answer) for answer in answers) / max(len(answers), 1),
        agreement=sum(place.agrees for place in places) / count,
        common_prefix=sum(_count_agreeing(answer) for answer in answers) / max(len(answers), 1),
        divergence=divergence,
        divergence_from_base=from_base,
    )


def wordless(form: Parity) -> Parity:
    """Hide quoted answers in the reasons: everybody reads a card, but not everybody may hear the adapter."""
    return replace(form, reasons=tuple(_QUOTED.sub("(not shown)", reason) for reason in form.reasons))


def _sure(answers: Sequence[Sequence[TokenPlace]], tolerance: Tolerance) -> Iterator[str]:
    """Yield where tokens differ although the adapter is sure, if they do anywhere."""
    clear = [
        (prompt, number, place)
        for prompt, answer in enumerate(answers, 1)
        for number, place in enumerate(answer, 1)
        if not place.agrees and place.lead > tolerance.lead
    ]
    if clear:
        prompt, number, place = clear[0]
        which = "1 token differs" if len(clear) == 1 else f"{len(clear)} tokens differ"
        where = f"first at token {number} of its answer to prompt {prompt}"
        yield f"{which} where the adapter is sure, {where}: {_describe_difference(place)}"


def _furthest(answers: Sequence[Sequence[TokenPlace]]) -> str:
    ranked = [
        (place.divergence, prompt, number, place)
        for prompt, answer in enumerate(answers, 1)
        for number, place in enumerate(answer, 1)
    ]
    divergence, prompt, number, place = max(ranked, key=lambda one: one[0])
    where = f"furthest at token {number} of its answer to prompt {prompt}, by {divergence:.3f}"
    return f"{where}: both say {place.said!r}" if place.agrees else f"{where}: {_describe_difference(place)}"


def _describe_difference(place: TokenPlace) -> str:
    return f"it says {place.said!r}, the adapter {place.wanted!r}, which it finds likelier by {place.behind:.2f} nats"


def _count_agreeing(answer: Sequence[TokenPlace]) -> int:
    return next((number for number, place in enumerate(answer) if not place.agrees), len(answer))


def _misread(form: Form, prompts: Sequence[tuple[int, ...]]) -> Iterator[str]:
    """Yield prompts that a form tokenises otherwise than the adapter, and the fault of each reply."""
    for number, (reply, prompt) in enumerate(zip(form.replies, prompts, strict=False), 1):
        if reply.prompt_length != len(prompt):
            counts = f"as {reply.prompt_length} tokens and not as {len(prompt)}"
            yield f"it reads prompt {number} {counts}: chat template or tokenizer differ"
        if reply.fault:
            yield f"prompt {number}: {reply.fault}"


def _cut_where_incomplete(reply: Reply, tokenizer: Any) -> Reply:
    """Return the answer up to where llama.cpp leaves out tokens: those that are only a part of a character."""
    own = [str(tokenizer.decode([token], skip_special_tokens=True)).strip() for token in reply.tokens]
    pairs = enumerate(zip(own, reply.texts, strict=True))
    end = next((place for place, (ours, theirs) in pairs if ours != theirs.strip()), len(own))
    return replace(reply, tokens=reply.tokens[:end], likeliest=reply.likeliest[:end], texts=reply.texts[:end])


def _read(
    adapter: Path, base: BaseFiles, prompts: Sequence[tuple[int, ...]], forms: Sequence[Form]
) -> tuple[Readings, Readings]:
    """Return the readings of all answers by the adapter and the base model. Equal answers are read once."""
    import torch

    wanted = _tokens_to_read(forms)
    network = load_tuned(base, adapter, precision=torch.float32)
    tuned = read(network, prompts, wanted)
    if method_of(adapter) != "full":
        with network.disable_adapter():
            return tuned, read(network, prompts, wanted)
    del network
    release()
    return tuned, read(load_network(base, precision=torch.float32).eval(), prompts, wanted)


def _tokens_to_read(forms: Sequence[Form]) -> list[AnswerTokens]:
    """Return the tokens to report at each place of the answers of all forms."""
    asked: dict[tuple[int, tuple[int, ...]], list[set[int]]] = {}
    for form in forms:
        for number, reply in enumerate(form.replies):
            sets = asked.setdefault((number, reply.tokens), [set() for _ in reply.tokens])
            for ids, token, likeliest in zip(sets, reply.tokens, reply.likeliest, strict=True):
                ids.update(likeliest, (token,))
    return [AnswerTokens(number, answer, tuple(sets)) for (number, answer), sets in asked.items()]


def _places(form: Form, tuned: Readings, untuned: Readings, tokenizer: Any) -> Iterator[tuple[TokenPlace, ...]]:
    for number, reply in enumerate(form.replies):
        ours, theirs = (side.get((number, reply.tokens), ()) for side in (tuned, untuned))
        rows = zip(reply.tokens, reply.likeliest, ours, theirs, strict=True)
        yield tuple(
            replace(_compare_place(*row), said=tokenizer.decode([row[0]]), wanted=tokenizer.decode([row[2].best]))
            for row in rows
        )


def _compare_place(token: int, likeliest: Mapping[int, float], ours: TokenReading, theirs: TokenReading) -> TokenPlace:
    return TokenPlace(
        agrees=ours.best == token,
        lead=ours.lead,
        base_agrees=theirs.best == token,
        divergence=_divergence(likeliest, ours.known),
        divergence_from_base=_divergence(likeliest, theirs.known),
        effect=_divergence({one: ours.known[one] for one in likeliest}, theirs.known),
        behind=ours.known[ours.best] - ours.known[token],
        doubt=_doubt(ours.known[one] for one in likeliest),
    )


def _divergence(likeliest: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return KL(likeliest || other) in nats, with all tokens but the likeliest taken together as one."""
    terms = [(math.exp(score), math.exp(other[token])) for token, score in likeliest.items()]
    rest = tuple(max(1.0 - math.fsum(side), 1e-9) for side in zip(*terms, strict=True))
    return math.fsum(p * math.log(p / max(q, 1e-30)) for p, q in [*terms, (rest[0], rest[1])] if p > 0)


def _doubt(scores: Iterable[float]) -> float:
    """Return 1 - sum of p squared, with all tokens but the likeliest taken together as one."""
    chances = [math.exp(score) for score in scores]
    return max(1.0 - math.fsum(p * p for p in (*chances, max(1.0 - math.fsum(chances), 0.0))), 0.0)
