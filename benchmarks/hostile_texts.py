"""Texts that harm who reads them: odd, empty, deep, wide, endless. Part of `hostile.py`."""

import json
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

Made = tuple[str, bytes | Callable[[Path], None]]
"""A name, and the bytes of the file or what writes them."""

WORDS = "tide ferry harbour pilot cargo berth lock channel lamp rope anchor ledger permit toll crane".split()  # noqa: SIM905


def prose(dice: random.Random, words: int) -> str:
    """Return words as a text."""
    return " ".join(dice.choice(WORDS) for _ in range(words))


def texts(dice: random.Random, scale: int) -> Iterator[Made]:
    """Yield texts that are odd, empty, or without end. `scale` divides what is huge."""
    yield "good.txt", prose(dice, 50).encode()
    yield "empty.txt", b""
    yield "blank.md", b" \n\t\n"
    yield "nul.txt", b"text\0text" * 99
    yield "utf16.txt", prose(dice, 50).encode("utf-16")
    yield "utf16-unmarked.txt", prose(dice, 50).encode("utf-16-le")
    yield "utf32.txt", prose(dice, 50).encode("utf-32")
    yield "latin.txt", "Größe, Fähre, façade, naïve; ".encode("latin-1") * 20
    yield "mixed.txt", "Größe ".encode() * 99 + "Größe".encode("latin-1")
    yield "cyrillic.txt", ("Капитан проверяет таблицы приливов каждое утро. " * 20).encode("cp1251")
    yield "japanese.txt", ("船長は毎朝、潮の表を確認します。フェリーは港を出る。" * 20).encode("shift_jis")
    yield "surrogates.txt", b"\xed\xa0\x80" * 200
    yield "overlong.txt", b"\xc0\x80" * 200
    yield "controls.txt", bytes(range(1, 32)) * 50
    yield "one-line.txt", b"x" * (40_000_000 // scale)
    yield "huge.txt", lambda path: _sparse(path, 300_000_000, b"text " * 20_000)
    yield "zeros.txt", lambda path: _sparse(path, 300_000_000, b"")
    yield "enormous.bin", lambda path: _sparse(path, 5_000_000_000, b"%PDF-1.7\n")
    yield "matter.md", b"---\ngroups: [hr\n---\nsecret"
    yield "matter-open.md", b"---\ngroups: [hr]\nsecret"
    yield (
        "yaml-bomb.md",
        b"---\na: &a [x,x]\n"
        + b"".join(b"%c: &%c [*%c,*%c,*%c,*%c,*%c]\n" % (n, n, *[n - 1] * 5) for n in range(98, 115))
        + b"---\ntext",
    )
    yield "yaml-deep.md", b"---\n" + b"[" * 20_000 + b"\n---\ntext"
    yield "emphasis.md", b"*a_" * (600_000 // scale)
    yield "brackets.md", b"# " + b"[" * (200_000 // scale)


def webs(_: random.Random, scale: int) -> Iterator[Made]:
    """Yield pages, JSON, tables, notebooks and code that are deep, wide or endless."""
    yield "deep.html", b"<div>" * (100_000 // scale) + b"bottom"
    yield "tables.html", b"<table><tr><td>" * (10_000 // scale) + b"bottom"
    yield "wide.html", b"<table>" + b"<tr><td>x</td></tr>" * (500_000 // scale)
    yield "span.html", b'<table><tr><td colspan="100000000" rowspan="100000000">x</td></tr><tr><td>y</td></tr></table>'
    yield "attributes.html", b"<p " + b" ".join(b"a%d=1" % n for n in range(200_000 // scale)) + b">x</p>"
    yield "open.html", b"<html><body><!-- never closed " + b"x" * 100_000
    yield "lists.html", b"<ul><li>" * (50_000 // scale) + b"x"
    yield "entities.html", b"<!doctype html>" + b"&amp;&#x1F600;&bogus;" * (100_000 // scale)
    yield "deep.json", b"[" * (1_000_000 // scale) + b"]" * (1_000_000 // scale)
    yield "deep-objects.json", b'{"a":' * (100_000 // scale) + b"1" + b"}" * (100_000 // scale)
    yield "line.json", b'{"a": [' + b"1.5," * (8_000_000 // scale) + b"2]}"
    yield "number.json", b'{"a": ' + b"9" * 100_000 + b"}"
    yield "open.json", b'{"a": "never closed'
    yield "keys.json", json.dumps({f"key {n}": n for n in range(300_000 // scale)}).encode()
    yield "half.jsonl", b'{"text": "one"}\n{"text": \n{"text": "three"}\n'
    yield "array.jsonl", b"[1, 2]\n[3]\n"
    yield "columns.csv", b",".join(b"c%d" % n for n in range(1_000_000 // scale)) + b"\n" + b"1," * (1_000_000 // scale)
    yield "rows.csv", b"a,b\n" + b"1,2\n" * (2_000_000 // scale)
    yield "quote.csv", b'a,b\n1,"never closed\n' + b"x,y\n" * 10_000
    yield "ragged.csv", b"a,b\n1\n1,2,3\n\n,\n"
    yield "nul.csv", b"a,b\n1,\0\n"
    yield "deep.ipynb", b'{"cells": ' + b"[" * 50_000 + b'], "nbformat": 4}'
    yield "odd.ipynb", b'{"cells": [{"cell_type": 5, "source": {"a": null}}, null], "nbformat": 4, "metadata": []}'
    yield "minified.js", b"var a=" + b"(function(){return " * (20_000 // scale)
    yield "deep.py", b"(" * 100_000
    yield "indents.py", b"".join(b" " * n + b"if x:\n" for n in range(2_000 // scale))
    yield "deep.xml", b"<?xml version='1.0'?>" + b"<a>" * (100_000 // scale)
    yield "laughs.svg", laughs().encode() + b"<svg>&j;</svg>"


def _sparse(path: Path, size: int, begins: bytes) -> None:
    with path.open("wb") as file:
        file.write(begins)
        file.truncate(size)


def laughs() -> str:
    """Return a document type whose last entity is a billion laughs."""
    names = "abcdefghij"
    rules = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))
    return f'<!DOCTYPE x [<!ENTITY a "ha">{rules}]>'
