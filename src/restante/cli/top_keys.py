"""The keys of `restante top`: q exits, s changes the order, / begins a filter, Escape clears it.

The state is pure: it changes with each key. Only `read_keys` uses the terminal.
"""

import contextlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

ORDERS: Final = ("drain", "held", "size", "oldest", "name")
HELP: Final = "q quit  s sort  / filter"
_ESCAPE, _ENTER, _BACKSPACE = "\x1b", ("\r", "\n"), ("\x7f", "\b")
_MOST: Final = 100  # characters of a filter


@dataclass(slots=True)
class TopControls:
    """The settings made by keys."""

    order: str = ORDERS[0]
    filter: str = ""  # part of a domain's name
    is_typing: bool = False
    is_over: bool = False

    def press(self, key: str) -> None:
        """Apply one key."""
        if self.is_typing:
            self._type(key)
        elif key == "q":
            self.is_over = True
        elif key == "s":
            self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        elif key == "/":
            self.is_typing, self.filter = True, ""
        elif key == _ESCAPE:
            self.filter = ""

    def _type(self, key: str) -> None:
        if key == _ESCAPE:
            self.is_typing, self.filter = False, ""
        elif key in _ENTER:
            self.is_typing = False
        elif key in _BACKSPACE:
            self.filter = self.filter[:-1]
        elif key.isprintable():
            self.filter = (self.filter + key.lower())[:_MOST]

    @property
    def line(self) -> str:
        """The line that says what is set, and which keys there are."""
        parts = [f"sorted by {self.order}"]
        if self.filter or self.is_typing:
            parts.append(f"filter: {self.filter}{'_' if self.is_typing else ''}")
        return "  ".join([*parts, HELP])


@contextlib.contextmanager
def read_keys(add_reader: Callable[..., None], press: Callable[[str], None]) -> Iterator[None]:
    """Hand each key to `press` during the block; without a terminal there are none."""
    if not sys.stdin.isatty():
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)

    def take() -> None:
        for key in os.read(descriptor, 64).decode("utf-8", "ignore"):
            press(key)

    tty.setcbreak(descriptor)
    add_reader(descriptor, take)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
