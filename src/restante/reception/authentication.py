"""Whether credentials are good.

A user name that does not exist costs the same work as a wrong password, so time reveals no login.
The text that a client typed is never logged.

Hashing a password takes tens of milliseconds on purpose, a SCRAM proof takes a few. Both are
checked in threads (`credential_lanes`), apart from each other, so that a proof never waits for a
hash. A CRAM-MD5 digest takes microseconds and is checked at once.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from secrets import token_hex

from restante.reception.credential_lanes import LanePosition, Lanes, Unchecked
from restante.reception.scram_check import ScramCheck
from restante.sasl.cram_md5 import digest
from restante.sasl.mechanism import (
    Credentials,
    DigestCredentials,
    PasswordCredentials,
    ScramCredentials,
)
from restante.sasl.scram_keys import Salting
from restante.sasl.scram_messages import server_final
from restante.tenancy.model import Directory, Login
from restante.tenancy.passwords import password_matches, prepare
from restante.tenancy.secrets import SealBroken, Vault, login_owner

_NOBODY = "\0nobody"  # no user name has a NUL


@dataclass(frozen=True, slots=True)
class Proved:
    """A login whose credentials are good. `last_word` is our own proof; b"" if none is wanted."""

    login: Login
    last_word: bytes = b""


class Authenticator:
    """Checks credentials against a directory, a few at a time: each password check takes 64 MiB."""

    def __init__(
        self,
        vault: Vault,
        passwords: Lanes,
        proofs: Lanes,
        *,
        matches: Callable[[str | None, str], bool] = password_matches,
    ) -> None:
        """`matches` compares a password with a hash; the hash is None without such a login."""
        self._vault = vault
        self._nobodys_secret = vault.seal(token_hex(16), _NOBODY)
        self._matches = matches
        self._scram = ScramCheck(vault)
        self._passwords = passwords
        self._proofs = proofs
        self._passwords.strangers.prepare(prepare)

    def set_limit(self, limit: int) -> None:
        """Set how many checks for strangers may run or wait, in each kind of lane."""
        self._passwords.strangers.limit = self._proofs.strangers.limit = limit

    async def authenticate(
        self, credentials: Credentials, directory: Directory, place: LanePosition
    ) -> Proved | Unchecked | None:
        """Return what the credentials prove, or None."""
        login = directory.logins.get(credentials.user)
        last_word: bytes | Unchecked | None
        match credentials:
            case PasswordCredentials():
                last_word = await self._passwords.run(
                    place, partial(self._check_password, credentials, login)
                )
            case ScramCredentials():
                last_word = await self._proofs.run(
                    place, partial(self._check_scram, credentials, login)
                )
            case DigestCredentials():
                last_word = b"" if self._digest_matches(credentials, login) else None
        if last_word is Unchecked.UNCHECKED:
            return last_word
        return Proved(login, last_word) if login is not None and last_word is not None else None

    def salting(self, user: str, directory: Directory) -> Salting:
        """Return what SCRAM tells a client that names this user."""
        return self._scram.salting(user, directory.logins.get(user))

    def close(self) -> None:
        """Release the threads."""
        self._passwords.close()
        self._proofs.close()

    def _check_password(
        self, credentials: PasswordCredentials, login: Login | None
    ) -> bytes | None:
        return (
            b""
            if self._matches(login.password_hash if login else None, credentials.password)
            else None
        )

    def _check_scram(self, credentials: ScramCredentials, login: Login | None) -> bytes | None:
        """Return the last message to the client before it is admitted; None for a wrong proof."""
        signature = self._scram.signature(credentials, login)
        return None if signature is None else server_final(signature)

    def _digest_matches(self, credentials: DigestCredentials, login: Login | None) -> bool:
        """Check a digest. A login that may not use CRAM-MD5 is treated as if it did not exist."""
        known = login is not None and login.sealed_secret is not None
        if login is not None and login.sealed_secret is not None:
            sealed, owner = login.sealed_secret, login_owner(login.user)
        else:
            sealed, owner = self._nobodys_secret, _NOBODY
        try:
            expected = digest(self._vault.open(sealed, owner), credentials.challenge)
        except SealBroken:  # sealed under another key file
            return False
        return hmac.compare_digest(expected, credentials.digest) and known
