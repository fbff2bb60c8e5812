"""How we authenticate to a destination that wants it (RFC 4954, client side)."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final

from restante.sasl import cram_md5
from restante.smtp.errors import PeerBroke
from restante.smtp.peer_replies import ServerReply

_MAX_COMMAND: Final = 510  # octets without CRLF (RFC 5321 §4.5.3.1.4); a longer initial response waits to be asked for
_LOGIN_RESPONSES: Final = 2  # user name and password
_TELLTALE: Final = 8  # characters of a response in base64: fewer may stand there by chance


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """Our user name and password at the destination."""

    user: str
    password: str = field(repr=False)


class Authentication:
    """One AUTH exchange: PLAIN, which most servers speak; CRAM-MD5 or LOGIN only where PLAIN is not offered.

    The session begins it under TLS only, so PLAIN gives nothing away that CRAM-MD5 would keep.
    """

    __slots__ = ("_login", "_responses", "mechanism")

    def __init__(self, login: ClientLogin, mechanism: str) -> None:
        self._login = login
        self._responses = 0  # given so far
        self.mechanism = mechanism

    def command(self) -> bytes:
        """Return the AUTH command, without CRLF."""
        command = f"AUTH {self.mechanism}".encode()
        if self.mechanism != "PLAIN":
            return command
        with_response = command + b" " + base64.b64encode(self._plain())
        fits = len(with_response) <= _MAX_COMMAND
        self._responses += fits
        return with_response if fits else command

    def respond(self, challenge: ServerReply) -> bytes:
        """Return the answer to a 334, without CRLF. Raises PeerBroke for one more than the mechanism has."""
        if self._responses == (_LOGIN_RESPONSES if self.mechanism == "LOGIN" else 1):
            raise PeerBroke(f"AUTH {self.mechanism} was answered, and a further challenge came")
        self._responses += 1
        return base64.b64encode(self._response(challenge))

    def _response(self, challenge: ServerReply) -> bytes:
        match self.mechanism:
            case "PLAIN":
                return self._plain()
            case "LOGIN":  # whatever the words of its prompts: they come in many, and always in this order
                return (self._login.user if self._responses == 1 else self._login.password).encode()
        return self._cram_md5(challenge)

    def text_to_show(self, reply: ServerReply) -> str:
        """Return a reply's text for people, its words left out where they repeat what was said: that is a secret.

        Servers do so with a command that they do not understand, and some cut it short.
        """
        password = self._login.password
        encoded = (self._plain(), password.encode())
        secrets = (password, *(base64.b64encode(one).decode()[:_TELLTALE] for one in encoded))
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
    return next((name for name in ("PLAIN", "CRAM-MD5", "LOGIN") if name in offered), None)
