"""The published cases are as the code writes them, from saved figures that hold no question, answer or document."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from .cli.test_case import run
from .report.sample import weighing

ROOT = Path(__file__).parents[1]
CASES = ROOT / "docs" / "cases"
SAMPLES = ("handbook", "tickets", "formulary")


@pytest.fixture(scope="module")
def pages() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        yield importlib.import_module("case_pages")


def test_every_page_is_as_the_program_writes_it(pages: ModuleType) -> None:
    assert (CASES / "index.md").read_text(encoding="utf-8") == pages.write_index(), (
        "run python benchmarks/case_pages.py"
    )
    for name in pages.published():
        page = (CASES / f"{name}.md").read_text(encoding="utf-8")
        assert page == pages.write_page(name), f"{name}: run python benchmarks/case_pages.py"
    assert {page.stem for page in CASES.glob("*.md")} == {"index", *pages.published()}


def test_a_case_of_a_sample_has_the_settings_of_the_sample() -> None:
    """So that the page names the command that makes it again."""
    for name in SAMPLES:
        own = (CASES / name / "weighbridge.yaml").read_bytes()
        assert own == (ROOT / "examples" / name / "weighbridge.yaml").read_bytes(), name


def test_saved_figures_hold_no_question_answer_or_document(pages: ModuleType) -> None:
    for name in pages.published():
        saved = json.loads((CASES / name / ".weighbridge" / "measurements.json").read_text(encoding="utf-8"))
        assert saved["measurements"]["reading"] is None
        assert not {"examples", "records"} & saved["measurements"].keys()


def test_a_comparison_becomes_a_case(
    pages: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from weighbridge.evaluate.weighing import save_weighing
    from weighbridge.workspace import Workspace

    save_weighing(Workspace(tmp_path / "mine"), weighing())
    for name in pages.ORIGINS:
        there = tmp_path / "cases" / name
        there.mkdir(parents=True)
        for file in ("weighbridge.yaml", "answers.yaml"):
            (there / file).write_bytes((CASES / name / file).read_bytes())
    monkeypatch.setattr(pages, "FOLDER", tmp_path / "cases")
    monkeypatch.setattr("sys.argv", ["case_pages.py", f"torchhub={tmp_path / 'mine'}"])
    pages.main()
    assert capsys.readouterr().out == "docs/cases/torchhub.md\n"
    page = (tmp_path / "cases" / "torchhub.md").read_text(encoding="utf-8")
    assert page.startswith("# TorchHub: which call does this?\n")
    assert "python benchmarks/public_workloads.py torchhub gorilla mine\nweighbridge compare --workspace mine\n" in page
    index = (tmp_path / "cases" / "index.md").read_text(encoding="utf-8")
    assert "| [TorchHub: which call does this?](torchhub.md) | 12 | " in index
    assert "Not weighed yet: Handbook: knowledge that moves;" in index
    assert "Prior against evidence" in run("evidence", "--workspace", tmp_path / "cases" / "torchhub").stdout


def test_the_public_data_become_the_workloads_of_the_cases(tmp_path: Path, pages: ModuleType) -> None:
    made = importlib.import_module("public_workloads")
    gorilla, pubmed = tmp_path / "gorilla", tmp_path / "pubmedqa"
    (gorilla / "data" / "api").mkdir(parents=True)
    (gorilla / "data" / "apibench").mkdir()
    call = "torch.hub.load(repo_or_dir='a/b', model='c')"
    row = {"api_name": "c", "api_call": call, "domain": "Video"}
    asked = {"code": '###Instruction: What is\nc? ###Input: "x"\n###Output: {}', "api_call": call, "api_data": row}
    (gorilla / "data" / "api" / "torchhub_api.jsonl").write_text(json.dumps(row) + "\n\n", encoding="utf-8")
    (gorilla / "data" / "apibench" / "torchhub_eval.json").write_text(json.dumps(asked) + "\n", encoding="utf-8")
    hub = made.torchhub(gorilla)
    assert hub.documents[0]["id"] == "torch.hub.load(repo_or_dir='a/b',model='c')"
    assert hub.questions[0]["question"] == 'What is c? ###Input: "x"'
    assert hub.questions[0]["doc_ids"] == [hub.documents[0]["id"]]
    (pubmed / "data").mkdir(parents=True)
    study = {"QUESTION": "Does it?", "CONTEXTS": ["We asked.", "It does."], "LABELS": ["AIM", "RESULTS"]}
    rows = {"1": {**study, "final_decision": "yes"}, "2": {**study, "final_decision": "no"}}
    (pubmed / "data" / "ori_pqal.json").write_text(json.dumps(rows), encoding="utf-8")
    (pubmed / "data" / "test_ground_truth.json").write_text('{"2": "no"}', encoding="utf-8")
    found = made.pubmedqa(pubmed)
    assert [one["id"] for one in found.questions] == ["1"]
    assert found.documents[0]["text"] == "AIM: We asked.\nRESULTS: It does."
    made.write_workspace("pubmedqa", found, tmp_path / "mine")
    assert "task: label" in (tmp_path / "mine" / "weighbridge.yaml").read_text(encoding="utf-8")
