"""How we authenticate to a destination that wants it (RFC 4954, client side)."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from restante.sasl import cram_md5
from restante.smtp.errors import PeerBroke
from restante.smtp.peer_replies import ServerReply

_MAX_COMMAND: Final = 510  # octets without CRLF (RFC 5321 §4.5.3.1.4); a longer initial response waits to be asked for
_TELLTALE: Final = 8  # characters of a response in base64: fewer may stand there by chance


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """Our user name and password at the destination."""

    user: str
    password: str = field(repr=False)


class Authentication:
    """One AUTH exchange: PLAIN, which every server speaks; CRAM-MD5 only where PLAIN is not offered.

    The session begins it under TLS only, so PLAIN gives nothing away that CRAM-MD5 would keep.
    """

    __slots__ = ("_has_responded", "_login", "mechanism")

    def __init__(self, login: ClientLogin, mechanism: str) -> None:
        self._login = login
        self._has_responded = False
        self.mechanism = mechanism

    def command(self) -> bytes:
        """Return the AUTH command, without CRLF."""
        command = f"AUTH {self.mechanism}".encode()
        if self.mechanism != "PLAIN":
            return command
        with_response = command + b" " + base64.b64encode(self._plain())
        self._has_responded = len(with_response) <= _MAX_COMMAND
        return with_response if self._has_responded else command

    def respond(self, challenge: ServerReply) -> bytes:
        """Return the answer to a 334, without CRLF. Raises PeerBroke for a second one: neither mechanism has it."""
        if self._has_responded:
            raise PeerBroke(f"AUTH {self.mechanism} was answered, and a further challenge came")
        self._has_responded = True
        return base64.b64encode(self._plain() if self.mechanism == "PLAIN" else self._cram_md5(challenge))

    def text_to_show(self, reply: ServerReply) -> str:
        """Return a reply's text for people, its words left out where they repeat what was said: that is a secret.

        Servers do so with a command that they do not understand, and some cut it short.
        """
        secrets = (self._login.password, base64.b64encode(self._plain()).decode()[:_TELLTALE])
        return f"{reply.code} {reply.enhanced}".rstrip() if any(one in reply.text for one in secrets) else reply.text

    def _plain(self) -> bytes:
        return f"\0{self._login.user}\0{self._login.password}".encode()

    def _cram_md5(self, challenge: ServerReply) -> bytes:
        try:
            text = base64.b64decode(challenge.lines[0], validate=True)
        except binascii.Error as error:
            raise PeerBroke("the CRAM-MD5 challenge is not base64") from error
        return f"{self._login.user} {cram_md5.digest(self._login.password, text)}".encode()


def choose_mechanism(offered: frozenset[str]) -> str | None:
    """Return the mechanism to use, None where the server offers none that we speak."""
    return next((name for name in ("PLAIN", "CRAM-MD5") if name in offered), None)
