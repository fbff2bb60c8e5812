"""The passwords of logins: which are good enough, and how each is kept.

A password is kept as a hash, and as a verifier for SCRAM. Only for CRAM-MD5 it is kept itself,
sealed. `logins` decides when one changes, and `login_rotation` keeps an old one for a while.
"""

import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hmac import compare_digest

from pydantic import SecretStr

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.password_work import hashed_in_turn
from restante.sasl.scram_keys import new_verifier, read_verifier, verifier_of
from restante.tenancy.model import Login
from restante.tenancy.passwords import hash_password, password_matches
from restante.tenancy.saslprep import prepared
from restante.tenancy.sealed_secrets import SealBroken, login_owner, verifier_owner

MIN_PASSWORD_LENGTH = 8  # characters
MAX_PASSWORD_LENGTH = 255
_ALPHABET = "abcdefghjkmnpqrstvwxyz23456789"  # none that looks like another: people type these
_GROUPS, _GROUP_LENGTH = 5, 5  # 25 of 30 letters: 122 bits


def generate_password() -> str:
    """Return a new strong password, to be shown once."""
    groups = (
        "".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def checked_password(secret: SecretStr) -> str:
    """Return a password that a login may have. Raises AdminError. Its prepared form counts."""
    password = secret.get_secret_value()
    compared = prepared(password)
    is_short = len(compared) < MIN_PASSWORD_LENGTH
    if is_short or max(len(compared), len(password)) > MAX_PASSWORD_LENGTH:
        error = f"password: must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
        raise AdminError(ErrorKind.INVALID, error, "choose another, or let --generate make one")
    if not compared.isprintable():
        raise AdminError(
            ErrorKind.INVALID, "password: holds a character that cannot be typed", "choose another"
        )
    return password


async def password_hashes(
    context: AdminContext,
    user: str,
    password: str,
    hashed: Callable[[str], str] | None = None,
) -> tuple[str, bytes]:
    """Return a password's hash and its sealed SCRAM verifier."""
    password_hash = await hashed_in_turn(hashed or hash_password, password)
    return password_hash, await hashed_in_turn(_sealed_verifier, context, user, password)


async def with_password(
    context: AdminContext, login: Login, password: str, *, cram_md5: bool | None
) -> Login:
    """Return a login with a password, whose hashes stay if it has that one already.

    `cram_md5` allows or forbids CRAM-MD5; None leaves that as it is.
    """
    if await hashed_in_turn(_is_same, context, login, password):
        password_hash, verifier = login.password_hash, login.sealed_verifier
    else:
        password_hash, verifier = await password_hashes(context, login.user, password)
    keeps_secret = login.sealed_secret is not None if cram_md5 is None else cram_md5
    present, owner = login.sealed_secret, login_owner(login.user)
    secret = context.vault.sealed_again(present, password, owner) if keeps_secret else None
    return replace(
        login, password_hash=password_hash, sealed_secret=secret, sealed_verifier=verifier
    )


def _is_same(context: AdminContext, login: Login, password: str) -> bool:
    is_same = is_password_of(context, login, password)
    return is_same and password_matches(login.password_hash, prepared(password))


def is_password_of(context: AdminContext, login: Login, password: str) -> bool:
    """Return whether this is the login's password, with a verifier that can be read.

    The verifier decides: it takes milliseconds, and holds keys of the password alone.
    """
    if login.sealed_verifier is None:
        return False
    try:
        text = context.vault.open(login.sealed_verifier, verifier_owner(login.user))
        kept = read_verifier(text)
    except (SealBroken, ValueError):
        return False
    given = verifier_of(password, kept.salting)
    return compare_digest(given.stored_key, kept.stored_key)


def with_cram_md5(context: AdminContext, login: Login, *, wanted: bool | None) -> Login:
    """Allow or forbid CRAM-MD5 for a login that keeps its password."""
    if wanted and login.sealed_secret is None:
        remedy = "give a password too; CRAM-MD5 needs it"
        raise AdminError(
            ErrorKind.USAGE, f"login {login.user}: its password is kept as a hash only", remedy
        )
    return _without_secret(context, login) if wanted is False else login


def _without_secret(context: AdminContext, login: Login) -> Login:
    """Forget the sealed password. An older login without a verifier gets one first."""
    if login.sealed_verifier is None and login.sealed_secret is not None:
        with suppress(SealBroken):  # sealed under another key file: useless already
            password = context.vault.open(login.sealed_secret, login_owner(login.user))
            login = replace(login, sealed_verifier=_sealed_verifier(context, login.user, password))
    return replace(login, sealed_secret=None)


def sealed_secret_of(context: AdminContext, user: str, password: str) -> bytes:
    """Return a password as it is kept for CRAM-MD5."""
    return context.vault.seal(password, login_owner(user))


def _sealed_verifier(context: AdminContext, user: str, password: str) -> bytes:
    return context.vault.seal(new_verifier(password).text, verifier_owner(user))
