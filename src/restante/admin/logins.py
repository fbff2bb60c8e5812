"""Logins: the user names and passwords of primaries.

A view never holds a secret. A caller that makes a password shows it once, then forgets it.
"""

import re
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from hmac import compare_digest

from pydantic import BaseModel, ConfigDict, SecretStr

from restante.admin.accounts import find_account
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.password_work import hashed_in_turn
from restante.admin.permissions import AdminAction, permit
from restante.admin.trail import (
    ChangeView,
    change_views,
    changed,
    checked_reason,
    entry,
    moment,
    with_changes,
)
from restante.phrases import none_of_that_name
from restante.sasl.scram_keys import new_verifier, read_verifier, verifier_of
from restante.store.store_errors import Conflict
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import Login
from restante.tenancy.passwords import hash_generated_password, hash_password, password_matches
from restante.tenancy.record_change import Change, changes_between
from restante.tenancy.secrets import SealBroken, login_owner, verifier_owner

USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")
MIN_PASSWORD_LENGTH = 8  # characters
MAX_PASSWORD_LENGTH = 255
_LETTERS = "abcdefghjkmnpqrstvwxyz23456789"  # none that looks like another: people type these
_GROUPS, _GROUP_LENGTH = 5, 5  # 25 of 30 letters: 122 bits


class NewLogin(BaseModel):
    """The fields of a new login."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: str
    password: SecretStr
    cram_md5: bool = True


class LoginChange(BaseModel):
    """The fields to change; None leaves one unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: SecretStr | None = None
    cram_md5: bool | None = None


class LoginView(BaseModel):
    """A login as it is shown."""

    user: str
    account: str
    cram_md5: bool  # may authenticate by CRAM-MD5: the password is kept, sealed
    scram: bool  # may authenticate by SCRAM-SHA-256; an old login may need a new password for it
    created_at: datetime


class ChangedLogin(LoginView):
    """A login after a change, and the changes: none if nothing differed."""

    changes: list[ChangeView]


def generate_password() -> str:
    """Return a new strong password, to be shown once."""
    groups = (
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


async def add_login(context: AdminContext, account: str, new: NewLogin) -> LoginView:
    """Add a login. Raises AdminError if the user name is bad or taken, or the password too weak."""
    permit(context.principal, AdminAction.LOGIN_ADD)
    find_account(context, account)
    check_user(context, new.user)
    password = checked_password(new.password)
    hashes = await _hashes(context, new.user, password)
    return await _add(context, account, new, *hashes)


async def add_generated_login(
    context: AdminContext, account: str, user: str, *, cram_md5: bool = True
) -> str:
    """Add a login, and return the password that was generated for it. Raises AdminError."""
    permit(context.principal, AdminAction.LOGIN_ADD)
    find_account(context, account)
    check_user(context, user)
    password = generate_password()
    hashes = await _hashes(context, user, password, hash_generated_password)
    new = NewLogin(user=user, password=SecretStr(password), cram_md5=cram_md5)
    await _add(context, account, new, *hashes)
    return password


async def _add(
    context: AdminContext, account: str, new: NewLogin, password_hash: str, verifier: bytes
) -> LoginView:
    password = new.password.get_secret_value()
    secret = _sealed_secret(context, new.user, password) if new.cram_md5 else None
    login = Login(new.user, account, password_hash, secret, context.now(), verifier)
    return _view_changed(login, await store_login(context, None, login))


def check_user(context: AdminContext, user: str) -> None:
    """Raise AdminError for a user name that is bad or taken."""
    if not USER.match(user):
        remedy = "use 1 to 128 letters, digits and . _ @ + -, beginning with a letter or digit"
        raise AdminError(ErrorKind.INVALID, f"login {user!r}: not a user name", remedy)
    if user in context.directory.now.logins:
        raise user_taken(user)


def list_logins(context: AdminContext, account: str) -> Iterator[LoginView]:
    """Yield an account's logins by user name.

    Raises AdminError at once if there is no such account.
    """
    permit(context.principal, AdminAction.LOGIN_LIST)
    find_account(context, account)
    return map(_view, context.directory.now.logins_of(account))


def show_login(context: AdminContext, account: str, user: str) -> LoginView:
    """Return a login. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.LOGIN_LIST)
    return _view(find_login(context, account, user))


async def change_login(
    context: AdminContext, account: str, user: str, change: LoginChange
) -> ChangedLogin:
    """Change the given fields. Raises AdminError.

    A new password keeps the CRAM-MD5 setting, unless that is given too.
    """
    permit(context.principal, AdminAction.LOGIN_CHANGE)
    login = find_login(context, account, user)
    if change.password is None:
        wanted = _with_cram_md5(context, login, change.cram_md5)
        return _view_changed(wanted, await store_login(context, login, wanted))
    password = checked_password(change.password)
    if await hashed_in_turn(_is_same, context, login, password):
        password_hash, verifier = login.password_hash, login.sealed_verifier
    else:
        password_hash, verifier = await _hashes(context, user, password)
    present = find_login(context, account, user)  # again: it may have been removed meanwhile
    keeps_secret = present.sealed_secret is not None if change.cram_md5 is None else change.cram_md5
    secret = (
        context.vault.sealed_again(present.sealed_secret, password, login_owner(user))
        if keeps_secret
        else None
    )
    login = replace(
        present, password_hash=password_hash, sealed_secret=secret, sealed_verifier=verifier
    )
    return _view_changed(login, await store_login(context, present, login))


async def remove_login(context: AdminContext, account: str, user: str, reason: str) -> None:
    """Remove it. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.LOGIN_REMOVE)
    removed = changes_between(find_login(context, account, user), None)
    recorded = with_changes(
        entry(context, AuditAction.LOGIN_REMOVED, user, account, checked_reason(reason)), removed
    )
    await context.store.records.remove_login(user, recorded)
    await changed(context, recorded)


def _with_cram_md5(context: AdminContext, login: Login, wanted: bool | None) -> Login:  # noqa: FBT001  as the request has it
    """Allow or forbid CRAM-MD5 for a login that keeps its password."""
    if wanted and login.sealed_secret is None:
        remedy = "give a password too, for CRAM-MD5 needs it"
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


async def store_login(
    context: AdminContext, present: Login | None, login: Login
) -> Sequence[Change]:
    """Store a login that differs from the present one, and return the changes.

    None: there is no present one.
    """
    action = AuditAction.LOGIN_ADDED if present is None else AuditAction.LOGIN_CHANGED
    if changes := changes_between(present, login):
        recorded = with_changes(entry(context, action, login.user, login.account), changes)
        try:
            await context.store.records.put_login(login, recorded)
        except Conflict:
            raise user_taken(login.user) from None
        await changed(context, recorded)
    return changes


def _view_changed(login: Login, changes: Sequence[Change]) -> ChangedLogin:
    return ChangedLogin(**dict(_view(login)), changes=change_views(changes))


def find_login(context: AdminContext, account: str, user: str) -> Login:
    """Return the login of that name. Raises AdminError."""
    login = context.directory.now.logins.get(user)
    if login is None or login.account != account or not context.principal.sees(account):
        remedy = f"`restante login list {account}` shows those there are"
        raise AdminError(ErrorKind.NOT_FOUND, f"login {user}: {none_of_that_name(account)}", remedy)
    return login


def user_taken(user: str) -> AdminError:
    """Make the error about a user name that another login has."""
    remedy = "choose another user name: they are unique over all accounts"
    return AdminError(ErrorKind.EXISTS, f"login {user}: the user name is taken", remedy)


def checked_password(secret: SecretStr) -> str:
    """Return a password that a login may have. Raises AdminError."""
    password = secret.get_secret_value()
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        error = f"password: must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters"
        raise AdminError(ErrorKind.INVALID, error, "choose another, or let --generate make one")
    if not password.isprintable():
        raise AdminError(
            ErrorKind.INVALID, "password: holds a character that cannot be typed", "choose another"
        )
    return password


async def _hashes(
    context: AdminContext,
    user: str,
    password: str,
    hashed: Callable[[str], str] | None = None,
) -> tuple[str, bytes]:
    """Return a password's hash and its sealed SCRAM verifier."""
    password_hash = await hashed_in_turn(hashed or hash_password, password)
    return password_hash, await hashed_in_turn(_sealed_verifier, context, user, password)


def _is_same(context: AdminContext, login: Login, password: str) -> bool:
    is_same = is_password_of(context, login, password)
    return is_same and password_matches(login.password_hash, password)


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


def _sealed_secret(context: AdminContext, user: str, password: str) -> bytes:
    return context.vault.seal(password, login_owner(user))


def _sealed_verifier(context: AdminContext, user: str, password: str) -> bytes:
    return context.vault.seal(new_verifier(password).text, verifier_owner(user))


def _view(login: Login) -> LoginView:
    return LoginView(
        user=login.user,
        account=login.account,
        cram_md5=login.sealed_secret is not None,
        scram=login.can_use_scram,
        created_at=moment(login.created_at),
    )
