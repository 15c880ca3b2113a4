"""kreuzberg, writing Markdown, with its cache and text recognition off."""

from pathlib import Path

from kreuzberg import ExtractionConfig, extract_file_sync
from reading_adapter import main

CONFIG = ExtractionConfig(use_cache=False, disable_ocr=True, output_format="markdown")


def read(path: Path) -> str:
    """Return the text of a file."""
    return extract_file_sync(str(path), config=CONFIG).content


if __name__ == "__main__":
    main(read)
