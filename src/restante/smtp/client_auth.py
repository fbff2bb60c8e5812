"""How we authenticate to a destination that wants it (RFC 4954, client side).

SCRAM-SHA-256 comes first: the password stays here, and the server proves that it knows it. Many
servers offer mechanisms and then refuse them: SCRAM and CRAM-MD5 because they store other hashes,
any of them because it is switched off. After a refusal that may concern only the mechanism, the
session uses the next one. Other servers close, or say 421, in the exchange that they do not expect.
After two such sessions in a row the next mechanism is used. A wrong password is not tried twice in
clear, and a server whose own proof fails gets no second mechanism.

Servers that obey RFC 4616 prepare the password that they get (RFC 4013). Others compare octets,
with the password as typed or as prepared. So it goes as typed, and after a refusal as prepared, if
that differs. SCRAM has the prepared form only.
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from restante.sasl import cram_md5
from restante.sasl.scram_client import BadChallenge, ScramClient
from restante.smtp.client_events import SaltPassword
from restante.smtp.peer_replies import ServerReply
from restante.smtp.protocol_errors import PeerBroke
from restante.smtp.told_secrets import ToldSecrets
from restante.tenancy.saslprep import forms_of, prepared

SCRAM: Final = "SCRAM-SHA-256"
UNANSWERED_LIMIT: Final = 2  # exchanges in a row without a result; then another mechanism is used
_MAX_COMMAND: Final = 510  # octets without CRLF (RFC 5321 §4.5.3.1.4); longer responses wait
_PROOF_MARK: Final = re.compile(b" |,p=")  # a digest of CRAM-MD5, a proof of SCRAM
_BAD_CREDENTIALS: Final = 535  # RFC 4954 §6
_AS_TYPED: Final = "the password as typed"  # stands among the useless mechanisms
_CANCEL: Final = b"*"  # RFC 4954 §4
_NOT_THIS_MECHANISM: Final = frozenset({504, 534})  # unknown, too weak (RFC 4954 §4, §6)


@dataclass(frozen=True, slots=True)
class ClientLogin:
    """Our user name and password at the destination."""

    user: str
    password: str = field(repr=False)
    # Mechanisms that the server offers and refuses. Sessions with one server share the set.
    useless: set[str] = field(default_factory=set, repr=False, compare=False)
    # By mechanism, the exchanges in a row that the server left without a result; shared likewise.
    unanswered: Counter[str] = field(default_factory=Counter, repr=False, compare=False)

    @property
    def sent_password(self) -> str:
        """The password in the form to send next."""
        return prepared(self.password) if _AS_TYPED in self.useless else self.password

    def use_other_form(self) -> bool:
        """Send the prepared form after a refusal. False if there is none, or it was refused too."""
        if _AS_TYPED in self.useless:
            self.useless.discard(_AS_TYPED)  # the next session begins again
            return False
        if prepared(self.password) == self.password:
            return False
        self.useless.add(_AS_TYPED)
        return True

    def choose(self, offered: Collection[str]) -> str | None:
        """Return the mechanism to use, None if the server offers none that we speak.

        If every other was left unanswered too, or was refused, it begins again with the best.
        """
        avoided = {name for name, n in self.unanswered.items() if n >= UNANSWERED_LIMIT}
        if found := choose_mechanism(offered, self.useless | avoided):
            return found
        self.unanswered.clear()
        return choose_mechanism(offered, self.useless) or choose_mechanism(offered)


class ClientAuthentication:
    """One AUTH exchange. The session begins it under TLS only."""

    __slots__ = ("_login", "_said", "_scram", "_told", "complaint", "mechanism")

    def __init__(self, login: ClientLogin, mechanism: str, nonce: str, told: ToldSecrets) -> None:
        """`nonce` is for SCRAM; it was never used before. `told` grows with each response."""
        self._login = login
        self._said: list[bytes] = []  # responses, before base64
        self._scram = ScramClient(login.user, nonce)
        self._told = told
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
        self._remember(response)
        return with_response

    def respond(self, challenge: ServerReply) -> bytes | SaltPassword:
        """Return the answer to a 334, without CRLF; or the work that must be done before.

        A challenge that cannot be answered is cancelled, and `complaint` says why. Raises PeerBroke
        for another after that, and BadChallenge for a server that does not prove itself.
        """
        if self.complaint:
            raise PeerBroke(f"AUTH {self.mechanism} was cancelled, and a further challenge came")
        if len(self._said) >= _RESPONSES[self.mechanism]:
            return self._give_up("was answered, and a further challenge came")
        text = b""
        if self.mechanism in _READS_CHALLENGES:
            try:
                text = base64.b64decode(challenge.lines[0], validate=True)
            except binascii.Error:
                if not self._awaits_proof:
                    return self._give_up("has a challenge that is not base64")
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

    def concerns_mechanism(self, code: int) -> bool:
        """Return whether a refusal may concern this mechanism alone, and not our password."""
        return bool(self.complaint) or is_of_mechanism(self.mechanism, code)

    def concerns_form(self, code: int) -> bool:
        """Return whether a refusal may concern the form in which the password was sent."""
        has_form = self.mechanism != SCRAM and bool(self._said) and not self.complaint
        return has_form and code == _BAD_CREDENTIALS

    def _say(self, response: bytes) -> bytes:
        self._remember(response)
        return base64.b64encode(response)

    def _remember(self, response: bytes) -> None:
        self._said.append(response)
        if response and self.mechanism in _READS_CHALLENGES:
            self._told.add_response(response)
            self._told.add_proof(_PROOF_MARK.split(response)[-1])

    @property
    def _awaits_proof(self) -> bool:
        return self.mechanism == SCRAM and len(self._said) > 1

    def _give_up(self, why: str) -> bytes:
        self.complaint = f"{self.mechanism} {why}"
        return _CANCEL

    def _response(self, challenge: bytes) -> bytes:
        match self.mechanism, len(self._said):
            case "PLAIN", _:
                return plain_response(self._login)
            case "LOGIN", 0:  # prompts differ in their words and never in their order
                return self._login.user.encode()
            case "LOGIN", _:
                return self._login.sent_password.encode()
            case "CRAM-MD5", _:
                digest = cram_md5.digest(self._login.sent_password, challenge)
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


def is_of_mechanism(mechanism: str, code: int) -> bool:
    """Return whether a refusal with this code may concern the mechanism alone.

    A 4xx counts too: Postfix says 454 where Cyrus SASL has no database for the mechanism.
    """
    return mechanism in _READS_CHALLENGES or code in _NOT_THIS_MECHANISM


def plain_response(login: ClientLogin) -> bytes:
    """Return the response of PLAIN (RFC 4616)."""
    return f"\0{login.user}\0{login.sent_password}".encode()


def secrets_of(login: ClientLogin | None) -> ToldSecrets:
    """Return the texts of a login that no message may show."""
    if login is None:
        return ToldSecrets()
    told = ToldSecrets(*(form.encode() for form in forms_of(login.password)))
    for form in forms_of(login.password):
        told.add_response(f"\0{login.user}\0{form}".encode())
    return told


# Mechanisms that begin with our response, those that read challenges, and responses of each.
_SPEAKS_FIRST: Final = frozenset({"PLAIN", SCRAM})
_READS_CHALLENGES: Final = frozenset({"CRAM-MD5", SCRAM})
_RESPONSES: Final = {SCRAM: 3, "PLAIN": 1, "CRAM-MD5": 1, "LOGIN": 2}
MECHANISMS: Final = tuple(_RESPONSES)  # the best first


def choose_mechanism(offered: Collection[str], useless: Collection[str] = ()) -> str | None:
    """Return the mechanism to use, None if the server offers none that we speak."""
    return next((name for name in MECHANISMS if name in offered and name not in useless), None)
