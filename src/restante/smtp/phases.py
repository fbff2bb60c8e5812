"""Which command fits which moment (RFC 5321 §4.1.4), as a table.

TLS and authentication are machines of their own.

CONNECTED ──EHLO──► GREETED ──MAIL──► SENDER ──RCPT──► RECIPIENTS ──DATA──► CONTENT ──end──► GREETED
                      ▲                                    │ BDAT ──► CHUNKS ──LAST──────────────┘
                      └──────── RSET, EHLO ────────────────┘
"""

from collections.abc import Mapping
from enum import IntEnum, auto
from typing import Final

from restante.smtp.commands import (
    Atrn,
    Auth,
    Bdat,
    Command,
    Data,
    Etrn,
    Hello,
    Help,
    Mail,
    Noop,
    Quit,
    Rcpt,
    Reset,
    StartTls,
    Unimplemented,
    Verify,
)


class Phase(IntEnum):
    """Where the dialogue stands. Of int: the hash of an Enum is a function in Python."""

    CONNECTED = auto()
    GREETED = auto()
    SENDER = auto()  # MAIL was accepted
    RECIPIENTS = auto()  # at least one RCPT was accepted
    CONTENT = auto()  # 354 was sent: bytes are content
    CHUNKS = auto()  # a BDAT chunk was accepted, and none with LAST
    CLOSED = auto()  # nothing more is read


_ANYWHERE: Final = (
    Noop,
    Help,
    Verify,
    Unimplemented,
    Quit,
)  # they change nothing, or end everything


def _with_anywhere(
    phase: Phase, moves: Mapping[type[Command], Phase]
) -> Mapping[type[Command], Phase]:
    return {**dict.fromkeys(_ANYWHERE, phase), **moves}


TRANSITIONS: Final[
    Mapping[Phase, Mapping[type[Command], Phase]]
] = {  # phase → command → phase after a positive answer
    Phase.CONNECTED: _with_anywhere(
        Phase.CONNECTED, {Hello: Phase.GREETED, Reset: Phase.CONNECTED}
    ),
    Phase.GREETED: _with_anywhere(
        Phase.GREETED,
        {
            Hello: Phase.GREETED,
            StartTls: Phase.CONNECTED,  # RFC 3207 §4.2: everything said before is forgotten
            Auth: Phase.GREETED,
            Mail: Phase.SENDER,
            Etrn: Phase.GREETED,
            Atrn: Phase.GREETED,  # then the connection is turned around, and this session ends
            Reset: Phase.GREETED,
        },
    ),
    Phase.SENDER: _with_anywhere(
        Phase.SENDER, {Hello: Phase.GREETED, Rcpt: Phase.RECIPIENTS, Reset: Phase.GREETED}
    ),
    Phase.RECIPIENTS: _with_anywhere(
        Phase.RECIPIENTS,
        {
            Hello: Phase.GREETED,
            Rcpt: Phase.RECIPIENTS,
            Data: Phase.CONTENT,
            Bdat: Phase.CHUNKS,
            Reset: Phase.GREETED,
        },
    ),
    Phase.CONTENT: {},  # no commands here: bytes are content until its end, which leads to GREETED
    Phase.CHUNKS: _with_anywhere(
        Phase.CHUNKS, {Hello: Phase.GREETED, Bdat: Phase.CHUNKS, Reset: Phase.GREETED}
    ),
    Phase.CLOSED: {},
}
IN_TRANSACTION: Final = frozenset({Phase.SENDER, Phase.RECIPIENTS, Phase.CONTENT, Phase.CHUNKS})
