"""The one change of content when it is handed over: a first line that would do harm. Pure.

Our Received field stands above the content as it came. Two kinds of first line must not follow it
as they are, and Postfix's smtpd changes the same two on arrival:

    begins with blank or TAB   it would continue our field, so that a stranger writes in it:
                               an empty line goes before it
    "From …", ">From …"        mbox files begin with such a line; it is no header field and would
                               end the header section: it goes as "X-Mailbox-Line: From …"

Reports to senders, and the view of a message, show the header in the same way. Content that is
stored, exported or imported stays as it came.
"""

import re
from collections.abc import Iterator
from typing import Final

_MBOX_LINE: Final = re.compile(rb">*From ")
_ENOUGH: Final = 1000  # octets of a first line: no line is longer
_SET_OFF: Final = b"\r\n"
_MAILBOX_LINE: Final = b"X-Mailbox-Line: "

# Our field as mail/received_field.py writes it: its last line is a date alone, and no line before
# that one is.
_OUR_FIELD: Final = re.compile(
    rb"(?:X-[!-9;-~]+: [^\r\n]*\r\n)*"  # of checks (checks/verdict.py)
    rb"Received: from [^\r\n]*\r\n"
    rb"\tby (?P<host>[^ \r\n]+) with [^\r\n]* id (?P<name>[0-9a-z]+)(?:;|\r\n\tfor <[^\r\n]*>;)\r\n"
    rb"\t[A-Z][a-z]{2}, \d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n"
)


def set_off(head: bytes, content: bytes, name: str, hostname: str) -> bytes:
    """Return a head with the line that must precede the original content, or itself if none must.

    `head` is the beginning of `content`: our field, or more. The field is ours if it has the
    message's own `name`, or our `hostname`. Mail that was exported and imported again has another
    name by then. Other imported mail has no field of ours, and its first line is that of `content`.
    """
    found = _OUR_FIELD.match(content)
    end = found.end() if found else 0
    if end > len(head) or not _insertion(content[end : end + _ENOUGH]):
        return head  # a field of ours within a file is left as it is: nothing can be put behind it
    if (
        found
        and found["name"] != name.encode()
        and found["host"].lower() != hostname.encode().lower()
    ):
        return head  # another server's field, which may go on
    return b"".join([head[:end], *_set_off_lines(head, content, end)])


def _set_off_lines(head: bytes, content: bytes, place: int) -> Iterator[bytes]:
    """Yield `head` from a place on, with each line set off up to the first that needs no change.

    The line after one of an mbox file is looked at too, as long as it is in memory.
    """
    while inserted := _insertion(content[place : place + _ENOUGH]):
        yield inserted
        line_end = head.find(b"\r\n", place) + 2
        if inserted == _SET_OFF or line_end == 1:
            break
        yield head[place:line_end]
        place = line_end
    yield head[place:]


def _insertion(first_line: bytes) -> bytes:
    """Return the text to put before a first line, mostly b""; its first octets are enough."""
    if first_line[:1] in (b" ", b"\t"):
        return _SET_OFF
    if first_line[:1] in (b"F", b">") and _MBOX_LINE.match(first_line):
        return _MAILBOX_LINE
    return b""


def has_ascii_header(content: bytes) -> bool:
    """Tell whether the whole header section is there and is ASCII; False if its end is not."""
    end = content.find(b"\r\n\r\n")
    return end >= 0 and content[:end].isascii()
