"""The promises that reviewers should not have to check by hand."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "weighbridge"
SOURCES = sorted((ROOT / "src").rglob("*.py"))
HEAVY = (
    "torch",
    "transformers",
    "peft",
    "trl",
    "sentence_transformers",
    "optuna",
    "lm_eval",
    "bitsandbytes",
    "faiss",
    "xllamacpp",
    "openai",
    "scipy",
    "datasets",
    "datasketch",
)
EXCEPTIONS = {
    "participles": {},
    "classes": {},
    "short": {
        "report/page/glossary.py": "the words of docs/glossary.md, as data",
        "answer/restricted.py": "the access check of adapters, to be found by its name",
    },
    "folders": {
        ".": "the nouns, the seams and the public face of the package",
        "cli": "one file a group of commands",
        "scoring": "one kind of value a file",
        "workflow": "one file a command",
    },
}
"""The places that may break a rule of `benchmarks/house.py`, each with its reason."""
MAXIMUM = {"functions": 24}
"""How many places still break a rule that is not reached yet. A figure here may only become smaller."""
MOST_HELPERS = 0.0955
"""The share of functions that are short private helpers of one caller. It may only become smaller; wanted is 8 %."""


@pytest.fixture(scope="module")
def offenders():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        house = importlib.import_module("house")
    tree = house.read_source_tree(PACKAGE)
    found = {rule: list(house.METRICS[rule].places(tree)) for rule in (*EXCEPTIONS, *MAXIMUM, "helpers")}
    return found | {"all functions": [function for module in tree.modules for function in module.functions]}


@pytest.mark.parametrize("rule", EXCEPTIONS)
def test_no_place_breaks_a_rule_of_the_house(rule, offenders):
    found = {place.file.relative_to(PACKAGE).as_posix(): str(place) for place in offenders[rule]}
    strange = [place for path, place in found.items() if path not in EXCEPTIONS[rule]]
    assert not strange, "\n".join([f"python benchmarks/house.py --list {rule}", *strange])
    assert found.keys() == EXCEPTIONS[rule].keys(), "an exception that is not needed any more"


@pytest.mark.parametrize("rule", MAXIMUM)
def test_no_more_places_break_a_rule_of_the_house(rule, offenders):
    lines = [f"python benchmarks/house.py --list {rule}", *map(str, offenders[rule])]
    assert len(offenders[rule]) <= MAXIMUM[rule], "\n".join(lines)


def test_few_functions_are_short_helpers_of_one_caller(offenders):
    lines = ["python benchmarks/house.py --list helpers", *map(str, offenders["helpers"])]
    assert len(offenders["helpers"]) <= MOST_HELPERS * len(offenders["all functions"]), "\n".join(lines)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_files_and_functions_stay_short(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= 400
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            count = len(arguments.args) + len(arguments.kwonlyargs)
            own = bool(arguments.args) and arguments.args[0].arg in ("self", "cls")
            assert node.end_lineno - node.lineno < 60, f"{path.name}:{node.name} is too long"
            assert count - own <= 6, f"{path.name}:{node.name} takes too much"
            assert arguments.kwarg is None, f"{path.name}:{node.name} takes **{arguments.kwarg.arg}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def _loaded_after(code: str) -> set[str]:
    show = "import sys; print(*sys.modules, *{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    every = [
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        for path in SOURCES
        if path.name != "__main__.py"
    ]
    loaded = _loaded_after("\n".join(f"import {module}" for module in every))
    assert not loaded & set(HEAVY)


def test_help_loads_neither_numpy_nor_pydantic_nor_results():
    loaded = _loaded_after(
        "import sys; sys.argv = ['weighbridge', '--help']\n"
        "from weighbridge.cli import main\n"
        "try: main()\nexcept SystemExit: pass"
    )
    assert not loaded & {*HEAVY, "numpy", "pydantic", "weighbridge.types", "weighbridge.results"}


def test_a_decision_can_be_taken_again_without_numpy():
    assert "numpy" not in _loaded_after("import weighbridge.decide.decide, weighbridge.report.page.weighing_page")
