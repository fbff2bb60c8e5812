"""Ask for mail (RFC 1985) in one session: TLS, AUTH, ETRN for each target, QUIT.

The password is sent only over TLS to a server that has proved itself. No text of the server that
repeats it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from restante_client.endpoints import read_endpoint
from restante_client.sasl_exchange import ClientCredentials, authenticate
from restante_client.smtp_link import SmtpLink
from restante_client.target_names import wire_target
from restante_client.tls_trust import ClientTrust

IMPLICIT_PORT = 465
STARTTLS_PORT = 25


@dataclass(frozen=True)
class MailServer:
    """A server, the way to it, and the login there."""

    server: str  # HOST or HOST:PORT
    credentials: ClientCredentials
    trust: ClientTrust = field(default_factory=ClientTrust)
    is_implicit: bool = True
    timeout: float = 60.0
    starttls_port: int = STARTTLS_PORT  # where none is given

    def session(self) -> SmtpLink:
        """Open a session. Raises ClientFailure."""
        port = IMPLICIT_PORT if self.is_implicit else self.starttls_port
        endpoint = read_endpoint(self.server, port)
        return SmtpLink(self.server, endpoint, self.timeout, self.trust)

    def log_in(self, link: SmtpLink) -> None:
        """Begin TLS and authenticate. Raises ClientFailure."""
        link.begin(is_implicit=self.is_implicit)
        authenticate(link, self.credentials)


def ask_by_etrn(asked: MailServer, targets: Sequence[str]) -> Iterator[tuple[str, int, str]]:
    """Yield each target with the code and text of its reply. Raises ClientFailure."""
    on_the_wire = [(target, wire_target(target)) for target in targets]
    with asked.session() as link:
        asked.log_in(link)
        for target, name in on_the_wire:
            answer = link.command(f"ETRN {name}")
            yield target, answer.code, asked.credentials.told(answer)
        link.quit()
