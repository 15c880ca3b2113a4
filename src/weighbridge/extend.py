"""Parts of your own: the protocols to implement, and the values they take and return. All names are public.

Declare a part as an entry point of your distribution:

    [project.entry-points."weighbridge.metrics"]        named under measure.metrics: makes a `Metric` when called
    [project.entry-points."weighbridge.readers"]        a suffix without the dot: a `Reader`
    [project.entry-points."weighbridge.strategies"]     named under strategies: an `OwnStrategy`
    [project.entry-points."weighbridge.stores"]         retrieval.store is NAME or NAME:anything: a `StoreOpener`

`weighbridge.contracts` holds the tests that each kind of part must pass.
"""

from weighbridge.errors import ModelError, WorkspaceError
from weighbridge.ingest.content import Content, Enclosed, Loss, Parsed, Reader, UnreadableError
from weighbridge.protocols import (
    Changes,
    Contents,
    Demonstrations,
    Emit,
    Index,
    Metric,
    Model,
    OwnStrategy,
    Retriever,
    Store,
    StoredIndex,
    StoreOpener,
    Strategy,
    StrategyParts,
    Version,
    ignore,
)
from weighbridge.results import Score
from weighbridge.types import (
    Answer,
    Chunk,
    Citation,
    Completion,
    Example,
    Message,
    Part,
    Passage,
    Prompt,
    Question,
    Task,
    Timing,
    Usage,
)

__all__ = [
    "Answer",
    "Changes",
    "Chunk",
    "Citation",
    "Completion",
    "Content",
    "Contents",
    "Demonstrations",
    "Emit",
    "Enclosed",
    "Example",
    "Index",
    "Loss",
    "Message",
    "Metric",
    "Model",
    "ModelError",
    "OwnStrategy",
    "Parsed",
    "Part",
    "Passage",
    "Prompt",
    "Question",
    "Reader",
    "Retriever",
    "Score",
    "Store",
    "StoreOpener",
    "StoredIndex",
    "Strategy",
    "StrategyParts",
    "Task",
    "Timing",
    "UnreadableError",
    "Usage",
    "Version",
    "WorkspaceError",
    "ignore",
]
