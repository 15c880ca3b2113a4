"""A tree of Python files, parsed but never imported: its modules, functions and docstrings, and who imports whom."""

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

Function = ast.FunctionDef | ast.AsyncFunctionDef
Unit = Literal["functions", "modules", "lines", "docstring words"]


@dataclass(frozen=True, slots=True)
class Place:
    """One offender."""

    file: Path
    line: int
    name: str
    note: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name}{self.note and '  '}{self.note}"


@dataclass(frozen=True, kw_only=True)
class Module:
    """One parsed file."""

    path: Path
    name: str
    """Its dotted name; for a package's `__init__.py`, the package's."""
    source: str
    tree: ast.Module

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the file, without their ends."""
        lines = self.source.split("\n")
        return lines if lines[-1] else lines[:-1]

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """Every node of the tree, in no promised order."""
        return list(ast.walk(self.tree))

    @cached_property
    def functions(self) -> list[Function]:
        """Every function of the file."""
        return [node for node in self.nodes if isinstance(node, Function)]

    @cached_property
    def docstrings(self) -> list[ast.Constant]:
        """Every string that is a statement of its own."""
        values = [node.value for node in self.nodes if isinstance(node, ast.Expr)]
        return [value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]

    @property
    def is_ordinary(self) -> bool:
        """Whether the file is neither a package's own nor its command."""
        return self.path.stem not in ("__init__", "__main__")

    def place(self, line: int, name: str, note: str = "") -> Place:
        """Return an offender in this file."""
        return Place(self.path, line, name, note)


@dataclass(frozen=True)
class SourceTree:
    """Every module below a folder."""

    folder: Path
    modules: Sequence[Module]

    @cached_property
    def sizes(self) -> Mapping[Unit, int]:
        """How many of each unit there are, by the unit's name."""
        texts = [str(docstring.value) for module in self.modules for docstring in module.docstrings]
        return {
            "functions": sum(len(module.functions) for module in self.modules),
            "modules": sum(module.is_ordinary for module in self.modules),
            "lines": sum(len(module.lines) for module in self.modules),
            "docstring words": sum(len(re.findall(r"\w+", text)) for text in texts),
        }

    @cached_property
    def importers(self) -> Mapping[str, set[str]]:
        """The modules that import each module, by its name."""
        importers: defaultdict[str, set[str]] = defaultdict(set)
        for module in self.modules:
            for name in imported_names(module) - {module.name}:
                importers[name].add(module.name)
        return importers

    @property
    def packages(self) -> Mapping[str, tuple[int, int]]:
        """Files and lines of each folder right below this one, and of the files beside them under "."."""
        packages: dict[str, tuple[int, int]] = {}
        for module in self.modules:
            parts = module.path.relative_to(self.folder).parts
            package = parts[0] if len(parts) > 1 else "."
            files, lines = packages.get(package, (0, 0))
            packages[package] = (files + 1, lines + len(module.lines))
        return dict(sorted(packages.items()))


def read_source_tree(folder: Path) -> SourceTree:
    """Parse every Python file below a folder. A file that does not parse is left out and named on stderr."""
    modules = []
    for path in sorted(folder.rglob("*.py")):
        parts = (folder.resolve().name, *path.relative_to(folder).with_suffix("").parts)
        source = path.read_text(encoding="utf-8")
        try:
            tree = ast.parse(source)
        except SyntaxError as error:
            print(f"{path} is left out: {error}", file=sys.stderr)
            continue
        modules.append(Module(path=path, name=".".join(parts).removesuffix(".__init__"), source=source, tree=tree))
    return SourceTree(folder, modules)


def imported_names(module: Module) -> set[str]:
    """Return every dotted name that a file imports, and every string in it, which may be one."""
    package = module.name.split(".")
    if module.path.stem != "__init__":
        package = package[:-1]
    names: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names.update([base, *(f"{base}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names.add(node.value.partition(":")[0])
    return names


def length(function: Function) -> int:
    """Return the number of a function's lines, without its decorators."""
    return (function.end_lineno or function.lineno) - function.lineno + 1
