"""A row of a table or of an answer."""

from typing import Any

Row = tuple[Any, ...]
