"""How large should chunks be, how many passages, and how long an answer, for a base model? RAG on training questions.

Run: python benchmarks/fitting.py examples/handbook MODEL --questions 30 --grid 64x3 128x4 256x4

Prints one line for each grid point: chunk tokens x passages, the share of answers that are right, evidence recall, mean
tokens of a prompt, mean and 95th percentile of the tokens of an answer, the share of answers that the limit of
`--answer` tokens cut, and the seconds of a question on one core. The questions are of the train split, because
choosing settings by test questions would flatter them.
"""

import argparse
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import fmean, quantiles

from weighbridge.evaluate.metrics.suite import metrics_for
from weighbridge.evaluate.run import EvaluationSpec, evaluate
from weighbridge.results import Record
from weighbridge.settings.file import load_settings
from weighbridge.settings.schema import Settings
from weighbridge.wiring.components import open_bench
from weighbridge.wiring.engines import open_engine
from weighbridge.wiring.opening import open_arm
from weighbridge.wiring.reporter import SILENT
from weighbridge.workspace import Workspace


def main() -> None:
    """Measure each grid point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", type=Path)
    parser.add_argument("model")
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--answer", type=int, default=96, help="The limit of an answer, in tokens.")
    parser.add_argument("--grid", nargs="+", default=["64x3", "128x4"])
    chosen = parser.parse_args()
    base = load_settings(chosen.workload / "weighbridge.yaml")
    print("grid      right  recall  prompt  answer  p95  cut   s/question")
    for point in chosen.grid:
        tokens, passages = map(int, point.split("x"))
        settings = base.model_copy(
            update={
                "strategies": ("rag",),
                "model": base.model.model_copy(
                    update={"reference": chosen.model, "maximum_tokens": chosen.answer, "context": 8192}
                ),
                "chunks": base.chunks.model_copy(update={"tokens": tokens}),
                "retrieval": base.retrieval.model_copy(update={"limit": passages}),
            }
        )
        print(f"{point:<9} {_line(_ask(settings, chosen.questions), chosen.answer)}", flush=True)


def _ask(settings: Settings, questions: int) -> tuple[Record, ...]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        workspace = Workspace(Path(folder))
        bench, engine = open_bench(settings, workspace, SILENT), open_engine(settings, SILENT)
        train = bench.workload.of("train")
        asked = Random(7).sample(list(train), min(questions, len(train)))
        workload = bench.workload
        spec = EvaluationSpec(
            task=workload.outline.task,
            examples=asked,
            metrics=metrics_for(workload.outline.task, reads=True, schema=workload.schema, labels=workload.labels),
            labels=workload.labels,
            reads=True,
            seed=7,
        )
        return tuple(evaluate(open_arm("rag", bench.parts, engine, workspace, workers=1, stack=stack), spec))


def _line(records: Sequence[Record], limit: int) -> str:
    answers = [record.answer for record in records if record.answer is not None]
    right = fmean(record.outcome == "right" for record in records)
    known = [record.retrieval == "retrieved" for record in records if record.retrieval != "none"]
    lengths = [answer.usage.output_tokens for answer in answers]
    prompt = fmean(answer.usage.input_tokens for answer in answers)
    seconds = fmean(answer.timing.total for answer in answers)
    cut = fmean(length >= limit for length in lengths)
    return (
        f"{right:.2f}   {fmean(known) if known else 0:.2f}    {prompt:6.0f}  {fmean(lengths):6.1f}  "
        f"{quantiles(lengths, n=20)[-1]:3.0f}  {cut:.2f}  {seconds:.1f}"
    )


if __name__ == "__main__":
    main()
