"""The server's certificates, in TLS contexts for the listeners."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext, SSLError
from typing import Final, NamedTuple, Self

from cryptography.hazmat.primitives.serialization import Encoding

from restante.acme.certificate_files import CertificateFilesOf
from restante.config.certificate import (
    UnfitCertificate,
    host_names,
    key_type,
    public_key_of,
    read_certificate,
    read_certificates,
)
from restante.config.file_stamp import FileStamp
from restante.config.listen_settings import IMPLICIT_TLS, ODMR_SERVICES, WEB, Listen
from restante.config.schema import Config
from restante.config.tls_settings import CertificateFiles, TlsSettings, TlsVersion
from restante.network.served_certificate import ServedCertificate, first_end
from restante.network.tls_context import server_context
from restante.network.tls_names import serve_by_name
from restante.phrases import cause_of

ACME_KEY_TYPE: Final = "ECDSA"


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

    contexts: Mapping[ListenerKind, Sequence[SSLContext]]  # the default, then those by name
    served: Sequence[ServedCertificate] = ()  # likewise
    files: Mapping[Path, FileStamp] = field(default_factory=dict)  # certificates and keys

    @property
    def expires_at(self) -> float:
        """When the first certificate ends, in Unix time."""
        return first_end(self.served)

    @property
    def names(self) -> frozenset[str]:
        """The hosts that the default certificates are for. The others have customers' names."""
        return frozenset(host for each in self.served[:1] for host in each.hosts)

    def context(self, listen: Listen, tls: TlsSettings) -> SSLContext:
        """Return the context for one of the listeners that this was read for."""
        return self.all_contexts(listen, tls)[0]

    def all_contexts(self, listen: Listen, tls: TlsSettings) -> Sequence[SSLContext]:
        """Return that context, and those it gives way to where a client asks for a name."""
        return self.contexts[ListenerKind.of(listen, tls)]


def read_identity(config: Config) -> ServerIdentity:
    """Read certificates and keys. Raises IdentityUnusable."""
    stamps: dict[Path, FileStamp] = {}
    served: list[ServedCertificate] = []
    try:
        groups = certificate_groups(config)
    except (OSError, UnfitCertificate) as error:
        raise _unusable(config.tls, error) from None
    for group in groups:
        try:
            stamps |= {file: FileStamp.of(file) for pair in group.pairs for file in pair}
            served.append(_served(group))
        except (OSError, UnfitCertificate) as error:
            raise _unusable(group, error) from None
    kinds = {ListenerKind.of(listen, config.tls) for listen in config.listen if listen.has_tls}
    contexts = {kind: _contexts(kind, groups, served) for kind in kinds}
    return ServerIdentity(contexts, tuple(served), stamps)


def certificate_groups(config: Config) -> Sequence[CertificateFiles]:
    """Return the certificates to show, each with its key: the default ones first.

    Those by ACME are among them once they are issued. One that cannot be used is left out, as it is
    ordered again. That of our host name takes the place of the default ones with a key of the same
    type.
    """
    issued = {
        name: files
        for name in config.acme.names
        if (files := CertificateFilesOf(config.acme_directory, name)).term() is not None
    }
    default: CertificateFiles = config.tls
    if own := issued.pop(config.hostname, None):
        default = _table([(own.certificate, own.key), *_others(config.tls)])
    by_acme = (_table([(one.certificate, one.key)]) for one in issued.values())
    return (default, *config.tls.names, *by_acme)


def _table(pairs: Sequence[tuple[Path, Path]]) -> CertificateFiles:
    certificates, keys = zip(*pairs, strict=True)
    return CertificateFiles.model_construct(certificate=certificates, key=keys)


def _others(tls: TlsSettings) -> list[tuple[Path, Path]]:
    """Return the default certificates with another type of key than those by ACME."""
    return [
        (certificate, key)
        for certificate, key in tls.pairs
        if key_type(read_certificate(certificate.read_bytes())) != ACME_KEY_TYPE
    ]


def served_or_none(config: Config) -> Sequence[ServedCertificate]:
    """Return what the certificates in the files say; () if one cannot be read."""
    try:
        return tuple(map(_served, certificate_groups(config)))
    except (OSError, UnfitCertificate):
        return ()


def _served(group: CertificateFiles) -> ServedCertificate:
    chains = [read_certificates(certificate.read_bytes()) for certificate, _ in group.pairs]
    certificates = [chain[0] for chain in chains]
    hosts = dict.fromkeys(name for each in certificates for name in host_names(each))
    ends = min(certificate.not_valid_after_utc for certificate in certificates)
    keys = tuple(hashlib.sha256(public_key_of(each)).hexdigest() for each in certificates)
    shown = tuple(tuple(one.public_bytes(Encoding.DER) for one in chain) for chain in chains)
    return ServedCertificate(tuple(hosts), ends.timestamp(), keys, shown)


def _contexts(
    kind: ListenerKind, groups: Sequence[CertificateFiles], served: Sequence[ServedCertificate]
) -> Sequence[SSLContext]:
    """Return the default context for a kind of listener, then those it gives way to."""
    contexts: list[SSLContext] = []
    for group in groups:
        try:
            contexts.append(
                server_context(
                    group.pairs,
                    kind.tls_minimum,
                    has_clear_text=kind.service not in {*IMPLICIT_TLS, *ODMR_SERVICES, WEB},
                )
            )
        except (OSError, SSLError) as error:
            raise _unusable(group, error) from None
    named = zip(served[1:], contexts[1:], strict=True)
    serve_by_name(contexts[0], {host: each for one, each in named for host in one.hosts})
    return tuple(contexts)


def _unusable(group: CertificateFiles, error: Exception) -> IdentityUnusable:
    files = ", ".join(map(str, group.certificate))
    return IdentityUnusable(
        f"{files}: cannot be used: {cause_of(error)}; see `restante config check`"
    )
