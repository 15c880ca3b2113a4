"""Tells a chat template whether its model should think before it answers.

Templates name the switch differently: `enable_thinking` in those of Qwen3, SmolLM3, GLM and Hunyuan, `thinking` in
those of DeepSeek and Granite. A template ignores the names that it does not know.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

_NAMES = ("enable_thinking", "thinking")
_SWITCH = re.compile(rb"\benable_thinking\b|\b(?:if|and|not|or)\s+thinking\b")
_HEAD = 32 * 1024 * 1024
"""Bytes of a GGUF file that hold its metadata; the longest vocabularies take some 15 MB."""
_TEMPLATES = ("chat_template.jinja", "tokenizer_config.json")


def thinking_arguments(thinking: Literal["off", "on"]) -> Mapping[str, bool]:
    """Return the arguments that switch thinking off or on in any chat template."""
    return dict.fromkeys(_NAMES, thinking == "on")


def without_thinking(template: str) -> str:
    """Return a chat template that never lets its model think; the same text if it has no switch.

    Answers to learn have no thoughts, so a model that is tuned on them is asked without.
    """
    if not _SWITCH.search(template.encode()):
        return template
    return "".join(f"{{%- set {name} = false %}}" for name in _NAMES) + template


def has_thinking_switch(model: Path) -> bool:
    """Tell whether the chat template of a GGUF file or a model folder has a switch for thinking."""
    files = [model / name for name in _TEMPLATES if (model / name).is_file()] if model.is_dir() else [model]
    for file in files:
        with file.open("rb") as stream:
            if _SWITCH.search(stream.read(_HEAD)):
                return True
    return False
