"""AUTH (RFC 4954, client side), always under TLS.

SCRAM-SHA-256 comes first: the password stays here, and the server proves that it knows it. A server
may keep other hashes of a login, or offer a mechanism that it cannot carry out. So after a refusal
that may concern the mechanism alone the next one is used. With a client certificate and without a
password, only EXTERNAL is used.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field

from restante_client.client_failure import ClientExit, ClientFailure, shown
from restante_client.prepared_text import prepared_text
from restante_client.secret_filter import SecretFilter
from restante_client.smtp_link import SmtpLink
from restante_client.smtp_replies import SmtpAnswer, etrn_exit, etrn_words

SCRAM = "SCRAM-SHA-256"
EXTERNAL = "EXTERNAL"
BY_PASSWORD = (SCRAM, "PLAIN", "CRAM-MD5", "LOGIN")  # the best first
MAX_ITERATIONS = 1_000_000  # a server may ask for any number; these take 0.2 to 0.5 s
_AUTHENTICATED = 235
_CHALLENGE = 334
_REFUSED = 400  # and above
_PERMANENT = 500  # and above
_NOT_THIS_MECHANISM = frozenset({504, 534})  # unknown, too weak (RFC 4954 §4, §6)
_READS_CHALLENGES = frozenset({"CRAM-MD5", SCRAM})
_GS2_HEADER = "n,,"  # no channel binding, and nobody else's authorization
_COUNT = re.compile(r"[1-9][0-9]{0,9}\Z")
_MAX_NONCE = 2048
_WITHHELD = "its text is not shown: it repeats the password"


@dataclass(frozen=True)
class ClientCredentials:
    """User name and password; without a password, the certificate of the connection proves us."""

    user: str
    password: str = field(repr=False, default="")
    mechanism: str = ""  # the only one to use, in upper case

    @property
    def wanted(self) -> tuple[str, ...]:
        """The mechanisms to use, the best first."""
        if self.mechanism:
            return (self.mechanism,)
        return BY_PASSWORD if self.password else (EXTERNAL,)

    def told(self, answer: SmtpAnswer) -> str:
        """Return the text of a reply, unless it repeats the password."""
        if not self.password:
            return answer.text
        secrets_of_login = SecretFilter()
        secrets_of_login.add(self.password, self.user)
        return _WITHHELD if secrets_of_login.is_in(answer.text) else answer.text


class BadExchange(Exception):  # noqa: N818
    """The server's message does not fit, or does not prove that it knows the password."""


def authenticate(link: SmtpLink, credentials: ClientCredentials) -> None:
    """Log in. Raises ClientFailure."""
    who = f"{link.server}: login {credentials.user}" if credentials.user else link.server
    offered = link.features.get("AUTH", "").replace(",", " ").split()
    usable = [name for name in credentials.wanted if name in offered]
    if not usable:
        known = shown(" ".join(offered))[:200] or "no AUTH at all"
        names = " or ".join(credentials.wanted)
        raise ClientFailure(
            ClientExit.UNAVAILABLE,
            f"{link.server}: does not offer AUTH {names}, but {known}; check the server and port",
        )
    try:
        for mechanism in usable:
            answer = _MECHANISMS[mechanism](link, credentials)
            if answer.code < _REFUSED or not _concerns_mechanism(mechanism, answer.code):
                break
    except BadExchange as error:
        raise ClientFailure(
            ClientExit.UNAVAILABLE, f"{who}: {error}; check the server, or try another --auth"
        ) from None
    if answer.code == _CHALLENGE:
        cause = f"it sent an unexpected challenge after AUTH {mechanism}"
        raise ClientFailure(ClientExit.UNAVAILABLE, f"{who}: {cause}; try another --auth")
    if answer.code != _AUTHENTICATED:
        raise _refusal(who, credentials, answer)


def _concerns_mechanism(mechanism: str, code: int) -> bool:
    """Return whether a refusal may concern the mechanism alone: Postfix says 454 for that too."""
    return mechanism in _READS_CHALLENGES or code in _NOT_THIS_MECHANISM


def _refusal(who: str, credentials: ClientCredentials, answer: SmtpAnswer) -> ClientFailure:
    remedy = "ask again later"
    if answer.code >= _PERMANENT:
        given = "--password-file" if credentials.password else "--certificate"
        remedy = f"check --login and {given}"
    text = credentials.told(answer)
    said = f"{answer.code} {text}" if answer.code > 0 else text
    code = etrn_exit(answer.code) or ClientExit.UNAVAILABLE
    text = f"{who}: {etrn_words(answer.code)} ({said}); {remedy}"
    return ClientFailure(code, text, {"code": answer.code})


def _plain(link: SmtpLink, credentials: ClientCredentials) -> SmtpAnswer:
    """Authenticate by RFC 4616."""
    response = f"\0{credentials.user}\0{credentials.password}"
    return link.command(f"AUTH PLAIN {_base64(response)}")


def _external(link: SmtpLink, credentials: ClientCredentials) -> SmtpAnswer:
    """Authenticate by the certificate of the connection (RFC 4422, appendix A)."""
    return link.command(f"AUTH EXTERNAL {_base64(credentials.user) or '='}")


def _cram_md5(link: SmtpLink, credentials: ClientCredentials) -> SmtpAnswer:
    """Authenticate by RFC 2195 §2."""
    answer = link.command("AUTH CRAM-MD5")
    if answer.code != _CHALLENGE:
        return answer
    password = prepared_text(credentials.password).encode()
    digest = hmac.new(password, _decoded(answer, "CRAM-MD5"), "md5").hexdigest()
    return link.command(_base64(f"{credentials.user} {digest}"))


def _login(link: SmtpLink, credentials: ClientCredentials) -> SmtpAnswer:
    """Send user name and password, each after its prompt."""
    answer = link.command("AUTH LOGIN")
    for text in (credentials.user, credentials.password):
        if answer.code != _CHALLENGE:
            break
        answer = link.command(_base64(text))
    return answer


def _scram(link: SmtpLink, credentials: ClientCredentials) -> SmtpAnswer:
    """Authenticate by RFC 5802. Raises BadExchange unless the server proves its identity."""
    nonce = secrets.token_urlsafe(18)
    name = prepared_text(credentials.user).replace("=", "=3D").replace(",", "=2C")
    bare = f"n={name},r={nonce}"
    answer = link.command(f"AUTH {SCRAM} {_base64(_GS2_HEADER + bare)}")
    signature = None
    if answer.code == _CHALLENGE:
        final, signature = _scram_final(
            credentials.password, nonce, bare, _decoded(answer, SCRAM).decode("utf-8", "replace")
        )
        answer = link.command(_base64(final))
    is_proved = False
    if answer.code == _CHALLENGE:
        proof = _attribute(_decoded(answer, SCRAM).decode("utf-8", "replace").split(",")[0], "v")
        is_proved = signature is not None and hmac.compare_digest(
            proof.encode(), base64.b64encode(signature)
        )
        if not is_proved:
            raise BadExchange(_UNPROVED)
        answer = link.command("")
    if answer.code == _AUTHENTICATED and not is_proved:
        raise BadExchange(_UNPROVED)
    return answer


_UNPROVED = "the server did not prove that it knows the password"
_UNREADABLE_CHALLENGE = "the SCRAM challenge cannot be read"


def _scram_final(password: str, nonce: str, bare: str, challenge: str) -> tuple[str, bytes]:
    """Return our second message, and the signature that the server owes. Raises BadExchange."""
    parts = challenge.split(",")
    if len(parts) < 3:  # noqa: PLR2004
        raise BadExchange(_UNREADABLE_CHALLENGE)
    whole_nonce, salt, count = (
        _attribute(part, name) for part, name in zip(parts, ("r", "s", "i"))
    )
    if not whole_nonce.startswith(nonce) or not len(nonce) < len(whole_nonce) < _MAX_NONCE:
        raise BadExchange("the SCRAM challenge does not match our message")
    if not _COUNT.match(count):
        raise BadExchange(_UNREADABLE_CHALLENGE)
    if int(count) > MAX_ITERATIONS:
        raise BadExchange(f"SCRAM with {count} iterations; the limit is {MAX_ITERATIONS}")
    try:
        salt_octets = base64.b64decode(salt, validate=True)
    except ValueError:
        raise BadExchange(_UNREADABLE_CHALLENGE) from None
    secret = prepared_text(password).encode()
    salted = hashlib.pbkdf2_hmac("sha256", secret, salt_octets, int(count))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    without_proof = f"c={_base64(_GS2_HEADER)},r={whole_nonce}"
    signed = f"{bare},{challenge},{without_proof}".encode()
    stored_key = hashlib.sha256(client_key).digest()
    mask = hmac.digest(stored_key, signed, "sha256")
    proof = bytes(left ^ right for left, right in zip(client_key, mask))
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    final = f"{without_proof},p={base64.b64encode(proof).decode()}"
    return final, hmac.digest(server_key, signed, "sha256")


def _attribute(text: str, name: str) -> str:
    if not text.startswith(f"{name}="):
        raise BadExchange(_UNPROVED if name == "v" else _UNREADABLE_CHALLENGE)
    return text[2:]


def _decoded(answer: SmtpAnswer, mechanism: str) -> bytes:
    try:
        return base64.b64decode("".join(answer.lines).strip(), validate=True)
    except ValueError:
        raise BadExchange(f"its {mechanism} challenge is not base64") from None


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")


_MECHANISMS = {
    SCRAM: _scram,
    "PLAIN": _plain,
    "CRAM-MD5": _cram_md5,
    "LOGIN": _login,
    EXTERNAL: _external,
}
