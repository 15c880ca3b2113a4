"""The index follows its documents, as a user sees it: plan, search, explain, versions, bench, watch."""

import json
import os
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.models

SETTINGS = "documents: docs\nexamples: examples.jsonl\n"
EXAMPLE = '{"id": "q", "question": "When does the ferry sail?", "answers": ["at six"]}\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    (folder / "docs").mkdir(parents=True)
    (folder / "weighbridge.yaml").write_text(SETTINGS)
    (folder / "examples.jsonl").write_text(EXAMPLE)
    for name, text in (
        ("ferry", "# Ferry\n\n## Winter\n\nThe ferry sails at six."),
        ("fares", "# Fares\n\nA crossing costs twelve crowns."),
        ("pay", "---\ngroups: [people]\n---\n# Pay\n\nPay day is the ninth."),
        ("dogs", "# Dogs\n\nDogs travel free on deck."),
        ("fog", "# Fog\n\nIn fog no ship leaves the harbour."),
    ):
        (folder / "docs" / f"{name}.md").write_text(text)
    return folder


def test_plan_apply_search_explain_and_versions(root: Path, run) -> None:
    planned = run("index", "--plan", "--json", cwd=root)
    assert planned.returncode == 0, planned.stderr
    assert json.loads(planned.stdout)["plan"]["added"] == ["dogs", "fares", "ferry", "fog", "pay"]
    assert json.loads(planned.stdout)["index"] is None
    assert not (root / ".weighbridge" / "index" / "manifest.json").exists()

    built = run("index", "--json", cwd=root)
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["index"]["documents"] == 5

    (root / "docs" / "ferry.md").write_text("# Ferry\n\n## Winter\n\nThe ferry sails at quarter past eight.")
    (root / "docs" / "dogs.md").unlink()
    changed = run("index", cwd=root)
    assert (changed.returncode, changed.stdout) == (0, ""), changed.stderr
    assert "Plan: 1 changed, 1 to delete, 3 unchanged" in changed.stderr
    assert "~ ferry" in changed.stderr

    found = json.loads(run("search", "when does the ferry sail", "--explain", "--json", cwd=root).stdout)
    assert found[0]["chunk"]["text"].endswith("quarter past eight.")
    assert {"ferri", "sail"} <= set(found[0]["matched"])
    assert found[0]["lexical_rank"] == 1
    assert found[0]["chunk"]["version"]
    assert "pay" not in {each["chunk"]["document_id"] for each in found}
    told = run("search", "when does the ferry sail", "--explain", "--group", "people", cwd=root).stdout
    assert "matched: " in told
    assert "six" not in told


def test_versions_are_named_compared_and_gone_back_to(root: Path, run) -> None:
    assert run("index", cwd=root).returncode == 0
    number = json.loads(run("versions", "--json", cwd=root).stdout)[-1]["number"]
    tagged = run("versions", "tag", str(number), "first", cwd=root)
    assert (tagged.returncode, tagged.stderr) == (0, "")
    (root / "docs" / "ferry.md").write_text("# Ferry\n\nThe ferry sails at nine.")
    assert run("index", cwd=root).returncode == 0
    last = json.loads(run("versions", "--json", cwd=root).stdout)[-1]["number"]
    compared = json.loads(run("versions", "compare", "first", str(last), "--json", cwd=root).stdout)
    assert (compared["changed"], compared["unchanged"]) == (["ferry"], 4)
    assert run("versions", "compare", "first", str(last), cwd=root).stdout == "changed: ferry\n4 unchanged\n"
    back = run("versions", "rollback", "first", cwd=root)
    assert back.returncode == 0, back.stderr
    assert (back.stdout, back.stderr.splitlines()[-1]) == ("", "Index: 5 documents, 5 chunks, as in version first")
    again = run("search", "when does the ferry sail", "--json", cwd=root)
    assert json.loads(again.stdout)[0]["chunk"]["text"].endswith("at six.")
    nowhere = run("versions", "rollback", "second", cwd=root)
    assert nowhere.returncode == 2
    assert "the index has no version 'second'" in nowhere.stderr


def test_a_search_follows_the_settings_once(root: Path, run) -> None:
    first = run("search", "when does the ferry sail", cwd=root)
    assert (first.returncode, "5 to add, 0 unchanged; there is no index yet\n" in first.stderr) == (0, True)
    for setting in ("chunks: {tokens: 32}\n", ""):
        (root / "weighbridge.yaml").write_text(SETTINGS + setting)
        changed = run("search", "when does the ferry sail", cwd=root)
        assert (changed.returncode, "Plan: " in changed.stderr) == (0, True), changed.stderr
        again = run("search", "when does the ferry sail", cwd=root)
        assert (again.stdout, again.stderr) == (changed.stdout, "")
    planned = run("index", "--plan", cwd=root)
    assert planned.stderr.splitlines()[-1] == "Plan: nothing to do, 5 unchanged"


def test_a_scan_that_lost_most_documents_stops(root: Path, run) -> None:
    assert run("index", cwd=root).returncode == 0
    for name in ("ferry", "fares", "dogs"):
        (root / "docs" / f"{name}.md").unlink()
    refused = run("index", cwd=root)
    assert refused.returncode == 2
    assert "3 of 5 documents are gone" in refused.stderr
    assert "--allow-shrink" in refused.stderr
    assert len(json.loads(run("search", "dogs", "--json", cwd=root).stdout)) == 4
    allowed = run("index", "--allow-shrink", "--json", cwd=root)
    assert json.loads(allowed.stdout)["index"]["documents"] == 2


def test_what_cannot_be_read_is_accounted_for(root: Path, run) -> None:
    (root / "docs" / "broken.pdf").write_bytes(b"%PDF-1.4 nothing")
    (root / "docs" / "noise.bin").write_bytes(bytes(range(256)) * 40)
    with zipfile.ZipFile(root / "docs" / "old.zip", "w") as archive:
        archive.writestr("inner/bridge.txt", "The bridge is raised at noon.")
    (root / "docs" / "copy.md").write_text("# Fares\n\nA crossing costs twelve crowns.")
    built = run("index", cwd=root)
    assert built.returncode == 0, built.stderr
    assert "Left out 2 files" in built.stderr
    report = json.loads((root / ".weighbridge" / "reading.json").read_text())
    assert {item["place"] for item in report["skipped"]} == {"broken.pdf", "noise.bin"}
    assert report["documents"] + len(report["skipped"]) == report["files"]
    assert any("copy" in line for line in report["repeated"])
    found = json.loads(run("search", "when is the bridge raised", "--json", cwd=root).stdout)
    assert found[0]["chunk"]["document_id"] == "old.zip/inner/bridge.txt"


def test_bench_retrieval_prints_its_figures(tmp_path: Path, run) -> None:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    texts = {"a": "ferry fares in winter", "b": "dogs travel on deck", "c": "fog in the harbour"}
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"_id": k, "text": v}) + "\n" for k, v in texts.items()))
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "what does the ferry cost"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq\ta\t1\n")
    done = run("bench", "retrieval", str(folder), "--tokens", "64", "--tokens", "16", "--json")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert [each["chunk_tokens"] for each in figures] == [64, 16]
    assert [(each["documents"], each["ndcg_at_10"], each["recall_at_100"], each["mrr_at_10"]) for each in figures] == [
        (3, 1.0, 1.0, 1.0)
    ] * 2
    assert "nDCG@10" in run("bench", "retrieval", str(folder)).stdout
    missing = run("bench", "retrieval", str(tmp_path))
    assert missing.returncode == 2
    assert "has no corpus.jsonl" in missing.stderr


def test_watching_follows_a_change(root: Path, tmp_path: Path, run) -> None:
    command = [sys.executable, "-m", "weighbridge", "index", "--watch"]
    environment = {**os.environ, "COLUMNS": "100"}
    seen = threading.Event()

    def write_until_seen() -> None:
        """The first change may come before the folder is watched, and a busy machine may need long to read one."""
        patience = 0.5
        while not seen.wait(patience):
            patience *= 2  # a file that is replaced while it is read is read again
            fresh = tmp_path / "ferry.md"
            fresh.write_text("# Ferry\n\nThe ferry sails at nine.")
            fresh.replace(root / "docs" / "ferry.md")

    writer = threading.Thread(target=write_until_seen)
    with subprocess.Popen(
        command, cwd=root, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as it:
        try:
            assert any("Watching" in line for line in it.stderr)
            writer.start()
            line = next(line for line in it.stderr if ": in the index" in line)
            assert line.startswith(("ferry.md", "a file"))  # the latter where it was only seen when looking again
        finally:
            seen.set()
            it.send_signal(signal.SIGINT)
            it.stderr.read()
    found = json.loads(run("search", "when does the ferry sail", "--json", cwd=root).stdout)
    assert found[0]["chunk"]["text"].endswith("at nine.")


def test_nothing_to_index_is_said(tmp_path: Path, run) -> None:
    (tmp_path / "weighbridge.yaml").write_text("examples: examples.jsonl\n")
    for words in (("index",), ("search", "x"), ("index", "--watch")):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "there are no documents to" in done.stderr
    (tmp_path / "weighbridge.yaml").write_text("documents: docs\nexamples: examples.jsonl\n")
    for words in (("versions",), ("versions", "rollback", "1"), ("versions", "compare", "1", "2")):
        done = run(*words, cwd=tmp_path)
        assert done.returncode == 2
        assert "no complete index; run: weighbridge index" in done.stderr
