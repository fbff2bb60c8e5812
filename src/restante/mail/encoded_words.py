"""Encoded words in header fields (RFC 2047), as people read them. Pure."""

from email.errors import HeaderParseError
from email.header import decode_header, make_header


def decoded(value: str) -> str:
    """Return the text of an unfolded field.

    Text that is not a valid encoded word stays as it is. So does the text if a word would leave
    nothing.
    """
    if "=?" not in value:
        return value
    try:
        parts = decode_header(value)
        is_whole = all(octets for octets, charset in parts if charset is not None)
        return str(make_header(parts)) if is_whole else value
    except (HeaderParseError, LookupError, ValueError):
        return value
