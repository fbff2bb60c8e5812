"""How we authenticate to a destination that wants it (RFC 4954, client side).

SCRAM-SHA-256 comes first: the password stays here, and the server proves that it knows it. Many
servers offer SCRAM and then refuse it, because they store other hashes. After such a refusal the
session uses the next mechanism. A server whose own proof fails gets no second mechanism.
"""

import base64
import binascii
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Final

from restante.sasl import cram_md5
from restante.sasl.scram_client import BadChallenge, ScramClient
from restante.smtp.client_events import SaltPassword
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke

SCRAM: Final = "SCRAM-SHA-256"
_MAX_COMMAND: Final = 510  # octets without CRLF (RFC 5321 §4.5.3.1.4); longer responses wait
_TELLTALE: Final = 8  # characters of a response in base64: fewer may stand there by chance
_PROOF_MARK: Final = re.compile(" |,p=")  # a digest of CRAM-MD5, a proof of SCRAM
_CANCEL: Final = b"*"  # RFC 4954 §4


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """Our user name and password at the destination."""

    user: str
    password: str = field(repr=False)
    # Mechanisms that the server offers and refuses. Sessions with one server share the set.
    useless: set[str] = field(default_factory=set, repr=False, compare=False)


class Authentication:
    """One AUTH exchange. The session begins it under TLS only."""

    __slots__ = ("_login", "_said", "_scram", "complaint", "mechanism")

    def __init__(self, login: ClientLogin, mechanism: str, nonce: str) -> None:
        """`nonce` is for SCRAM; it was never used before."""
        self._login = login
        self._said: list[bytes] = []  # responses, before base64
        self._scram = ScramClient(login.user, nonce)
        self.complaint = ""  # why we gave up
        self.mechanism = mechanism

    def command(self) -> bytes:
        """Return the AUTH command, without CRLF."""
        command = f"AUTH {self.mechanism}".encode()
        if self.mechanism not in _SPEAKS_FIRST:
            return command
        response = self._response(b"")
        with_response = command + b" " + base64.b64encode(response)
        if len(with_response) > _MAX_COMMAND:
            return command
        self._said.append(response)
        return with_response

    def respond(self, challenge: ServerReply) -> bytes | SaltPassword:
        """Return the answer to a 334, without CRLF; or the work that must be done before.

        Raises PeerBroke for one challenge more than the mechanism has, and BadChallenge for a
        server that does not prove itself.
        """
        if self.complaint or len(self._said) >= _RESPONSES[self.mechanism]:
            raise PeerBroke(f"AUTH {self.mechanism} was answered, and a further challenge came")
        text = self._decoded(challenge) if self.mechanism in _READS_CHALLENGES else b""
        if self.mechanism == SCRAM and len(self._said) == 1:
            return self._begin_proof(text)
        return self._say(self._response(text))

    def password_salted(self, salted: bytes) -> bytes:
        """Return the answer that had to wait for this."""
        return self._say(self._scram.final(salted))

    def succeeded(self) -> None:
        """Take the server's success. Raises BadChallenge if it owes a proof of its own."""
        if self.mechanism == SCRAM:
            self._scram.require_proof()

    def text_to_show(self, reply: ServerReply) -> str:
        """Return a reply's text for people, without its words if they repeat our secret.

        Servers do so with a command that they do not understand, and some cut it short.
        """
        repeats = any(secret in reply.text for secret in self._secrets())
        return f"{reply.code} {reply.enhanced}".rstrip() if repeats else reply.text

    def _say(self, response: bytes) -> bytes:
        self._said.append(response)
        return base64.b64encode(response)

    def _response(self, challenge: bytes) -> bytes:
        match self.mechanism, len(self._said):
            case "PLAIN", _:
                return self._plain()
            case "LOGIN", 0:  # prompts differ in their words and never in their order
                return self._login.user.encode()
            case "LOGIN", _:
                return self._login.password.encode()
            case "CRAM-MD5", _:
                digest = cram_md5.digest(self._login.password, challenge)
                return f"{self._login.user} {digest}".encode()
            case _, 0:
                return self._scram.first()
        self._scram.take_server_final(challenge)
        return b""

    def _begin_proof(self, challenge: bytes) -> bytes | SaltPassword:
        """Take the server's first message of SCRAM; give up if it cannot be answered."""
        try:
            return SaltPassword(self._login.password, self._scram.take_server_first(challenge))
        except BadChallenge as error:
            self.complaint = str(error)
            return _CANCEL

    def _decoded(self, challenge: ServerReply) -> bytes:
        try:
            return base64.b64decode(challenge.lines[0], validate=True)
        except binascii.Error as error:
            raise PeerBroke(f"the {self.mechanism} challenge is not base64") from error

    def _plain(self) -> bytes:
        return f"\0{self._login.user}\0{self._login.password}".encode()

    def _secrets(self) -> Iterator[str]:
        """Yield texts that show a password, or a proof that allows guesses at it."""
        password = self._login.password
        yield password
        proofs = [each for each in self._said if each and self.mechanism in _READS_CHALLENGES]
        for octets in (self._plain(), password.encode(), *proofs):
            yield base64.b64encode(octets).decode()[:_TELLTALE]
        for response in proofs:
            yield _PROOF_MARK.split(response.decode())[-1][:_TELLTALE]


# Mechanisms that begin with our response, those that read challenges, and responses of each.
_SPEAKS_FIRST: Final = frozenset({"PLAIN", SCRAM})
_READS_CHALLENGES: Final = frozenset({"CRAM-MD5", SCRAM})
_RESPONSES: Final = {SCRAM: 3, "PLAIN": 1, "CRAM-MD5": 1, "LOGIN": 2}
MECHANISMS: Final = tuple(_RESPONSES)  # the best first


def choose_mechanism(offered: Collection[str], useless: Collection[str] = ()) -> str | None:
    """Return the mechanism to use, None if the server offers none that we speak."""
    return next((name for name in MECHANISMS if name in offered and name not in useless), None)
