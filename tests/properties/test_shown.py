"""Nobody is shown what they may not read, outside the stores too: in prompts, searches, citations, training, reports.

Every text holds a word of its own, so that whatever says the word has shown the text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from weighbridge.adapters import admits
from weighbridge.answer.composed import Composed
from weighbridge.answer.demonstrations import nearest
from weighbridge.answer.prompt import instructions_for
from weighbridge.dataset.evidence import resolve_evidence
from weighbridge.generate.scripted import Scripted
from weighbridge.protocols import Changes, Index, Retriever
from weighbridge.report.page.weighing_page import page
from weighbridge.results import Record, Score, Weighing
from weighbridge.retrieve.search.cache import CachedRetriever
from weighbridge.retrieve.search.hybrid import Hybrid
from weighbridge.retrieve.search.mmr import Diverse
from weighbridge.retrieve.search.neighbours import Surrounded, WholeSections
from weighbridge.retrieve.search.rerank import LateInteraction, Reranked
from weighbridge.retrieve.search.rewrite import Expansion, Hypothetical, Rewritten, SubQuestions
from weighbridge.retrieve.stores.faiss.store import FaissStore
from weighbridge.settings.training import RaftSettings
from weighbridge.train.data.conversations import conversation
from weighbridge.train.retriever.negatives import Mine, mine
from weighbridge.train.retriever.pairs import labelled_pairs, made_pairs
from weighbridge.types import Chunk, Document, Example, Message, Passage, Question

from ..report.sample import weighing

NAMES = ("crew", "board", "people")
groups_of = st.frozensets(st.sampled_from(NAMES), max_size=3)
rafts = st.builds(
    RaftSettings,
    withheld=st.sampled_from([0.0, 0.5, 1.0]),
    distractors=st.integers(0, 3),
    withheld_target=st.sampled_from(["abstain", "answer"]),
)
DIMENSIONS, DOCUMENTS, CHUNKS_EACH = 4, 14, 4
Groups = frozenset[str]


class Seeded:
    """An embedder of random unit vectors, the same for the same text."""

    name = fingerprint = "seeded"
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> NDArray[np.float32]:
        rows = np.stack([np.random.default_rng(list(text.encode())).normal(size=DIMENSIONS) for text in texts])
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)

    def token_vectors(self, texts: Sequence[str], *, kind: Literal["query", "document"]) -> list[NDArray[np.float32]]:
        return [self.embed(text.split() or ["-"], kind=kind) for text in texts]


def visible(readers: Groups, asker: Groups) -> bool:
    """The rule for documents: public, or for one of the asker's groups."""
    return not readers or bool(readers & asker)


def word(chunk: Chunk) -> str:
    """The word that stands in this chunk alone."""
    return f"word{chunk.id}x"


@pytest.fixture(scope="module")
def chunks() -> list[Chunk]:
    """Chunks of one document may have different readers, as after a change of the document."""
    random = np.random.default_rng(3)
    made = []
    for number in range(DOCUMENTS * CHUNKS_EACH):
        readers = frozenset(random.choice(NAMES, size=random.integers(0, 3), replace=False).tolist())
        document, place = divmod(number, CHUNKS_EACH)
        text = f"The tide at harbour word{number:03d}x turns by night. It is told of the quay."
        start = place * 100
        made.append(
            Chunk(
                id=f"{number:03d}",
                document_id=f"d{document}",
                text=text,
                start=start,
                end=start + len(text),
                context=("harbours",),
                groups=readers,
            )
        )
    return made


@pytest.fixture(scope="module")
def index(chunks: list[Chunk], tmp_path_factory: pytest.TempPathFactory) -> Index:
    index = FaissStore(tmp_path_factory.mktemp("shown")).open("index", dimensions=DIMENSIONS)
    vectors = Seeded().embed([chunk.text for chunk in chunks], kind="document")
    index.apply(Changes(added=chunks, vectors=vectors))
    return index


@dataclass
class Watched:
    """A retriever that notes what it is asked."""

    retriever: Retriever
    asked: list[Question] = field(default_factory=list)
    fingerprint: str = "watched"

    def search(self, question: Question, *, limit: int) -> Sequence[Passage]:
        self.asked.append(question)
        return self.retriever.search(question, limit=limit)


def talkative(messages: Sequence[Message]) -> str:
    """Say words of all chunks, as a model would that has seen them somewhere."""
    return "\n".join(f"word{number:03d}x tide" for number in range(0, DOCUMENTS * CHUNKS_EACH, 5))


def wrappers(found: Retriever, index: Index) -> dict[str, Retriever]:
    model = Scripted(reply=talkative)
    reranked = Reranked(retriever=found, scorer=LateInteraction(Seeded()))
    expanded = Rewritten(retriever=found, rewriter=Expansion(retriever=found))
    return {
        "hybrid": found,
        "remembered": CachedRetriever(found),
        "reranked": reranked,
        "diverse": Diverse(retriever=found, index=index, diversity=0.5),
        "surrounded": Surrounded(retriever=found, index=index, around=2),
        "whole sections": WholeSections(retriever=found, index=index),
        "expansion": expanded,
        "sub-questions": Rewritten(retriever=found, rewriter=SubQuestions(model=model)),
        "hypothetical": Rewritten(retriever=found, rewriter=Hypothetical(model=model)),
        "all of them": Surrounded(
            retriever=Diverse(
                retriever=Reranked(retriever=CachedRetriever(expanded), scorer=LateInteraction(Seeded())), index=index
            ),
            index=index,
        ),
    }


@pytest.mark.parametrize("kind", wrappers(Hybrid(index=None, embedder=Seeded(), content=""), None))
@settings(max_examples=20)
@given(askers=st.lists(groups_of, min_size=2, max_size=3), number=st.integers(0, DOCUMENTS * CHUNKS_EACH - 1))
def test_every_search_keeps_to_the_asker_s_groups(
    index: Index, chunks: list[Chunk], kind: str, askers: list[Groups], number: int
) -> None:
    watched = Watched(Hybrid(index=index, embedder=Seeded(), content="c", candidates=6))
    retriever = wrappers(watched, index)[kind]
    for asker in (*askers, *askers):
        watched.asked.clear()
        question = Question(f"tide word{number:03d}x", groups=asker)
        passages = retriever.search(question, limit=5)
        assert all(visible(passage.chunk.groups, asker) for passage in passages)
        assert {asked.groups for asked in watched.asked} <= {asker}
        if kind in ("expansion", "all of them"):  # the other rewriters search for what a model made up
            told = " ".join(asked.text for asked in watched.asked).replace(question.text, "")
            assert not any(word(chunk) in told for chunk in chunks if not visible(chunk.groups, asker))


@settings(max_examples=60)
@given(asker=groups_of, number=st.integers(0, DOCUMENTS * CHUNKS_EACH - 1))
def test_prompts_and_citations_are_of_what_the_asker_may_read(
    index: Index, chunks: list[Chunk], asker: Groups, number: int
) -> None:
    hybrid = Hybrid(index=index, embedder=Seeded(), content="c", candidates=6)
    strategy = Composed(
        name="rag",
        model=Scripted(),
        instructions=instructions_for("answer", reads=True),
        retriever=Surrounded(retriever=hybrid, index=index),
        limit=3,
    )
    answer = strategy.answer(Question(f"Which tide turns at harbour word{number:03d}x by night?", groups=asker))
    sent = " ".join(message.content for message in answer.prompt.messages[:-1]) + answer.text
    passages = answer.prompt.messages[-1].content.partition("Question:")[0]
    hidden = [chunk for chunk in chunks if not visible(chunk.groups, asker)]
    assert not any(word(chunk) in passages or word(chunk) in sent for chunk in hidden)
    assert answer.citations or answer.abstained
    assert {citation.chunk_id for citation in answer.citations}.isdisjoint(chunk.id for chunk in hidden)


def demonstrations(groups: Sequence[Groups], evidence: Sequence[tuple[str, ...]]) -> list[Example]:
    return [
        Example(
            id=f"e{n}", question=Question(f"q{n}", groups=own), answers=(f"told{n}",), evidence=cited, split="train"
        )
        for n, (own, cited) in enumerate(zip(groups, evidence, strict=True))
    ]


@settings(max_examples=200)
@given(owned=st.lists(st.tuples(groups_of, groups_of), min_size=1, max_size=6), asker=groups_of)
def test_a_demonstration_is_for_whoever_has_all_of_its_groups(
    owned: list[tuple[Groups, Groups]], asker: Groups
) -> None:
    """Any of its asker's groups may be why the answer is known. Its evidence is then readable too."""
    documents = [Document(id=f"d{n}", text="t", groups=readers) for n, (_, readers) in enumerate(owned)]
    proven = [
        (f"d{n}",) if visible(readers, own) else () for n, (own, readers) in enumerate(owned)
    ]  # as `resolve_evidence` wants it of every workload
    examples = demonstrations([own for own, _ in owned], proven)
    resolve_evidence(examples, documents)
    shown = nearest(examples, Seeded(), count=len(examples)).choose(Question("q0", groups=asker))
    assert {example.id for example in shown} == {e.id for e in examples if e.question.groups <= asker}
    readers = {document.id: document.groups for document in documents}
    assert all(visible(readers[name], asker) for example in shown for name in example.evidence)


@settings(max_examples=60)
@given(asker=groups_of, number=st.integers(0, DOCUMENTS - 1), raft=rafts)
def test_a_conversation_to_learn_shows_what_its_asker_may_read(
    index: Index, chunks: list[Chunk], asker: Groups, number: int, raft: RaftSettings
) -> None:
    strategy = Composed(
        name="raft",
        model=Scripted(),
        instructions=instructions_for("answer", reads=True),
        retriever=Hybrid(index=index, embedder=Seeded(), content="c"),
    )
    own = [chunk for chunk in chunks if chunk.document_id == f"d{number}"]
    example = Example(
        id=f"e{number}",
        question=Question(f"Which tide is at {word(own[0])}?", groups=asker),
        answers=("turns by night",),
        evidence=(f"d{number}",),
        split="train",
    )
    made = conversation(strategy, example, raft=raft, seed=1)
    shown = made.prompt[-1].content.partition("Question:")[0] + made.target
    assert not any(word(chunk) in shown for chunk in chunks if not visible(chunk.groups, asker))
    for other in ({"crew"}, {"board"}, {"people"}, {"crew", "board"}, set(NAMES), set()):
        if admits(made.access, frozenset(other)):
            assert asker <= other
            assert all(visible(passage.chunk.groups, frozenset(other)) for passage in made.passages)


@settings(max_examples=25)
@given(owned=st.lists(st.tuples(groups_of, st.integers(0, DOCUMENTS - 1)), min_size=2, max_size=6))
def test_a_model_of_the_search_learns_public_text_alone(
    index: Index, chunks: list[Chunk], owned: list[tuple[Groups, int]]
) -> None:
    examples = demonstrations([own for own, _ in owned], [(f"d{number}",) for _, number in owned])
    taught = labelled_pairs(examples, index, Seeded(), most=100, seed=1).pairs
    made = made_pairs(chunks, most=1000, seed=1).pairs
    source = Mine(retriever=Hybrid(index=index, embedder=Seeded(), content="c"), index=index, embedder=Seeded())
    mined = mine((*taught, *made[:3]), source, wanted=2, seed=1).contrasts
    texts = [text for pair in (*taught, *made) for text in (pair.question, pair.text, *pair.answers)]
    texts += [text for one in mined for text in (one.question, one.positive, *one.negatives)]
    told = " ".join(texts)
    assert not any(word(chunk) in told for chunk in chunks if chunk.groups)
    closed = [example for example in examples if example.question.groups]
    assert not {example.question.text for example in closed} & {pair.question for pair in taught}


def restricted(readers: Sequence[Groups], askers: Sequence[Groups]) -> Weighing:
    """Return the sample with other readers of its passages and other askers, and words that give each text away."""
    sample = weighing()
    names = sorted({p.chunk.document_id for r in sample.records if r.answer for p in r.answer.prompt.passages})
    owned = dict(zip(names, readers, strict=False))
    examples = tuple(
        replace(e, question=replace(e.question, groups=own), answers=(f"accepted-{e.id}-x",) if e.answers else ())
        for e, own in zip(sample.examples, askers, strict=False)
    )

    def told(passage: Passage, asked: str) -> Passage:
        """Return it as a passage of its own for each question, so that it is known which question showed it."""
        name = passage.chunk.document_id
        own = f"passage-{asked}-{name}-x"
        return replace(passage, chunk=replace(passage.chunk, id=own, text=own, groups=owned[name]))

    def retold(record: Record) -> Record:
        said = f"{record.example_id}-{record.strategy}-x"
        scores = (Score("accuracy", None, f"reason-{said}"),)
        if record.answer is None:
            return replace(record, error=f"error-{said}")
        found = tuple(told(passage, record.example_id) for passage in record.answer.prompt.passages)
        prompt = replace(record.answer.prompt, passages=found)
        answer = replace(record.answer, text=f"answer-{said}", citations=(), prompt=prompt)
        return replace(record, answer=answer, scores=scores)

    records = tuple(map(retold, sample.records))
    measurements = tuple(
        replace(
            one,
            errors=tuple(r.error for r in records if r.strategy == one.strategy and r.answer is None),
            figures={**one.figures, "accuracy": replace(one.figures["accuracy"], unscored=12)},
        )
        for one in sample.measurements
    )
    return replace(sample, examples=examples, records=records, measurements=measurements)


@settings(max_examples=30)
@given(
    readers=st.lists(groups_of, min_size=6, max_size=6),
    askers=st.lists(groups_of, min_size=12, max_size=12),
    reader=groups_of,
)
def test_a_report_withholds_what_its_reader_may_not_see(
    readers: list[Groups], askers: list[Groups], reader: Groups
) -> None:
    value = restricted(readers, askers)
    html = page(value, groups=reader)
    open_to: Callable[[str], bool] = {e.id: e.question.groups <= reader for e in value.examples}.__getitem__
    for example in value.examples:
        assert open_to(example.id) or f"accepted-{example.id}-x" not in html
    for record in value.records:
        chunks = [passage.chunk for passage in record.answer.prompt.passages] if record.answer else []
        seen = open_to(record.example_id) and all(visible(chunk.groups, reader) for chunk in chunks)
        assert seen == ((record.answer.text if record.answer else record.error) in html)
        assert seen or not any(score.reason in html for score in record.scores)
        assert seen or not any(chunk.text in html for chunk in chunks)
