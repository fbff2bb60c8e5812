"""What the server shows who connects to it: its certificate, in a TLS context for each listener."""

from collections.abc import Sequence
from dataclasses import dataclass
from ssl import SSLContext, SSLError

from restante.config.certificate import Unfit, read_certificate
from restante.config.schema import Config
from restante.network.tls_context import server_context


class IdentityUnusable(Exception):  # noqa: N818
    """The certificate or its key cannot be read, or do not fit."""


@dataclass(frozen=True, slots=True)
class Identity:
    """As read from files."""

    contexts: Sequence[SSLContext]  # one for each of the configuration's listeners, in its order
    expires_at: float  # Unix time


def read_identity(config: Config) -> Identity:
    """Read certificate and key. Raises IdentityUnusable."""
    try:
        certificate = read_certificate(config.tls.certificate.read_bytes())
        contexts = [
            server_context(config.tls.certificate, config.tls.key, listen.tls_minimum or config.tls.minimum)
            for listen in config.listen
        ]
        return Identity(contexts, certificate.not_valid_after_utc.timestamp())
    except (OSError, SSLError, Unfit) as error:
        remedy = "see `restante config check`"
        raise IdentityUnusable(f"{config.tls.certificate}: cannot be used: {error}; {remedy}") from None
