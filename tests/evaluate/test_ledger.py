"""Records on disk: the same again after reading, whole after a kill, and clear about what is wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from weighbridge.errors import DataError, ModelError, WorkspaceError
from weighbridge.evaluate.ledger import append, load
from weighbridge.results import Record, Score
from weighbridge.types import Answer, Chunk, Passage, Prompt

Make = Callable[..., Answer]


@pytest.fixture
def record(answered: Make) -> Record:
    answer = answered("Paris\u2028 \u00e9\n", documents=("d",), cited=True)
    chunk = Chunk(id="c", document_id="d", text="x", start=0, end=1, groups=frozenset({"staff", "board", "hr"}))
    answer = replace(answer, prompt=Prompt(answer.prompt.messages, (Passage(chunk, 0.25),)))
    scores = (Score("accuracy", 1.0), Score("recall", None, "no evidence"))
    return Record(key="k1", strategy="rag", example_id="1", answer=answer, scores=scores, outcome="right")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "records" / "rag.jsonl"


def test_what_is_read_is_what_was_written(path: Path, record: Record):
    failed = Record(key="k2", strategy="rag", example_id="2", answer=None, error="down")
    assert append(path, [record, failed]) == 2
    assert load(path) == {"k1": record, "k2": failed}
    assert path.read_bytes().count(b"\n") == 2


def test_records_from_before_thinking_was_kept_still_load(path: Path, record: Record):
    """As one was written then: no `thinking` in the answer or its timing, no `thinking_tokens` in its usage."""
    append(path, [record])
    stored = json.loads(path.read_bytes())
    del (
        stored["answer"]["thinking"],
        stored["answer"]["timing"]["thinking"],
        stored["answer"]["usage"]["thinking_tokens"],
    )
    path.write_text(json.dumps(stored) + "\n", encoding="utf-8")
    assert load(path) == {"k1": record}


def test_thinking_is_stored(path: Path, record: Record):
    assert record.answer is not None
    timing = replace(record.answer.timing, thinking=0.5)
    usage = replace(record.answer.usage, thinking_tokens=3)
    thoughtful = replace(record, answer=replace(record.answer, thinking="Paris?", timing=timing, usage=usage))
    append(path, [thoughtful])
    assert load(path) == {"k1": thoughtful}


def test_no_file_is_no_records(path: Path):
    assert load(path) == {}
    assert append(path, []) == 0
    assert load(path) == {}


def test_of_one_key_the_latest_counts(path: Path, record: Record):
    append(path, [replace(record, answer=None, error="down"), replace(record, key="k2")])
    append(path, [record])
    assert list(load(path)) == ["k1", "k2"]
    assert load(path)["k1"] == record


@pytest.mark.parametrize("torn", [b"{", b'{"key": "k2"', b"x" * 200_000, "\u00e9".encode()[:1], b"\0" * 10])
def test_a_torn_last_line_is_dropped_and_cut_off(path: Path, record: Record, torn: bytes):
    append(path, [record])
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert load(path) == {"k1": record}
    append(path, [replace(record, key="k2")])
    assert path.read_bytes().startswith(whole + b'{"key": "k2"')
    assert list(load(path)) == ["k1", "k2"]


def test_a_file_of_one_torn_line_starts_anew(path: Path, record: Record):
    path.parent.mkdir()
    path.write_bytes(b'{"key": "k0", "strat')
    assert load(path) == {}
    append(path, [record])
    assert load(path) == {"k1": record}


@pytest.mark.parametrize("line", [b"not json", b"[]", b'{"key": 1}', b"", b"\xff"])
def test_a_damaged_line_is_named(path: Path, record: Record, line: bytes):
    append(path, [record])
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes())
    with pytest.raises(DataError, match=r"rag\.jsonl:2: not a record.*delete this line"):
        load(path)


def test_records_do_not_wait_for_each_other(path: Path, record: Record):
    def records() -> Iterator[Record]:
        yield record
        assert load(path) == {"k1": record}
        yield replace(record, key="k2")
        raise ModelError("the rest is lost")

    with pytest.raises(ModelError):
        append(path, records())
    assert list(load(path)) == ["k1", "k2"]


FILL = """
import resource, sys
from pathlib import Path
from weighbridge.errors import WorkspaceError
from weighbridge.evaluate.ledger import append
from weighbridge.results import Record

resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
def records():
    try:
        for n in range(1000):
            yield Record(key=str(n), strategy="rag", example_id=str(n), answer=None, error="e" * 600)
    finally:
        print("closed")
try:
    append(Path(sys.argv[1]), records())
except WorkspaceError as error:
    print(error)
"""


def test_a_full_disk_keeps_what_is_stored_and_stops_the_source(tmp_path: Path):
    path = tmp_path / "rag.jsonl"
    told = subprocess.run([sys.executable, "-c", FILL, str(path)], check=True, capture_output=True, text=True).stdout
    closed, message = told.splitlines()
    assert closed == "closed"
    assert message.startswith(f"{path}: a record cannot be written (File too large). The records stored before")
    assert path.read_bytes().endswith(b"}\n")
    assert 10 < len(load(path)) < 20


def test_a_file_that_cannot_be_one_is_named(tmp_path: Path, record: Record):
    with pytest.raises(WorkspaceError, match="cannot be written"):
        append(tmp_path, [record])
    with pytest.raises(WorkspaceError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="cannot be written"):
        append(tmp_path / "file" / "rag.jsonl", [record])


def test_half_a_character_from_a_model_is_stored_as_a_question_mark(path: Path, record: Record):
    assert record.answer is not None
    append(path, [replace(record, answer=replace(record.answer, text="\ud83d"))])
    stored = load(path)["k1"].answer
    assert stored is not None
    assert stored.text == "?"


def test_the_bytes_do_not_depend_on_the_process(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path\n"
        "from weighbridge.evaluate.ledger import append\n"
        "from weighbridge.results import Record\n"
        "from weighbridge.types import *\n"
        "chunk = Chunk(id='c', document_id='d', text='x', start=0, end=1, groups=frozenset('abcdefgh'))\n"
        "answer = Answer(text='x', raw='x', prompt=Prompt((), (Passage(chunk, 1.0),)), abstained=False, citations=(),"
        " usage=Usage(), timing=Timing())\n"
        "append(Path(sys.argv[1]), [Record(key='k', strategy='s', example_id='e', answer=answer)])\n"
    )
    written = []
    for seed in ("1", "2"):
        path = tmp_path / f"{seed}.jsonl"
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)
        written.append(path.read_bytes())
    assert written[0] == written[1]
