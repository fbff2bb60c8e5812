"""The replies that we may send to a client, read without the code that wrote them."""

import re
from typing import Final

# Reply-line = *( code "-" text CRLF ) code SP text CRLF (RFC 5321 §4.2); text has no controls
_REPLY: Final = re.compile(
    rb"(?P<code>[2-5][0-5][0-9])(?:-[^\x00-\x1f\x7f]*\r\n(?P=code))*(?: [^\x00-\x1f\x7f]*)\r\n"
)


def count_replies(said: bytes) -> int:
    """Return how many whole replies these octets are; fails for anything else."""
    place = count = 0
    while place < len(said):
        match = _REPLY.match(said, place)
        assert match is not None, f"no reply: {said[place : place + 200]!r}"
        place, count = match.end(), count + 1
    return count
