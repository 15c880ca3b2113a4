"""What both searches see of a chunk."""

from weighbridge.types import Chunk


def searchable_text(chunk: Chunk) -> str:
    """Return a chunk's text under its title and headings: what is embedded, and what full-text search reads.

    Each stands there once: a heading that is the title, and a title that the text begins with, are left out.
    """
    titles = () if not chunk.title or chunk.text.startswith(chunk.title) else (chunk.title,)
    headings = (heading for heading in dict.fromkeys(chunk.context) if heading and heading != chunk.title)
    return "\n".join((*titles, *headings, chunk.text))
