"""How passages are found, noted by name: what an adapter that reads learnt on, and whether that is still so.

The documents are not part of it, whose changes are told by their versions; nor are the store and the precision, which
say where and how fast the same is found.
"""

from collections.abc import Mapping

from weighbridge.models import fetch, file_fingerprint
from weighbridge.retrieve.embed.folder import WEIGHTS
from weighbridge.settings.schema import LATE_INTERACTION, Settings
from weighbridge.wiring.search import embedder_name
from weighbridge.wiring.tuned_retrievers import with_tuned_models
from weighbridge.workspace import Workspace

_SETTINGS = ("limit", "candidates", "weight", "feedback", "rewrite", "diversity", "neighbours", "sections", "static")


def describe_search(settings: Settings, workspace: Workspace) -> Mapping[str, str]:
    """Return all that decides which passages a question finds, with the tuned models that are in force.

    Raises:
        UserError, DownloadError: a model of the search is not here, and cannot be fetched.
    """
    used = with_tuned_models(settings, workspace)
    chosen = used.retrieval
    reranker = chosen.rerank or "none"
    return {
        "embedder": f"{embedder_name(used)} {_weights(chosen.embedder)}",
        "reranker": reranker if reranker in ("none", LATE_INTERACTION) else _weights(reranker),
        "chunks.tokens": str(used.chunks.tokens),
        **{f"retrieval.{name}": str(getattr(chosen, name)) for name in _SETTINGS},
    }


def search_changes(then: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return what of the search is not as it was noted, by name."""
    return tuple(name for name in now if name in then and then[name] != now[name])


def _weights(reference: str) -> str:
    folder = fetch(reference)
    return file_fingerprint(folder / WEIGHTS if (folder / WEIGHTS).is_file() else folder)[:12]
