"""Made examples are kept in a file that reads as any examples file does, and join the train split unless they leak."""

import json
from pathlib import Path

import pytest

from weighbridge.adapters import Span
from weighbridge.dataset.examples import read_examples
from weighbridge.dataset.split import Embed
from weighbridge.dataset.synthesise.made_file import mix_into_train, read_source_texts, read_synthetic, write_synthetic
from weighbridge.dataset.synthesise.nouns import SyntheticExample
from weighbridge.errors import DataError
from weighbridge.types import Document, Example, Question

MADE = (
    SyntheticExample(
        id="made-1", question="When does the desk open?", answers=("07:30",), spans=(Span("desk", 0, 25, "v1"),),
        made_by="rule: when", family="made-1",
    ),
    SyntheticExample(
        id="made-2", question="Who is the cook of the desk?", answers=(), spans=(Span("desk", 0, 25, "v1"),),
        made_by="unanswerable: person", family="made-2", answerable=False,
    ),
)  # fmt: skip


def test_what_is_written_is_read_again_and_is_an_examples_file(tmp_path: Path):
    write_synthetic(tmp_path / "made.jsonl", MADE)
    assert read_synthetic(tmp_path / "made.jsonl") == MADE
    examples = read_examples(tmp_path / "made.jsonl")
    assert [(one.id, one.answers, one.evidence, one.answerable) for one in examples] == [
        ("made-1", ("07:30",), ("desk",), True),
        ("made-2", (), (), False),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"question": "q", "answers": ["a"], "spans": "desk"}, "'spans' must be a list"),
        ({"question": "q", "answers": ["a"], "spans": [{"document_id": "desk"}]}, "a span needs"),
        ({"question": "q", "answers": ["a"], "spans": [{"document_id": "desk", "start": 5, "end": 2}]}, "a span needs"),
        ({"answers": ["a"]}, "has no 'question'"),
        ({"question": "q", "answers": ["a"], "groups": ["board"]}, "speaks to everybody"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, line, told):
    file = tmp_path / "made.jsonl"
    file.write_text('{"question": "ok?", "answers": ["a"]}\n' + json.dumps(line) + "\n")
    with pytest.raises(DataError, match=f"made.jsonl:2: .*{told}"):
        read_synthetic(file)


def test_a_missing_or_empty_file_says_how_to_make_one(tmp_path: Path):
    with pytest.raises(DataError, match="make-examples"):
        read_synthetic(tmp_path / "made.jsonl")
    (tmp_path / "made.jsonl").write_text("")
    with pytest.raises(DataError, match="holds no examples"):
        read_synthetic(tmp_path / "made.jsonl")


def examples(*, test: str = "What is the fee?") -> list[Example]:
    return [
        Example(id="1", question=Question("Is there a bar?"), answers=("yes",), split="train"),
        Example(id="2", question=Question(test), answers=("£5",), split="test"),
    ]


def test_made_examples_come_behind_the_others_in_train(embed: Embed):
    joining = mix_into_train(examples(), MADE, embed=embed, threshold=0.9)
    assert [one.id for one in joining.examples] == ["1", "2", "made-1", "made-2"]
    assert {one.split for one in joining.examples[2:]} == {"train"}
    assert joining.made == MADE
    assert joining.attrition.kept == 2


def test_what_the_test_asks_by_now_is_left_out(embed: Embed):
    joining = mix_into_train(examples(test="when does the desk open"), MADE, embed=embed, threshold=0.9)
    assert [one.id for one in joining.made] == ["made-2"]
    assert {lost.reason: lost.count for lost in joining.attrition.dropped if lost.count} == {
        "nearly a dev or test question (leak)": 1
    }


def test_what_its_document_no_longer_says_is_left_out(embed: Embed):
    told = {"desk": "The desk opens at 09:00."}
    joining = mix_into_train(examples(), MADE, embed=embed, threshold=0.9, texts=told)
    assert [one.id for one in joining.made] == ["made-2"]
    told = {"desk": "The desk opens at 07:30."}
    assert mix_into_train(examples(), MADE, embed=embed, threshold=0.9, texts=told).made == MADE


def test_what_its_document_may_no_longer_tell_everybody_is_left_out(embed: Embed):
    joining = mix_into_train(examples(), MADE, embed=embed, threshold=0.9, texts={})
    assert joining.made == ()
    lost = [one for one in joining.attrition.dropped if one.count]
    assert [(one.reason, one.count) for one in lost] == [("its document is gone, or not for everybody", 2)]


def test_what_is_among_the_examples_is_not_added_again(embed: Embed):
    both = [*examples(), MADE[0].example]
    assert [one.id for one in mix_into_train(both, MADE, embed=embed, threshold=0.9).examples].count("made-1") == 1


def test_only_the_documents_that_are_needed_are_kept():
    documents = [Document(id="desk", text="a"), Document(id="bar", text="b")]
    assert read_source_texts(documents, MADE) == {"desk": "a"}
