"""Reads the last weighing and writes its page again."""

from weighbridge.errors import WorkspaceError
from weighbridge.evaluate.weighing import load_weighing
from weighbridge.report.page.weighing_page import page
from weighbridge.results import Weighing
from weighbridge.workspace import Workspace, write_text


def render_again(workspace: Workspace, groups: frozenset[str]) -> Weighing:
    """Return the saved weighing, and write its page for readers of these access groups.

    Raises:
        WorkspaceError: nothing has been weighed here.
    """
    if not workspace.weighing_file.exists():
        raise WorkspaceError(f"{workspace.root}: nothing has been weighed here yet; run: weighbridge compare")
    weighing = load_weighing(workspace.weighing_file)
    write_text(workspace.report, page(weighing, groups=groups))
    return weighing
