"""Whether credentials are good, off the event loop: hashing takes tens of milliseconds on purpose.

Proofs (CRAM-MD5, SCRAM) take a few at most. They have a thread of their own, so that they never
wait for hashes.

The same work is done for a user name that does not exist as for a wrong password, so that time tells nobody which
logins there are. What was typed is never logged.
"""

import asyncio
import hmac
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from secrets import token_hex

from restante.reception.scram_check import ScramCheck
from restante.sasl.cram_md5 import digest
from restante.sasl.mechanism import Credentials, DigestCredentials, PasswordCredentials, ScramCredentials
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
    """Checks credentials against a directory, a few at a time: each check of a password takes 64 MiB for a moment."""

    def __init__(self, vault: Vault, *, threads: int = 2) -> None:
        self._vault = vault
        self._nobodys_secret = vault.seal(token_hex(16), _NOBODY)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="authenticate")
        self._threads.submit(prepare)
        self._scram = ScramCheck(vault)
        self._proof_thread = ThreadPoolExecutor(1, thread_name_prefix="proof")

    async def authenticate(self, credentials: Credentials, directory: Directory) -> Proved | None:
        """Return what the credentials prove, or None."""
        login = directory.logins.get(credentials.user)
        loop = asyncio.get_running_loop()
        if isinstance(credentials, PasswordCredentials):
            password_hash = login.password_hash if login else None
            is_good = await loop.run_in_executor(self._threads, password_matches, password_hash, credentials.password)
            return Proved(login) if login is not None and is_good else None
        last_word = await loop.run_in_executor(self._proof_thread, self._last_word, credentials, login)
        return Proved(login, last_word) if login is not None and last_word is not None else None

    def salting(self, user: str, directory: Directory) -> Salting:
        """Return what SCRAM tells a client that names this user."""
        return self._scram.salting(user, directory.logins.get(user))

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._proof_thread.shutdown(wait=False, cancel_futures=True)

    def _last_word(self, credentials: DigestCredentials | ScramCredentials, login: Login | None) -> bytes | None:
        """Return the last message to the client before it is admitted; None for a wrong proof."""
        if isinstance(credentials, DigestCredentials):
            return b"" if self._digest_matches(credentials, login) else None
        signature = self._scram.signature(credentials, login)
        return None if signature is None else server_final(signature)

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
