"""Settings that take one value or a list of them, in the file and in the environment."""

import json
from typing import Any, Final

from pydantic import BeforeValidator


def _as_list(value: Any) -> Any:
    """Make a list of a single value; the field judges what is in it."""
    return value if isinstance(value, list | tuple) else [value]


# The annotation of such a field, and how others know one.
ONE_OR_MORE: Final = BeforeValidator(_as_list)


def read_plain_or_json(text: str) -> Any:
    """Return the list that a variable of the environment spells in JSON, or the text as it is."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if isinstance(value, list) else text
