"""What both searches see of a chunk."""

from weighbridge.passage_tables import continued_header, without_scaffold
from weighbridge.types import Chunk

_LONGEST_HEADING = 80
"""Characters of a heading: longer ones are sentences in large letters, which stand above every chunk of a document."""
_LONGEST_HEADER = 200
"""Characters of a table's header row: an embedder reads some 250 tokens, and the rows are what is looked for."""


def searchable_text(chunk: Chunk) -> str:
    """Return a chunk's text under its title and headings: what is embedded, and what full-text search reads.

    Each stands there once: a heading that is the title, and a title that the text begins with, are left out. So are
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
