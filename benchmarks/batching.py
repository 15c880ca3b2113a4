r"""How many questions a second the transformers engine answers together, and whether texts are those of one at a time.

    python benchmarks/batching.py FOLDER --questions FOLDER [--count 16] [--tokens 24] [--batches 1,2,4,8]

FOLDER is a model in transformers' layout; that of --questions holds documents.jsonl and questions.jsonl. Each prompt
has a document and its question. All sizes of a batch take the same prompts in the same process, in float32 and then in
bfloat16. "equal" counts the texts that are those of one at a time, without any guard; "near" counts those that the
engine would answer again alone, because two tokens were near at some step.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any


def prompts_of(folder: Path, count: int) -> list[str]:
    """Return prompts of a document and its first question, spread over the collection."""
    documents, questions = (
        [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]
        for name in ("documents.jsonl", "questions.jsonl")
    )
    first = {row["doc_ids"][0]: row["question"] for row in reversed(questions) if row["doc_ids"]}
    asked = [row for row in documents if row["id"] in first]
    return [
        f"Answer in a few words.\n\n{row['text']}\n\nQuestion: {first[row['id']]}"
        for row in asked[:: len(asked) // count][:count]
    ]


def race(network: Any, prompts: list[list[int]], config: Any, sizes: list[int]) -> None:
    """Print a row for each size of a batch."""
    from weighbridge.generate.batching import NEAR, decode_together

    alone: list[Any] = []
    order = sorted(range(len(prompts)), key=lambda place: len(prompts[place]))
    for size in sizes:
        answers: list[Any] = [None] * len(prompts)
        near, start = 0, time.perf_counter()
        cpu = time.process_time()
        for first in range(0, len(order), size):
            places = order[first : first + size]
            together = [prompts[place] for place in places]
            for place, answer in zip(places, decode_together(network, together, config, near=-1.0), strict=True):
                answers[place] = answer
        cpu, wall = time.process_time() - cpu, time.perf_counter() - start
        alone = alone or answers
        if size > 1:
            for first in range(0, len(order), size):
                together = [prompts[place] for place in order[first : first + size]]
                near += decode_together(network, together, config, near=NEAR).count(None)
        equal = sum(one == other for one, other in zip(alone, answers, strict=True))
        rate, paid = len(prompts) / wall, len(prompts) / cpu
        print(f"{network.dtype!s:<16}{size:>6}{rate:>14.2f}{paid:>16.2f}{equal:>8}{near:>6}", flush=True)


def main() -> None:
    """Answer all prompts in batches of each size, in both precisions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--batches", default="1,2,4,8")
    options = parser.parse_args()
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    tokenizer = AutoTokenizer.from_pretrained(options.folder)
    asked = [[{"role": "user", "content": text}] for text in prompts_of(options.questions, options.count)]
    prompts = [tokenizer.apply_chat_template(turns, add_generation_prompt=True)["input_ids"] for turns in asked]
    end = tokenizer.eos_token_id
    config = GenerationConfig(max_new_tokens=options.tokens, eos_token_id=[end], pad_token_id=end, do_sample=False)
    print(f"{len(prompts)} prompts of {min(map(len, prompts))} to {max(map(len, prompts))} tokens")
    print(f"{'precision':<16}{'batch':>6}{'questions/s':>14}{'per cpu second':>16}{'equal':>8}{'near':>6}")
    for kind in (torch.float32, torch.bfloat16):
        network = AutoModelForCausalLM.from_pretrained(options.folder, dtype=kind).eval()
        with torch.inference_mode():
            race(network, prompts, config, [int(size) for size in options.batches.split(",")])


if __name__ == "__main__":
    main()
