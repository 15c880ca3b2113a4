"""Make a workspace of a public data set, from a clone of the repository that publishes it. Its data stay outside ours.

Run: python benchmarks/public_workloads.py torchhub gorilla torchhub
     python benchmarks/public_workloads.py pubmedqa pubmedqa.git pubmedqa --questions 200
     weighbridge compare --workspace torchhub

- torchhub: Gorilla APIBench, the part about TorchHub: which call of the library does this? Documents are the
  descriptions of 94 models, questions the 186 of its evaluation. Apache-2.0, Patil et al. 2023,
  https://github.com/ShishirPatil/gorilla
- pubmedqa: PubMedQA, the half of its expert-labelled questions that is not its test set: can the question of a study be
  answered yes, no or maybe, from the abstract without its conclusion? 500 abstracts and questions. MIT, Jin et al.
  2019, https://github.com/pubmedqa/pubmedqa

The second argument is the clone, the third the folder to make. --questions takes only the first so many.
"""

import argparse
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from weighbridge.settings.file import starter
from weighbridge.settings.schema import Settings
from weighbridge.types import Task

Row = Mapping[str, Any]
_INSTRUCTION = re.compile(r"###Instruction:(.*?)###Output", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicWorkload:
    """A public data set as a workload."""

    task: Task
    documents: tuple[Row, ...]
    questions: tuple[Row, ...]


def torchhub(clone: Path) -> PublicWorkload:
    """Read TorchHub of APIBench from a clone of github.com/ShishirPatil/gorilla. The id of a document is its call."""
    described = _lines(clone / "data" / "api" / "torchhub_api.jsonl")
    asked = _lines(clone / "data" / "apibench" / "torchhub_eval.json")
    return PublicWorkload(
        task="answer",
        documents=tuple(
            {
                "id": _without_spaces(row["api_call"]),
                "title": row["api_name"],
                "text": json.dumps(row, indent=1, ensure_ascii=False),
            }
            for row in described
        ),
        questions=tuple(
            {
                "id": f"torchhub-{number}",
                "question": " ".join(_question(row["code"]).split()),
                "answers": [row["api_call"]],
                "doc_ids": [_without_spaces(row["api_call"])],
                "answerable": True,
            }
            for number, row in enumerate(asked)
        ),
    )


def pubmedqa(clone: Path) -> PublicWorkload:
    """Read the development half of PubMedQA from a clone of github.com/pubmedqa/pubmedqa."""
    rows = json.loads((clone / "data" / "ori_pqal.json").read_text(encoding="utf-8"))
    held_out = json.loads((clone / "data" / "test_ground_truth.json").read_text(encoding="utf-8"))
    kept = {name: row for name, row in rows.items() if name not in held_out}
    return PublicWorkload(
        task="label",
        documents=tuple(
            {
                "id": name,
                "title": "",
                "text": "\n".join(
                    f"{label}: {text}" for label, text in zip(row["LABELS"], row["CONTEXTS"], strict=True)
                ),
            }
            for name, row in kept.items()
        ),
        questions=tuple(
            {
                "id": name,
                "question": row["QUESTION"],
                "answers": [row["final_decision"]],
                "doc_ids": [name],
                "answerable": True,
            }
            for name, row in kept.items()
        ),
    )


READERS = {"torchhub": torchhub, "pubmedqa": pubmedqa}


def write_workspace(name: str, workload: PublicWorkload, folder: Path) -> None:
    """Write documents, questions and the settings of a workload; settings that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, rows in (("documents.jsonl", workload.documents), ("questions.jsonl", workload.questions)):
        (folder / file).write_text(
            "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8"
        )
    settings = folder / "weighbridge.yaml"
    if not settings.exists():
        documents, questions = Path("documents.jsonl"), Path("questions.jsonl")
        text = starter(Settings(name=name, documents=documents, examples=questions, task=workload.task))
        settings.write_text(text, encoding="utf-8")


def _lines(path: Path) -> Sequence[Row]:
    return list(_parse(path.read_text(encoding="utf-8").splitlines()))


def _parse(lines: Iterable[str]) -> Iterator[Row]:
    for line in lines:
        if line.strip():
            yield json.loads(line)


def _question(code: str) -> str:
    found = _INSTRUCTION.search(code)
    return found[1] if found else code


def _without_spaces(call: str) -> str:
    return call.replace(" ", "")


def main() -> None:
    """Read the clone that is named, and write the workspace."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=READERS)
    parser.add_argument("clone", type=Path, help="the folder of the cloned repository")
    parser.add_argument("folder", type=Path, help="the workspace to make")
    parser.add_argument("--questions", type=int, help="the first so many; all by default")
    given = parser.parse_args()
    workload = READERS[given.name](given.clone)
    workload = replace(workload, questions=workload.questions[: given.questions])
    write_workspace(given.name, workload, given.folder)
    print(f"{len(workload.documents)} documents, {len(workload.questions)} questions in {given.folder}")


if __name__ == "__main__":
    main()
