"""markitdown, without plugins."""

from pathlib import Path

from markitdown import MarkItDown
from reading_adapter import main

CONVERTER = MarkItDown(enable_plugins=False)


def read(path: Path) -> str:
    """Return the text of a file."""
    return CONVERTER.convert(path).text_content


if __name__ == "__main__":
    main(read)
