"""The key of a row as text, for a note of how far a move is. Pure."""

import json

from restante.store.stored_form.row_type import Row


def key_text(key: Row | None) -> str | None:
    """Write a key as JSON; octets in hexadecimal, in a list."""
    if key is None:
        return None
    return json.dumps([[one.hex()] if isinstance(one, bytes) else one for one in key])


def key_of_text(text: str | None) -> Row | None:
    """Read it back."""
    if text is None:
        return None
    return tuple(
        bytes.fromhex(one[0]) if isinstance(one, list) else one for one in json.loads(text)
    )
