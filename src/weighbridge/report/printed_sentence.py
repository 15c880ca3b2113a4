"""A sentence for the terminal. It stands alone, so that commands that print little import little."""

import textwrap
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Sentence:
    """A text that breaks at spaces only: never at a no-break space, within a number, or within a name."""

    text: str
    style: str = ""
    first: str = ""
    """Stands before the first line; the others are indented as far."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = textwrap.wrap(
            self.text,
            options.max_width,
            initial_indent=self.first,
            subsequent_indent=" " * len(self.first),
            break_on_hyphens=False,
        )
        yield from (Text(line, style=self.style) for line in lines)
