"""RAG, fine-tuning, or both? Weigh them on your own data, then use the one that wins.

    workspace = weighbridge.open("mine")
    weighing = workspace.compare()
    print(weighing.decision.recommended)
    print(workspace.ask("When is the travel desk open?").text)

Public are the names in `__all__` here, those in `weighbridge.extend` for parts of your own, and the command line.
Every other module is private: it changes without notice.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from weighbridge.errors import WeighbridgeError
    from weighbridge.evaluate.weighing import load_weighing
    from weighbridge.library import OpenWorkspace, init, open, score  # noqa: A004
    from weighbridge.results import Decision, Measurement, Weighing
    from weighbridge.types import Answer, Passage

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Decision",
    "Measurement",
    "OpenWorkspace",
    "Passage",
    "WeighbridgeError",
    "Weighing",
    "init",
    "load_weighing",
    "open",
    "score",
]

_MODULES = {
    "errors": ("WeighbridgeError",),
    "evaluate.weighing": ("load_weighing",),
    "library": ("OpenWorkspace", "init", "open", "score"),
    "results": ("Decision", "Measurement", "Weighing"),
    "types": ("Answer", "Passage"),
}
"""Where the public names live. They are imported on first use, so that `import weighbridge` stays quick."""


if not TYPE_CHECKING:  # a type checker that saw it would accept every name

    def __getattr__(name: str) -> object:
        for module, names in _MODULES.items():
            if name in names:
                value = getattr(import_module(f"weighbridge.{module}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module 'weighbridge' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
