"""The server's certificates, in TLS contexts for the listeners."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, SSLError

from restante.config.certificate import UnfitCertificate, host_names, read_certificate
from restante.config.file_stamp import FileStamp
from restante.config.schema import (
    IMPLICIT_TLS,
    ODMR_SERVICES,
    WEB,
    Config,
    Listen,
    TlsSettings,
    TlsVersion,
)
from restante.network.tls_context import server_context
from restante.phrases import cause_of


class IdentityUnusable(Exception):  # noqa: N818
    """A certificate or its key cannot be read, or they do not fit."""


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """As read from files."""

    contexts: Mapping[tuple[str, str], SSLContext]  # by service and oldest TLS version
    expires_at: float  # Unix time, of the first certificate to end
    names: frozenset[str] = frozenset()  # of the hosts that the certificates are for
    files: Mapping[Path, FileStamp] = field(default_factory=dict)  # certificates and keys

    def context(self, listen: Listen, tls: TlsSettings) -> SSLContext:
        """Return the context for one of the listeners that this was read for."""
        return self.contexts[listen.service, listen.tls_minimum or tls.minimum]


def read_identity(config: Config) -> ServerIdentity:
    """Read certificates and keys. Raises IdentityUnusable."""
    pairs = config.tls.pairs
    try:
        stamps = {file: FileStamp.of(file) for pair in pairs for file in pair}
        certificates = [read_certificate(certificate.read_bytes()) for certificate, _ in pairs]
        ends = [certificate.not_valid_after_utc for certificate in certificates]
        names = frozenset(name for each in certificates for name in host_names(each))
        kinds: set[tuple[str, TlsVersion]] = {
            (listen.service, listen.tls_minimum or config.tls.minimum)
            for listen in config.listen
            if listen.service != WEB or listen.tls
        }
        contexts: dict[tuple[str, str], SSLContext] = {
            (service, minimum): server_context(
                pairs, minimum, has_clear_text=service not in {*IMPLICIT_TLS, *ODMR_SERVICES, WEB}
            )
            for service, minimum in kinds
        }
        return ServerIdentity(contexts, min(ends).timestamp(), names, stamps)
    except (OSError, SSLError, UnfitCertificate) as error:
        files = ", ".join(str(certificate) for certificate, _ in pairs)
        raise IdentityUnusable(
            f"{files}: cannot be used: {cause_of(error)}; see `restante config check`"
        ) from None
