"""Somebody at a terminal, who types given lines: the output is a transcript of both sides."""

import sys
from io import StringIO


class TypedTerminal(StringIO):
    """Standard input on a terminal, which shows each line as it is typed."""

    def isatty(self) -> bool:
        """Say so."""
        return True

    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
        """Return the next line."""
        line = super().readline() if size is None else super().readline(size)
        sys.stdout.write(line)
        return line
