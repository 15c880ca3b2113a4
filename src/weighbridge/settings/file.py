"""Reads `weighbridge.yaml`, with errors that name the line, and writes one with comments for newcomers."""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from weighbridge.errors import SettingsError
from weighbridge.extensions import extension_names
from weighbridge.settings.currencies import currency_problem
from weighbridge.settings.curves import CRITERIA
from weighbridge.settings.fit import FittedSetting
from weighbridge.settings.money import volume_problem
from weighbridge.settings.schema import ModelSettings, Settings, resolve_paths
from weighbridge.settings.sources import TAGS
from weighbridge.settings.training import TrainingSettings

_FIRST = ("name", "documents", "examples", "task", "needs")
_KINDS = {
    "model_type": "a group of keys, indented below it",
    "tuple_type": "a list, like [a, b]",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "string_type": "a text (put it in quotes)",
    "path_type": "a path",
    "dict_type": "a group of keys, indented below it",
    "mapping_type": "a group of keys, indented below it",
    "source": "a path, a group of keys that begins with sql, rest or objects, or a list of these",
    "date_type": "a date, like 2026-12-24",
    "date_parsing": "a date, like 2026-12-24",
    "date_from_datetime_parsing": "a date, like 2026-12-24",
    "date_from_datetime_inexact": "a date, like 2026-12-24",
    "bool_type": "true or false",
    "finite_number": "a finite number",
}
_SAMPLES = {
    "examples": "examples.jsonl",
    "sql": "sqlite:///shop.db",
    "query": "select id, name, description from products",
    "id": "id",
    "rest": "https://example.org/api/articles",
    "objects": "s3://bucket/manuals",
}
"""Examples for the errors about missing settings."""
_WIDTH = 120
"""The width of the file. A longer comment stands above its setting."""
_PLAIN = re.compile(r"(?!(?:true|false|null)$)[a-z_./][\w./-]*", re.ASCII | re.IGNORECASE)
_BOUNDS = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:,.16g}",  # digits: 1e+09 is no number for people
}


def load_settings(path: Path) -> Settings:
    """Read a settings file. A missing or empty setting has its default. Paths are relative to the file's folder.

    This includes `model.reference`, `retrieval.embedder` and `retrieval.rerank` if they begin with `file:` or name an
    existing file.

    Raises:
        SettingsError: one line `file:line: ...` for each problem, in the order of the file.
    """
    return parse_settings(read_settings_text(path), path)


def parse_settings(text: str, path: Path) -> Settings:
    """Return the settings of a text, as `load_settings` does; `path` is its file, for paths and messages.

    Raises:
        SettingsError: as for `load_settings`.
    """
    node = _parse(path, text)
    try:
        settings = Settings.model_validate_json(json.dumps(_spell_out_models(_plain(node)), default=str), strict=True)
    except RecursionError:
        raise SettingsError(f"{path}:1: is nested too deeply, or contains itself") from None
    except ValidationError as error:
        problems: dict[tuple[str | int, ...], list[Any]] = {}
        for problem in error.errors():  # a union has a problem for each of its branches: they become one sentence
            problems.setdefault(_known_part(node, problem["loc"], problem["type"]), []).append(problem)
        wrong = sorted((_line(node, loc), _sentence(loc, found)) for loc, found in problems.items())
        raise SettingsError("\n".join(f"{path}:{line}: {sentence}" for line, sentence in wrong)) from None
    if found := sorted((_line(node, keys), sentence) for keys, sentence in conflicts(settings)):
        raise SettingsError("\n".join(f"{path}:{line}: {sentence}" for line, sentence in found))
    return resolve_paths(settings, path.parent)


def conflicts(settings: Settings) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each setting that contradicts another: its keys, outermost first, and the problem as a sentence."""
    splits, priorities, prices = settings.splits, settings.needs.priorities, settings.prices
    if settings.examples is None and not settings.sources:
        problem = "'examples' is missing; add a line like `examples: examples.jsonl`"
        yield ("examples",), f"{problem}, or `documents: folder` to search only"
    if (both := splits.dev + splits.test) > 1 + 1e-9:  # rounding
        key = "dev" if "dev" in splits.model_fields_set else "test"
        problem = (
            f"splits.dev ({splits.dev:g}) and splits.test ({splits.test:g}) add up to {both:g}, more than the whole"
        )
        yield ("splits", key), problem
    if not any(getattr(priorities, name) for name in CRITERIA):
        yield ("needs", "priorities"), "needs.priorities are all 0; give at least one of them a weight above 0"
    offered = extension_names("weighbridge.metrics") if settings.measure.metrics else ()
    if missing := [name for name in settings.measure.metrics if name not in offered]:
        problem = f"measure.metrics: no installed distribution offers {missing[0]!r}; offered are: "
        yield ("measure", "metrics"), problem + (", ".join(offered) or "none")
    found = (problem for one in settings.by_base for problem in _untrainable(one.model, settings.training))
    yield from dict.fromkeys(found)  # each once, for however many models
    labels = [source.label for source in settings.sources if not isinstance(source, Path)]
    if twice := next((label for label in labels if labels.count(label) > 1), ""):
        yield ("documents",), f"documents: two sources are called {twice!r}; give one of them another `name`"
    own = settings.ownership
    if problem := volume_problem(settings.needs.answers_per_month, own.growth, own.years):
        yield ("ownership", "growth"), f"ownership.growth: {problem}"
    if problem := currency_problem(prices.currency):
        yield ("prices", "currency"), f"prices.currency {problem}"
    if (prices.input_per_million is None) != (prices.output_per_million is None):
        given, other = ("input_per_million", "output_per_million")[:: 1 if prices.output_per_million is None else -1]
        problem = f"prices.{given} is given but prices.{other} is not; give both (0 where it is free), or neither"
        yield ("prices", given), problem


def _untrainable(model: ModelSettings, training: TrainingSettings) -> Iterator[tuple[tuple[str, ...], str]]:
    method, after = training.method, training.preference.method
    if training.groups and model.engine == "openai":
        problem = "training.groups allows learning from restricted documents, and an endpoint gets public ones alone"
        yield ("training", "groups"), f"{problem}; leave it out, or train here (model.engine: llamacpp)"
    if model.engine == "vllm" and method not in ("lora", "rslora", "qlora"):
        problem = f"training.method: {method} leaves an adapter that vLLM cannot load"
        yield ("training", "method"), f"{problem}; choose lora, rslora or qlora, or set model.engine: transformers"
    if method == "prompt-tuning" and model.engine == "llamacpp":
        problem = (
            "training.method: prompt-tuning leaves no weights that llama.cpp can run; set model.engine: transformers"
        )
        yield ("training", "method"), f"{problem}, or another method"
    if method == "prompt-tuning" and training.layers and model.engine != "openai":
        problem = "training.layers cannot be used with training.method: prompt-tuning, which learns below all blocks"
        yield ("training", "layers"), f"{problem}; leave it out, or choose another method"
    if after != "none" and method in ("ia3", "prompt-tuning", "full") and model.engine != "openai":
        problem = f"training.preference.method: {after} continues a LoRA adapter, and training.method is {method}"
        yield ("training", "preference"), f"{problem}; set that to lora, rslora, dora or qlora, or this to none"


def setting_line(path: Path, keys: Sequence[str]) -> int:
    """Return the line of a setting in a file; of the group above it, where the file does not have it."""
    return _line(_parse(path, read_settings_text(path)), keys)


def starter(settings: Settings, fitted: Sequence[FittedSetting] = ()) -> str:
    """Return the text of a settings file, each setting with a comment; one that was fitted with its reason too."""
    reasons = {tuple(each.key.split(".")): each.reason for each in fitted}
    rest = [key for key in Settings.model_fields if key not in _FIRST]
    lines = ["# What is weighed, and what you need of the winner. Every line below `examples` may be left out.", ""]
    for before, key in pairwise(("", *_FIRST, *rest)):
        value = getattr(settings, key)
        if isinstance(value, BaseModel) or isinstance(getattr(settings, before, None), BaseModel):
            lines.append("")
        lines += _lines((key,), value, Settings.model_fields[key].description, reasons)
    return "\n".join(lines).rstrip() + "\n"


def with_fitted(settings: Settings, fitted: Sequence[FittedSetting]) -> Settings:
    """Return the settings with fitted values, checked as those of a file are."""
    values = settings.model_dump(mode="python")
    for each in fitted:
        group, name = each.key.split(".")
        values[group][name] = each.value
    return Settings.model_validate(values)


def _lines(
    keys: tuple[str, ...], value: object, meaning: str | None, reasons: Mapping[tuple[str, ...], str]
) -> Iterator[str]:
    """Yield the lines of a setting. Its comment is its docstring; that of a group is the docstring of the class."""
    indent = "  " * (len(keys) - 1)
    if isinstance(value, BaseModel):
        yield f"{indent}{keys[-1]}:  # {type(value).__doc__}"
        for name, field in type(value).model_fields.items():
            yield from _lines((*keys, name), getattr(value, name), field.description, reasons)
        return
    setting = f"{indent}{keys[-1]}: {_scalar(value)}".rstrip()
    if reason := reasons.get(keys):
        yield f"{indent}# {meaning}"
        meaning = f"Here: {reason}."
    beside = f"{setting:<38}  # {meaning}"
    yield beside if len(beside) <= _WIDTH else f"{indent}# {meaning}\n{setting}"


def _scalar(value: object) -> str:
    match value:
        case None:
            return ""
        case tuple():
            return f"[{', '.join(map(_scalar, value))}]"
        case Path():
            return _scalar(value.as_posix())
        case str() if _PLAIN.fullmatch(value):
            return value
        case str():
            quoted = json.dumps(value, ensure_ascii=False)
            return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
        case _:
            return json.dumps(value)


def read_settings_text(path: Path) -> str:
    """Return the text of a settings file; `SettingsError` where it is missing, empty or not UTF-8."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: there is no such file; run `weighbridge init` to write one") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: is not UTF-8; save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    if not text.strip():
        raise SettingsError(f"{path}: is empty; run `weighbridge init` to write one")
    return text


def _parse(path: Path, text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        problem = (error.problem or error.context or "it cannot be parsed").split("\n")[0]
        raise SettingsError(f"{path}:{line}: is not valid YAML: {problem}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        reason = str(error).split("\n")[0]
        raise SettingsError(f"{path}:1: is not valid YAML: {reason}") from error
    if not isinstance(node, CommentedMap):
        raise SettingsError(f"{path}:1: the file must hold lines of `key: value`, not a list or a text")
    return node


def _plain(node: Any) -> Any:
    """Return the values of the file without the empty ones, because an empty setting means the default."""
    if isinstance(node, Mapping):
        return {str(key): _plain(value) for key, value in node.items() if value is not None}
    return [_plain(item) for item in node] if isinstance(node, list) else node


def _spell_out_models(values: Any) -> Any:
    """Return the values of the file with each model that is a text as a group of keys: its reference."""
    if not isinstance(models := values.get("models"), list):
        return values
    return {**values, "models": [{"reference": one} if isinstance(one, str) else one for one in models]}


def _known_part(node: Any, loc: Sequence[str | int], kind: str) -> tuple[str | int, ...]:
    """Return the part of an error's place that exists in the file, without the names of a union's branches."""
    loc = tuple(part for part in loc if part not in TAGS)
    if kind == "missing":
        return loc
    depth = 0
    while depth < len(loc) and (key := _key(node, loc[depth])) is not None:
        node, depth = node[key], depth + 1
    return tuple(loc[:depth])


def _key(node: Any, part: str | int) -> Any:
    if isinstance(node, Mapping):
        return next((key for key in node if str(key) == part), None)
    return part if isinstance(node, list) and isinstance(part, int) and part < len(node) else None


def _line(node: Any, loc: Sequence[str | int]) -> int:
    place = node.lc
    line = place.line
    for part in loc:
        if (key := _key(node, part)) is None:
            break
        line = place.key(key)[0] if isinstance(node, Mapping) else place.item(key)[0]
        node, place = node[key], getattr(node[key], "lc", place)
    return int(line) + 1


def _sentence(loc: Sequence[str | int], problems: Sequence[Any]) -> str:
    kind, given = problems[0]["type"], problems[0]["input"]
    name = ".".join(str(part) for part in loc if isinstance(part, str))
    shown = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    shown = f"'{shown[:57]}...'" if len(shown) > 60 else f"'{shown}'"  # noqa: PLR2004 - a line of a terminal
    context = problems[0].get("ctx", {})
    if kind == "extra_forbidden":
        return _describe_unknown_key(problems[0]["loc"])
    if kind == "missing":
        return f"{name!r} is missing; add a line like `{loc[-1]}: {_SAMPLES[str(loc[-1])]}`"
    if kind == "literal_error":
        choices = [choice for problem in problems for choice in re.findall(r"'([^']*)'", problem["ctx"]["expected"])]
        return f"{name}: {shown} is not one of {', '.join(choices)}{_hint(str(given), choices)}"
    if kind in _BOUNDS:
        return f"{name} must be {_BOUNDS[kind].format(**context)}, not {shown}"
    if kind in _KINDS:
        return f"{name} must be {_KINDS[kind]}, not {shown}"
    return f"{name or 'the file'}: {context.get('error', problems[0]['msg'])}"


def _describe_unknown_key(loc: Sequence[str | int]) -> str:
    section: Any = Settings
    for part in loc[:-1]:
        if part in TAGS:
            section = TAGS[str(part)] or section
        elif (field := getattr(section, "model_fields", {}).get(part)) is not None:
            section = next(iter(get_args(field.annotation)), field.annotation)  # of a list, that of its items
    key, parents = str(loc[-1]), [part for part in loc[:-1] if isinstance(part, str) and part not in TAGS]
    under = f" under {'.'.join(parents)}" if parents else ""
    known = list(section.model_fields)
    if hint := _hint(key, known):
        return f"unknown key {key!r}{under}{hint}"
    elsewhere = [path for path in setting_paths(Settings) if path.rpartition(".")[2] == key]
    if elsewhere:
        return f"unknown key {key!r}{under}; did you mean {' or '.join(map(repr, elsewhere))}?"
    return f"unknown key {key!r}{under}; known here: {', '.join(known)}"


def setting_paths(section: type[BaseModel], above: str = "") -> Iterator[str]:
    """Yield the path of every setting and group of settings, like `model.engine`."""
    for name, field in section.model_fields.items():
        yield f"{above}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_paths(field.annotation, f"{above}{name}.")


def _hint(given: str, choices: Sequence[str]) -> str:
    close = difflib.get_close_matches(given, choices, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
