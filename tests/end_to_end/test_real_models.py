"""All five strategies with the real model, embedder, index, training and export, in the smallest size that runs."""

import json
from itertools import islice

import pytest

from weighbridge.evaluate.weighing import load_weighing
from weighbridge.settings.schema import ARMS
from weighbridge.train.parity import forms
from weighbridge.train.registry import folder_of, promoted_adapter
from weighbridge.workspace import Workspace

pytestmark = pytest.mark.models

SETTINGS = """
documents: documents
examples: examples.jsonl
model: {maximum_tokens: 8}
retrieval: {limit: 1}
splits: {test: 0.3, dev: 0.1}
training: {epochs: 1, maximum_examples: 6, batch_size: 2, dev_examples: 1}
measure: {questions: 3, latency_questions: 2, demonstrations: 2}
"""
COLOURS = ("red", "blue", "green", "white", "black", "brown", "grey", "pink", "gold", "amber", "lilac", "olive")


@pytest.fixture(scope="module")
def second_arm_in_one_form():
    """The arm that is trained first is compared in every form, the other one as it is served: 40 s less."""
    every, asked = vars(forms)["_forms"], []

    def fewer(bench, served):
        asked.append(served)
        yield from islice(every(bench, served), None if len(asked) == 1 else 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "_forms", fewer)
        yield


@pytest.fixture(scope="module")
def small(tmp_path_factory, run, few_guard_questions, second_arm_in_one_form):
    root = tmp_path_factory.mktemp("real") / "small"
    (root / "documents").mkdir(parents=True)
    for n, colour in enumerate(COLOURS):
        (root / "documents" / f"room-{n}.md").write_text(f"# Room {n}\n\nThe door of room {n} is {colour}.\n")
    rows = [
        {"id": f"q{n}", "question": f"Which colour has door {n}?", "answers": [colour], "doc_ids": [f"room-{n}"]}
        for n, colour in enumerate(COLOURS)
    ]
    (root / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (root / "weighbridge.yaml").write_text(SETTINGS)
    done = run("compare", "--workspace", str(root))
    assert done.returncode == 0, done.stderr
    return root, done


def test_all_five_are_measured_without_failures(small):
    root, done = small
    weighing = load_weighing(Workspace(root).weighing_file)
    assert tuple(m.strategy for m in weighing.measurements) == ARMS
    assert all(m.attempts == 3 and m.failures == 0 for m in weighing.measurements)
    assert weighing.decision.outlook in ("recommended", "not decisive")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_the_lint_was_shown_before_training(small):
    _, done = small
    assert done.stderr.index("What is learnt, token by token:") < done.stderr.index("Trained fine-tuned")
    assert "<|im_end|>⏹]]" in done.stderr


def test_tuned_strategies_are_their_own_exported_models(small):
    root, _ = small
    for arm in ("fine-tuned", "raft"):
        card = promoted_adapter(Workspace(root), arm)
        assert card is not None
        assert card.promotable
        assert card.parity[0].form == "GGUF Q8_0"
        assert card.guards
        folder = folder_of(Workspace(root), card)
        assert (folder / card.gguf).stat().st_size > 50_000_000
    learnt = promoted_adapter(Workspace(root), "fine-tuned")
    assert learnt is not None
    assert learnt.parity[0].changed
    assert [one.form for one in learnt.parity] == [
        *("GGUF Q8_0", "endpoint Q8_0", "GGUF F16", "GGUF BF16", "GGUF Q4_0", "merged", "adapter F16")
    ]
    assert all(one.ok for one in learnt.parity)
    assert learnt.training.steps == 3
    assert 0 < learnt.training.last_loss < learnt.training.first_loss


@pytest.mark.parametrize("arm", ["rag", "raft"])
def test_a_strategy_answers_as_it_was_measured(small, run, arm):
    root, _ = small
    weighing = load_weighing(Workspace(root).weighing_file)
    record = next(record for record in weighing.records if record.strategy == arm)
    question = next(e.question.text for e in weighing.examples if e.id == record.example_id)
    asked = run("ask", question, "--workspace", str(root), "--strategy", arm, "--json")
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["answer"]["raw"] == record.answer.raw


def test_nothing_is_trained_or_asked_again(small, run):
    root, _ = small
    before = {file: file.stat().st_mtime_ns for file in (root / ".weighbridge").rglob("*.gguf")}
    again = run("compare", "--workspace", str(root))
    assert again.returncode == 0, again.stderr
    assert {file: file.stat().st_mtime_ns for file in (root / ".weighbridge").rglob("*.gguf")} == before


def test_transformers_answers_where_there_is_no_other_engine(small, run):
    root, _ = small
    settings = root / "weighbridge.yaml"
    settings.write_text(SETTINGS.replace("model: {", "model: {engine: transformers, ") + "strategies: [prompt, rag]\n")
    asked = run("ask", "Which colour has door 3?", "--workspace", str(root), "--strategy", "rag", "--json")
    settings.write_text(SETTINGS)
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["answer"]["usage"]["output_tokens"] > 0
