"""Changes single settings in the text of `weighbridge.yaml`, and keeps its comments, order and quotes."""

import difflib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

KeyPath = tuple[str, ...]
_WIDTH = 4096
"""No line of a settings file is longer, so none is wrapped."""


def edit_settings(text: str, values: Mapping[KeyPath, float | bool | str | Sequence[str] | Mapping[str, float]]) -> str:
    """Return the text with some settings changed or added; the other lines stay as they are.

    A mapping as a value replaces the whole group. The text must be valid YAML with a group at its top.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML(typ="rt", pure=True)
    yaml.width, yaml.preserve_quotes = _WIDTH, True
    yaml.representer.add_representer(type(None), _represent_empty)
    if re.search(r"^ +- ", text, re.MULTILINE):  # lists that are indented below their key stay so
        yaml.indent(mapping=2, sequence=4, offset=2)
    root = yaml.load(text)
    for path, value in values.items():
        inner: Any = root
        for key in path[:-1]:
            if inner.get(key) is None:
                inner[key] = CommentedMap()
            inner = inner[key]
        inner[path[-1]] = _plain_number(value)
    out = io.StringIO()
    yaml.dump(root, out)
    return out.getvalue()


def changed_lines(before: str, after: str) -> tuple[str, ...]:
    """Return the lines of two texts that differ: those removed with a minus in front, those added with a plus.

    The place of a line is left out, because the texts differ in a few settings only.
    """
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    # The first two lines name the files, and each group of changes begins with its place.
    return tuple(line for number, line in enumerate(found) if number > 1 and not line.startswith("@@"))


def _plain_number(value: Any) -> Any:
    """Return 4 for 4.0, as people write it."""
    if isinstance(value, Mapping):
        return {key: _plain_number(inner) for key, inner in value.items()}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _represent_empty(representer: Any, _value: None) -> Any:
    """Write an empty setting as nothing, as `weighbridge init` does."""
    return representer.represent_scalar("tag:yaml.org,2002:null", "")
