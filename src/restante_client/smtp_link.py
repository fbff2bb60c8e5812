"""A session with a server of SMTP, as its client. All that the server sends is bounded.

A reply has at most MAX_LINES lines of at most MAX_LINE octets, and must be complete within the
timeout. So a hostile or broken server can neither fill the memory nor hold the session.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from contextlib import suppress

from restante_client.client_failure import ClientExit, ClientFailure
from restante_client.endpoints import HostPort
from restante_client.smtp_replies import UNREADABLE, SmtpAnswer, etrn_exit
from restante_client.tls_trust import ClientTrust

MAX_LINE = 4096  # octets; RFC 5321 §4.5.3.1.5 allows 512, and servers exceed it
MAX_LINES = 128
_READ_OCTETS = 4096
_CODE_LENGTH = 3
_READY = 220


class SmtpLink:
    """The client's end of one session: commands out, replies in."""

    def __init__(self, server: str, endpoint: HostPort, timeout: float, trust: ClientTrust) -> None:
        """`server` is its name in messages. Raises ClientFailure if it cannot be reached."""
        self.server = server
        self.features: dict[str, str] = {}  # of EHLO, in upper case, with their parameters
        self._host = endpoint[0]
        self._timeout = timeout
        self._trust = trust
        self._context = trust.context()
        self._received = b""
        self._is_heard = False  # the server has said something since TLS began
        try:
            self._socket = socket.create_connection(endpoint, timeout)
        except OSError as error:
            raise self._failure(error) from None

    def __enter__(self) -> SmtpLink:  # noqa: PYI034  Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def begin(self, *, is_implicit: bool) -> None:
        """Read the greeting and say EHLO, all under TLS. Raises ClientFailure."""
        if is_implicit:
            self._secure()
        greeting = self._greeting(is_implicit=is_implicit)
        if greeting.code != _READY:
            said = greeting.said if greeting.code > 0 else "no greeting"
            code = etrn_exit(greeting.code) if greeting.code > 0 else ClientExit.TRY_LATER
            code = code or ClientExit.UNAVAILABLE
            raise ClientFailure(code, f"{self.server}: {said}; check the port, or ask again later")
        self._hello()
        if not is_implicit:
            self._start_tls()

    def command(self, line: str) -> SmtpAnswer:
        """Send one line, and return the reply. Raises ClientFailure if there is none."""
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(f"{line}\r\n".encode())
        except OSError as error:
            raise self._broken(error) from None
        return self._reply()

    def quit(self) -> None:
        """Say QUIT. The reply does not matter."""
        with suppress(ClientFailure):
            self.command("QUIT")

    def hand_over(self) -> tuple[socket.socket, bytes]:
        """Give the connection away, with the octets that came behind the last reply."""
        received, self._received = self._received, b""
        return self._socket, received

    def _greeting(self, *, is_implicit: bool) -> SmtpAnswer:
        try:
            return self._reply()
        except ClientFailure as failure:
            if is_implicit or failure.code is not ClientExit.TRY_LATER:
                raise
            # A server that awaits TLS says nothing before it.
            text = f"{failure.text}, or try --tls implicit: some ports begin with TLS"
            raise ClientFailure(failure.code, text) from None

    def _hello(self) -> None:
        answer = self.command(f"EHLO {_own_name(self._socket)}")
        if answer.code // 100 != 2:  # noqa: PLR2004
            code = etrn_exit(answer.code) or ClientExit.UNAVAILABLE
            raise ClientFailure(
                code, f"{self.server}: refused EHLO with {answer.said}; check the server and port"
            )
        self.features = {}
        for line in answer.lines[1:]:
            name, _, parameters = line.upper().partition(" ")
            self.features[name] = parameters

    def _start_tls(self) -> None:
        if "STARTTLS" not in self.features:
            remedy = "the password is not sent without TLS; try --tls implicit"
            raise ClientFailure(
                ClientExit.UNAVAILABLE, f"{self.server}: offers no STARTTLS; {remedy}"
            )
        answer = self.command("STARTTLS")
        if answer.code != _READY:
            code = etrn_exit(answer.code) or ClientExit.UNAVAILABLE
            remedy = "the password is not sent without TLS; ask again later"
            raise ClientFailure(
                code, f"{self.server}: refused STARTTLS with {answer.said}; {remedy}"
            )
        if self._received:  # somebody may have put them there (RFC 3207 §6)
            raise ClientFailure(
                ClientExit.UNAVAILABLE,
                f"{self.server}: sent more behind its reply to STARTTLS; use another network, or"
                " --tls implicit",
            )
        self._secure()
        self._hello()

    def _secure(self) -> None:
        try:
            self._socket.settimeout(self._timeout)
            secured = self._context.wrap_socket(self._socket, server_hostname=self._host)
        except OSError as error:
            raise self._failure(error) from None
        self._socket = secured
        self._is_heard = False
        self._trust.check(secured, self.server)

    def _reply(self) -> SmtpAnswer:
        deadline = time.monotonic() + self._timeout
        lines: list[str] = []
        while len(lines) < MAX_LINES:
            line = self._line(deadline)
            code, mark = line[:_CODE_LENGTH], line[_CODE_LENGTH : _CODE_LENGTH + 1]
            if not (code.isascii() and code.isdigit() and len(code) == _CODE_LENGTH):
                return SmtpAnswer(UNREADABLE, (*lines, line))
            lines.append(line[_CODE_LENGTH + 1 :])
            if mark != "-":
                return SmtpAnswer(int(code), tuple(lines))
        raise ClientFailure(
            ClientExit.UNAVAILABLE,
            f"{self.server}: sent a reply of more than {MAX_LINES} lines; check the server",
        )

    def _line(self, deadline: float) -> str:
        while b"\n" not in self._received:
            if len(self._received) > MAX_LINE:
                raise self._overlong()
            self._received += self._read(deadline)
        line, _, self._received = self._received.partition(b"\n")
        if len(line) > MAX_LINE:
            raise self._overlong()
        return line.rstrip(b"\r").decode("utf-8", "backslashreplace")

    def _read(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise socket.timeout
            self._socket.settimeout(left)
            octets = self._socket.recv(_READ_OCTETS)
        except OSError as error:
            raise self._broken(error) from None
        if not octets:
            raise self._ended()
        self._is_heard = True
        return octets

    def _broken(self, error: OSError) -> ClientFailure:
        if isinstance(error, (ConnectionError, ssl.SSLEOFError)):
            return self._ended()
        return self._failure(error)

    def _ended(self) -> ClientFailure:
        text = f"{self.server}: ended the session; ask again later"
        # TLS 1.3 servers refuse a certificate after the handshake, and the alert may be lost.
        if self._trust.certificate is not None and not self._is_heard:
            text += ", or have the certificate of --certificate registered there"
        return ClientFailure(ClientExit.TRY_LATER, text)

    def _failure(self, error: OSError) -> ClientFailure:
        has_certificate = self._trust.certificate is not None
        return connection_failure(self.server, error, has_certificate=has_certificate)

    def _overlong(self) -> ClientFailure:
        return ClientFailure(
            ClientExit.UNAVAILABLE,
            f"{self.server}: sent a line of more than {MAX_LINE} octets; check the server and port",
        )


# The network or the server may be back later.
_PASSING = frozenset(
    getattr(errno, name, 0)
    for name in (
        *("ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "EPIPE", "ETIMEDOUT", "EADDRNOTAVAIL"),
        *("ENETDOWN", "ENETUNREACH", "EHOSTDOWN", "EHOSTUNREACH", "ENETRESET"),
    )
)
# Alerts by which a server refuses a client's certificate (RFC 8446 §6.2).
_ABOUT_CERTIFICATE = ("UNKNOWN_CA", "CERTIFICATE", "ACCESS_DENIED")


def connection_failure(
    server: str, error: OSError, *, has_certificate: bool = False
) -> ClientFailure:
    """Return a failed connection with its cause and remedy; `has_certificate`: we showed one."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLCertVerificationError):
        reason = error.reason or ""
        if has_certificate and "ALERT" in reason and any(a in reason for a in _ABOUT_CERTIFICATE):
            return ClientFailure(
                ClientExit.NOT_ALLOWED,
                f"{server}: does not accept the certificate of --certificate ("
                f"{reason.replace('_', ' ').lower()}); have it registered for the login there",
            )
    code = ClientExit.TRY_LATER if _may_pass(error) else ClientExit.UNAVAILABLE
    return ClientFailure(code, f"{server}: {_cause(error)}")


def _may_pass(error: OSError) -> bool:
    if isinstance(error, ssl.SSLError):
        return isinstance(error, ssl.SSLEOFError)
    if isinstance(error, socket.gaierror):
        return error.errno == socket.EAI_AGAIN
    return isinstance(error, socket.timeout) or error.errno in _PASSING - {0}


def _cause(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        reason = error.verify_message.rstrip(".")
        return (
            f"its certificate is not trusted: {reason}; pass its authority with --ca,"
            " and use its full name"
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
        reason = (error.reason or str(error)).replace("_", " ").lower()
        return f"TLS failed: {reason}; check --tls and the port"
    if isinstance(error, socket.gaierror):
        remedy = "check the network, or ask again later"
        return f"{error.strerror}; {remedy if _may_pass(error) else 'check the host name'}"
    if isinstance(error, (socket.timeout, ssl.SSLEOFError)):
        told = "no answer in time" if isinstance(error, socket.timeout) else "ended the session"
        return f"{told}; ask again later"
    if error.strerror:
        return f"{error.strerror}; check the name and port, and that the server runs"
    return f"{' '.join(str(error).split())}; ask again later"


def _own_name(connection: socket.socket) -> str:
    """Return the name for EHLO: a full one, or our address as a literal (RFC 5321 §4.1.4)."""
    name = socket.gethostname()
    if "." in name.strip(".") and name.isascii() and name.isprintable() and " " not in name:
        return name
    address = connection.getsockname()[0].partition("%")[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
