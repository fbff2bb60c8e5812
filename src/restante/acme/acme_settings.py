"""The settings for certificates by ACME."""

from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

from restante.mail.address import canonical_domain, split_mailbox
from restante.network.setting_error import setting_error
from restante.network.setting_paths import BesidePath

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def _check_directory(text: str) -> str:
    try:
        url = urlsplit(text)
        is_fit = not text or (
            bool(url.hostname)
            and (url.scheme == "https" or (url.scheme == "http" and url.hostname in _LOOPBACK))
        )
    except ValueError:
        is_fit = False
    if not is_fit:
        remedy = "write the HTTPS URL of the authority's directory"
        raise setting_error("is no URL of an ACME directory", remedy)
    return text


def _check_names(names: tuple[str, ...]) -> tuple[str, ...]:
    try:
        found = tuple(map(canonical_domain, names))
    except ValueError:
        remedy = 'write full names, such as "mx2.example.net"; HTTP-01 proves no wildcards'
        raise setting_error("has an entry that is no host name", remedy) from None
    if len(set(found)) < len(found):
        raise setting_error("has a name twice", "write each name once")
    return found


def _check_contact(text: str) -> str:
    if text and not all(split_mailbox(text)):
        raise setting_error("is not a mail address", 'write one such as "hostmaster@example.net"')
    return text


class AcmeSettings(BaseModel):
    """`[acme]` in the configuration."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    directory: Annotated[str, AfterValidator(_check_directory)] = Field(
        default="",
        description="URL of the directory of an authority that speaks ACME (RFC 8555). Empty: no"
        " certificates by ACME. Only for a store on SQLite.",
        examples=["https://acme-v02.api.letsencrypt.org/directory"],
    )
    names: Annotated[tuple[str, ...], AfterValidator(_check_names)] = Field(
        default=(),
        description="Host names of this server. Each gets a certificate of its own, and its address"
        " must lead to the `acme` listener at port 80. That of `hostname` replaces the default"
        " ECDSA certificate of `[tls]`.",
        examples=[["mx2.example.net", "mx.customer.example"]],
    )
    accept_terms: str = Field(
        default="",
        description="URL of the authority's terms of service that you accept. If the authority"
        " names other terms, nothing is ordered.",
        examples=["https://letsencrypt.org/documents/LE-SA-v1.6-August-18-2025.pdf"],
    )
    contact: Annotated[str, AfterValidator(_check_contact)] = Field(
        default="",
        description="Mail address that the authority may use. Empty: none.",
        examples=["hostmaster@example.net"],
    )
    renew_days: int = Field(
        default=30,
        ge=1,
        le=60,
        description="Days before its end from which a certificate is renewed; at most a third of"
        " its lifetime.",
    )
    ca_file: BesidePath = Field(
        default="",
        description="PEM file with a private authority that may sign the certificate of"
        " `directory`, in place of those of the system.",
        examples=["acme-ca.pem"],
    )

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if self.names and not self.directory:
            raise setting_error("has names without a directory", "set directory, or remove names")
        if self.directory and not self.names:
            raise setting_error("has a directory without names", "set names, or remove directory")
        return self
