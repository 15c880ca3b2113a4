"""Measures what a kept prefix saves: processor seconds for an answer, whole prompts read against whole segments kept.

    python benchmarks/kept_prefix.py model.gguf [--questions 10]

The prompts are those of three strategies on the handbook sample: the same instructions, illustrations and
demonstrations, with passages drawn at random from its documents, so that no two questions share a passage as they would
with a search.
Both ways are asked in turn on the same engine, and their texts are compared.
"""

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from weighbridge.answer.prompt import build_prompt, instructions_for
from weighbridge.generate.llamacpp import open_llamacpp
from weighbridge.settings.schema import ModelSettings
from weighbridge.train.runtime.base_model import turns
from weighbridge.types import Chunk, Example, Message, Passage, Question

SAMPLE = Path(__file__).parents[1] / "examples" / "handbook"
ABOUT = "You answer questions of the staff of the Tarrow Sound Ferry Cooperative."
_SEED = 7
_PASSAGES, _DEMONSTRATIONS, _CHARACTERS = 3, 4, 300
"""Passages of 64 tokens, and numbers of both, as in the sample's settings."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--questions", type=int, default=10)
    asked = parser.parse_args()
    print("| strategy | tokens | kept | whole, s | kept, s | ratio | same texts |\n|---|---|---|---|---|---|---|")
    with open_llamacpp(asked.model, settings=ModelSettings(), name="benchmark") as model, model.engine() as engine:
        for name, prompts in handbook_prompts(asked.questions).items():
            whole, kept, same = 0.0, 0.0, 0
            tokens, cached = 0, 0
            for prompt in prompts:
                request = {"messages": turns(prompt), "max_tokens": 48, "temperature": 0.0}
                begin = time.process_time()
                chunks = list(engine.chat(request))
                middle = time.process_time()
                held, engine.held = engine.held, []
                answer = engine.complete(request)
                whole += time.process_time() - middle
                kept += middle - begin
                engine.held = held
                same += answer["choices"][0]["message"]["content"] == _text(chunks)
                tokens += answer["usage"]["prompt_tokens"]
                cached += chunks[-1]["usage"]["prompt_tokens_details"]["cached_tokens"]
            n = len(prompts)
            figures = f"{tokens / n:.0f} | {cached / n:.0f} | {whole / n:.2f} | {kept / n:.2f} | {whole / kept:.2f}"
            print(f"| {name} | {figures} | {same} of {n} |", flush=True)


def handbook_prompts(questions: int) -> Mapping[str, Sequence[tuple[Message, ...]]]:
    """Return prompts of `prompt`, `few-shot` and `rag` for the first questions of the sample."""
    draw = random.Random(_SEED)
    rows = [json.loads(line) for line in (SAMPLE / "examples.jsonl").read_text(encoding="utf-8").splitlines()]
    examples = [
        Example(id=str(n), question=Question(row["question"]), answers=tuple(row.get("answers", ())) or ("unknown",))
        for n, row in enumerate(rows)
    ]
    texts = [
        paragraph.strip()
        for file in sorted((SAMPLE / "documents").rglob("*.md"))
        for paragraph in file.read_text(encoding="utf-8").split("\n\n")
        if len(paragraph) > _CHARACTERS // 3
    ]
    closed = instructions_for("answer", reads=False, about=ABOUT)
    open_book = instructions_for("answer", reads=True, illustrated=True, about=ABOUT)
    prompts: dict[str, list[tuple[Message, ...]]] = {"prompt": [], "few-shot": [], "rag": []}
    for example in examples[:questions]:
        shown = draw.sample(examples[questions:], _DEMONSTRATIONS)
        found = [
            Passage(
                Chunk(id=text, document_id="d", text=text[:_CHARACTERS], start=0, end=_CHARACTERS, title="Handbook"), 1
            )
            for text in draw.sample(texts, _PASSAGES)
        ]
        prompts["prompt"].append(build_prompt(closed, example.question).messages)
        prompts["few-shot"].append(build_prompt(closed, example.question, demonstrations=shown).messages)
        prompts["rag"].append(build_prompt(open_book, example.question, passages=found).messages)
    return prompts


def _text(chunks: Sequence[Mapping[str, object]]) -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


if __name__ == "__main__":
    main()
