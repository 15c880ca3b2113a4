"""Looks at an endpoint before much is asked of it: whether it answers at all, and what the answers will cost."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from functools import partial

from weighbridge.answer.composed import Composed
from weighbridge.endpoints.connect import FIRST_FAILED, address
from weighbridge.endpoints.tokens import ESTIMATE
from weighbridge.errors import ModelError
from weighbridge.generate.openai import open_openai
from weighbridge.protocols import Strategy
from weighbridge.report.safe_text import count_noun
from weighbridge.settings.endpoints import LENGTH
from weighbridge.settings.needs import Prices
from weighbridge.settings.schema import ModelSettings, Settings
from weighbridge.types import Example, Message
from weighbridge.wiring.search import embedder_name, open_computed_embedder, open_scorer

_SAMPLE = 8
"""Questions whose prompts are counted: the prompts of one strategy are much alike."""
_TINY = 8
_TINY_REQUEST = (Message("user", "Reply with the word yes."),)
_MILLION = 1e-6


def is_endpoint(model: ModelSettings) -> bool:
    """Tell whether a model is asked at an address of the settings, rather than started here."""
    return model.engine == "openai" or (model.engine == "vllm" and bool(model.base_url))


def require_endpoint(model: ModelSettings) -> str:
    """Send an endpoint one tiny request, and return its address.

    Raises:
        ModelError: it gives no answer; with its address and what to do.
        UserError: its key is missing.
    """
    tiny = model.model_copy(update={"maximum_tokens": _TINY})
    try:
        with ExitStack() as stack:
            if model.engine == "vllm":
                from weighbridge.generate.vllm import Served, open_vllm

                opened = stack.enter_context(open_vllm(tiny, Served(url=model.base_url)))
            else:
                opened = stack.enter_context(closing(open_openai(tiny)))
            opened.generate(_TINY_REQUEST)
    except ModelError as error:
        raise ModelError(f"{FIRST_FAILED} {error}") from None
    return address(model)


def tiny_requests(settings: Settings) -> Iterable[tuple[str, Callable[[], str]]]:
    """Yield each endpoint of the settings: its name, and a function that asks it something tiny and says so."""
    for one in settings.by_base:
        if is_endpoint(one.model):
            name = one.model.reference.removeprefix("openai:")
            yield name, partial(lambda model: f"{require_endpoint(model)} answers", one.model)
    chosen = settings.retrieval
    if chosen.embedder.startswith("openai:"):
        yield embedder_name(settings), lambda: f"embeds, in {open_computed_embedder(settings, None).dimensions} numbers"
    if chosen.rerank.startswith("openai:"):
        name = chosen.rerank.removeprefix("openai:")
        yield name, lambda: f"ranks {count_noun(len(open_scorer(settings).scores('ready', ['ready'])), 'passage')}"


def describe_price(strategy: Strategy, examples: Sequence[Example], model: ModelSettings, prices: Prices) -> str:
    """Return a sentence about the tokens, and the price, of asking a strategy these questions at an endpoint.

    The prompts of a few are made and their tokens estimated; an answer is taken to be as long as it may be. Empty where
    nothing is asked, or the prompts of the strategy are its own business.
    """
    if not examples or not isinstance(strategy, Composed):
        return ""
    sample = examples[:: max(1, len(examples) // _SAMPLE)][:_SAMPLE]
    read = sum(ESTIMATE.prompt(strategy.prompt_for(example.question).messages) for example in sample) / len(sample)
    longest = model.parameters.get(LENGTH, model.maximum_tokens)
    tokens_in, tokens_out = read * len(examples), float(str(longest)) * len(examples)
    asked = f"{strategy.name}: {count_noun(len(examples), 'question')}"
    amounts = f"about {tokens_in:,.0f} tokens in and at most {tokens_out:,.0f} out"
    if prices.input_per_million is None or prices.output_per_million is None:
        return f"{asked}, {amounts}; their price is unknown, because prices.input_per_million is not set"
    price = (tokens_in * prices.input_per_million + tokens_out * prices.output_per_million) * _MILLION
    return f"{asked}, {amounts}: about {price:,.{2 if price >= 1 else 4}f} {prices.currency} at most"
