"""The sample workloads are what their READMEs say: whole, consistent, and editable month by month."""

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from weighbridge.dataset.evidence import resolve_evidence
from weighbridge.dataset.examples import infer_task, read_examples
from weighbridge.ingest.read import read_documents
from weighbridge.settings.file import load_settings

EXAMPLES = Path(__file__).parents[1] / "examples"
NAMES = ("handbook", "tickets", "formulary")


def opened(name):
    settings = load_settings(EXAMPLES / name / "weighbridge.yaml")
    return settings, read_documents(settings.documents), read_examples(settings.examples)


@pytest.mark.parametrize("name", NAMES)
def test_everything_is_read_and_fits_together(name):
    settings, reading, examples = opened(name)
    assert not reading.skipped
    resolve_evidence(examples, reading.documents)
    assert infer_task(examples).task == settings.task
    assert len({example.question.text for example in examples}) == len(examples)


def test_the_handbook_has_what_it_promises():
    _, reading, examples = opened("handbook")
    assert len(reading.documents) >= 58
    assert len(examples) >= 240
    assert sum(not example.answerable for example in examples) >= 30
    assert {group for document in reading.documents for group in document.groups} == {"people-team", "finance"}
    families = Counter(example.family for example in examples)
    assert sum(count >= 4 for count in families.values()) >= 20
    assert sum(count == 1 for count in families.values()) >= 100


def test_an_answer_of_the_handbook_stands_in_a_document_its_asker_may_read():
    _, reading, examples = opened("handbook")
    by_id = {document.id: document for document in reading.documents}
    for example in examples:
        for evidence in example.evidence:
            document = by_id[evidence]
            assert example.answers[0] in document.text, example.id
            assert not document.groups or document.groups & example.question.groups, example.id


def test_tickets_are_balanced_and_not_one_another():
    _, _, examples = opened("tickets")
    queues = Counter(example.answers[0] for example in examples)
    assert len(examples) >= 600
    assert len(queues) == 12
    assert min(queues.values()) >= 40
    words = [frozenset(example.question.text.casefold().split()) for example in examples]
    assert max(len(one & other) / len(one | other) for one, other in combinations(words, 2)) < 0.7


def test_formulary_answers_are_in_the_house_format():
    settings, _, examples = opened("formulary")
    schema = json.loads(settings.json_schema.read_text(encoding="utf-8"))
    check = Draft202012Validator(schema)
    for example in examples:
        for answer in example.answers:
            check.validate(json.loads(answer))
    assert sum(not example.answerable for example in examples) >= 15


@pytest.mark.parametrize(("name", "batches", "facts"), [("handbook", 3, 25), ("formulary", 2, 12)])
def test_the_edits_apply_in_order(name, batches, facts):
    _, reading, examples = opened(name)
    texts = {document.id: document.text for document in reading.documents}
    known = {example.id: example for example in examples}
    files = sorted((EXAMPLES / name / "edits").glob("*.jsonl"))
    edits = [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    assert len(files) == batches
    assert len(edits) >= facts
    for edit in edits:
        assert texts[edit["doc_id"]].count(edit["old"]) == 1, edit["id"]
        texts[edit["doc_id"]] = texts[edit["doc_id"]].replace(edit["old"], edit["new"])
        for example, answers in edit["examples"].items():
            assert edit["doc_id"] in known[example].evidence
            if name == "handbook":
                assert answers[0] in texts[edit["doc_id"]], edit["id"]
