"""The published schemas: saved files keep them, changed files do not, and every field is described."""

import copy
import json

import jsonschema
import pytest

from weighbridge.evaluate.saved_schema import SCHEMAS, saved_schema
from weighbridge.evaluate.weighing import VERSIONS, save_weighing
from weighbridge.workspace import Workspace

from ..decide.what_if.saved import priced
from ..report.sample import weighing as sample

OUTLOOKS = ("recommended", "not decisive", "none is good enough", "none meets your limits")


def files(root):
    """Return the content of both files of each sample."""
    for number, made in enumerate((priced(), *map(sample, OUTLOOKS))):
        place = Workspace(root / str(number))
        save_weighing(place, made)
        yield {
            "decision": json.loads(place.decision_file.read_text(encoding="utf-8")),
            "measurements": json.loads(place.measurements_file.read_text(encoding="utf-8")),
        }


@pytest.mark.parametrize("name", SCHEMAS)
def test_saved_files_keep_the_schema(tmp_path, name):
    schema = saved_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    for saved in files(tmp_path):
        jsonschema.validate(saved[name], schema)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_names_its_version_and_itself(name):
    schema = saved_schema(name)
    version = VERSIONS[SCHEMAS[name][0]]
    assert schema["version"] == version
    assert schema["$id"] == f"urn:weighbridge:schema:{name}:{version}"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert json.loads(json.dumps(schema)) == schema


def paths(value, above=()):
    """Yield the place of every value in a file."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*above, key)
        yield from paths(inner, (*above, key))


def changed(content, path, edit):
    """Return a copy of a file with one place edited."""
    copied = copy.deepcopy(content)
    inner = copied
    for key in path[:-1]:
        inner = inner[key]
    edit(inner, path[-1])
    return copied


EDITS = {
    "another format": (("format",), lambda inner, key: inner.update({key: "weighbridge weighing"})),
    "another version": (("version",), lambda inner, key: inner.update({key: 99})),
    "a key too many": (("format",), lambda inner, _: inner.update(more=1)),
    "no content": (("format",), lambda inner, _: [inner.pop(name, None) for name in SCHEMAS]),
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("edit", EDITS)
def test_another_file_is_refused(tmp_path, name, edit):
    content = next(files(tmp_path))[name]
    path, apply = EDITS[edit]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(changed(content, path, apply), saved_schema(name))


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_of_another_kind_is_refused_wherever_it_stands(tmp_path, name):
    """Every text, number, yes or no and list of the file: replaced by an object with an unknown key."""
    content, validator = next(files(tmp_path))[name], jsonschema.Draft202012Validator(saved_schema(name))
    # One of each shape: the places of a list share their schema.
    seen = {tuple(0 if isinstance(key, int) else key for key in path): path for path in paths(content)}
    assert len(seen) > 20
    for path in seen.values():
        bad = changed(content, path, lambda inner, key: inner.__setitem__(key, {"no such key": {}}))
        assert not validator.is_valid(bad), path


def test_every_name_of_our_own_is_explained_somewhere():
    decision = saved_schema("decision")["$defs"]
    assert decision["Decision"]["description"].startswith("The strategy to use")
    assert "points" in decision["Decision"]["properties"]["contenders"]["description"]
    assert all(definition.get("description") for definition in decision.values())
    measured = saved_schema("measurements")["$defs"]
    assert all(one.get("description") for one in measured.values())
    assert measured["Estimate"]["additionalProperties"] is False
    assert "ISO 8601" in measured["Measurements"]["properties"]["taken_at"]["description"]
    assert saved_schema("decision") == saved_schema("decision")
