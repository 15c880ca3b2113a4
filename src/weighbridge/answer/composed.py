"""The one strategy: maybe retrieve, build the prompt, generate, cite.

Prompt, few-shot, RAG, fine-tuned and RAFT are values of this class, not subclasses of it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter

from weighbridge.answer.cite import quoted_citations, without_marks
from weighbridge.answer.prompt import LAYOUT, Instructions, build_prompt
from weighbridge.answer.quote import Said, taken_apart
from weighbridge.fingerprint import fingerprint
from weighbridge.protocols import NONE, NOTHING, Demonstrations, Emit, Model, Retriever, ignore
from weighbridge.scoring.refusals import is_agreed_abstention, is_refusal
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
        parts = (self.name, self.model.fingerprint, self.retriever.fingerprint, self.demonstrations.fingerprint)
        told = asdict(self.instructions)
        if not self.instructions.quotes:
            del told["quotes"]  # a strategy that does not quote is what it was before there were quotes
        return fingerprint(*parts, told, self.limit, LAYOUT)

    def prompt_for(self, question: Question) -> Prompt:
        """Return exactly what `answer` sends. Training data is this, plus the answer to learn."""
        return self.prompt_with(question, self.retriever.search(question, limit=self.limit))

    def prompt_with(self, question: Question, passages: Sequence[Passage]) -> Prompt:
        """Return what `answer` would send if the retriever found these passages, in this order."""
        shown = self.demonstrations.choose(question)
        return build_prompt(self.instructions, question, demonstrations=shown, passages=passages)

    def answer(self, question: Question, *, emit: Emit = ignore) -> Answer:
        start = perf_counter()
        prompt = self.prompt_for(question)
        retrieved = perf_counter()
        first_token = 0.0

        def note_first_token(text: str) -> None:
            nonlocal first_token
            first_token = first_token or (perf_counter() if text else 0.0)
            emit(text)

        completion = self.model.generate(prompt.messages, emit=note_first_token)
        end = perf_counter()
        timing = Timing(retrieval=retrieved - start, first_token=(first_token or end) - start, total=end - start)
        return self.understood(prompt, completion, timing)

    def understood(self, prompt: Prompt, completion: Completion, timing: Timing) -> Answer:
        """Return what a completion of one of this strategy's prompts means: its text, citations, or abstention."""
        raw = completion.text.strip()
        marks = self.instructions.marks
        said = taken_apart(raw) if self.instructions.quotes else Said(raw)
        return Answer(
            text=without_marks(said.answer) if marks else said.answer,
            raw=raw,
            prompt=prompt,
            abstained=is_refusal(said.answer) if self.instructions.abstains else is_agreed_abstention(said.answer),
            citations=quoted_citations(said, prompt) if marks else (),
            usage=completion.usage,
            timing=timing,
            finish=completion.finish,
        )
