"""Whole runs of `compare`, as a user starts, stops and repeats them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from weighbridge.evaluate.weighing import load_weighing
from weighbridge.workspace import Workspace

pytestmark = pytest.mark.models


def said(root):
    """What every record says, but for how long it took."""
    found = {}
    for file in sorted((root / ".weighbridge" / "records").glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            record["answer"].pop("timing")
            assert record["key"] not in found, "an attempt was made twice"
            found[record["key"]] = record
    return found


def test_all_strategies_are_measured_on_the_same_questions(weighed):
    weighing = load_weighing(Workspace(weighed).weighing_file)
    assert [m.strategy for m in weighing.measurements] == ["prompt", "few-shot", "rag"]
    assert {m.attempts for m in weighing.measurements} == {len(weighing.examples)} == {24}
    assert not any(m.failures for m in weighing.measurements)
    by_name = {m.strategy: m for m in weighing.measurements}
    assert by_name["rag"].figures["recall"].value > 0.5
    for figure in ("accuracy", "hallucination", "latency_p50", "latency_p95", "memory", "disk", "cost_per_thousand"):
        for measurement in weighing.measurements:
            estimate = measurement.figures[figure]
            assert estimate.low <= estimate.value <= estimate.high
    assert weighing.split.leaks == 0
    assert weighing.decision.reasons


def test_the_report_is_one_file_that_needs_nothing_else(weighed):
    page = Workspace(weighed).report.read_text(encoding="utf-8")
    assert len(page.encode()) < 1_000_000
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "https://" not in page


def test_a_second_run_asks_nothing_again(weighed, run):
    before = {file: file.stat().st_mtime_ns for file in (weighed / ".weighbridge" / "records").iterdir()}
    done = run("compare", "--workspace", str(weighed), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["decision"]["outlook"]
    assert {file: file.stat().st_mtime_ns for file in (weighed / ".weighbridge" / "records").iterdir()} == before


def test_report_shows_the_last_weighing_again(weighed, run):
    shown = run("report", "--workspace", str(weighed))
    assert shown.returncode == 0, shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 100
    assert "rag" in shown.stdout
    assert "Report:" in shown.stdout


@pytest.fixture(scope="module")
def small_source(dry_source, tmp_path_factory):
    """A quarter of the handbook, not used yet: whoever is killed reads and embeds it again."""
    root = tmp_path_factory.mktemp("small") / "source"
    shutil.copytree(dry_source, root)
    kept = sorted((root / "documents").iterdir())[:16]
    for file in {*(root / "documents").iterdir()} - {*kept}:
        file.unlink()
    names = {file.stem for file in kept}
    lines = (root / "examples.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    about = [line for line in lines if names.issuperset(json.loads(line)["doc_ids"])]
    (root / "examples.jsonl").write_text("".join(about), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def undisturbed(small_source, tmp_path_factory, run, latency_here):
    """The same, after a `compare` that nothing happened to."""
    root = tmp_path_factory.mktemp("undisturbed") / "dry"
    shutil.copytree(small_source, root)
    done = run("compare", "--workspace", str(root))
    assert done.returncode == 0, done.stderr
    return root


def whole_lines(root):
    """The records that are on disk, each as it is written there."""
    files = (root / ".weighbridge" / "records").glob("*.jsonl")
    return {line for file in files for line in file.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")}


def kill_once(command, reached):
    """Start a command and kill it as soon as `reached`; tell whether it was still running."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0) as process:
        while process.poll() is None and not reached():
            time.sleep(0.003)  # an answer is written in ten
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode == -signal.SIGKILL


def test_killed_and_started_again_it_ends_with_the_same_records(undisturbed, small_source, tmp_path, run):
    root = tmp_path / "killed"
    command = [sys.executable, "-m", "weighbridge", "compare", "--workspace", str(root)]
    total = len(said(undisturbed))

    def kill_at_every_stage():
        """Kill a run while it indexes, and then three times while it asks; tell whether each kill hit it there."""
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(small_source, root)
        kept = set()
        for records in (0, 1, total // 3, 2 * total // 3):
            if records:
                hit = kill_once(command, lambda least=records: len(whole_lines(root)) >= least)
            else:
                hit = kill_once(command, (root / ".weighbridge" / "index").exists)
            stored = whole_lines(root)
            assert kept <= stored, "a record that was kept is gone"
            if not hit or not records <= len(stored) < total:
                return None
            kept = stored
        return kept

    attempts = (kill_at_every_stage() for _ in range(5))  # a run may be over before the kill reaches it
    kept = next((stored for stored in attempts if stored), None)
    assert kept, "no run was hit at every stage"
    done = run("compare", "--workspace", str(root))
    assert done.returncode == 0, done.stderr
    assert kept <= whole_lines(root), "what was asked before a kill is not asked again"
    assert said(root) == said(undisturbed)


def test_interrupted_it_says_how_to_go_on(small_source, tmp_path):
    root = tmp_path / "stopped"
    shutil.copytree(small_source, root)
    command = [sys.executable, "-m", "weighbridge", "compare", "--workspace", str(root)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert any(line.startswith("Split") for line in process.stderr)
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
    assert process.returncode == 130
    assert "run the same command again" in told
    assert "Traceback" not in told


def test_a_strategy_answers_as_it_was_measured(weighed, run):
    weighing = load_weighing(Workspace(weighed).weighing_file)
    record = next(r for r in weighing.records if r.strategy == "rag" and r.answer and r.answer.citations)
    example = next(e for e in weighing.examples if e.id == record.example_id)
    groups = [word for group in sorted(example.question.groups) for word in ("--group", group)]
    asked = run("ask", example.question.text, "-w", str(weighed), "--strategy", "rag", "--json", *groups)
    assert asked.returncode == 0, asked.stderr
    answer = json.loads(asked.stdout)["answer"]
    assert answer["raw"] == record.answer.raw
    assert answer["citations"][0]["quote"] == record.answer.citations[0].quote


def test_search_keeps_to_the_askers_groups(weighed, run):
    hidden = {
        file.stem for file in (weighed / "documents").glob("*.md") if file.read_text(encoding="utf-8").startswith("---")
    }
    shown = set()
    for extra in ((), ("--group", "finance")):
        found = run(
            "search", "invoice payment terms and the budget", "-w", str(weighed), "--limit", "50", "--json", *extra
        )
        shown.add(frozenset(p["chunk"]["document_id"] for p in json.loads(found.stdout)) & hidden)
    assert frozenset() in shown
    assert len(shown) == 2
