"""A customer's octets into the client session of a turnaround, cut anyhow, with mail to send.

The rules of `client_session` hold. Beyond them, nothing is said before the customer's greeting. No
TLS is begun, no login is told, and no chunk is sent, whatever the customer offers.
"""

import re
from typing import Final

from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.tenancy.model import TlsUse
from tests.fuzz.choices import Choices, pieces, read_input
from tests.fuzz.client_session import PlannedMail, SessionShell

OPTIONS: Final = ClientOptions("mx2.example.net", TlsUse.OFF, pipelining=Pipelining.OPENING)
FORBIDDEN: Final = re.compile(rb"^(BDAT|STARTTLS|AUTH|ATRN|ETRN)\b", re.MULTILINE)


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 1)
    choices = Choices(octets)
    planned = [PlannedMail(number, choices) for number in range(settings.below(5))]
    shell = SessionShell(OPTIONS, planned, choices)
    heard = b""
    for piece in pieces(stream, Choices(octets)):
        heard += piece
        shell.receive(piece)
        assert not shell.said or b"\n" in heard, "it spoke first"
    shell.close()
    shell.check_end()
    assert not FORBIDDEN.search(shell.said)
