from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.settings.schema import Settings
from weighbridge.types import Example, Question
from weighbridge.wiring.workload import applied_caps

EXAMPLES = [
    *(Example(id=f"t{n}", question=Question(f"Question {n}?"), answers=("a",), split="train") for n in range(200)),
    *(Example(id=f"d{n}", question=Question(f"Dev {n}?"), answers=("a",), split="dev") for n in range(30)),
    *(Example(id=f"e{n}", question=Question(f"Test {n}?"), answers=("a",), split="test") for n in range(120)),
]


@pytest.fixture
def embedder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text('{"max_position_embeddings": 512}')
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 256}')
    return tmp_path


def told(settings: Settings, embedder: Path, *, documents: int = 0, examples=EXAMPLES) -> list[str]:
    return [cap.sentence for cap in applied_caps(settings, examples, documents=documents, embedder=embedder)]


def test_what_the_settings_leave_out_is_told_with_the_setting_that_lifts_it(embedder):
    *lines, last = told(Settings(), embedder, documents=20_001)
    assert lines == [
        "100 of 120 test questions are asked; set measure.questions to 120 for all of them",
        "128 of 200 training examples are learnt; set training.maximum_examples to 200 for all of them",
        "24 of 30 dev examples choose the checkpoint; set training.dev_examples to 30 for all of them",
    ]
    assert last.startswith("0 of 20,001 documents are compared for contradictions; more than 20,000 take too long")


def test_chunks_that_the_embedder_does_not_read_whole_are_told(embedder):
    settings = Settings(strategies=("rag",), chunks={"tokens": 300}, measure={"questions": 200})
    (line,) = told(settings, embedder, documents=3)
    assert line.startswith("254 of 300 tokens of the longest chunk are read by the embedder; set chunks.tokens to 254")
    assert told(settings, embedder) == []


def test_nothing_is_told_where_nothing_is_left_out_or_may_not_be_learnt(embedder):
    few = [example for example in EXAMPLES if int(example.id[1:]) < 20]
    assert told(Settings(), embedder, documents=10, examples=few) == []
    closed = [replace(one, question=replace(one.question, groups=frozenset({"board"}))) for one in EXAMPLES]
    assert [line.split(" ")[0] for line in told(Settings(), embedder, examples=closed)] == ["100"]
