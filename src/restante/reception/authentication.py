"""Whether credentials are good, off the event loop: hashing takes tens of milliseconds on purpose.

The same work is done for a user name that does not exist as for a wrong password, so that time tells nobody which
logins there are. What was typed is never logged.
"""

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

from restante.sasl.cram_md5 import digest
from restante.sasl.mechanism import Credentials, DigestCredentials
from restante.tenancy.model import Directory, Login
from restante.tenancy.passwords import password_matches, prepare
from restante.tenancy.secrets import SealBroken, Vault, login_owner

_NOBODY = "\0nobody"  # no user name has a NUL


class Authenticator:
    """Checks credentials against a directory, a few at a time: each check of a password takes 64 MiB for a moment."""

    def __init__(self, vault: Vault, *, threads: int = 2) -> None:
        self._vault = vault
        self._nobodys_secret = vault.seal(token_hex(16), _NOBODY)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="authenticate")
        self._threads.submit(prepare)

    async def authenticate(self, credentials: Credentials, directory: Directory) -> Login | None:
        """Return the login that the credentials prove, or None."""
        login = directory.logins.get(credentials.user)
        loop = asyncio.get_running_loop()
        is_good = await loop.run_in_executor(self._threads, self._check, credentials, login)
        return login if is_good else None

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, credentials: Credentials, login: Login | None) -> bool:
        if isinstance(credentials, DigestCredentials):
            return self._digest_matches(credentials, login)
        return password_matches(login.password_hash if login else None, credentials.password)

    def _digest_matches(self, credentials: DigestCredentials, login: Login | None) -> bool:
        """A login that may not use CRAM-MD5 keeps no secret, and is like one that does not exist."""
        known = login is not None and login.sealed_secret is not None
        if login is not None and login.sealed_secret is not None:
            sealed, owner = login.sealed_secret, login_owner(login.user)
        else:
            sealed, owner = self._nobodys_secret, _NOBODY
        try:
            expected = digest(self._vault.open(sealed, owner), credentials.challenge)
        except SealBroken:  # another key file than the one it was sealed under
            return False
        return hmac.compare_digest(expected, credentials.digest) and known
