"""Runs llama.cpp's converter. A program of its own: `converter.py` starts it, and gives it JSON.

Read from the standard input: `packages`, the folders that hold `gguf` and `conversion`, and `jobs`. The last line of
the standard output is a list with the reason of each job that failed, and an empty text for each that did not.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def refuse_connections(event: str, _: tuple[Any, ...]) -> None:
    """Keep the converter offline, whatever it or a tokenizer asks for."""
    if event == "socket.connect":
        raise OSError("a conversion opens no connection")


def convert(job: Mapping[str, str]) -> None:
    """Write one folder as a GGUF, whole or not at all."""
    import gguf
    import torch
    from conversion import ModelBase, ModelType, TextModel, get_model_architecture, get_model_class

    recognise = TextModel.get_vocab_base_pre

    def recognise_or_take(self: Any, tokenizer: Any) -> str:
        """Name the tokenizer's way to cut text: by the converter's own list, else as the caller found it."""
        try:
            return str(recognise(self, tokenizer))
        except NotImplementedError:
            if job["cut"]:
                return job["cut"]
            raise NotImplementedError("llama.cpp does not know how its tokenizer cuts text into words") from None

    target = Path(job["target"])
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    kinds = {"f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16"}
    TextModel.get_vocab_base_pre = recognise_or_take
    try:
        described = ModelBase.load_hparams(Path(job["folder"]), False)  # noqa: FBT003 - the library's signature
        kind = get_model_class(get_model_architecture(described, ModelType.TEXT), mmproj=False)
        with torch.inference_mode():
            kind(Path(job["folder"]), gguf.LlamaFileType[kinds[job["precision"]]], beside).write()
        beside.replace(target)
    finally:
        TextModel.get_vocab_base_pre = recognise
        beside.unlink(missing_ok=True)


def convert_all() -> None:
    """Convert all jobs; a failure of one leaves the others alone."""
    asked = json.load(sys.stdin)
    sys.path[:0] = asked["packages"]
    sys.addaudithook(refuse_connections)
    reasons = []
    for job in asked["jobs"]:
        try:
            convert(job)
            reasons.append("")
        except Exception as error:  # noqa: BLE001 - the converter raises all sorts, and each is a reason
            lines = str(error).strip().splitlines() or [type(error).__name__]
            reasons.append(lines[0])
    sys.stdout.write(f"\n{json.dumps(reasons)}\n")


if __name__ == "__main__":
    convert_all()
