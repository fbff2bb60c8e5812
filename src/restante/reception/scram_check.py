"""Check SCRAM proofs against a login's sealed verifier, or without one its sealed password.

A client cannot find out which logins exist. A user name without either gets a salt derived from the
key file, the same after a restart and on every node. Each refusal derives keys once, so that all
take the same time.
"""

from secrets import token_hex

from restante.sasl.mechanism import ScramCredentials
from restante.sasl.scram_keys import (
    ITERATIONS,
    SALT_OCTETS,
    Salting,
    ScramVerifier,
    read_verifier,
    verifier_of,
)
from restante.tenancy.model import Login, PriorPassword
from restante.tenancy.sealed_secrets import SealBroken, Vault, login_owner, verifier_owner

_NOBODY = "\0nobody"  # no user name has a NUL


class ScramCheck:
    """Uses the secrets sealed under one key file."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._nobodys_password = token_hex(16)
        verifier = verifier_of(self._nobodys_password, Salting(bytes(SALT_OCTETS), 1))
        self._nobodys_verifier = vault.seal(verifier.text, _NOBODY)

    def salting(self, user: str, login: Login | None) -> Salting:
        """Return the salt and the iterations for a client that names this user. Fast."""
        made_up = self._made_up_salting(user)
        verifier = self._verifier(login)
        return verifier.salting if verifier is not None else made_up

    def signature(
        self, credentials: ScramCredentials, login: Login | None, prior: PriorPassword | None = None
    ) -> bytes | None:
        """Return our signature, None if the proof is wrong. Takes milliseconds: not on the loop.

        `prior` is the login's password before a rotation, if that is good too.
        """
        verifier = self._verifier(login)
        if verifier is not None:
            sealed = prior.sealed_verifier if prior else None
            before = self._opened(sealed, credentials.user) or verifier
            signature = verifier.check(credentials.auth_message, credentials.proof)
            other = before.check(credentials.auth_message, credentials.proof)
            if signature is None and other is None:
                verifier_of(self._nobodys_password, verifier.salting)  # as slow as the rest
            return signature or other
        password = self._password(login)
        salting = self._made_up_salting(credentials.user)
        derived = verifier_of(self._nobodys_password if password is None else password, salting)
        signature = derived.check(credentials.auth_message, credentials.proof)
        return None if password is None else signature

    def _verifier(self, login: Login | None) -> ScramVerifier | None:
        """Return the verifier of a login, None if it has none."""
        if login is None:
            return self._opened(None, _NOBODY)
        return self._opened(login.sealed_verifier, login.user)

    def _opened(self, sealed: bytes | None, user: str) -> ScramVerifier | None:
        """Return a sealed verifier, None if there is none. One is opened in each case."""
        try:
            if sealed is not None:
                return read_verifier(self._vault.open(sealed, verifier_owner(user)))
            read_verifier(self._vault.open(self._nobodys_verifier, _NOBODY))
        except (SealBroken, ValueError):  # sealed under another key file
            pass
        return None

    def _password(self, login: Login | None) -> str | None:
        if login is None or login.sealed_secret is None:
            return None
        try:
            return self._vault.open(login.sealed_secret, login_owner(login.user))
        except SealBroken:
            return None

    def _made_up_salting(self, user: str) -> Salting:
        return Salting(self._vault.constant(f"salt of {user}")[:SALT_OCTETS], ITERATIONS)
