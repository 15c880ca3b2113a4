"""The command line: a command is one call of a workflow function. Nothing heavy is imported before it is needed."""

from weighbridge.cli.app import main

__all__ = ["main"]
