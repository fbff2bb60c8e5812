"""Encoded words in header fields (RFC 2047), as people read them. Pure."""

from email.errors import HeaderParseError
from email.header import decode_header, make_header


def decoded(value: str) -> str:
    """Return the text of an unfolded field.

    Text that is not a valid encoded word stays as it is.
    """
    if "=?" not in value:
        return value
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value
