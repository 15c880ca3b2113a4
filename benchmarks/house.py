"""How does a Python source tree read? Prints its figures, or every place that breaks a rule of this project's code.

tests/test_architecture.py keeps some of them at zero.

Run: python benchmarks/house.py [FOLDER ...] [--list METRIC] [--json]

FOLDER is the folder of a package (default src/weighbridge); several give columns side by side. Files are parsed, never
imported. A function is every `def`: methods and nested functions too.

- participles: functions that are named by a bare participle (`told`), by the rule in participles.py.
- classes, functions: public names that the top level of more than one module defines. Counted by name.
- files: file names that occur more than once. `__init__.py` and `__main__.py` are left out. Counted by name.
- importers: modules with one importer. An importer is another module of the tree that imports it or a name from it,
  anywhere in its text, or holds its dotted name as a string (an import by name). `__init__.py` and `__main__.py` are
  importers, but are not counted as modules.
- short: modules of fewer than 60 lines with one importer.
- helpers: private functions and methods of up to 8 lines, from `def` to end, that are mentioned once, in a call.
- comments: all but those that a tool reads (noqa, type:, pragma, ruff:, fmt:) and the first line of a script.
- dense: comprehensions, generator expressions and conditional expressions.
- long: lines of more than 100 characters.
- clauses: the words "what", "which" and "whose" in docstrings: those of modules, classes, functions and fields.
- folders: folders with more than 12 Python files, `__init__.py` left out.
"""

import argparse
import ast
import io
import json
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from participles import is_bare_participle
from source_tree import Function, Module, Place, SourceTree, Unit, length, read_source_tree

SOURCES = Path(__file__).parents[1] / "src" / "weighbridge"
SHORT_FILE = 60
SHORT_HELPER = 8
LONG_LINE = 100
FULL_FOLDER = 12
"""The rules of this project: they fix these four, so that figures of different days can be compared."""

FOR_TOOLS = re.compile(r"#!|#\s*(noqa|type:|pragma|ruff:|fmt:|mypy:|pyright:|pylint:|isort:|-\*-)", re.IGNORECASE)
CLAUSE = re.compile(r"\b(what|which|whose)\b", re.IGNORECASE)
DENSE = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp | ast.IfExp


def participles(tree: SourceTree) -> Iterator[Place]:
    """Yield the functions that are named by a bare participle."""
    for module in tree.modules:
        for function in module.functions:
            if is_bare_participle(function.name):
                yield module.place(function.lineno, function.name)


def duplicates(tree: SourceTree, *kinds: type[ast.ClassDef | Function]) -> Iterator[Place]:
    """Yield the definitions of each public name that several modules define at their top level, name by name."""
    places: defaultdict[str, dict[str, Place]] = defaultdict(dict)
    for module in tree.modules:
        for node in module.tree.body:
            if isinstance(node, kinds) and not node.name.startswith("_"):
                places[node.name][module.name] = module.place(node.lineno, node.name)
    for _, same in sorted(places.items()):
        if len(same) > 1:
            yield from same.values()


def duplicate_classes(tree: SourceTree) -> Iterator[Place]:
    """Yield the classes of the same public name."""
    return duplicates(tree, ast.ClassDef)


def duplicate_functions(tree: SourceTree) -> Iterator[Place]:
    """Yield the module-level functions of the same public name."""
    return duplicates(tree, ast.FunctionDef, ast.AsyncFunctionDef)


def duplicate_files(tree: SourceTree) -> Iterator[Place]:
    """Yield the files whose name another file has, name by name."""
    modules = [module for module in tree.modules if module.is_ordinary]
    counts = Counter(module.path.name for module in modules)
    for module in sorted(modules, key=lambda module: module.path.name):
        if counts[module.path.name] > 1:
            yield module.place(1, module.path.name)


def single_importers(tree: SourceTree) -> Iterator[Place]:
    """Yield the modules that only one other module imports."""
    for module in tree.modules:
        importers = tree.importers.get(module.name, set())
        if module.is_ordinary and len(importers) == 1:
            yield module.place(1, module.name, f"{len(module.lines)} lines, imported by {', '.join(importers)}")


def short_files(tree: SourceTree) -> Iterator[Place]:
    """Yield the modules of fewer than 60 lines that only one other module imports."""
    short = {module.path for module in tree.modules if len(module.lines) < SHORT_FILE}
    return (place for place in single_importers(tree) if place.file in short)


def helpers(tree: SourceTree) -> Iterator[Place]:
    """Yield the short private functions that are mentioned once in the tree, in a call."""
    mentions: Counter[str] = Counter()
    callers: dict[str, str] = {}
    for module in tree.modules:
        lines_of_calls = {id(node.func): node.lineno for node in module.nodes if isinstance(node, ast.Call)}
        for node in module.nodes:
            for mention in _mentions(node, module):
                mentions[mention] += 1
                if id(node) in lines_of_calls:
                    callers[mention] = f"called in {module.path.name}:{lines_of_calls[id(node)]}"
    for module in tree.modules:
        for mention, function in _private_functions(module):
            if length(function) <= SHORT_HELPER and mentions[mention] == 1 and mention in callers:
                note = f"{length(function)} lines, {callers[mention]}"
                yield module.place(function.lineno, function.name, note)


def _mentions(node: ast.AST, module: Module) -> list[str]:
    """Return the functions that a node may mention: a module's by their full names, methods as `.name`."""
    if isinstance(node, ast.Name):
        return [f"{module.name}.{node.id}"]
    if isinstance(node, ast.Attribute):
        return [f".{node.attr}"]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _private_functions(module: Module) -> Iterator[tuple[str, Function]]:
    """Yield the private functions of a module and of its classes, each with the form in which it is mentioned."""
    for node in module.nodes:
        if isinstance(node, ast.Module | ast.ClassDef):
            prefix = f"{module.name}." if isinstance(node, ast.Module) else "."
            for function in node.body:
                if isinstance(function, Function) and re.match("_[^_]", function.name):
                    yield prefix + function.name, function


def comments(tree: SourceTree) -> Iterator[Place]:
    """Yield the comments that a person is meant to read."""
    for module in tree.modules:
        for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
            if token.type == tokenize.COMMENT and not FOR_TOOLS.match(token.string):
                yield module.place(token.start[0], token.string)


def dense_expressions(tree: SourceTree) -> Iterator[Place]:
    """Yield the comprehensions, generator expressions and conditional expressions."""
    for module in tree.modules:
        for node in module.nodes:
            if isinstance(node, DENSE):
                yield module.place(node.lineno, module.lines[node.lineno - 1].strip())


def long_lines(tree: SourceTree) -> Iterator[Place]:
    """Yield the lines of more than 100 characters."""
    for module in tree.modules:
        for number, line in enumerate(module.lines, 1):
            if len(line) > LONG_LINE:
                yield module.place(number, f"{len(line)} characters")


def clauses(tree: SourceTree) -> Iterator[Place]:
    """Yield each "what", "which" and "whose" of a docstring, with the line that it stands in."""
    for module in tree.modules:
        for docstring in module.docstrings:
            for number, line in enumerate(str(docstring.value).split("\n"), docstring.lineno):
                for clause in CLAUSE.finditer(line):
                    yield module.place(number, clause[0], line.strip())


def full_folders(tree: SourceTree) -> Iterator[Place]:
    """Yield the folders of more than 12 files."""
    counts = Counter(module.path.parent for module in tree.modules if module.path.stem != "__init__")
    for folder, files in sorted(counts.items()):
        if files > FULL_FOLDER:
            yield Place(folder, 0, f"{files} files")


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    title: str
    places: Callable[[SourceTree], Iterator[Place]]
    unit: Unit | None = None
    """The offenders are a share of the functions or modules, or are counted per 1,000 lines or words."""
    by_name: bool = False
    """Whether a name counts once, however many places it has."""

    def text(self, count: int, rate: float | None) -> str:
        """Return a figure as the table shows it."""
        if rate is None:
            return f"{count:,}"
        return f"{count:,} ({rate:.1%})" if self.unit in ("functions", "modules") else f"{1000 * rate:.1f}"


METRICS = {
    "participles": Metric("functions named by a bare participle", participles, "functions"),
    "classes": Metric("public class names defined more than once", duplicate_classes, by_name=True),
    "functions": Metric("public function names defined more than once", duplicate_functions, by_name=True),
    "files": Metric("file names that occur more than once", duplicate_files, by_name=True),
    "importers": Metric("modules with one importer", single_importers, "modules"),
    "short": Metric("files under 60 lines with one importer", short_files),
    "helpers": Metric("private helpers of up to 8 lines with one caller", helpers, "functions"),
    "comments": Metric("comments per 1,000 lines", comments, "lines"),
    "dense": Metric("comprehensions and conditional expressions per 1,000 lines", dense_expressions, "lines"),
    "long": Metric("lines over 100 characters", long_lines),
    "clauses": Metric('"what", "which", "whose" per 1,000 docstring words', clauses, "docstring words"),
    "folders": Metric("folders of more than 12 files", full_folders),
}


def measure(tree: SourceTree) -> dict[str, Any]:
    """Return everything that is printed of one source tree, as it goes into JSON."""
    lengths = sorted(length(function) for module in tree.modules for function in module.functions) or [0]
    metrics = {}
    for key, metric in METRICS.items():
        places = list(metric.places(tree))
        count = len({place.name for place in places}) if metric.by_name else len(places)
        size = tree.sizes[metric.unit] if metric.unit else 0
        metrics[key] = {"count": count, "rate": count / size if size else None}
    return {
        "folder": str(tree.folder),
        "files": len(tree.modules),
        "lines": tree.sizes["lines"],
        "functions": tree.sizes["functions"],
        "function lines": {
            "p50": lengths[len(lengths) // 2],
            "p95": lengths[len(lengths) * 95 // 100],
            "max": lengths[-1],
        },
        "metrics": metrics,
        "packages": tree.packages,
    }


def table(columns: Sequence[dict[str, Any]]) -> list[list[str]]:
    """Return the rows of the printed table: a heading, the figures of each tree, and its packages."""
    rows = [["", *(f"[{number}]" for number, _ in enumerate(columns, 1))]]
    for key in ("files", "lines", "functions"):
        rows.append([key, *(f"{figures[key]:,}" for figures in columns)])  # noqa: PERF401 - one row a line reads better
    lengths = [", ".join(map(str, figures["function lines"].values())) for figures in columns]
    rows.append(["lines of a function: p50, p95, max", *lengths])
    for key, metric in METRICS.items():
        rows.append([metric.title, *(metric.text(**figures["metrics"][key]) for figures in columns)])
    for package in sorted({package for figures in columns for package in figures["packages"]}):
        cells = [figures["packages"].get(package) for figures in columns]
        rows.append([f"{package}: files, lines", *(f"{cell[0]}, {cell[1]:,}" if cell else "-" for cell in cells)])
    return rows


def main() -> None:
    """Print the figures of the folders asked for, or the offenders."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="default: src/weighbridge")
    parser.add_argument("--list", choices=METRICS, metavar="METRIC", help=f"print offenders of: {', '.join(METRICS)}")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    arguments = parser.parse_args()
    trees = [read_source_tree(folder) for folder in arguments.folders or [SOURCES]]
    if arguments.list:
        for tree in trees:
            print(*METRICS[arguments.list].places(tree), sep="\n")
        return
    columns = [measure(tree) for tree in trees]
    if arguments.json:
        print(json.dumps(columns, indent=1))
        return
    for number, figures in enumerate(columns, 1):
        print(f"[{number}] {figures['folder']}")
    rows = table(columns)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for label, *cells in rows:
        padded = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        print(f"{label:<{widths[0]}}", *padded, sep="  ")


if __name__ == "__main__":
    main()
