"""Fetch mail by a turnaround (RFC 2645): a correct customer of ODMR.

The local server is connected to first. Where it does not answer, nothing is asked, and all mail
stays held. Then ATRN is sent over TLS to a server that has proved itself. From the 250 on, the
provider is the client and the local server is the server; this program passes their octets on.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.etrn_request import MailServer
from restante_client.local_server import LocalServer
from restante_client.octet_pipe import OctetPipe, PipeLimits, PipeStalled
from restante_client.smtp_replies import NO_MAIL, SmtpAnswer, atrn_exit, atrn_words
from restante_client.target_names import wire_target
from restante_client.turn_tally import TurnTally

ODMR_PORT = 366  # RFC 2645 §5
_GRANTED = 250
_MAX_COMMAND = 510  # octets without CRLF (RFC 5321 §4.5.3.1.4)


@dataclass(frozen=True)
class TurnResult:
    """The end of a turnaround, and how many messages the local server took."""

    code: int  # of the reply to ATRN
    text: str
    exit: ClientExit
    delivered: int = 0
    deferred: int = 0
    refused: int = 0
    is_exact: bool = True  # False: the counts could not be told from the octets
    first_refusal: str = ""
    first_deferral: str = ""


def turn_mail(
    asked: MailServer, targets: Sequence[str], local: LocalServer, limits: PipeLimits
) -> TurnResult:
    """Ask for a turnaround and carry it through. Raises ClientFailure.

    It closes the connection to the local server.
    """
    try:
        command = _command(targets)
        with asked.session() as link:
            asked.log_in(link)
            answer = link.command(command)
            if answer.code != _GRANTED:
                link.quit()
                return _declined(asked, answer)
            provider, early = link.hand_over()
            return _carry_through(asked.server, provider, early, local, limits)
    finally:
        local.dismiss()


def _command(targets: Sequence[str]) -> str:
    """Return the command. RFC 2645 §5.2.1 allows one list, with commas and no blanks."""
    names = ",".join(map(wire_target, targets))
    command = f"ATRN {names}".strip()
    if len(command) > _MAX_COMMAND:
        raise ClientFailure(
            ClientExit.USAGE,
            f"the names have {len(names)} octets together, and a command has {_MAX_COMMAND}; name"
            " fewer, or none for all domains of the login",
        )
    return command


def _declined(asked: MailServer, answer: SmtpAnswer) -> TurnResult:
    meaning = f"{asked.server}: {atrn_words(answer.code)}"
    if answer.code == NO_MAIL:
        return TurnResult(answer.code, meaning, ClientExit.DONE)
    code = atrn_exit(answer.code) or ClientExit.UNAVAILABLE
    told = asked.credentials.told(answer)
    said = f"{answer.code} {told}".strip() if answer.code > 0 else told
    text = f"{meaning} ({said}){_remedy(answer.code)}"
    raise ClientFailure(code, text, {"code": answer.code})


def _remedy(code: int) -> str:
    if code == 450:  # noqa: PLR2004
        return "; ask the operator, whose audit trail has the reason, or try again later"
    if code == 502:  # noqa: PLR2004
        return "; use the port of its odmr listener"
    return "" if atrn_exit(code) is ClientExit.TRY_LATER else "; ask the operator"


def _carry_through(
    server: str,
    provider: socket.socket,
    early: bytes,
    local: LocalServer,
    limits: PipeLimits,
) -> TurnResult:
    tally = TurnTally()
    pipe = OctetPipe(provider, local.connection, limits, tally.take_commands, tally.take_replies)
    try:
        pipe.run(early, local.greeting)
    except PipeStalled as stalled:
        broken = str(stalled)
    except OSError as error:
        broken = f"the connection broke: {error.strerror or error}"
    else:
        broken = "" if tally.is_closed or not tally.is_exact else "the session ended without QUIT"
    finally:
        with suppress(OSError):
            local.connection.close()
    text = f"{server}: {_counts(tally)}"
    code = ClientExit.UNAVAILABLE if tally.refused else ClientExit.DONE
    is_unsure = broken or tally.deferred or not tally.is_exact
    code = ClientExit.TRY_LATER if is_unsure else code
    if broken:
        text += f"; {broken}; the rest stays held: turn again later"
    return TurnResult(
        _GRANTED,
        text,
        code,
        tally.delivered,
        tally.deferred,
        tally.refused,
        tally.is_exact,
        tally.first_refusal,
        tally.first_deferral,
    )


def _counts(tally: TurnTally) -> str:
    text = f"{tally.delivered:,} message{'s' * (tally.delivered != 1)} delivered"
    if not tally.is_exact:
        text = f"at least {text}: the session could not be followed to its end"
    if tally.refused:
        text += f", {tally.refused:,} refused by the local server ({tally.first_refusal})"
    if tally.deferred:
        text += f", {tally.deferred:,} deferred by the local server ({tally.first_deferral})"
    return text
