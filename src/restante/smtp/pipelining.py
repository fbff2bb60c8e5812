"""How far commands may go ahead of their replies: from one command to whole messages.

References: RFC 2920, RFC 3030. RFC 2920 §3.1 permits the next MAIL to follow the final dot of
content in one flight. Not every server that offers PIPELINING supports it: Haraka answers 503 to
everything behind the dot, chasquid and Courier drop it. So each drain tries it once, with a command
that changes nothing:

    content of the second message, dot, RSET   in one flight, before any other mail is at stake
    reply to content, reply to RSET            supported: later openings follow content
    reply to content, 4xx or 5xx to RSET       not supported: each transaction waits for the reply
                                               before it
    reply to content, then silence or a close  the same, over another connection

It can still fail later, because another server may answer behind the same address. 503 to a MAIL
that followed content begins that transaction again. A silence or close there ends the connection.
Its content has not been sent by then.
"""

from enum import Enum, IntEnum, auto


class Pipelining(IntEnum):
    """How far we go. Each level includes those before it."""

    OFF = auto()  # one command at a time
    OPENING = auto()  # MAIL, each RCPT and DATA in one flight
    ACROSS = auto()  # the next opening follows content, once that has been tried
    AHEAD = auto()  # whole messages by BDAT, once that has been tried (smtp/chunking_probe.py)


class ContentPipelining(Enum):
    """Whether a server supports commands behind content."""

    UNTRIED = auto()
    TRYING = auto()
    BORNE = auto()
    NOT_BORNE = auto()
