"""What both searches see of a chunk."""

from weighbridge.types import Chunk


def searchable_text(chunk: Chunk) -> str:
    """Return a chunk's text under its title, once: what is embedded, and what full-text search reads."""
    return chunk.text if not chunk.title or chunk.text.startswith(chunk.title) else f"{chunk.title}\n{chunk.text}"
