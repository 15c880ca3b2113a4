"""Writes the text of a chunk that both searches read."""

from weighbridge.passage_tables import continued_header, without_scaffold
from weighbridge.types import Chunk

_LONGEST_HEADING = 80
"""Characters of a heading: longer ones are sentences in large letters, and stand above every chunk of a document."""
_LONGEST_HEADER = 200
"""Characters of a table's header row: an embedder reads some 250 tokens, and most of them belong to the rows."""


def searchable_text(chunk: Chunk) -> str:
    """Return a chunk's text under its title and headings. It is embedded, and full-text search reads it.

    Each line stands there once: a heading equal to the title, and a title that begins the text, are left out. So are
    the lines and empty cells of tables.
    """
    titles = () if not chunk.title or chunk.text.startswith(chunk.title) else (chunk.title,)
    header = continued_header(chunk)
    above = chunk.context[:-1] if header else chunk.context
    headings = [heading[:_LONGEST_HEADING] for heading in dict.fromkeys(above) if heading and heading != chunk.title]
    names = without_scaffold(header)[:_LONGEST_HEADER]
    if any(map(str.isalnum, names)):
        headings.append(names)
    return "\n".join((*titles, *headings, without_scaffold(chunk.text)))
