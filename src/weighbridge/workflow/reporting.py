"""The last weighing, read and rendered again."""

from weighbridge.errors import WorkspaceError
from weighbridge.measure.weighing import load_weighing
from weighbridge.report.page import page
from weighbridge.results import Weighing
from weighbridge.workspace import Workspace, write_text


def again(workspace: Workspace) -> Weighing:
    """Return the saved weighing and write its page; `WorkspaceError` where nothing has been weighed."""
    if not workspace.weighing.exists():
        raise WorkspaceError(f"{workspace.root}: nothing has been weighed here yet; run: weighbridge compare")
    weighing = load_weighing(workspace.weighing)
    write_text(workspace.report, page(weighing))
    return weighing
