"""What a network's tokens attend to: everything before them, a window of it, or what a state has kept of it.

Kept prefixes and packed rows must know it (ADR 33). The networks of transformers say it in their configuration.
"""

from typing import Any

_KNOWN = frozenset({"full_attention", "sliding_attention"})


def attends_to_all(network: Any) -> bool:
    """Tell whether each token attends to all before it, in every block."""
    return attention_window(network) is None


def attention_window(network: Any) -> int | None:
    """Return how many tokens back the narrowest block attends; None where all do to all, 0 where one keeps a state."""
    config = network.config.get_text_config()
    kinds = frozenset(getattr(config, "layer_types", None) or ())
    if kinds - _KNOWN:
        return 0
    if kinds == {"full_attention"} or getattr(config, "use_sliding_window", None) is False:
        return None
    return getattr(config, "sliding_window", None)
