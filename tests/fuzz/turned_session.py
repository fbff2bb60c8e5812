"""A customer's octets into the client session of a turnaround, cut anyhow, with mail to send.

The rules of `client_session` hold. Beyond them, nothing is said before the customer's greeting. No
TLS is begun and no login is told, whatever the customer offers. A chunk is sent only if an earlier
turnaround has shown that the customer takes it, or in the probe behind all mail.
"""

import re
from dataclasses import replace
from typing import Any, Final, cast

from restante.smtp.chunking_probe import PROBE, ChunkingProbeResult, SendingMode
from restante.smtp.handshake import ClientOptions
from restante.smtp.pipelining import Pipelining
from restante.tenancy.model import TlsUse
from tests.fuzz.choices import Choices, pieces, read_input
from tests.fuzz.client_session import PlannedMail, SessionShell

OPTIONS: Final = ClientOptions(
    "mx2.example.net", TlsUse.OFF, pipelining=Pipelining.AHEAD, tries_last=True
)
FORBIDDEN: Final = re.compile(rb"^(STARTTLS|AUTH|ATRN|ETRN)\b", re.MULTILINE)
CHUNK: Final = re.compile(rb"^BDAT\b", re.MULTILINE)
_MODES: Final = (None, SendingMode.AHEAD, SendingMode.AHEAD_WITH_RSET)


def check(data: bytes) -> None:
    """Run one input. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 3)
    choices = Choices(octets)
    planned = [PlannedMail(number, choices) for number in range(settings.below(5))]
    mode, has_codes = settings.one_of(_MODES), settings.flag()
    known = mode and ChunkingProbeResult(cast(Any, _AnyOffer()), mode, has_codes)
    shell = _TurnedShell(replace(OPTIONS, probed=known), planned, choices)
    heard = b""
    for piece in pieces(stream, Choices(octets)):
        heard += piece
        shell.receive(piece)
        assert not shell.said or b"\n" in heard, "it spoke first"
    shell.close()
    shell.check_end()
    assert not FORBIDDEN.search(shell.said)
    if mode is None:
        before, probe, behind = shell.said.partition(PROBE)
        assert not CHUNK.search(before + behind)
        assert not probe or behind in (b"", b"QUIT\r\n")


class _AnyOffer:
    """An offer that no server has changed."""

    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


class _TurnedShell(SessionShell):
    def _quit(self) -> None:
        self._session.try_and_quit()
