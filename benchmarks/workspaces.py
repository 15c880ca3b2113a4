"""Workspaces of public data, to be weighed: python benchmarks/workspaces.py banking77|apibench FOLDER WORKSPACE.

FOLDER holds train.jsonl and test.jsonl (banking77), or documents.jsonl and questions.jsonl (apibench). Then:
python benchmarks/weigh.py WORKSPACE
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

BANKING = """name: banking77
examples: examples.jsonl
task: label
instructions: A customer of a bank writes a message.
strategies: [prompt, fine-tuned]
model: {maximum_tokens: 20}
splits: {by: similarity, dev: 0.04, test: 0.2}
training: {maximum_examples: 2000, epochs: 3, dev_examples: 60, learning_curve: false, batch_size: 16}
measure: {questions: 250}
"""
APIBENCH = """name: apibench-torchhub
documents: documents.jsonl
examples: examples.jsonl
task: answer
instructions: Answer with the one call of torch.hub.load that does what is asked.
strategies: [prompt, few-shot, rag, fine-tuned, raft]
model: {maximum_tokens: 80}
chunks: {tokens: 160}
retrieval: {limit: 2}
splits: {dev: 0.1, test: 0.4}
training: {epochs: 4, maximum_examples: 128, learning_curve: false}
measure: {questions: 100}
"""
_EACH = 33
"""Examples of each of the 77 labels: some 2,000 are left to train on."""


def main() -> None:
    """Write a workspace."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=("banking77", "apibench"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("workspace", type=Path)
    asked = parser.parse_args()
    asked.workspace.mkdir(parents=True, exist_ok=True)
    if asked.data == "banking77":
        _write(asked.workspace / "examples.jsonl", _messages(asked.folder))
        (asked.workspace / "weighbridge.yaml").write_text(BANKING, encoding="utf-8")
        return
    for name, source in (("documents.jsonl", "documents.jsonl"), ("examples.jsonl", "questions.jsonl")):
        (asked.workspace / name).write_bytes((asked.folder / source).read_bytes())
    (asked.workspace / "weighbridge.yaml").write_text(APIBENCH, encoding="utf-8")


def _messages(folder: Path) -> Iterator[dict[str, str]]:
    """Yield as many messages of every label, drawn with a seed from train and test together; the split is ours."""
    by_label = defaultdict(list)
    for name in ("train.jsonl", "test.jsonl"):
        for line in (folder / name).read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            by_label[row["completion"]].append(row)
    draw = random.Random(7)
    for label in sorted(by_label):
        yield from draw.sample(by_label[label], _EACH)


def _write(path: Path, rows: Iterator[dict[str, str]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
