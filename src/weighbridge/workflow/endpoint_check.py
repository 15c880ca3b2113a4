"""Looks at an endpoint before much is asked of it: whether it answers at all, and what the answers will cost."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial

from weighbridge.answer.composed import Composed
from weighbridge.endpoints.connect import FIRST_FAILED, address, remote_address
from weighbridge.endpoints.tokens import ESTIMATE
from weighbridge.errors import ModelError, UserError
from weighbridge.generate.openai import open_openai
from weighbridge.protocols import Strategy
from weighbridge.report.safe_text import count_noun
from weighbridge.settings.endpoints import LENGTH
from weighbridge.settings.schema import Arm, ModelSettings, Settings
from weighbridge.types import Example, Message
from weighbridge.wiring.search import embedder_name, open_computed_embedder, open_scorer
from weighbridge.workflow.prices import load_price_book
from weighbridge.workflow.reckon import EstimatedPrice
from weighbridge.workspace import Workspace

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


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPrices:
    """The prices of a million tokens read and written at an endpoint; None where there are none."""

    read: float | None
    written: float | None
    currency: str
    source: str
    """Where they are from, or why there are none."""

    def of(self, arm: Arm, questions: int, *, tokens: tuple[float, float], longest: bool) -> EstimatedPrice:
        """Return the price of some questions of an arm, by the tokens in and out of one."""
        tokens_in, tokens_out = (each * questions for each in tokens)
        amount = None
        if self.read is not None and self.written is not None:
            amount = (tokens_in * self.read + tokens_out * self.written) * _MILLION
        return EstimatedPrice(
            arm=arm,
            questions=questions,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            longest=longest,
            amount=amount,
            currency=self.currency,
            source=self.source,
        )


def choose_prices(settings: Settings, workspace: Workspace) -> EndpointPrices:
    """Return the prices of a model at an endpoint: those of the settings, else those of the price book for its name."""
    prices, model = settings.prices, settings.model
    read, written, currency = prices.input_per_million, prices.output_per_million, prices.currency
    if read is not None and written is not None:
        return EndpointPrices(read=read, written=written, currency=currency, source="prices in weighbridge.yaml")
    reason = f"prices.{'input' if read is None else 'output'}_per_million is not set"
    unknown = EndpointPrices(read=None, written=None, currency=currency, source=reason)
    if not remote_address(model):
        return unknown  # a server of one's own has no price by the token
    name = model.reference.removeprefix("openai:")
    try:
        book = load_price_book(workspace)
        units = book.units_of(currency)
    except UserError as error:
        return replace(unknown, source=f"{reason}, and {error}")
    if (hosted := book.hosted.get(name)) is None:
        return replace(unknown, source=f"{reason}, and {book.place} has no {name}")
    return EndpointPrices(
        read=hosted.input * units,
        written=hosted.output * units,
        currency=currency,
        source=f"{name} in {book.place}, of {hosted.dated}",
    )


def describe_price(
    strategy: Strategy, examples: Sequence[Example], model: ModelSettings, prices: EndpointPrices
) -> str:
    """Return a sentence about the tokens, and the price, of asking a strategy some questions at an endpoint.

    The prompts of a few are made and their tokens estimated; an answer is taken to be as long as it may be.
    """
    if not isinstance(strategy, Composed):
        asked = count_noun(len(examples), "question")
        return f"{strategy.name}: {asked}; its distribution makes the prompts, so tokens and price are not known before"
    sample = examples[:: max(1, len(examples) // _SAMPLE)][:_SAMPLE]
    read = sum(ESTIMATE.prompt(strategy.prompt_for(example.question).messages) for example in sample) / len(sample)
    longest = float(str(model.parameters.get(LENGTH, model.maximum_tokens)))
    return prices.of(strategy.name, len(examples), tokens=(read, longest), longest=True).sentence
