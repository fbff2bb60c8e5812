"""What the server shows who connects to it: its certificate, in TLS contexts for the listeners."""

from collections.abc import Mapping
from dataclasses import dataclass
from ssl import SSLContext, SSLError

from restante.config.certificate import Unfit, read_certificate
from restante.config.schema import IMPLICIT_TLS, Config, Listen, TlsSettings, TlsVersion
from restante.network.tls_context import server_context


class IdentityUnusable(Exception):  # noqa: N818
    """The certificate or its key cannot be read, or do not fit."""


@dataclass(frozen=True, slots=True)
class Identity:
    """As read from files."""

    contexts: Mapping[tuple[str, str], SSLContext]  # by service and oldest TLS version
    expires_at: float  # Unix time

    def context(self, listen: Listen, tls: TlsSettings) -> SSLContext:
        """Return the context for one of the listeners that this was read for."""
        return self.contexts[listen.service, listen.tls_minimum or tls.minimum]


def read_identity(config: Config) -> Identity:
    """Read certificate and key. Raises IdentityUnusable."""
    try:
        certificate = read_certificate(config.tls.certificate.read_bytes())
        kinds: set[tuple[str, TlsVersion]] = {
            (listen.service, listen.tls_minimum or config.tls.minimum) for listen in config.listen
        }
        contexts: dict[tuple[str, str], SSLContext] = {
            (service, minimum): server_context(
                config.tls.certificate, config.tls.key, minimum, has_clear_text=service not in IMPLICIT_TLS
            )
            for service, minimum in kinds
        }
        return Identity(contexts, certificate.not_valid_after_utc.timestamp())
    except (OSError, SSLError, Unfit) as error:
        remedy = "see `restante config check`"
        raise IdentityUnusable(f"{config.tls.certificate}: cannot be used: {error}; {remedy}") from None
