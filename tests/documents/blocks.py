"""The fenced blocks of a Markdown page, and the ways in which the page runs them.

A comment in the line above a fence says how its block is run; a reader does not see it:

    <!-- background: until "server-ready" -->     started, and left running to the end of the page
    <!-- exit: 65 -->                             the block ends with this code
    <!-- prints: "1 message" -->                  the output contains this text
    <!-- at: the primary -->                      run on the primary, not on the backup MX
    <!-- not run: needs the package registry -->  left out, for this reason
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*) *$")
DIRECTIVE = re.compile(r"^ *<!-- (?P<name>background|exit|prints|at|not run): (?P<value>.+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: its language, its text without indent, and the directives above it."""

    page: str
    line: int  # of the opening fence, counted from 1
    heading: str  # the nearest one above
    language: str
    text: str
    directives: dict[str, str]

    @property
    def place(self) -> str:
        """Where it stands, for a message."""
        return f"{self.page}:{self.line}"

    @property
    def why_not_run(self) -> str:
        """The reason for leaving it out, or ''."""
        return self.directives.get("not run", "")

    @property
    def runs_until(self) -> str:
        """The text that a background block prints when it is ready, or '' for an ordinary block."""
        return self.directives.get("background", "").removeprefix("until ").strip('"')

    @property
    def exit_code(self) -> int:
        """The code with which it must end."""
        return int(self.directives.get("exit", "0"))

    @property
    def is_at_primary(self) -> bool:
        """Whether it is run on the primary's machine."""
        return self.directives.get("at") == "the primary"

    @property
    def must_print(self) -> str:
        """The text that its output must contain."""
        return self.directives.get("prints", "").strip('"')


def read_blocks(path: Path, page: str) -> list[Block]:
    """Return the blocks of a page in order. Raises ValueError for a fence that never closes."""
    return list(_blocks(path.read_text(encoding="utf-8").splitlines(), page))


def _blocks(lines: list[str], page: str) -> Iterator[Block]:
    number = 0
    heading = ""
    directives: dict[str, str] = {}
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening:
            end = _end_of_block(lines, number, page)
            text = textwrap.dedent("\n".join(lines[number + 1 : end])) + "\n"
            yield Block(page, number + 1, heading, opening["language"], text, directives)
            number = end
        elif lines[number].startswith("#"):
            heading = lines[number].lstrip("#").strip()
        said = DIRECTIVE.match(lines[number])
        directives = {**directives, said["name"]: said["value"]} if said else {}
        number += 1


def _end_of_block(lines: list[str], start: int, page: str) -> int:
    for number in range(start + 1, len(lines)):
        if lines[number].strip() == "```":
            return number
    raise ValueError(f"{page}:{start + 1}: the block never ends")
