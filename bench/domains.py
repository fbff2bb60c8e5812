"""The hosted domains of the bench, numbered so that a sink that stores nothing can count each.

One more, OTHER, belongs to another account and has a destination of its own.
"""

from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
ACCOUNT: Final = "alpha"
OTHER_ACCOUNT: Final = "beta"
OTHER: Final = "other.example"
SENDER: Final = "a@sender.example"
ROOT: Final = Path(__file__).resolve().parents[1]  # of the repository


def domain(number: int = 0) -> str:
    """Return the name of a hosted domain."""
    return f"d{number}.example"


def mailbox(hosted: str) -> str:
    """Return a forward-path in a hosted domain."""
    return f"b@{hosted}"
