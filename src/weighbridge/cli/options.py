"""Options that many commands share, and the opening of a workspace."""

from pathlib import Path
from typing import Annotated, Any

import typer

Root = Annotated[
    Path, typer.Option("--workspace", "-w", help="The folder that holds weighbridge.yaml.", show_default="this folder")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output, and nothing else.")]
Groups = Annotated[list[str] | None, typer.Option("--group", help="An access group of the reader; may be repeated.")]
HERE = Path()


def require_words(text: str) -> str:
    """Refuse a question of white space alone."""
    if not text.strip():
        raise typer.BadParameter("is empty; give the question in quotation marks")
    return text


def open_workspace(root: Path) -> tuple[Any, Any]:
    """Return the settings and the workspace of a folder."""
    from weighbridge.settings.file import load_settings
    from weighbridge.workspace import Workspace

    place = Workspace(root)
    return load_settings(place.settings_file), place
