"""The one strategy: maybe retrieve, build the prompt, generate, cite.

Prompt, few-shot, RAG, fine-tuned and RAFT are values of this class, not subclasses of it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from time import perf_counter

from weighbridge.answer.cite import quoted_citations, without_marks
from weighbridge.answer.prompt import LAYOUT, Instructions, build_prompt
from weighbridge.answer.quote import QuotedAnswer, read_quote
from weighbridge.arms import strategy_of
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import NONE, NOTHING, Demonstrations, Emit, Model, Retriever, ignore
from weighbridge.scoring.language.refusals import is_agreed_abstention, is_refusal
from weighbridge.scoring.thinking import split_thinking
from weighbridge.types import Answer, Completion, Passage, Prompt, Question, Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A strategy made of a model, instructions, a retriever and demonstrations."""

    name: str
    model: Model
    instructions: Instructions
    retriever: Retriever = NOTHING
    demonstrations: Demonstrations = NONE
    limit: int = 3

    @property
    def fingerprint(self) -> str:
        # Without the base model of the name, because its own fingerprint tells it: records outlive `models:`.
        name = strategy_of(self.name)
        parts = (name, self.model.fingerprint, self.retriever.fingerprint, self.demonstrations.fingerprint)
        told = asdict(self.instructions)
        if not self.instructions.quotes:
            del told["quotes"]  # so that strategies without quotes keep the fingerprint from before there were quotes
        return fingerprint(*parts, told, self.limit, LAYOUT)

    def prompt_for(self, question: Question) -> Prompt:
        """Return the exact prompt that `answer` sends. Training data is this prompt plus the answer to learn."""
        return self.prompt_with(question, self.retriever.search(question, limit=self.limit))

    def prompt_with(self, question: Question, passages: Sequence[Passage]) -> Prompt:
        """Return the prompt that `answer` would send if the retriever found these passages, in this order."""
        shown = self.demonstrations.choose(question)
        return build_prompt(self.instructions, question, demonstrations=shown, passages=passages)

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        start = perf_counter()
        prompt = self.prompt_for(question)
        retrieved = perf_counter()
        heard = _Heard(emit)
        completion = self.model.generate(prompt.messages, emit=heard.note)
        end = perf_counter()
        thought = split_thinking(completion.text)
        thinks = bool(completion.thinking or thought.thinking)
        timing = Timing(
            retrieval=retrieved - start,
            first_token=heard.time_of(0, otherwise=end) - start,
            total=end - start,
            thinking=heard.time_of(thought.start, otherwise=end) - start if thinks else 0.0,
        )
        return self.read_completion(prompt, completion, timing)

    def read_completion(self, prompt: Prompt, completion: Completion, timing: Timing) -> Answer:
        """Read a completion of one of this strategy's prompts as an answer with citations, or as an abstention.

        The model's thinking is kept apart, so that it is neither read as the answer nor cited.
        """
        thought = split_thinking(completion.text)
        raw = thought.answer.strip()
        marks = self.instructions.marks
        declines = is_refusal if self.instructions.abstains else is_agreed_abstention
        said = read_quote(raw) if self.instructions.quotes else QuotedAnswer(raw)
        return Answer(
            text=without_marks(said.answer) if marks else said.answer,
            raw=raw,
            prompt=prompt,
            abstained=completion.refused or declines(said.answer),
            citations=quoted_citations(said, prompt) if marks else (),
            usage=completion.usage,
            timing=timing,
            finish=completion.finish,
            thinking="\n".join(filter(None, (completion.thinking.strip(), thought.thinking))),
        )


@dataclass(slots=True)
class _Heard:
    """When each piece of a model's text came."""

    emit: Emit
    length: int = 0
    pieces: list[tuple[int, float]] = field(default_factory=list)
    """How many characters had come before it, and when it came."""

    def note(self, text: str) -> None:
        if text:
            self.pieces.append((self.length, perf_counter()))
            self.length += len(text)
        self.emit(text)

    def time_of(self, place: int, *, otherwise: float) -> float:
        """Return when the character at a place came; `otherwise` where none did."""
        if place >= self.length:
            return otherwise
        return self.pieces[bisect_right(self.pieces, place, key=lambda piece: piece[0]) - 1][1]
