"""A metric, a reader, a strategy and a store of another distribution, installed and used by real commands."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.models

PARTS = Path(__file__).parents[1] / "own_parts" / "harbour_parts.py"
ENTRY_POINTS = """
[weighbridge.metrics]
brevity = harbour_parts:Brevity
[weighbridge.readers]
shiplog = harbour_parts:read_log
[weighbridge.strategies]
first-sentence = harbour_parts:first_sentence
[weighbridge.stores]
json = harbour_parts:open_json_store
"""
SETTINGS = """
documents: documents
examples: examples.jsonl
strategies: [prompt, first-sentence, rag]
model: {engine: scripted, maximum_tokens: 200}
retrieval: {store: "json:mine"}
splits: {test: 0.5}
measure: {questions: 6, latency_questions: 2, metrics: [brevity]}
"""
SHIPS = {"Anna": "red", "Berta": "green", "Clara": "blue", "Dora": "white", "Emma": "black", "Frida": "yellow"}


def install(site, version="1.0", points=ENTRY_POINTS):
    """Put the distribution where `PYTHONPATH` finds it, as an installer would."""
    for old in site.glob("*.dist-info"):
        shutil.rmtree(old)
    info = site / f"harbour_parts-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: harbour-parts\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(points)
    shutil.copy(PARTS, site)


@pytest.fixture
def site(tmp_path):
    install(tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def go(start, site):
    """Runs a command in a process of its own, with the distribution installed."""
    path = f"{site}:{Path(__file__).parents[2] / 'src'}"
    return lambda *words: start(*words, PYTHONPATH=path)


@pytest.fixture
def root(tmp_path, minilm):
    root = tmp_path / "harbour"
    (root / "documents").mkdir(parents=True)
    rows = []
    for ship, colour in SHIPS.items():
        log = f"{ship}\n2026-05-01|The hull of the {ship} is {colour}.\n2026-05-02|She takes {len(ship)} cars.\n"
        (root / "documents" / f"{ship}.shiplog").write_text(log)
        rows.append({"question": f"Which colour is the hull of the {ship}?", "answers": [colour], "doc_ids": [ship]})
        rows.append({"question": f"How many cars does the {ship} take?", "answers": [str(len(ship))]})
    (root / "examples.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (root / "weighbridge.yaml").write_text(SETTINGS)
    return root


def keys(root, strategy):
    lines = (root / ".weighbridge" / "records" / f"{strategy}.jsonl").read_text(encoding="utf-8").splitlines()
    return {json.loads(line)["key"] for line in lines}


def test_compare_uses_all_four_parts(root, go, site):
    done = go("compare", "-w", str(root), "--json")
    assert done.returncode == 0, done.stderr
    weighing = json.loads(done.stdout)
    figures = {each["strategy"]: each["figures"] for each in weighing["measurements"]}
    assert list(figures) == ["prompt", "first-sentence", "rag"]
    assert weighing["documents"] == len(SHIPS)
    assert {name: set(found) & {"brevity", "recall"} for name, found in figures.items()} == {
        "prompt": {"brevity"}, "first-sentence": {"brevity", "recall"}, "rag": {"brevity", "recall"},
    }  # fmt: skip
    assert figures["first-sentence"]["recall"]["value"] == 1
    assert list((root / ".weighbridge" / "index" / "mine").glob("*.json"))
    assert "brevity" in (root / ".weighbridge" / "report.html").read_text(encoding="utf-8")
    before = {name: keys(root, name) for name in figures}
    again = go("compare", "-w", str(root))
    assert again.returncode == 0, again.stderr
    assert {name: keys(root, name) for name in figures} == before

    install(site, "1.1")
    newer = go("compare", "-w", str(root))
    assert newer.returncode == 0, newer.stderr
    asked_again = {name: keys(root, name) - before[name] for name in figures}
    assert not asked_again["prompt"]
    assert len(asked_again["rag"]) == len(asked_again["first-sentence"]) == len(before["rag"])

    found = go("search", "colour of the hull of the Emma", "-w", str(root), "--limit", "1", "--json")
    assert json.loads(found.stdout)[0]["chunk"]["document_id"] == "Emma"


def test_a_part_that_fails_names_its_distribution(root, go, site):
    install(site, points=ENTRY_POINTS.replace("first_sentence", "second_sentence"))
    done = go("compare", "-w", str(root))
    assert done.returncode == 2
    assert "harbour_parts 1.0" in done.stderr.replace("harbour-parts", "harbour_parts")
    assert "second_sentence" in done.stderr
    assert "Traceback" not in done.stderr

    shutil.rmtree(next(site.glob("*.dist-info")))
    done = go("compare", "-w", str(root))
    assert done.returncode == 2
    assert "'first-sentence' is not one of prompt, few-shot, rag, fine-tuned, raft" in done.stderr
    assert "retrieval.store: must be faiss, a URL" in done.stderr
    settings = (root / "weighbridge.yaml").read_text().replace(", first-sentence", "").replace("json:mine", "faiss")
    (root / "weighbridge.yaml").write_text(settings)
    done = go("compare", "-w", str(root))
    assert done.returncode == 2
    assert "weighbridge.yaml:8: measure.metrics: no installed distribution offers 'brevity'" in done.stderr
