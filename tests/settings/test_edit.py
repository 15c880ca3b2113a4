"""Editing weighbridge.yaml: the other lines stay, byte for byte, and the file reads as edited."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.settings.curves import CRITERIA
from weighbridge.settings.edit import changed_lines, edit_settings
from weighbridge.settings.file import load_settings, parse_settings, starter
from weighbridge.settings.schema import Settings

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/weighbridge.yaml"))
STARTER = starter(Settings(name="mine", documents=Path("documents"), examples=Path("examples.jsonl"), task="answer"))
WEIGHTS = st.dictionaries(
    st.sampled_from(list(CRITERIA)), st.floats(0.01, 100).map(lambda w: float(f"{w:.3g}")), min_size=1
)


def read(text):
    """Read YAML by a library other than the editor's."""
    return yaml.load(text, yaml.CSafeLoader)


@pytest.mark.parametrize("text", [STARTER, *(file.read_text(encoding="utf-8") for file in EXAMPLES)])
@settings(max_examples=25)  # an edit takes up to 50 ms, and there are four texts
@given(weights=WEIGHTS)
def test_only_the_edited_lines_differ(text, weights):
    edited = edit_settings(text, {("needs", "priorities", name): weight for name, weight in weights.items()})
    before, after = read(text), read(edited)
    assert {name: after["needs"]["priorities"][name] for name in weights} == weights
    for name in weights:
        after["needs"]["priorities"].pop(name)
        (before.get("needs") or {}).get("priorities", {}).pop(name, None)
    assert {k: v for k, v in after.items() if k != "needs"} == {k: v for k, v in before.items() if k != "needs"}
    comments = [line.partition("#")[2] for line in text.splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in edited.splitlines() if "#" in line] == comments
    kept = set(text.splitlines()) & set(edited.splitlines())
    assert len(set(text.splitlines()) - kept) <= len(weights)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("examples: e.jsonl\n", "examples: e.jsonl\nneeds:\n  priorities:\n    cost: 2\n"),
        ("examples: e.jsonl\nneeds:\n", "examples: e.jsonl\nneeds:\n  priorities:\n    cost: 2\n"),
        ("examples: e.jsonl\nneeds: {months: 3}\n", "examples: e.jsonl\nneeds: {months: 3, priorities: {cost: 2}}\n"),
        (
            "examples: 'e.jsonl'  # ours\nneeds:\n  priorities: {accuracy: 5, cost: 1}  # why\n",
            "examples: 'e.jsonl'  # ours\nneeds:\n  priorities: {accuracy: 5, cost: 2}  # why\n",
        ),
        (
            "examples: e.jsonl\nstrategies:\n  - rag\n  - raft\n",
            "examples: e.jsonl\nstrategies:\n  - rag\n  - raft\nneeds:\n  priorities:\n    cost: 2\n",
        ),
        (
            "examples: e.jsonl\nstrategies:\n- rag\n",
            "examples: e.jsonl\nstrategies:\n- rag\nneeds:\n  priorities:\n    cost: 2\n",
        ),
    ],
)
def test_a_setting_is_added_where_it_belongs(text, expected):
    edited = edit_settings(text, {("needs", "priorities", "cost"): 2.0})
    if "{months" in text:  # the added group may take lines of its own
        assert yaml.safe_load(edited) == yaml.safe_load(expected)
    else:
        assert edited == expected


def test_a_group_is_replaced_as_a_whole():
    text = "examples: e.jsonl\nneeds:\n  stakeholders:\n    legal: {cost: 9}\n    sales: {latency: 1}\n"
    edited = edit_settings(text, {("needs", "stakeholders", "legal"): {"accuracy": 3.0}})
    assert yaml.safe_load(edited)["needs"]["stakeholders"] == {"legal": {"accuracy": 3}, "sales": {"latency": 1}}


def test_the_changed_lines_are_those_of_the_setting():
    edited = edit_settings(STARTER, {("needs", "priorities", "cost"): 2.0})
    removed, added = changed_lines(STARTER, edited)
    assert removed.startswith("-    cost: 1.0 ")
    assert added.startswith("+    cost: 2 ")
    assert changed_lines(STARTER, STARTER) == ()
    assert changed_lines("--- a\n", "+++ b\n") == ("---- a", "++++ b")


def test_a_text_is_parsed_as_its_file_would_be(tmp_path):
    file = tmp_path / "weighbridge.yaml"
    file.write_text(STARTER, encoding="utf-8")
    assert parse_settings(STARTER, file) == load_settings(file)
