"""Is the search better with an embedder, or a reranker, that was tuned on the workload's own train questions?

For each folder: the workload is split, the model is tuned on train questions, and the dev questions decide whether it
is kept or reverted, as `tune_retriever` does it. Then the test questions, which had no part in any of that, are asked
before and after: whether the verdict was right. A folder is a workspace (it has weighbridge.yaml, like
examples/handbook) or holds documents.jsonl and questions.jsonl, of which the first questions and their documents are
taken, and further documents up to the number asked for.

Run: python benchmarks/tuned_retrieval.py examples/handbook FOLDER [--which embedder] [--questions 1200]
"""

import argparse
import json
import shutil
import tempfile
import time
from itertools import islice
from pathlib import Path

from weighbridge.checks.retrieval import judge_retrieval
from weighbridge.models import fetch
from weighbridge.results import Estimate
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.types import Progress
from weighbridge.wiring.reporter import SILENT, Reporter
from weighbridge.wiring.search import open_computed_embedder
from weighbridge.wiring.tuned_retrievers import RetrieverCard, Which, with_retrieval
from weighbridge.wiring.workload import Workload, open_workload
from weighbridge.workflow.training.retriever import tune_retriever
from weighbridge.workflow.training.trial_index import search_aside
from weighbridge.workspace import Workspace

SETTINGS = "documents: documents.jsonl\nexamples: questions.jsonl\ntask: answer\n"


def main() -> None:
    """Tune, weigh on the test questions, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--which", nargs="+", choices=["embedder", "reranker"], default=["embedder"])
    parser.add_argument("--questions", type=int, default=1200, help="of a folder without weighbridge.yaml")
    parser.add_argument("--documents", type=int, default=1500, help="at the least, likewise")
    given = parser.parse_args()
    for folder in given.folders:
        for which in given.which:
            with tempfile.TemporaryDirectory() as name:
                root = Path(name)
                _lay_out(root, folder, given.questions, given.documents)
                _measure(which, folder.resolve().name, Workspace(root))


def _lay_out(root: Path, folder: Path, questions: int, documents: int) -> None:
    if (folder / "weighbridge.yaml").exists():
        shutil.copytree(folder, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".weighbridge"))
        return
    (root / "weighbridge.yaml").write_text(SETTINGS)
    with (folder / "questions.jsonl").open(encoding="utf-8") as lines:
        asked = list(islice(lines, questions))
    (root / "questions.jsonl").write_text("".join(asked), encoding="utf-8")
    wanted = {name for line in asked for name in json.loads(line).get("doc_ids", [])}
    with (folder / "documents.jsonl").open(encoding="utf-8") as lines:
        every = list(lines)
    ids = [json.loads(line)["id"] for line in every]
    spare = max(documents - len(wanted), 0)
    more = set(islice((name for name in ids if name not in wanted), spare))
    kept = [line for line, name in zip(every, ids, strict=True) if name in wanted | more]
    (root / "documents.jsonl").write_text("".join(kept), encoding="utf-8")


def _measure(which: Which, name: str, workspace: Workspace) -> None:
    settings = load_settings(workspace.settings_file)
    print(f"\n{name}: {which}", flush=True)
    start = time.perf_counter()
    card = tune_retriever(which, settings, workspace, Reporter(say=_say, notify=_Steps()))
    _print_card(card, time.perf_counter() - start)
    if card.model:
        _print_test(which, card, settings, workspace)


def _say(sentence: str) -> None:
    print(f"  {sentence}", flush=True)


class _Steps:
    """Prints how far training is, every tenth of it."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, progress: Progress) -> None:
        if progress.task == "training" and progress.total:
            tenth = progress.done * 10 // progress.total
            if tenth != self._told:
                self._told = tenth
                print(f"    step {progress.done} of {progress.total}, {progress.note}", flush=True)


def _print_card(card: RetrieverCard, seconds: float) -> None:
    if training := card.training:
        epochs = ", ".join(
            f"{score.epoch}: loss {score.loss:.3f}" + ("" if score.dev is None else f", nDCG@10 {score.dev:.3f}")
            for score in training.epochs
        )
        print(f"  epochs {epochs}; {training.chosen_epoch} is taken; training took {training.seconds:.0f} s")
        rate = training.tokens / training.seconds
        print(f"  {training.tokens:,} tokens, {rate:,.0f} a second; agreement with the library {card.agreement:.4f}")
    print(f"  all of it took {seconds:.0f} s")


def _print_test(which: Which, card: RetrieverCard, settings: Settings, workspace: Workspace) -> None:
    model = str(workspace.adapter(which, card.id) / card.model)
    workload = _workload(settings, workspace)
    tuned = with_retrieval(settings, {"embedder" if which == "embedder" else "rerank": model})
    with (
        search_aside(workload.documents, settings, workspace.state / "before", SILENT) as before,
        search_aside(workload.documents, tuned, workspace.state / "after", SILENT) as after,
    ):
        seed, k = settings.measure.seed, settings.retrieval.limit
        verdict = judge_retrieval(before.retriever, after.retriever, workload.of("test"), k=k, seed=seed)
    for label, found in (
        ("nDCG@10 before", verdict.before),
        ("nDCG@10 after", verdict.after),
        ("difference", verdict.difference),
        (f"evidence in {k} before", verdict.hits_before),
        (f"evidence in {k} after", verdict.hits_after),
    ):
        if found is not None:
            print(f"  test {label:<20} {_interval(found)}")
    decided = "kept" if card.verdict.kept else "reverted"
    print(f"  {decided} by the dev questions; p on the test questions {verdict.p_value}", flush=True)


def _workload(settings: Settings, workspace: Workspace) -> Workload:
    return open_workload(
        settings, workspace, open_computed_embedder(settings, fetch(settings.retrieval.embedder)), SILENT
    )


def _interval(found: Estimate) -> str:
    return f"{found.value:+.3f} [{found.low:+.3f}, {found.high:+.3f}] over {found.scored:,}"


if __name__ == "__main__":
    main()
