"""The figures of a source tree, on small trees whose figures are known."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def house() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import house

        yield house


@pytest.fixture
def offenders(house: ModuleType, tmp_path: Path):
    def find(metric: str, /, **files: str) -> list[str]:
        places = house.METRICS[metric].places(house.read_source_tree(write(tmp_path, **files)))
        return [f"{place.file.relative_to(tmp_path / 'small')}:{place.line} {place.name}" for place in places]

    return find


def write(folder: Path, /, **files: str) -> Path:
    for name, text in files.items():
        path = folder / "small" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "small"


@pytest.mark.parametrize("name", ["guarded", "_told", "shown", "taken", "weighing", "_unsent", "made_"])
def test_a_participle_alone_says_nothing(house, name):
    assert house.is_bare_participle(name)


@pytest.mark.parametrize(
    "name",
    ["embed", "_open", "setting", "read", "split", "golden", "stored_records", "told_once", "__len__", "load", "bound"],
)
def test_verbs_nouns_and_longer_names_are_no_bare_participles(house, name):
    assert not house.is_bare_participle(name)


def test_methods_and_nested_functions_count_as_functions(offenders):
    text = "class A:\n    def told(self): ...\n\nasync def load():\n    def kept(): ...\n"
    assert sorted(offenders("participles", a=text)) == ["a.py:2 told", "a.py:5 kept"]


def test_public_names_are_duplicates_across_modules_only(offenders):
    one = "class Row: ...\nclass _Own: ...\nif 1:\n    def load(): ...\ndef load(): ...\ndef load(): ...\n"
    files = {"a": one, "b": "class Row: ...\nclass _Own: ...\nclass Other:\n    class Row: ...\n"}
    assert offenders("classes", **files) == ["a.py:1 Row", "b.py:1 Row"]
    assert offenders("functions", **files) == []
    assert offenders("functions", c="async def load(): ...\n") == ["a.py:6 load", "c.py:1 load"]


def test_file_names_are_compared_across_folders(offenders):
    files = {"words": "", "x/words": "", "x/rows": "", "x/__init__": "", "y/__init__": ""}
    assert offenders("files", **files) == ["words.py:1 words.py", "x/words.py:1 words.py"]


@pytest.mark.parametrize(
    "line",
    [
        "import small.x.words",
        "from small.x import words",
        "from small.x.words import load",
        "from .x import words",
        "from .x.words import load",
        "def late():\n    from small.x import words",
        "name = 'small.x.words'",
        "name = 'small.x.words:load'",
    ],
)
def test_every_way_of_importing_makes_an_importer(offenders, line):
    assert offenders("importers", **{"a": line, "x/words": "def load(): ...\n"}) == ["x/words.py:1 small.x.words"]


def test_a_module_with_two_importers_or_none_is_not_lonely(offenders):
    files = {"a": "from . import c", "b": "import small.c", "c": "", "d": "import small.d"}
    assert offenders("importers", **files) == []


def test_only_short_modules_with_one_importer_are_short(offenders):
    files = {"a": "from . import b, c", "b": "\n" * 59, "c": "\n" * 60}
    assert offenders("short", **files) == ["b.py:1 small.b"]
    assert len(offenders("importers", **files)) == 2


def test_a_helper_is_private_short_and_called_once(offenders):
    text = (
        "def _once(): ...\ndef _twice(): ...\ndef _handed_on(): ...\ndef open_(): ...\n"
        f"def _long():\n{'    pass' + chr(10)}{('    pass' + chr(10)) * 8}"
        "class A:\n    def _method(self): ...\n    def __len__(self): return self._method()\n"
        "rows = [_once(), _twice(), _twice(), map(_handed_on), open_(), _long()]\n"
    )
    assert sorted(offenders("helpers", a=text)) == ["a.py:1 _once", "a.py:16 _method"]
    assert offenders("helpers", b="from small.a import _once\n") == ["a.py:16 _method"]


def test_comments_for_tools_do_not_count(offenders):
    text = "#!/usr/bin/python\nx = 1  # noqa: F401\n# measured on ten files\ny = '# no comment'  # type: ignore\n"
    assert offenders("comments", a=text) == ["a.py:3 # measured on ten files"]


def test_dense_expressions_and_long_lines(offenders):
    text = f"x = [a for a in b]\ny = 1 if x else 2\n{'z' * 100}\n{'z' * 101}\n"
    assert len(offenders("dense", a=text)) == 2
    assert offenders("long", a=text) == ["a.py:4 101 characters"]


def test_clauses_are_counted_in_docstrings_of_every_kind(offenders):
    text = '"""Say\nwhat it is."""\nx: int\n"""Whose it is, and which."""\nwhat = "which"  # whose\n'
    assert offenders("clauses", a=text) == ["a.py:2 what", "a.py:4 Whose", "a.py:4 which"]


def test_a_folder_may_hold_twelve_files(offenders):
    twelve = {f"x/m{number}": "" for number in range(12)}
    assert offenders("folders", **twelve) == []
    assert offenders("folders", **{"x/one_more": "", "x/__init__": ""}) == ["x:0 13 files"]


def run(*arguments: str) -> str:
    command = [sys.executable, str(BENCHMARKS / "house.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_trees_stand_side_by_side_and_as_json(tmp_path):
    one = write(tmp_path / "one", **{"a": "def told():\n    '''What is kept.'''\n", "x/b": "import small.a\n"})
    other = write(tmp_path / "other", a="def load(): ...\n")
    printed = run(str(one), str(other))
    assert f"[1] {one}" in printed
    rows = {line[:40].strip(): line.split()[-2:] for line in printed.splitlines()}
    assert rows["functions named by a bare participle"[:40].strip()] == ["0", "(0.0%)"]
    assert rows["x: files, lines"] == ["1", "-"]
    figures, plain = json.loads(run(str(one), str(other), "--json"))
    assert figures["metrics"]["participles"] == {"count": 1, "rate": 1.0}
    assert figures["metrics"]["clauses"] == {"count": 1, "rate": 1 / 3}
    assert figures["packages"] == {".": [1, 2], "x": [1, 1]}
    assert (plain["lines"], plain["functions"], plain["metrics"]["participles"]["count"]) == (1, 1, 0)
    assert run(str(one), "--list", "participles") == f"{one / 'a.py'}:1: told\n"


def test_a_file_that_does_not_parse_is_named_and_left_out(house, tmp_path, capsys):
    tree = house.read_source_tree(write(tmp_path, a="def", b="x = 1\n"))
    assert [module.name for module in tree.modules] == ["small.b"]
    assert "a.py is left out" in capsys.readouterr().err
