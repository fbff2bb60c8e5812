"""The command line as a function of this process.

It is for tests that give many commands, because starting Python would take most of their time. The
effect on the server and the store is the same.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path
from typing import Any

from restante.cli import main


@dataclass(frozen=True, slots=True)
class Said:
    """The result of a command: its exit code and output."""

    code: int
    octets: bytes
    err: str

    @property
    def out(self) -> str:
        """The output as text."""
        return self.octets.decode()


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Commands of one installation."""

    config: Path

    def run(self, *words: str | Path) -> Said:
        """Run a command of `restante`, however it ends."""
        octets, err = BytesIO(), StringIO()
        out = TextIOWrapper(octets, encoding="utf-8", write_through=True)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["--config", str(self.config), *map(str, words)])
        return Said(code, octets.getvalue(), err.getvalue())

    def do(self, *words: str | Path) -> str:
        """Run a command that must succeed, and return what it printed."""
        said = self.run(*words)
        assert said.code == 0, f"restante {words}: {said.code} {said.err}"
        return said.out

    def shown(self, *words: str | Path) -> Any:
        """Return what a command shows, as JSON, whatever its exit code."""
        return json.loads(self.run(*words, "--json").out)
