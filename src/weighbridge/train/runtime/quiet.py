"""Keeps the training libraries from printing, and from looking for a network."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

from weighbridge.models.hub import SET_OFFLINE

_CHATTY = (
    "accelerate",
    "bitsandbytes",
    "datasets",
    "gguf",
    "huggingface_hub",
    "peft",
    "sentence_transformers",
    "transformers",
    "trl",
)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence loggers, progress bars and warnings of the training libraries. Our own progress still shows."""
    if "HF_HUB_OFFLINE" not in os.environ:
        os.environ.update({"HF_HUB_OFFLINE": "1", SET_OFFLINE: "1"})
    from huggingface_hub import constants

    # TRL reports each training to the hub, unless the hub's library was offline when it was imported.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    constants.HF_HUB_DISABLE_TELEMETRY = True
    from datasets.utils.logging import disable_progress_bar as no_dataset_bar
    from transformers.utils.logging import disable_progress_bar as no_model_bar

    no_dataset_bar()
    no_model_bar()
    loggers = [logging.getLogger(name) for name in _CHATTY]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


@contextmanager
def mute() -> Iterator[None]:
    """Be `quiet` and discard stderr, for a call with a progress bar that cannot be turned off."""
    with quiet(), redirect_stderr(io.StringIO()):
        yield
