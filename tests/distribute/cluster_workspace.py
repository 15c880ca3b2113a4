"""A small workspace for a cluster: forty documents and questions, a tiny embedder, and a scripted model."""

import json
from pathlib import Path


def write_workspace(root: Path, embedder: Path, distribute: str) -> Path:
    """Write settings, documents and examples into a folder, and return it."""
    (root / "documents").mkdir(parents=True)
    for n in range(40):
        (root / "documents" / f"d{n}.md").write_text(f"# Berth {n}\n\nBerth {n} is {n + 3} metres deep.\n")
    rows = [
        {"id": f"q{n}", "question": f"How deep is berth {n}?", "answers": [f"{n + 3} metres"], "evidence": [f"d{n}"]}
        for n in range(40)
    ]
    (root / "examples.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (root / "weighbridge.yaml").write_text(
        f"documents: documents\nexamples: examples.jsonl\ntask: answer\nstrategies: [prompt, rag]\n"
        f"distribute: {distribute}\nmodel: {{engine: scripted}}\nsplits: {{test: 0.8}}\n"
        f"retrieval: {{embedder: {embedder}, precision: float32}}\n"
    )
    return root
