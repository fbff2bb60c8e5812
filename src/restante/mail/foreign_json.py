"""JSON that others wrote, such as an answer of a server or a file. Pure."""

import json
from typing import Any


def read_foreign_json(text: bytes | str) -> Any:
    """Return the value. Raises ValueError, also for values that are too deep to be read."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects are too deep") from None
