"""Whether credentials are good.

A user name that does not exist costs the same work as a wrong password, so time reveals no login.
The text that a client typed is never logged.

Hashing a password takes tens of milliseconds on purpose, a SCRAM proof takes a few. Both are
checked in threads (`credential_lanes`), apart from each other, so that a proof never waits for a
hash. A CRAM-MD5 digest takes microseconds and is checked at once.

During a rotation a login has two passwords. Both are always compared, and the slow computation is
made once for both, so time does not tell which logins rotate.
"""

import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from secrets import token_hex

from restante.reception.credential_lanes import CheckOmitted, CredentialLanes, LanePosition
from restante.reception.scram_check import ScramCheck
from restante.sasl.cram_md5 import digest
from restante.sasl.mechanism import (
    CertificateCredentials,
    DigestCredentials,
    PasswordCredentials,
    SaslCredentials,
    ScramCredentials,
)
from restante.sasl.scram_keys import Salting
from restante.sasl.scram_messages import server_final
from restante.tenancy.model import Directory, Login, PriorPassword
from restante.tenancy.passwords import any_matches
from restante.tenancy.saslprep import forms_of
from restante.tenancy.sealed_secrets import SealBroken, Vault, login_owner

_NOBODY = "\0nobody"  # no user name has a NUL


@dataclass(frozen=True, slots=True)
class ProvedLogin:
    """A login whose credentials are good. `last_word` is our own proof; b"" if none is wanted."""

    login: Login
    last_word: bytes = b""
    has_expired: bool = False  # the password is right, and the time of the login is over


def identified(credentials: SaslCredentials, key: str, directory: Directory) -> SaslCredentials:
    """Add the key that a client has proved, which stands for its only login if it names none."""
    if not isinstance(credentials, CertificateCredentials):
        return credentials
    user = credentials.user
    if not user:
        logins = directory.logins_with_key(key)
        user = logins[0].user if len(logins) == 1 else ""
    return CertificateCredentials(user, key)


def _has_key(login: Login | None, key: str, now: float) -> bool:
    """Return whether a login has a good certificate of the key that a client has proved."""
    certificates = () if login is None else login.certificates
    return any(one.key == key and one.is_good(now) for one in certificates)


class Authenticator:
    """Checks credentials against a directory, a few at a time: each password check takes 64 MiB."""

    def __init__(
        self,
        vault: Vault,
        passwords: CredentialLanes,
        proofs: CredentialLanes,
        *,
        matches: Callable[[Sequence[str], str], bool] = any_matches,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`matches` compares a password with hashes, none if there is no such login.

        `now` returns Unix time.
        """
        self._vault = vault
        self._nobodys_secret = vault.seal(token_hex(16), _NOBODY)
        self._matches = matches
        self._now = now
        self._scram = ScramCheck(vault)
        self._passwords = passwords
        self._proofs = proofs

    def set_limit(self, limit: int) -> None:
        """Set how many checks for strangers may run or wait, in each kind of lane."""
        self._passwords.set_limit(limit)
        self._proofs.set_limit(limit)

    async def authenticate(
        self, credentials: SaslCredentials, directory: Directory, place: LanePosition
    ) -> ProvedLogin | CheckOmitted | None:
        """Return what the credentials prove, or None."""
        login = directory.logins.get(credentials.user)
        now = self._now()
        prior = login.prior_at(now) if login is not None else None
        last_word: bytes | CheckOmitted | None
        match credentials:
            case PasswordCredentials():
                last_word = await self._passwords.run(
                    place, partial(self._check_password, credentials, login, prior)
                )
            case ScramCredentials():
                last_word = await self._proofs.run(
                    place, partial(self._check_scram, credentials, login, prior)
                )
            case DigestCredentials():
                last_word = b"" if self._digest_matches(credentials, login, prior) else None
            case CertificateCredentials():
                last_word = b"" if _has_key(login, credentials.key, now) else None
        if last_word is CheckOmitted.UNCHECKED:
            return last_word
        if login is None or last_word is None:
            return None
        return ProvedLogin(login, last_word, has_expired=login.has_expired(now))

    def salting(self, user: str, directory: Directory) -> Salting:
        """Return what SCRAM tells a client that names this user."""
        return self._scram.salting(user, directory.logins.get(user))

    def close(self) -> None:
        """Release the threads."""
        self._passwords.close()
        self._proofs.close()

    def _check_password(
        self, credentials: PasswordCredentials, login: Login | None, prior: PriorPassword | None
    ) -> bytes | None:
        hashes = [one.password_hash for one in (login, prior) if one is not None]
        return b"" if self._matches(hashes, credentials.password) else None

    def _check_scram(
        self, credentials: ScramCredentials, login: Login | None, prior: PriorPassword | None
    ) -> bytes | None:
        """Return the last message to the client before it is admitted; None for a wrong proof."""
        signature = self._scram.signature(credentials, login, prior)
        return None if signature is None else server_final(signature)

    def _digest_matches(
        self, credentials: DigestCredentials, login: Login | None, prior: PriorPassword | None
    ) -> bool:
        """Check a digest, against two passwords in each case.

        A login that may not use CRAM-MD5 is treated as if it did not exist.
        """
        of_login = self._has_digest(credentials, login.sealed_secret if login else None)
        of_prior = self._has_digest(credentials, prior.sealed_secret if prior else None)
        return of_login or of_prior

    def _has_digest(self, credentials: DigestCredentials, sealed: bytes | None) -> bool:
        """Check a digest against a sealed password, or against nobody's, which takes as long."""
        if sealed is not None:
            secret, owner = sealed, login_owner(credentials.user)
        else:
            secret, owner = self._nobodys_secret, _NOBODY
        try:
            password = self._vault.open(secret, owner)
        except SealBroken:  # sealed under another key file
            return False
        # A client may digest the prepared password, or the octets that a person typed.
        expected = [digest(form, credentials.challenge) for form in forms_of(password)]
        is_right = [hmac.compare_digest(one, credentials.digest) for one in expected]
        return any(is_right) and sealed is not None
