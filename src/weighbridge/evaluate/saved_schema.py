"""The JSON schemas of `decision.json` and `measurements.json`, made from the dataclasses and their docstrings."""

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from itertools import pairwise
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter

from weighbridge.evaluate.weighing import DECISION, MEASUREMENTS, VERSIONS
from weighbridge.results import Decision, Measurements

SCHEMAS: Mapping[str, tuple[str, type]] = {
    "decision": (DECISION, Decision),
    "measurements": (MEASUREMENTS, Measurements),
}
"""By the name of the file: its format, and the dataclass of its content."""


def saved_schema(name: str) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of one of `SCHEMAS`, with a description of every field.

    A key that no release of this version writes is refused, so that a slip in an edited file is found.
    """
    form, kind = SCHEMAS[name]
    content = TypeAdapter(kind).json_schema(mode="validation")
    definitions = content.pop("$defs", {})
    definitions[kind.__name__] = content
    kinds = _dataclasses(kind)
    for title, definition in definitions.items():
        if definition.get("type") == "object" and "properties" in definition:
            definition["additionalProperties"] = False
            fields = dict(_field_docstrings(kinds[title]))
            for field, schema in definition["properties"].items():
                schema.pop("title", None)
                if field in fields:
                    schema["description"] = fields[field]
    version = VERSIONS[form]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:weighbridge:schema:{name}:{version}",
        "title": form,
        "description": f"The file {name}.json in the folder .weighbridge of a workspace, version {version}.",
        "version": version,
        "type": "object",
        "properties": {
            "format": {"const": form},
            "version": {"const": version},
            name: {"$ref": f"#/$defs/{kind.__name__}"},
        },
        "required": ["format", "version", name],
        "additionalProperties": False,
        "$defs": dict(sorted(definitions.items())),
    }


def _dataclasses(kind: Any) -> dict[str, type]:
    """Return a dataclass and all those that its fields hold, by name."""
    found: dict[str, type] = {}
    waiting = [kind]
    while waiting:
        one = waiting.pop()
        waiting += get_args(one)
        if is_dataclass(one) and isinstance(one, type) and one.__name__ not in found:
            found[one.__name__] = one
            waiting += get_type_hints(one).values()
    return found


def _field_docstrings(kind: type) -> Iterator[tuple[str, str]]:
    """Yield the fields of a dataclass that have a docstring below them, with its text."""
    node = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    body = node.body if isinstance(node, ast.ClassDef) else []
    for field, after in pairwise(body):
        match field, after:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
            case _:
                continue
