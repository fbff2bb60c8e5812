"""The client certificates of logins: which are registered, and logins that have nothing else."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Final

from pydantic import BaseModel, Field

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import moment
from restante.admin.request_bounds import PemText
from restante.tenancy.client_certificates import UnfitClientCertificate, new_login_certificate
from restante.tenancy.login_certificate import MOST_CERTIFICATES, LoginCertificate
from restante.tenancy.model import Login

_MOST_GIVEN: Final = 16  # in a request: the present ones are told from too many by a clear error

PemList = Annotated[Sequence[PemText], Field(max_length=_MOST_GIVEN)]
KeyList = Annotated[
    Sequence[Annotated[str, Field(pattern=r"^[0-9a-f]{8,64}$", max_length=64)]],
    Field(max_length=_MOST_GIVEN),
]


class LoginCertificateView(BaseModel):
    """A registered certificate."""

    key: str  # hex SHA-256 of its SubjectPublicKeyInfo
    sha256: str  # of the certificate, hex
    subject: str
    expires_at: datetime
    pem: str


def certificate_views(login: Login) -> list[LoginCertificateView]:
    """Return the certificates of a login."""
    return [
        LoginCertificateView(
            key=one.key,
            sha256=one.sha256,
            subject=one.subject,
            expires_at=moment(one.expires_at),
            pem=one.pem,
        )
        for one in login.certificates
    ]


def with_certificates(
    context: AdminContext,
    login: Login,
    *,
    all_of: PemList | None = None,
    added: PemList = (),
    dropped: KeyList = (),
) -> Login:
    """Return a login with other certificates. Raises AdminError.

    `all_of` replaces the present ones. `dropped` are keys or digests of certificates, or their
    beginnings.
    """
    kept = login.certificates if all_of is None else ()
    given = [_checked(context, login, pem) for pem in (*(all_of or ()), *added)]
    for key in dropped:
        kept = _without(login, kept, key)
    found = {(one.key, one.pem): one for one in (*kept, *given)}
    if len(found) > MOST_CERTIFICATES:
        error = f"login {login.user}: {len(found)} certificates; at most {MOST_CERTIFICATES}"
        raise AdminError(ErrorKind.INVALID, error, "drop those that no client shows")
    return replace(login, certificates=tuple(found.values()))


def without_password(login: Login) -> Login:
    """Return a login that only its certificates prove."""
    return replace(login, password_hash="", sealed_secret=None, sealed_verifier=None, prior=None)


def check_provable(login: Login) -> None:
    """Raise AdminError for a login that nothing would prove."""
    if not login.has_password and not login.certificates:
        error = f"login {login.user}: has neither a password nor a certificate"
        raise AdminError(ErrorKind.USAGE, error, "give one of them, or remove the login")


def _checked(context: AdminContext, login: Login, pem: str) -> LoginCertificate:
    """Return a certificate. One that is there already may have expired since."""
    try:
        certificate = new_login_certificate(pem, 0.0)
        if certificate in login.certificates:
            return certificate
        certificate = new_login_certificate(pem, context.now())
    except UnfitClientCertificate as unfit:
        error = f"login {login.user}: the certificate {unfit.cause}"
        raise AdminError(ErrorKind.INVALID, error, unfit.remedy) from None
    holders = context.directory.now.logins_with_key(certificate.key)
    if any(one.account != login.account for one in holders):  # certificates are public
        error = f"login {login.user}: the certificate has a key that is registered elsewhere"
        remedy = "make another key, such as by"
        command = f"`restante login certificate {login.account} {login.user} --generate DIRECTORY`"
        raise AdminError(ErrorKind.CONFLICT, error, f"{remedy} {command}")
    return certificate


def _without(
    login: Login, certificates: Sequence[LoginCertificate], beginning: str
) -> tuple[LoginCertificate, ...]:
    """Return certificates without those of one key, or without one. Raises AdminError.

    The text begins the key, or the digest of the certificate.
    """
    keys = {one.key for one in certificates if one.key.startswith(beginning)}
    digests = {one.sha256 for one in certificates if one.sha256.startswith(beginning)}
    if len(keys) + len(digests) != 1:
        how_many = "several begin" if keys or digests else "no key and no certificate begins"
        error = f"login {login.user}: {how_many} with {beginning}"
        remedy = f"`restante login certificate {login.account} {login.user}` shows them"
        raise AdminError(ErrorKind.NOT_FOUND, error, remedy)
    return tuple(one for one in certificates if one.key not in keys and one.sha256 not in digests)
