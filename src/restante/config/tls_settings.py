"""The settings of TLS: certificates, their keys, and versions."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from restante.config.one_or_more import ONE_OR_MORE
from restante.config.section import Section
from restante.mail.quantity import counted
from restante.network.setting_error import setting_error
from restante.network.setting_paths import ConfigPath

TlsVersion = Literal["1.0", "1.1", "1.2", "1.3"]
ConfigPaths = Annotated[tuple[ConfigPath, ...], ONE_OR_MORE]


class CertificateFiles(Section):
    """The files of certificates for the same hosts, and of their keys."""

    certificate: ConfigPaths = Field(
        min_length=1,
        description="PEM file with the certificate and its chain of intermediate certificates. A"
        " list names one file for each type of key, such as ECDSA and RSA. Each client gets one"
        " that it supports.",
        examples=["tls/cert.pem"],
    )
    key: ConfigPaths = Field(
        min_length=1,
        description="PEM file with the certificate's key, without a passphrase. For a list of"
        " certificates, a list of their keys in the same order.",
        examples=["tls/key.pem"],
    )

    @field_validator("key")
    @classmethod
    def _keys_pair_with_certificates(
        cls, key: tuple[Path, ...], info: ValidationInfo
    ) -> tuple[Path, ...]:
        certificates = info.data.get("certificate", key)  # missing if it is invalid itself
        if len(key) != len(certificates):
            cause = (
                f"names {counted(len(key), 'file')} for {counted(len(certificates), 'certificate')}"
            )
            raise setting_error(cause, "name one key for each certificate, in the same order")
        return key

    @property
    def pairs(self) -> tuple[tuple[Path, Path], ...]:
        """The certificates, each with its key."""
        return tuple(zip(self.certificate, self.key, strict=True))


class NamedCertificate(CertificateFiles):
    """One `[[tls.names]]`: certificates for clients that ask for one of their hosts (SNI)."""


class TlsSettings(CertificateFiles):
    """`[tls]`: the server's certificates and TLS versions."""

    minimum: TlsVersion = Field(
        default="1.2",
        description="Oldest TLS version accepted. `1.0` and `1.1` are for old primaries without TLS"
        " 1.2.",
    )
    names: tuple[NamedCertificate, ...] = Field(
        default=(),
        description="Certificates for other names of this server, such as `mx.customer.example`.",
    )

    @property
    def groups(self) -> tuple[CertificateFiles, ...]:
        """The default certificates, then those by name."""
        return (self, *self.names)

    @property
    def all_pairs(self) -> tuple[tuple[Path, Path], ...]:
        """All certificates, each with its key."""
        return tuple(pair for group in self.groups for pair in group.pairs)
