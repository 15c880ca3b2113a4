"""Every error a user can meet.

WeighbridgeError            the problem, its place, and the remedy; printed without a traceback
├── UserError               the user's to fix: exit code 2
│   ├── SettingsError       weighbridge.yaml is wrong        (file, line, and the nearest known key)
│   ├── DataError           a document or example is unusable (file and line)
│   ├── WorkspaceError      the folder is missing, locked, or cannot be written
│   ├── MissingExtraError   an optional dependency is absent (the pip command)
│   └── ExtensionError      a part of another distribution is missing or fails (that distribution)
├── ModelError              a model could not answer: recorded for its example, never a score
│   ├── PromptTooLongError  the prompt does not fit the context window (tokens, and the limit)
│   └── RefusedRequestError an endpoint refused a request (its HTTP status)
├── DownloadError           a model file could not be fetched, or its checksum is wrong
├── WorkerLostError         workers of a cluster were lost, and with them the item they were at
├── TrainingError           training or export failed, or the exported model differs from the adapter
└── UnfinishedError         a time limit stopped the run; the same command goes on from there: exit code 3
"""

from pathlib import Path


class WeighbridgeError(Exception):
    """Base of all errors we raise on purpose; the command line prints these without a traceback."""

    exit_code = 1


class UserError(WeighbridgeError):
    """Something the user can put right."""

    exit_code = 2


class SettingsError(UserError):
    """The settings file is wrong."""


class DataError(UserError):
    """A document or example cannot be used."""


class WorkspaceError(UserError):
    """The workspace is missing, locked by another run, or cannot be written."""


class MissingExtraError(UserError):
    """An optional dependency is absent."""

    def __init__(self, feature: str, extra: str) -> None:
        super().__init__(f"{feature} needs an optional dependency. Install it with: pip install 'weighbridge[{extra}]'")


class ExtensionError(UserError):
    """A metric, reader, strategy or store of another distribution is missing, or fails."""


class ModelError(WeighbridgeError):
    """A model could not answer."""


class PromptTooLongError(ModelError):
    """The prompt does not fit into the model's context window."""

    def __init__(self, tokens: int, context: int) -> None:
        super().__init__(
            f"the prompt has {tokens:,} tokens and the model's context holds {context:,}; "
            "shorten the question, lower retrieval.limit, or raise model.context in weighbridge.yaml"
        )


class RefusedRequestError(ModelError):
    """An endpoint refused a request."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, status)
        self.status = status

    def __str__(self) -> str:
        return str(self.args[0])


class WorkerLostError(WeighbridgeError):
    """Workers of a cluster were lost again and again at the same item, or none can be started."""


class DownloadError(WeighbridgeError):
    """A model file could not be fetched or verified."""


class TrainingError(WeighbridgeError):
    """Training or export failed."""


class UnfinishedError(WeighbridgeError):
    """A time limit stopped the run before it was done.

    No kind of `TrainingError`: after one of those a comparison leaves the strategy out, but here it must stop.
    """

    exit_code = 3


def show_path(path: Path) -> Path:
    """Return a path as a message shows it: `mine/../manuals` without the detour, as an absolute path."""
    return path.resolve() if ".." in path.parts else path
