"""Reads how an embedder turns texts into vectors, from its own files as sentence-transformers writes them.

Pooling is in 1_Pooling/config.json, the prefixes of questions and passages in config_sentence_transformers.json. Where
a publisher states prefixes on the model's card alone, as for E5 and BGE, the catalogue has them, and the manifest of
the fetched folder says whose model it is. Vectors are always normalised, whether modules.json names that step or not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from weighbridge.errors import WorkspaceError
from weighbridge.models import published_model
from weighbridge.retrieve.embed.batches import Kind, Pooling
from weighbridge.retrieve.embed.folder import read_model_file, read_settings, unused_positions

_MODULES = frozenset({"Transformer", "Pooling", "Normalize"})
"""The steps that we take. Any other, such as Dense, would change the vectors."""
_MOST_TOKENS = 1_000_000
"""A stated maximum above this stands for none."""
_DOCUMENT_PROMPTS = ("document", "passage", "corpus")
"""The names under which sentence-transformers looks for the prefix of a document, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingRecipe:
    """How an embedder reads a text, and makes one vector of those of its tokens."""

    pooling: Pooling
    query_prefix: str
    document_prefix: str
    maximum_tokens: int
    """Of one text, special ones included."""

    def prefix(self, kind: Kind) -> str:
        """Return the words to put before a text."""
        return self.query_prefix if kind == "query" else self.document_prefix

    @property
    def changes(self) -> tuple[str, ...]:
        """Return what differs from the mean without prefixes, to enter a fingerprint; empty if nothing does."""
        plain = self.pooling == "mean" and not self.query_prefix and not self.document_prefix
        return () if plain else (self.pooling, self.query_prefix, self.document_prefix)


def read_recipe(folder: Path) -> EmbeddingRecipe:
    """Read the recipe of an embedder's folder.

    Raises:
        WorkspaceError: a file is unreadable, or the embedder takes a step that we do not.
    """
    file = folder / "modules.json"
    modules = json.loads(read_model_file(file)) if file.exists() else []
    steps = [str(module["type"]).rpartition(".")[2] for module in modules]
    if other := [step for step in steps if step not in _MODULES]:
        raise WorkspaceError(
            f"{file}: this embedder has a step {other[0]}, and only {', '.join(sorted(_MODULES))} are run here; "
            "choose another for retrieval.embedder (weighbridge models known)"
        )
    query, document = _prefixes(folder)
    return EmbeddingRecipe(
        pooling=_read_pooling(folder),
        query_prefix=query,
        document_prefix=document,
        maximum_tokens=read_maximum_tokens(folder),
    )


def read_maximum_tokens(folder: Path) -> int:
    """Return how many tokens of a text the model reads, special ones included."""
    file, settings = folder / "sentence_bert_config.json", read_settings(folder / "config.json")
    if file.exists() and (stated := read_settings(file).get("max_seq_length")):
        return int(stated)
    file = folder / "tokenizer_config.json"
    stated = read_settings(file).get("model_max_length") if file.exists() else None
    if positions := settings.get("max_position_embeddings"):
        room = int(positions) - unused_positions(settings)
        return min(room, int(stated)) if stated else room  # transformers writes 10^30 where nothing is stated
    if stated and stated <= _MOST_TOKENS:
        return int(stated)
    raise WorkspaceError(
        f"{folder / 'config.json'}: does not say how many tokens the model reads; choose another model"
    )


def _read_pooling(folder: Path) -> Pooling:
    file = folder / "1_Pooling" / "config.json"
    if not file.exists():
        return "mean"
    settings = read_settings(file)
    stated = settings.get("pooling_mode")
    if stated is None:
        stated = [
            _OLD_NAMES.get(name, name) for name, on in settings.items() if name.startswith("pooling_mode_") and on
        ]
    modes = [stated] if isinstance(stated, str) else list(stated)
    if len(modes) != 1 or modes[0] not in get_args(Pooling):
        raise WorkspaceError(
            f"{file}: this embedder pools by {' and '.join(modes) or 'nothing'}, and only mean and cls are known here; "
            "choose another for retrieval.embedder (weighbridge models known)"
        )
    return "cls" if modes[0] == "cls" else "mean"


_OLD_NAMES: Mapping[str, str] = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
"""Of sentence-transformers before version 6."""


def _prefixes(folder: Path) -> tuple[str, str]:
    file = folder / "config_sentence_transformers.json"
    prompts: dict[str, Any] = (read_settings(file).get("prompts") or {}) if file.exists() else {}
    document = next((str(prompts[name]) for name in _DOCUMENT_PROMPTS if prompts.get(name)), "")
    query = str(prompts.get("query") or "")
    if query or document:
        return query, document
    known = published_model(folder)
    return (known.query_prefix, known.document_prefix) if known else ("", "")
