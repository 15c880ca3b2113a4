"""Base models against strategies: python benchmarks/bases.py FOLDER WORKLOAD ... [--data DATA] [--plot FILE.svg].

For each workload a workspace FOLDER/WORKLOAD is made (one that is there goes on), compared, and printed as a table:
each strategy on each base model, with the minutes and the peak memory of the whole run, and what would be chosen on
each base model alone. WORKLOAD is handbook, formulary, tickets, or squad: the first 300 documents of
DATA/qa/squad_v1_dev with all their questions. --plot draws the accuracies of all of them.

Two processors decide which strategies run where (`_ARMS`): training reads so much that RAFT is left to the handbook.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weigh import watch_memory

from weighbridge.arms import base_of, strategy_of
from weighbridge.settings.edit import KeyPath, edit_settings

_SAMPLES = Path(__file__).parents[1] / "examples"
_FIVE = ["prompt", "few-shot", "rag", "fine-tuned", "raft"]
_ARMS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "handbook": {"tiny": _FIVE, "small": ["prompt", "rag"]},
    "tickets": {"tiny": _FIVE[:4], "small": ["prompt", "rag", "fine-tuned"]},
    "formulary": {"tiny": _FIVE[:4], "small": ["prompt", "rag"]},
    "squad": {"tiny": _FIVE[:3], "small": ["prompt", "rag"], "medium": ["rag"]},
}
_SQUAD = """name: squad
documents: documents.jsonl
examples: examples.jsonl
task: answer
training: {epochs: 2, maximum_examples: 128, dev_examples: 12}
"""
_COLOURS = {"tiny": "#8da0cb", "small": "#1b9e77", "medium": "#d95f02"}


def main() -> None:
    """Compare each workload, print its table, and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("workloads", nargs="+", choices=("handbook", "formulary", "tickets", "squad"))
    parser.add_argument("--data", type=Path, help="the folder that holds qa/squad_v1_dev")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--plot", type=Path, help="draw the accuracies here, as SVG")
    asked = parser.parse_args()
    found = {}
    for name in asked.workloads:
        root = asked.folder / name
        if not root.exists():
            make_workspace(name, root, asked.data, asked.questions)
        found[name] = compare(name, root)
    if asked.plot:
        asked.plot.write_text(draw_plot(found), encoding="utf-8")


def make_workspace(name: str, root: Path, data: Path | None, questions: int) -> None:
    """Write documents, questions and settings of a workload, with the strategies of each base model."""
    if name == "squad":
        if data is None:
            raise SystemExit("squad needs --data")
        root.mkdir(parents=True)
        _write_squad(data / "qa" / "squad_v1_dev", root)
    else:
        shutil.copytree(_SAMPLES / name, root, ignore=shutil.ignore_patterns(".weighbridge"))
    models = [{"name": base, "strategies": list(arms)} for base, arms in _ARMS[name].items()]
    file = root / "weighbridge.yaml"
    changes: dict[KeyPath, Any] = {("models",): models}
    changes |= {("measure", "questions"): questions, ("measure", "latency_questions"): 6}
    file.write_text(edit_settings(file.read_text(encoding="utf-8"), changes), encoding="utf-8")


def _write_squad(source: Path, root: Path) -> None:
    documents = (source / "documents.jsonl").read_text(encoding="utf-8").splitlines()[:300]
    kept = {json.loads(line)["id"] for line in documents}
    questions = (source / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    about = [line for line in questions if kept.issuperset(json.loads(line)["doc_ids"])]
    (root / "documents.jsonl").write_text("\n".join(documents) + "\n", encoding="utf-8")
    (root / "examples.jsonl").write_text("\n".join(about) + "\n", encoding="utf-8")
    (root / "weighbridge.yaml").write_text(_SQUAD, encoding="utf-8")


def compare(name: str, root: Path) -> Mapping[str, Any]:
    """Compare the arms of a workspace, print the table, and return the comparison."""
    out, taken = root / "compare.json", root / "run.json"
    if not out.exists():
        start = time.perf_counter()
        command = [sys.executable, "-m", "weighbridge", "compare", "--workspace", str(root), "--json"]
        with out.with_suffix(".part").open("w") as file, subprocess.Popen(command, stdout=file) as process:
            peak = watch_memory(process.pid)
        if process.returncode:
            raise SystemExit(f"{name}: compare ended with {process.returncode}")
        taken.write_text(json.dumps({"minutes": (time.perf_counter() - start) / 60, "peak": peak}))
        out.with_suffix(".part").replace(out)
    found: Mapping[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    run = json.loads(taken.read_text())
    print(f"\n{name}: {run['minutes']:.0f} min, peak memory of all processes {run['peak'] / 2**30:.1f} GiB\n")
    print_table(found)
    return found


def print_table(found: Mapping[str, Any]) -> None:
    """Print one line for each arm, then the decision on all base models, and on each alone."""
    print("| arm | right, % | states wrong, % | p50 alone, s | memory, MiB | answering, min | training, min |")
    print("|---|---|---|---|---|---|---|")
    for one in found["measurements"]:
        figures, arm = one["figures"], one["strategy"]
        shares = [_interval(figures[name]) for name in ("accuracy", "hallucination")]
        alone, memory = figures["latency_p50"]["value"], figures["memory"]["value"] / 2**20
        minutes = [_minutes(found["seconds"], step, arm) for step in ("answer", "train")]
        print(f"| {arm} | {' | '.join(shares)} | {alone:.2f} | {memory:.0f} | {' | '.join(minutes)} |")
    decision = found["decision"]
    print(
        f"\n{len(found['examples'])} questions. All: {decision['outlook']}: {', '.join(decision['contenders'])}.",
        end=" ",
    )
    print(*(f"{one['base']}: {one['outlook']}: {', '.join(one['contenders'])}." for one in decision["by_base"]))
    print(decision["reasons"][-1])


def _interval(figure: Mapping[str, float]) -> str:
    return f"{100 * figure['value']:.0f} ({100 * figure['low']:.0f}-{100 * figure['high']:.0f})"


def _minutes(seconds: Mapping[str, float], step: str, arm: str) -> str:
    spent = [taken for label, taken in seconds.items() if label.startswith(step) and label.endswith(f": {arm}")]
    return f"{sum(spent) / 60:.1f}" if spent else "-"


def draw_plot(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return accuracies with intervals as SVG: a part for each workload, a bar for each strategy on each base model."""
    parts, top = ['<text x="12" y="17">right, %, and the 95 % interval</text>'], 46
    for name, weighing in found.items():
        arms = {one["strategy"]: one["figures"]["accuracy"] for one in weighing["measurements"]}
        parts.append(f'<text x="12" y="{top}" font-weight="bold">{name}</text>')
        top += 10
        for strategy in _FIVE:
            rows = [(base_of(arm), figure) for arm, figure in arms.items() if strategy_of(arm) == strategy]
            if not rows:
                continue
            parts.append(f'<text x="24" y="{top + 5 + 7 * len(rows)}">{strategy}</text>')
            for base, figure in rows:
                top += 14
                parts.append(_draw_bar(top, _COLOURS[base], figure))
            top += 8
        top += 24
    legend = "".join(
        f'<rect x="{230 + 90 * number}" y="8" width="12" height="10" fill="{colour}"/>'
        f'<text x="{246 + 90 * number}" y="17">{base}</text>'
        for number, (base, colour) in enumerate(_COLOURS.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {top}" font-family="sans-serif" font-size="12">\n'
        f'<rect width="640" height="{top}" fill="white"/>\n{legend}\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _draw_bar(y: int, colour: str, figure: Mapping[str, float]) -> str:
    left, scale = 120.0, 4.6
    value, low, high = (left + scale * 100 * figure[key] for key in ("value", "low", "high"))
    return (
        f'<rect x="{left}" y="{y - 9}" width="{value - left:.1f}" height="10" fill="{colour}"/>'
        f'<path d="M{low:.1f} {y - 4}H{high:.1f}" stroke="#222"/>'
        f'<text x="{high + 6:.1f}" y="{y}" font-size="10">{100 * figure["value"]:.0f} %</text>'
    )


if __name__ == "__main__":
    main()
