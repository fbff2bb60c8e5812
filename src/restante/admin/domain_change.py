"""The fields of a hosted domain, and the destination and authorized hosts made from them.

No function here uses the network or the store: texts and values go in, checked values come out.
"""

import base64
import binascii
import re
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.policy_change import PolicyFields
from restante.admin.request_bounds import HostList, LineText, PemText, PinList, Secret, StoredNumber
from restante.phrases import did_you_mean
from restante.tenancy.model import (
    AuthorizedHosts,
    ClientPassing,
    Destination,
    DestinationLogin,
    TlsUse,
    parse_authorized_hosts,
)
from restante.tenancy.sealed_secrets import Vault, destination_owner

MAX_CONNECTIONS = 100
MAX_PER_MINUTE = 10_000
MAX_PEM_LENGTH = 65_536  # characters
_SHA256_OCTETS = 32
_PEM_BEGINNING = "-----BEGIN "
_CERTIFICATE = re.compile(
    r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)
_PROTECTED = (TlsUse.REQUIRED, TlsUse.VERIFY)


class DomainFields(PolicyFields):
    """The fields of a new or changed domain; None leaves one unchanged."""

    allow: HostList | None = None  # replaces all
    tls: TlsUse | None = None
    tls_ca: PemText | None = None  # a path, or PEM text; "" for the system's authorities
    tls_pins: PinList | None = None  # hex or base64; () for none
    pin_now: bool = False  # connect, and pin the key that the destination shows
    destination_login: LineText | None = None  # user name; "" for none
    destination_password: Secret | None = None
    connections: Annotated[StoredNumber, Field(ge=1, le=MAX_CONNECTIONS)] | None = None
    per_minute: Annotated[StoredNumber, Field(ge=0, le=MAX_PER_MINUTE)] | None = (
        None  # messages; 0 for no limit
    )
    private_destination: bool | None = None  # whether an account's choice may have any address
    client_address: ClientPassing | None = None  # how the destination learns the client


class NewDomain(DomainFields):
    """The fields of a new domain."""

    name: LineText
    account: LineText
    destination: LineText


class DomainChange(DomainFields):
    """The fields to change."""

    account: LineText | None = None
    destination: LineText | None = None
    add_allow: HostList = ()
    drop_allow: HostList = ()


def changed_hosts(present: AuthorizedHosts, fields: DomainFields) -> AuthorizedHosts:
    """Return the authorized hosts after a change. Raises AdminError."""
    texts = present.texts if fields.allow is None else _parse_hosts(fields.allow).texts
    if isinstance(fields, DomainChange):
        texts = (
            *_without(texts, _parse_hosts(fields.drop_allow).texts),
            *_parse_hosts(fields.add_allow).texts,
        )
    return _parse_hosts(dict.fromkeys(texts))


def _without(texts: Sequence[str], dropped: Sequence[str]) -> list[str]:
    if missing := [text for text in dropped if text not in texts]:
        error = f"authorized host {missing[0]}: is not on the list"
        remedy = "`restante domain show DOMAIN` shows those that are"
        meant = did_you_mean(missing[0], texts)
        raise AdminError(ErrorKind.NOT_FOUND, error, f"{meant} {remedy}".lstrip())
    return [text for text in texts if text not in dropped]


def _parse_hosts(texts: Iterable[str]) -> AuthorizedHosts:
    texts = tuple(texts)
    if zoned := [text for text in texts if "%" in text]:
        error = f"authorized host {zoned[0]}: a zone cannot be checked"
        raise AdminError(ErrorKind.INVALID, error, "write the address without % and what follows")
    try:
        return parse_authorized_hosts(texts)
    except ValueError as error:
        remedy = "write an address, a network such as 192.0.2.0/24, or a host name"
        raise AdminError(ErrorKind.INVALID, f"authorized host: {error}", remedy) from None


def changed_destination(
    vault: Vault, domain: str, present: Destination, fields: DomainFields
) -> Destination:
    """Return the destination with TLS, login and limit as given.

    Raises AdminError for contradictions.
    """
    ca_file, ca_text = (
        (present.ca_file, present.ca_text) if fields.tls_ca is None else _authority(fields.tls_ca)
    )
    leave = present.may_be_private
    if fields.private_destination is not None:
        leave = fields.private_destination or None
    destination = replace(
        present,
        tls=present.tls if fields.tls is None else fields.tls,
        ca_file=ca_file,
        ca_text=ca_text,
        may_be_private=leave,
        key_pins=present.key_pins
        if fields.tls_pins is None
        else tuple(map(read_pin, fields.tls_pins)),
        login=_changed_login(vault, domain, present.login, fields),
        connections=present.connections if fields.connections is None else fields.connections,
        per_minute=present.per_minute if fields.per_minute is None else fields.per_minute or None,
        client_address=present.client_address
        if fields.client_address is None
        else fields.client_address,
    )
    _refuse_contradictions(domain, destination)
    return destination


def _refuse_contradictions(domain: str, destination: Destination) -> None:
    has_authority = destination.ca_file or destination.ca_text
    if (has_authority or destination.key_pins) and destination.tls is not TlsUse.VERIFY:
        error = (
            f"domain {domain}: an authority or pin is of use only where the destination is verified"
        )
        raise AdminError(
            ErrorKind.USAGE, error, "give --tls verify too, or leave out --tls-ca and --tls-pin"
        )
    if destination.login and destination.tls not in _PROTECTED:
        error = f"domain {domain}: the password for its destination could go out in plain text"
        raise AdminError(ErrorKind.USAGE, error, "give --tls required or --tls verify too")


def _changed_login(
    vault: Vault, domain: str, present: DestinationLogin | None, fields: DomainFields
) -> DestinationLogin | None:
    user, password = fields.destination_login, fields.destination_password
    if user is None and password is None:
        return present
    if user == "":
        return None
    user = user or (present.user if present else None)
    if not user or password is None or not password.get_secret_value():
        error = f"domain {domain}: a login at the destination is a user name and a password"
        raise AdminError(
            ErrorKind.USAGE, error, "give --destination-login and --destination-password-stdin"
        )
    was = present.sealed_password if present else None
    sealed = vault.sealed_again(was, password.get_secret_value(), destination_owner(domain))
    return DestinationLogin(user, sealed)


def read_pin(text: str) -> str:
    """Return the hex of a SHA-256 in hex (with or without colons) or base64. Raises AdminError."""
    plain = (
        text.strip().removeprefix("sha256//").removeprefix("sha256/")
    )  # in the form of curl and HPKP
    for decode in (_from_hex, _from_base64):
        digest = decode(plain)
        if digest is not None and len(digest) == _SHA256_OCTETS:
            return digest.hex()
    error = f"pin {text!r}: is not a SHA-256 in hex or base64"
    remedy = (
        "make it by: openssl x509 -in CERT -pubkey -noout | openssl pkey -pubin -outform DER |"
        " sha256sum"
    )
    raise AdminError(ErrorKind.INVALID, error, remedy)


def _from_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        return None


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return None


def is_pem(text: str) -> bool:
    """Return whether a text is meant as PEM, and not as the path of a file."""
    return _PEM_BEGINNING in text


def _authority(text: str) -> tuple[str, str]:
    """Return path and PEM text of authorities, one of them "". Raises AdminError."""
    if not is_pem(text):
        return _checked_ca_file(text), ""
    remedy = f"send only certificates in PEM, at most {MAX_PEM_LENGTH} characters"
    blocks = _CERTIFICATE.findall(text)
    if len(text) > MAX_PEM_LENGTH or not blocks or text.count(_PEM_BEGINNING) != len(blocks):
        error = "authority: the text is too long, or has something else than certificates"
        raise AdminError(ErrorKind.INVALID, error, remedy)
    certificates = "".join(f"{block}\n" for block in blocks)
    try:
        ssl.create_default_context(cadata=certificates)
    except (ssl.SSLError, ValueError):
        error = "authority: the text holds a certificate that cannot be read"
        raise AdminError(ErrorKind.INVALID, error, remedy) from None
    return "", certificates


def _checked_ca_file(text: str) -> str:
    """Return the path if the server can use the file now. Raises AdminError."""
    if not text:
        return ""
    if not Path(text).is_absolute():
        raise AdminError(
            ErrorKind.INVALID,
            f"authority {text}: is not a full path",
            "write the full path, from /",
        )
    try:
        ssl.create_default_context(cafile=text)
    except ssl.SSLError:
        raise AdminError(
            ErrorKind.INVALID, f"authority {text}: holds no PEM certificate", "name another file"
        ) from None
    except OSError as error:
        remedy = "name a file that the server may read"
        raise AdminError(ErrorKind.INVALID, f"authority {text}: {error.strerror}", remedy) from None
    return text
