"""The catalogue: every model that Weighbridge knows by name, as `catalogue.toml` lists them.

A name is a reference wherever a reference is accepted. The hashes are the publishers' own, so that bytes are trusted
for what they are and not for where they came from.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

ModelKind = Literal["generator", "embedder", "reranker"]


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A member of a wheel, with the hash and the size of that wheel."""

    package: str
    """`<name>==<version>`."""
    member: str
    """A file in the wheel, or a folder if it ends in /."""
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueModel:
    """A known model: its origin, and the facts to choose it by."""

    name: str
    kind: ModelKind
    what: str
    good_for: str
    reference: str
    """The place to fetch it from: pypi:... or hf:... A model in several wheels, or packed, has its name alone."""
    repository: str
    """The publisher's own repository."""
    revision: str = ""
    """The commit of the publisher's file; empty if it is not known."""
    file: str = ""
    """The publisher's file; empty if none is pinned."""
    sha256: str = ""
    """Of the publisher's file; empty if it is not pinned."""
    bytes: int = 0
    """The size of the publisher's file; 0 if it is not pinned."""
    licence: str
    gated: bool = False
    """Whether the hub asks for an account that accepted the licence."""
    parameters: float
    """In millions."""
    context: int
    """Tokens."""
    memory_bytes: int
    """To answer one question at a time, or to embed; training takes more."""
    memory: Literal["measured", "reckoned"]
    query_prefix: str = ""
    """For an embedder: what its card puts before a question, where its files do not say so."""
    document_prefix: str = ""
    """The same for a passage."""
    form: Literal["", "e5-q4"] = ""
    """How the file is packed, if it is unpacked after the download."""
    parts: tuple[ModelPart, ...] = ()
    """The wheels that hold it, in order; none for a model of the hub."""

    @property
    def download_bytes(self) -> int:
        """The bytes to download; for a model of the hub reckoned as 2 bytes a parameter (4 for an encoder)."""
        weight = 2 if self.kind == "generator" else 4
        return sum(part.bytes for part in self.parts) or round(self.parameters * 1e6) * weight


@cache
def load_catalogue() -> tuple[CatalogueModel, ...]:
    """Return every known model, in the order of the file."""
    tables: dict[str, Any] = tomllib.loads(Path(__file__).with_name("catalogue.toml").read_text(encoding="utf-8"))
    models = []
    for name, table in tables.items():
        parts = tuple(ModelPart(**part) for part in table.pop("parts", ()))
        as_published = len(parts) == 1 and "form" not in table
        reference = f"pypi:{parts[0].package}/{parts[0].member}" if as_published else name
        models.append(CatalogueModel(**{"name": name, "reference": reference, **table, "parts": parts}))
    return tuple(models)


def find_model(reference: str) -> CatalogueModel | None:
    """Return the known model that a reference means, by its name or by its place; None if there is none."""
    return next((model for model in load_catalogue() if reference in (model.name, model.reference)), None)


def find_part(package: str) -> ModelPart | None:
    """Return the pinned wheel of a package (`<name>==<version>`); None if it is not pinned."""
    return next((part for model in load_catalogue() for part in model.parts if part.package == package), None)
