"""Metrics of one task's form: text overlap, valid JSON, fields."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from weighbridge.errors import DataError
from weighbridge.evaluate.metrics.behaviour import NO_REFERENCE
from weighbridge.evaluate.metrics.marking import has_abstained
from weighbridge.results import Score
from weighbridge.scoring.json_fields import loads
from weighbridge.scoring.labels import same_label
from weighbridge.scoring.language.words import plain, tokens
from weighbridge.types import Answer, Example, Task


@dataclass(frozen=True, slots=True)
class Overlap:
    """The overlap of an answer with the best reference, over answerable questions; 0 for an abstention."""

    task: Task
    name: str
    compare: Callable[[str, Sequence[str]], float | None]

    def score(self, example: Example, answer: Answer) -> Score:
        if not example.answerable:
            return Score(self.name, None, "the question cannot be answered")
        value = self.compare(answer.text, example.answers) if example.answers else None
        if value is None:
            return Score(self.name, None, NO_REFERENCE)
        return Score(self.name, 0.0 if has_abstained(self.task, example, answer) else float(value))


@dataclass(frozen=True, slots=True)
class ShortForm:
    """1 for an answer as short as was asked for: at most twice the words of the longest reference, and five more.

    Every strategy is asked for a short answer or for a label alone. The content is not judged here: that is accuracy.
    """

    name: str = "form"

    def score(self, example: Example, answer: Answer) -> Score:
        if not example.answerable or not example.answers:
            return Score(self.name, None, "the question cannot be answered")
        if has_abstained("answer", example, answer):
            return Score(self.name, None, "the strategy abstained")
        longest = max(len(tokens(plain(reference))) for reference in example.answers)
        given = len(tokens(plain(answer.text)))
        return Score(self.name, float(0 < given <= 2 * longest + 5))


@dataclass(frozen=True, slots=True)
class LabelAlone:
    """1 for an answer that is a label and nothing else, right or wrong."""

    labels: tuple[str, ...]
    name: str = "form"

    def score(self, example: Example, answer: Answer) -> Score:
        if has_abstained("label", example, answer):
            return Score(self.name, None, "the strategy abstained")
        return Score(self.name, float(same_label(answer.text, (*self.labels, *example.answers))))


@dataclass(frozen=True, slots=True)
class JsonValid:
    """1 for an answer that parses as JSON and satisfies the schema, where there is one; an abstention is not scored."""

    schema: Mapping[str, Any] | None = None
    name: str = "json_valid"

    def score(self, example: Example, answer: Answer) -> Score:
        from referencing.exceptions import Unresolvable

        if has_abstained("json", example, answer):
            return Score(self.name, None, "the strategy abstained")
        try:
            value = loads(answer.text)
        except (ValueError, RecursionError):
            return Score(self.name, 0.0, "not JSON")
        try:
            problem = first_problem(value, self.schema)
        except Unresolvable as error:
            return Score(self.name, None, f"the schema refers to something that is not in it: {error}")
        return Score(self.name, float(not problem), problem)


def first_problem(value: Any, schema: Mapping[str, Any] | None) -> str:
    """Return where and how a value breaks a JSON Schema; empty where it does not. Never fetches a remote schema."""
    if schema is None:
        return ""
    from jsonschema.exceptions import best_match
    from jsonschema.validators import validator_for
    from referencing import Registry

    error = best_match(validator_for(schema)(schema, registry=Registry()).iter_errors(value))
    return "" if error is None else f"{error.json_path}: {error.message}"


def checked_schema(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a JSON Schema that is one; `DataError` where it is not."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        raise DataError(
            f"json_schema: not a JSON Schema: {error.json_path}: {error.message}; correct the file it names"
        ) from error
    return schema
