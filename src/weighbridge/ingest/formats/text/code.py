"""Source code: the file in one fence, with the functions and classes of Python as its parts."""

import ast
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from weighbridge.ingest.content import Content, Parsed
from weighbridge.ingest.decode.text import read_decoded
from weighbridge.ingest.formats.markdown_writer import fence, fence_marks
from weighbridge.types import Part

PARSER = 3
"""Raise it when the same bytes would give another result: files that were read before are then read again."""

_LONGEST_PARSED = 2_000_000
"""Characters of Python that are parsed: a longer file is generated, and not worth the memory of its tree."""
_LANGUAGES: Mapping[str, str] = {
    suffix: language
    for language, suffixes in {
        "python": "py pyi pyx", "javascript": "js mjs cjs", "typescript": "ts", "kotlin": "kt kts", "c": "c h",
        "cpp": "cc cpp cxx hpp hh", "csharp": "cs", "rust": "rs", "ruby": "rb rakefile gemfile",
        "perl": "pl pm", "objectivec": "m mm", "bash": "sh bash zsh", "powershell": "ps1", "batch": "bat cmd",
        "xml": "xml xsl xsd svg", "yaml": "yaml yml",
        "ini": "ini cfg conf", "makefile": "mk makefile", "groovy": "gradle jenkinsfile", "hcl": "tf",
        "protobuf": "proto", "haskell": "hs", "ocaml": "ml mli", "erlang": "erl", "elixir": "ex exs",
        "clojure": "clj cljs", "fortran": "f f90", "pascal": "pas", "vhdl": "vhdl", "diff": "diff patch",
        "cmake": "cmake cmakelists", "verilog": "v", "solidity": "sol",
    }.items()
    for suffix in suffixes.split()
}  # fmt: skip
_OWN_NAMES = frozenset({
    "jsx", "tsx", "java", "scala", "groovy", "go", "php", "r", "jl", "lua", "swift", "fish", "sql", "css", "scss",
    "sass", "less", "vue", "svelte", "toml", "properties", "dockerfile", "graphql", "lisp", "el", "vim", "asm", "dart",
    "zig", "nim",
})  # fmt: skip


def read_code(path: Path) -> Parsed:
    """Read a source file as one fenced block. It has no title but its name; its suffix alone tells the language.

    The parts of Python that parses are its top-level functions and classes ("function f", "class C"), decorators
    included; other languages have none.
    """
    decoded = read_decoded(path)
    language = _language(path)
    parts = (
        tuple(_parts(decoded.text, len(fence_marks(decoded.text)) + len(language) + 1)) if language == "python" else ()
    )
    return Parsed((Content(text=fence(decoded.text, language), parts=parts),), decoded.losses)


def _language(path: Path) -> str:
    for name in (path.suffix.lower().removeprefix("."), path.stem.lower()):
        if name in _LANGUAGES or name in _OWN_NAMES:
            return _LANGUAGES.get(name, name)
    return ""


def _parts(source: str, before: int) -> Iterator[Part]:
    """Yield the parts of Python source that begins `before` characters into its text."""
    starts = [before]
    for line in source.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for node in _body(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.end_lineno is not None:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            kind = "class" if isinstance(node, ast.ClassDef) else "function"
            yield Part(f"{kind} {node.name}", starts[first - 1], starts[node.end_lineno] - 1)


def _body(source: str) -> list[ast.stmt]:
    if len(source) > _LONGEST_PARSED:
        return []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
