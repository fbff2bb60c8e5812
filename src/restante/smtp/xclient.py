"""The XCLIENT command of Postfix: the server judges the session as another client's.

Reference: XCLIENT_README of Postfix; Exim has a part of it. Authority is given to an address, and
is judged again for the address that was named. So a second XCLIENT in a session gets 550, and a
session that goes on after it delivers mail in the first client's name. There is one XCLIENT in a
connection, and any reply but 220 ends it.

    XCLIENT NAME=… REVERSE_NAME=… ADDR=… PORT=… HELO=…
    220                                                  a greeting: nothing said before it counts
    EHLO name-of-the-client

Only names that the server has offered are sent; it answers another one with 501. LOGIN is never
sent: it would say that a user of the server has logged in. NAME is always sent, because the server
would otherwise keep our own name for the client.

    the PTR name of the client      NAME            REVERSE_NAME
    ------------------------------  --------------  --------------
    confirmed                       the name        the name
    leads elsewhere                 [UNAVAILABLE]   the name
    none                            [UNAVAILABLE]   [UNAVAILABLE]
    look-up failed temporarily      [TEMPUNAVAIL]   [TEMPUNAVAIL]
    not looked up                   [TEMPUNAVAIL]   [TEMPUNAVAIL]

So a server that wants a name defers mail for which nobody has asked DNS, and refuses none.
"""

from collections.abc import Collection
from typing import Final

from restante.mail.dsn_request import xtext
from restante.mail.message_origin import PtrStatus
from restante.smtp.passed_client import PassedClient

ADDRESS: Final = "ADDR"
_UNAVAILABLE: Final = "[UNAVAILABLE]"  # there is none
_TEMPORARY: Final = "[TEMPUNAVAIL]"  # not known now


def xclient_command(client: PassedClient, names: Collection[str]) -> bytes | None:
    """Return the command for a client; None where the server does not take its address.

    `names` are those that the server has offered, in upper case.
    """
    if ADDRESS not in names:
        return None
    name, reverse_name = _names(client)
    prefix = "" if client.address.version == 4 else "IPV6:"  # noqa: PLR2004
    values = {
        "NAME": name,
        "REVERSE_NAME": reverse_name,
        ADDRESS: f"{prefix}{client.address}",
        "PORT": str(client.port) if client.port else _UNAVAILABLE,
        "HELO": xtext(client.hello),
    }
    words = [f"{word}={value}" for word, value in values.items() if word in names]
    return f"XCLIENT {' '.join(words)}\r\n".encode("ascii")


def _names(client: PassedClient) -> tuple[str, str]:
    """Return the values of NAME and REVERSE_NAME."""
    if client.ptr in (PtrStatus.FAILED, PtrStatus.NOT_LOOKED_UP):
        return _TEMPORARY, _TEMPORARY
    found = xtext(client.host_name) or _UNAVAILABLE
    return (found if client.ptr is PtrStatus.CONFIRMED else _UNAVAILABLE), found
