"""Ask for mail (RFC 1985) in one session, as a primary does: TLS, AUTH, ETRN for each domain, QUIT.

The password is sent only over TLS with a verified certificate, and no text of the server that
repeats it is shown.
"""

import base64
import smtplib
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from restante.cli.etrn_reply_words import exit_for, words
from restante.cli.failures import Exit, Failure
from restante.mail.address import canonical_domain
from restante.network.addresses import split_host_port
from restante.network.tls_context import verifying_client_context
from restante.sasl.cram_md5 import digest
from restante.sasl.scram_client import BadChallenge, ScramClient
from restante.sasl.scram_keys import salted_password
from restante.sasl.scram_messages import new_nonce
from restante.smtp.client_auth import ClientLogin, is_of_mechanism, secrets_of
from restante.tenancy.saslprep import prepared

IMPLICIT_PORT = 465
STARTTLS_PORT = 25
_AUTHENTICATED = 235
_CHALLENGE = 334
_REFUSED = 400  # and above
_WITHHELD: Final = "its text is not shown: it repeats the password"
_PERMANENT = 500  # and above
_SCRAM: Final = "SCRAM-SHA-256"


@dataclass(frozen=True, slots=True)
class EtrnServer:
    """The server to ask, and the login to ask with."""

    server: str  # host, or host:port
    login: str
    password: str
    is_implicit: bool
    ca_file: Path | None
    mechanism: str | None  # "scram-sha-256", "plain", …; None: the best one offered
    timeout: float

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port. Raises Failure."""
        try:
            return split_host_port(
                self.server, IMPLICIT_PORT if self.is_implicit else STARTTLS_PORT
            )
        except ValueError as error:
            raise Failure(Exit.USAGE, f"server: {error}; write HOST or HOST:PORT") from None


def ask_for_mail(asking: EtrnServer, domains: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """Yield each domain with the code and text of its reply. Raises Failure if none can come."""
    targets = [(domain, _target(domain)) for domain in domains]
    try:
        with closing(_connect(asking)) as session:
            _authenticate(session, asking)
            for domain, target in targets:
                code, text = session.docmd("ETRN", target)
                yield domain, code, _safe(text, asking)
            with suppress(OSError):  # every reply has arrived, so the end does not matter
                session.docmd("QUIT")
    except smtplib.SMTPServerDisconnected:
        raise Failure(
            Exit.TRY_LATER, f"{asking.server}: ended the session; ask again later"
        ) from None
    except smtplib.SMTPConnectError as error:
        said = (
            f"{error.smtp_code} {_one_line(error.smtp_error)}"
            if error.smtp_code > 0
            else "no greeting"
        )
        code = exit_for(error.smtp_code) if error.smtp_code > 0 else Exit.TRY_LATER
        raise Failure(
            code, f"{asking.server}: {said}; check the port, or ask again later"
        ) from None
    except OSError as error:  # smtplib's own are among them
        raise Failure(Exit.UNAVAILABLE, f"{asking.server}: {_cause(error)}") from None


def _target(text: str) -> str:
    """Return an ETRN argument in its form on the wire. Raises Failure for other text."""
    mark = text[:1] if text[:1] in ("@", "#") else ""
    name = text.removeprefix(mark)
    try:
        if mark == "#":
            if not name or not name.isascii() or not name.isprintable() or " " in name:
                raise ValueError(f"not an account: {name!r}")  # noqa: TRY301  one remedy for both
            return text
        return mark + canonical_domain(name)
    except ValueError as error:
        raise Failure(Exit.USAGE, f"{text}: {error}; give DOMAIN, @DOMAIN or #ACCOUNT") from None


def _connect(asking: EtrnServer) -> smtplib.SMTP:
    host, port = asking.endpoint
    context = _context(asking.ca_file)
    if asking.is_implicit:
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=asking.timeout, context=context
        )
        session.ehlo_or_helo_if_needed()
        return session
    session = smtplib.SMTP(host, port, timeout=asking.timeout)
    try:
        _start_tls(session, asking.server, context)
    except BaseException:
        session.close()
        raise
    return session


def _start_tls(session: smtplib.SMTP, server: str, context: ssl.SSLContext) -> None:
    session.ehlo_or_helo_if_needed()
    if not session.has_extn("starttls"):
        remedy = "the password is not sent without TLS; try --tls implicit"
        raise Failure(Exit.UNAVAILABLE, f"{server}: offers no STARTTLS; {remedy}")
    try:
        session.starttls(context=context)
    except smtplib.SMTPResponseException as error:
        said = f"{error.smtp_code} {_one_line(error.smtp_error)}"
        remedy = "the password is not sent without TLS; ask again later"
        code = exit_for(error.smtp_code) or Exit.UNAVAILABLE
        raise Failure(code, f"{server}: refused STARTTLS with {said}; {remedy}") from None
    session.ehlo_or_helo_if_needed()


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return verifying_client_context(str(ca_file) if ca_file else "")
    except (OSError, ssl.SSLError):
        text = f"{ca_file}: cannot be read, or has no PEM certificate; name another file with --ca"
        raise Failure(Exit.NO_INPUT, text) from None


def _authenticate(session: smtplib.SMTP, asking: EtrnServer) -> None:
    offered = session.esmtp_features.get("auth", "").upper().replace(",", " ").split()
    wanted = [asking.mechanism.upper()] if asking.mechanism else list(_MECHANISMS)
    usable = [name for name in wanted if name in offered]
    if not usable:
        known = " ".join(offered) or "no AUTH at all"
        remedy = "check the server and port"
        names = " or ".join(wanted)
        raise Failure(
            Exit.UNAVAILABLE, f"{asking.server}: does not offer AUTH {names}, but {known}; {remedy}"
        )
    for mechanism in usable:
        code, text = _MECHANISMS[mechanism](session, asking)
        if code < _REFUSED or not is_of_mechanism(mechanism, code):
            break
    if code == _CHALLENGE:
        cause = f"it sent an unexpected challenge after AUTH {mechanism}"
        raise Failure(
            Exit.UNAVAILABLE, f"{asking.server}: login {asking.login}: {cause}; try another --auth"
        )
    if code != _AUTHENTICATED:
        remedy = "check --login and --password-file" if code >= _PERMANENT else "ask again later"
        said = f"{code} {_safe(text, asking)}" if code > 0 else _safe(text, asking)
        cause = f"{words(code)} ({said})"
        raise Failure(exit_for(code), f"{asking.server}: login {asking.login}: {cause}; {remedy}")


def _scram(session: smtplib.SMTP, asking: EtrnServer) -> tuple[int, bytes]:
    """Authenticate by RFC 5802. Raises Failure unless the server proves its identity."""
    client = ScramClient(asking.login, new_nonce())
    try:
        code, text = session.docmd("AUTH", f"{_SCRAM} {_base64(client.first())}")
        if code == _CHALLENGE:
            salting = client.take_server_first(_decoded(text, _SCRAM))
            code, text = session.docmd(
                _base64(client.final(salted_password(asking.password, salting)))
            )
        if code == _CHALLENGE:
            client.take_server_final(_decoded(text, _SCRAM))
            code, text = session.docmd("")
        if code == _AUTHENTICATED:
            client.require_proof()
    except BadChallenge as error:
        remedy = "check the server, or try another --auth"
        raise Failure(
            Exit.UNAVAILABLE, f"{asking.server}: login {asking.login}: {error}; {remedy}"
        ) from None
    return code, text


def _plain(session: smtplib.SMTP, asking: EtrnServer) -> tuple[int, bytes]:
    """Authenticate by RFC 4616. The function of smtplib supports ASCII only."""
    return session.docmd(
        "AUTH", "PLAIN " + _base64(f"\0{asking.login}\0{asking.password}".encode())
    )


def _cram_md5(session: smtplib.SMTP, asking: EtrnServer) -> tuple[int, bytes]:
    """Authenticate by RFC 2195 §2."""
    code, challenge = session.docmd("AUTH", "CRAM-MD5")
    if code != _CHALLENGE:
        return code, challenge
    answer = digest(prepared(asking.password), _decoded(challenge, "CRAM-MD5"))
    return session.docmd(_base64(f"{asking.login} {answer}".encode()))


def _auth_login(session: smtplib.SMTP, asking: EtrnServer) -> tuple[int, bytes]:
    """Send user name and password, each after its prompt."""
    code, text = session.docmd("AUTH", "LOGIN")
    for answer in (asking.login, asking.password):
        if code != _CHALLENGE:
            break
        code, text = session.docmd(_base64(answer.encode()))
    return code, text


# The function for each mechanism, the best first.
_MECHANISMS: Final = {_SCRAM: _scram, "PLAIN": _plain, "CRAM-MD5": _cram_md5, "LOGIN": _auth_login}


def _decoded(challenge: bytes, mechanism: str) -> bytes:
    try:
        return base64.b64decode(challenge)
    except ValueError:
        raise smtplib.SMTPException(f"its {mechanism} challenge is not base64") from None


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _safe(text: bytes, asking: EtrnServer) -> str:
    told = secrets_of(ClientLogin(asking.login, asking.password))
    return _WITHHELD if told.are_in(text) else _one_line(text)


def _one_line(text: bytes | str) -> str:
    plain = text.decode("utf-8", "backslashreplace") if isinstance(text, bytes) else text
    return " ".join(plain.split())


def _cause(error: OSError) -> str:
    """Return cause and remedy of a failed connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not trusted: {error.verify_message}; pass its authority with --ca,"
            " and use its full name"
        )
    if isinstance(error, ssl.SSLError):
        return (
            f"TLS failed: {(error.reason or str(error)).replace('_', ' ').lower()}; check --tls and"
            " the port"
        )
    if isinstance(error, socket.gaierror):
        return f"{error.strerror}; check the host name"
    if isinstance(error, TimeoutError):
        return "no answer in time; ask again later"
    if error.strerror:
        return f"{error.strerror}; check the name and port, and that the server runs"
    return f"{_one_line(str(error))}; ask again later"
