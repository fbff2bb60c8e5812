"""The server's certificates, in TLS contexts for the listeners."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, SSLError
from typing import NamedTuple, Self

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


class ListenerKind(NamedTuple):
    """The listeners that can share a context."""

    service: str
    tls_minimum: TlsVersion
    asks_for_certificates: bool = False

    @classmethod
    def of(cls, listen: Listen, tls: TlsSettings) -> Self:
        """Return the kind of a listener."""
        minimum = listen.tls_minimum or tls.minimum
        return cls(listen.service, minimum, listen.asks_for_certificates)


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """As read from files."""

    contexts: Mapping[ListenerKind, SSLContext]
    expires_at: float  # Unix time, of the first certificate to end
    names: frozenset[str] = frozenset()  # of the hosts that the certificates are for
    files: Mapping[Path, FileStamp] = field(default_factory=dict)  # certificates and keys

    def context(self, listen: Listen, tls: TlsSettings) -> SSLContext:
        """Return the context for one of the listeners that this was read for."""
        return self.contexts[ListenerKind.of(listen, tls)]


def read_identity(config: Config) -> ServerIdentity:
    """Read certificates and keys. Raises IdentityUnusable."""
    pairs = config.tls.pairs
    try:
        stamps = {file: FileStamp.of(file) for pair in pairs for file in pair}
        certificates = [read_certificate(certificate.read_bytes()) for certificate, _ in pairs]
        ends = [certificate.not_valid_after_utc for certificate in certificates]
        names = frozenset(name for each in certificates for name in host_names(each))
        kinds = {
            ListenerKind.of(listen, config.tls)
            for listen in config.listen
            if listen.service != WEB or listen.tls
        }
        contexts = {
            kind: server_context(
                pairs,
                kind.tls_minimum,
                has_clear_text=kind.service not in {*IMPLICIT_TLS, *ODMR_SERVICES, WEB},
            )
            for kind in kinds
        }
        return ServerIdentity(contexts, min(ends).timestamp(), names, stamps)
    except (OSError, SSLError, UnfitCertificate) as error:
        files = ", ".join(str(certificate) for certificate, _ in pairs)
        raise IdentityUnusable(
            f"{files}: cannot be used: {cause_of(error)}; see `restante config check`"
        ) from None
