r"""How fast documents become vectors, beside others' embedders, and what it costs in quality.

    python benchmarks/indexing.py FOLDER --model FOLDER [--peers PYTHON] [--rounds 5] [--texts 0]

FOLDER is a collection in BEIR's layout; a document is "title\ntext", whole. `--peers` is the Python of an environment
with `benchmarks/peers/requirements.txt`; `--model` a sentence-transformers folder, the embedder of all. Each embedder
lives in its own process with two threads, and they take turns, round by round, so that what else the machine does
falls on all alike: compare the medians of one run, not of two. "cpu" is documents a second of the processor time used,
times two: what two undisturbed cores would do. nDCG@10 is by exact search with our own float32 queries. The share is
of what the same two cores multiply at that moment in that precision, by the encoder's products alone.
"""

import argparse
import importlib.metadata
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

OURS = ("float32", "bfloat16", "int8", "static")
PEERS = ("sentence-transformers", "haystack", "txtai", "llama-index")
ENVIRONMENT = {
    "OMP_NUM_THREADS": "2",
    "HF_HUB_OFFLINE": "1",
    "HAYSTACK_TELEMETRY_ENABLED": "False",
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "true",
}
SIZE = (1024, 1024, 4096)
Embed = Callable[[list[str]], Any]


@dataclass(slots=True)
class Taken:
    """Wall-clock and processor seconds of each round, and the seconds until it was ready for the first."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    ready: float = 0.0


def ours(name: str, model: Path, texts: list[str]) -> Embed:
    """Open one of our embedders; the static one learns from a quarter of the texts (at most 3,000)."""
    from weighbridge.retrieve.embed.local import open_embedder
    from weighbridge.retrieve.embed.static import learn_static

    if name == "static":
        exact = open_embedder(model)
        with tempfile.TemporaryDirectory() as folder:
            sample = min(3000, len(texts) // 4)
            static = learn_static(exact, texts, Path(folder) / "static.npz", sample=sample)
        return lambda some: static.embed(some, kind="document")
    embedder = open_embedder(model, precision=name)  # type: ignore[arg-type]
    return lambda some: embedder.embed(some, kind="document")


def sentence_transformers(model: Path) -> Embed:
    """Open sentence-transformers as its README does."""
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(str(model), device="cpu")
    return lambda texts: encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)


def haystack(model: Path) -> Embed:
    """Open Haystack's document embedder."""
    from haystack import Document
    from haystack_integrations.components.embedders.sentence_transformers import SentenceTransformersDocumentEmbedder

    embedder = SentenceTransformersDocumentEmbedder(model=str(model), normalize_embeddings=True, progress_bar=False)
    embedder.warm_up()

    def embed(texts: list[str]) -> Any:
        return [found.embedding for found in embedder.run([Document(content=text) for text in texts])["documents"]]

    return embed


def txtai(model: Path) -> Embed:
    """Open txtai's vectors."""
    from txtai import Embeddings

    embeddings = Embeddings(path=str(model), gpu=False)
    found: Embed = embeddings.batchtransform
    return found


def llama_index(model: Path) -> Embed:
    """Open LlamaIndex's Hugging Face embedding."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    embedding = HuggingFaceEmbedding(model_name=str(model), device="cpu", normalize=True)
    found: Embed = embedding.get_text_embedding_batch
    return found


THEIRS = dict(zip(PEERS, (sentence_transformers, haystack, txtai, llama_index), strict=True))


def work(name: str, model: Path, file: Path) -> None:
    """Be one embedder: answer each line of standard input with the seconds of embedding all texts once."""
    said, sys.stdout = sys.stdout, sys.stderr
    texts = json.loads(file.read_text(encoding="utf-8"))
    start = time.perf_counter()
    embed = ours(name, model, texts) if name in OURS else THEIRS[name](model)
    embed(texts[:64])
    print(json.dumps({"ready": time.perf_counter() - start}), file=said, flush=True)
    for line in sys.stdin:
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        vectors = embed(texts)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF)
        np.save(line.strip(), np.asarray(vectors, np.float32))
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(json.dumps({"wall": wall, "cpu": cpu}), file=said, flush=True)


def ceiling(precision: str) -> float:
    """Return the operations a second of one large product, by OpenVINO on two threads."""
    from openvino import Core, Model
    from openvino import opset15 as op

    rows, inner, columns = SIZE
    random = np.random.default_rng(1)
    left: Any = op.parameter([rows, inner], np.float32)
    weights = random.integers(-127, 127, (columns, inner)).astype(np.int8)
    right: Any = op.constant(weights.astype(np.float32))
    node = left
    if precision == "int8":
        low, high = op.constant(np.float32(-1)), op.constant(np.float32(127 / 128))
        node = op.fake_quantize(left, low, high, low, high, 256)
        steps = np.full((columns, 1), 0.1, np.float32)
        right = op.multiply(op.convert(op.constant(weights), "f32"), op.constant(steps))
    product = op.matmul(node, right, transpose_a=False, transpose_b=True)
    settings = {"INFERENCE_PRECISION_HINT": "f32" if precision == "float32" else "bf16", "INFERENCE_NUM_THREADS": 2}
    compiled = Core().compile_model(Model([op.result(product)], [left], "product"), "CPU", settings)
    request, given, fastest = compiled.create_infer_request(), random.normal(size=(rows, inner)).astype(np.float32), 9.0
    for _ in range(12):
        start = time.perf_counter()
        request.infer([given], share_inputs=True)
        fastest = min(fastest, time.perf_counter() - start)
    return 2 * rows * inner * columns / fastest


def operations(model: Path, texts: list[str]) -> float:
    """Return how many operations the encoder's products take for one text, on average, attention left out."""
    from weighbridge.retrieve.embed.local import open_embedder

    settings = json.loads((model / "config.json").read_text())
    hidden, wide = settings["hidden_size"], settings["intermediate_size"]
    tokens = sum(map(len, open_embedder(model).tokens(texts))) / len(texts)
    return float(2 * settings["num_hidden_layers"] * (4 * hidden**2 + 2 * hidden * wide) * tokens)


def read_lines(file: Path) -> list[dict[str, Any]]:
    """Return the records of a JSON lines file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def race(python: Mapping[str, str], arguments: Sequence[str], rounds: int, folder: Path) -> dict[str, Taken]:
    """Start every embedder, let them take turns, and return what each took; vectors lie in the folder."""
    taken, workers = {}, {}
    for name, interpreter in python.items():
        workers[name] = subprocess.Popen(
            [interpreter, __file__, "--worker", name, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ENVIRONMENT},
        )
        taken[name] = Taken(ready=_answer(workers[name], name)["ready"])
    for _ in range(rounds):
        for name, worker in workers.items():
            assert worker.stdin is not None  # noqa: S101 - a pipe was asked for
            worker.stdin.write(f"{folder / name}.npy\n")
            worker.stdin.flush()
            answer = _answer(worker, name)
            taken[name].wall.append(answer["wall"])
            taken[name].cpu.append(answer["cpu"])
    for worker in workers.values():
        worker.communicate()
    return taken


def _answer(worker: "subprocess.Popen[str]", name: str) -> dict[str, float]:
    assert worker.stdout is not None  # noqa: S101 - a pipe was asked for
    if not (line := worker.stdout.readline()):
        raise SystemExit(f"{name}: ended without an answer; run it by hand with --worker {name}")
    answer: dict[str, float] = json.loads(line)
    return answer


def quality(collection: Path, ids: Sequence[str], vectors: Any, queries: Mapping[str, Any]) -> float:
    """Return nDCG@10 of exact search."""
    from peers.scores import NDCG, read_judged, score

    run = {}
    for query, vector in queries.items():
        near = vectors @ vector
        run[query] = {ids[i]: float(near[i]) for i in np.argsort(-near, kind="stable")[:10]}
    return statistics.mean(score(run, read_judged(collection)[:1])[NDCG].values())


def main() -> None:
    """Run the race and print it as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("collection", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--peers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--texts", type=int, default=0, help="only the first so many, without quality")
    parser.add_argument("--worker")
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.model, options.collection)
        return
    documents = read_lines(options.collection / "corpus.jsonl")[: options.texts or None]
    texts = [f"{row.get('title') or ''}\n{row['text']}".strip() for row in documents]
    python = dict.fromkeys(OURS, sys.executable) | (dict.fromkeys(PEERS, options.peers) if options.peers else {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
        arguments = [str(folder / "texts.json"), "--model", str(options.model)]
        taken = race(python, arguments, options.rounds, folder)
        report(options, [row["_id"] for row in documents], texts, taken, folder)


def report(options: Any, ids: Sequence[str], texts: list[str], taken: Mapping[str, Taken], folder: Path) -> None:
    """Print what was taken, a row for each embedder."""
    from weighbridge.retrieve.embed.local import open_embedder

    exact, work_of = open_embedder(options.model, precision="float32"), operations(options.model, texts)
    asked = read_lines(options.collection / "queries.jsonl")
    rows = exact.embed([row["text"] for row in asked], kind="query")  # loads openvino, as ours does: no telemetry
    queries = dict(zip([row["_id"] for row in asked], rows, strict=True))
    fastest_peer = max((rate(len(texts), taken[name].wall) for name in PEERS if name in taken), default=0.0)
    ceilings = {precision: ceiling(precision) for precision in ("float32", "bfloat16", "int8")}
    version = importlib.metadata.version("openvino")
    print(f"{len(texts)} texts of {work_of / 1e9:.2f} billion operations; openvino {version}")
    print("multiplies, GFLOP/s:", ", ".join(f"{name} {value / 1e9:.0f}" for name, value in ceilings.items()))
    print(f"{'embedder':<24}{'docs/s':>8}{'cpu':>8}{'peers x':>9}{'share':>7}{'nDCG@10':>9}{'cosine':>9}{'ready s':>9}")
    reference = np.load(folder / "float32.npy")
    for name, took in taken.items():
        wall, vectors = rate(len(texts), took.wall), np.load(folder / f"{name}.npy")
        share = f"{wall * work_of / ceilings.get(name, ceilings['float32']):.0%}" if name != "static" else "-"
        times = f"{wall / fastest_peer:.2f}" if fastest_peer else "-"
        good = f"{quality(options.collection, ids, vectors, queries):.4f}" if not options.texts else "-"
        near = (vectors * reference).sum(1).mean()
        cpu = rate(len(texts), took.cpu) * 2
        print(f"{name:<24}{wall:>8.1f}{cpu:>8.1f}{times:>9}{share:>7}{good:>9}{near:>9.5f}{took.ready:>9.1f}")


def rate(count: int, seconds: Sequence[float]) -> float:
    """Return how many a second at the median."""
    return count / statistics.median(seconds)


if __name__ == "__main__":
    main()
