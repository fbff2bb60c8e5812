"""Logins: the user names and passwords of primaries.

A view never holds a secret. A caller that makes a password shows it once, then forgets it.
A rotation (`login_rotation`) keeps the old password beside the new one for a while.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr

from restante.admin.accounts import find_account
from restante.admin.add_or_find import AddedMeanwhile, add_or_find
from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.auditing import (
    ChangeView,
    change_views,
    changed,
    checked_reason,
    entry,
    moment,
    overtaken,
    with_changes,
)
from restante.admin.compared_secrets import judge_secret
from restante.admin.login_certificates import (
    KeyList,
    LoginCertificateView,
    PemList,
    certificate_views,
    check_provable,
    with_certificates,
    without_password,
)
from restante.admin.login_passwords import (
    checked_password,
    generate_password,
    password_hashes,
    sealed_secret_of,
    with_cram_md5,
    with_password,
)
from restante.admin.login_rotation import OLD_VALID_SECONDS, rotated
from restante.admin.password_work import hashed_in_turn
from restante.admin.permissions import AdminAction, permit
from restante.admin.repeated_add import refuse_difference
from restante.admin.request_bounds import LineText, Moment, Secret
from restante.admin.turnaround_delay import announce_right, held_back
from restante.phrases import did_you_mean, none_of_that_name
from restante.store.record_store import ABSENT
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.audit import AuditAction
from restante.tenancy.model import Login, LoginUse
from restante.tenancy.passwords import hash_generated_password, password_matches
from restante.tenancy.record_change import Change, changes_between

USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\Z")


class NewLogin(BaseModel):
    """The fields of a new login."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user: LineText
    password: Secret | None = None  # None: `certificates` alone prove it
    certificates: PemList = ()  # PEM texts, for AUTH EXTERNAL
    cram_md5: bool = True
    expires_at: Moment | Literal["never"] | None = None  # not given: never
    turnaround: bool = False


class LoginChange(BaseModel):
    """The fields to change; None leaves one unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: Secret | None = None
    cram_md5: bool | None = None
    rotate: bool = False  # with `password`: the present one stays good, too
    old_valid_until: Moment | None = None  # with `rotate`; not given: for seven days
    end_rotation: bool = False  # the old password is no longer good
    drop_password: bool = False  # certificates alone prove it from now on
    certificates: PemList | None = None  # PEM texts; all that it is to have
    add_certificates: PemList = ()
    drop_certificates: KeyList = ()  # by key or certificate, or its beginning
    expires_at: Moment | Literal["never"] | None = None
    turnaround: bool | None = None


class LoginView(BaseModel):
    """A login as it is shown."""

    user: str
    account: str
    cram_md5: bool  # may authenticate by CRAM-MD5: the password is kept, sealed
    scram: bool  # may authenticate by SCRAM-SHA-256; an old login may need a new password for it
    turnaround: bool  # may take mail by ATRN, where a domain allows that
    turnaround_at: datetime | None  # the time from which it may; null: it may now
    has_password: bool
    certificates: list[LoginCertificateView]  # that a client may show instead, on ODMR listeners
    created_at: datetime
    expires_at: datetime | None  # None: never
    has_expired: bool
    old_password_valid_until: datetime | None  # during a rotation
    last_used_at: datetime | None  # to the minute
    last_used_from: str | None  # the address of the client
    last_used_mechanism: str | None


class ChangedLogin(LoginView):
    """A login after a change, and the changes: none if nothing differed."""

    changes: list[ChangeView]


async def add_login(context: AdminContext, account: str, new: NewLogin) -> ChangedLogin:
    """Add a login, unless the account has it with the given values.

    Raises AdminError if the user name is bad or taken, or the password too weak.
    """
    permit(context.principal, AdminAction.LOGIN_ADD)
    return await add_or_find(context, lambda: _added(context, account, new))


async def _added(context: AdminContext, account: str, new: NewLogin) -> ChangedLogin:
    find_account(context, account)
    present = context.directory.now.logins.get(new.user)
    if present is not None and present.account == account:
        return await _added_again(context, present, new)
    check_user(context, new.user)
    if new.password is None:
        return await _add(context, account, new, "", None)
    hashes = await password_hashes(context, new.user, checked_password(new.password))
    return await _add(context, account, new, *hashes)


async def _added_again(context: AdminContext, present: Login, new: NewLogin) -> ChangedLogin:
    """Return a login that is there with the given values. Raises AdminError for other values."""
    wanted = present
    if new.password is None:
        wanted = replace(wanted, password_hash="")
    elif not await _is_known(context, present, checked_password(new.password)):
        wanted = replace(wanted, password_hash="another")  # noqa: S106  it is only compared
    if new.certificates:
        wanted = with_certificates(context, wanted, all_of=new.certificates)
    if "cram_md5" in new.model_fields_set and new.cram_md5 != (present.sealed_secret is not None):
        wanted = replace(wanted, sealed_secret=b"another" if new.cram_md5 else None)
    if new.expires_at is not None:
        wanted = replace(wanted, valid_until=login_end(context, new.user, new.expires_at))
    if "turnaround" in new.model_fields_set:
        wanted = replace(wanted, turnaround=new.turnaround)
    remedy = f"change it by `restante login set {present.account} {present.user}`"
    refuse_difference(f"login {present.user}", changes_between(present, wanted), remedy)
    return await _view_changed(context, present, ())


async def _is_known(context: AdminContext, login: Login, password: str) -> bool:
    """Return whether it is the password. Raises AdminError after too many wrong ones."""
    is_same = await hashed_in_turn(password_matches, login.password_hash, password)
    judge_secret(context, f"login {login.user}", is_same=is_same)
    return is_same


async def add_generated_login(
    context: AdminContext,
    account: str,
    user: str,
    *,
    cram_md5: bool = True,
    expires_at: datetime | Literal["never"] | None = None,
    turnaround: bool = False,
) -> str:
    """Add a login, and return the password that was generated for it. Raises AdminError."""
    permit(context.principal, AdminAction.LOGIN_ADD)
    find_account(context, account)
    check_user(context, user)
    password = generate_password()
    hashes = await password_hashes(context, user, password, hash_generated_password)
    new = NewLogin(
        user=user,
        password=SecretStr(password),
        cram_md5=cram_md5,
        expires_at=expires_at,
        turnaround=turnaround,
    )
    await _add(context, account, new, *hashes)
    return password


async def _add(
    context: AdminContext, account: str, new: NewLogin, password_hash: str, verifier: bytes | None
) -> ChangedLogin:
    secret = None
    if new.password is not None and new.cram_md5:
        secret = sealed_secret_of(context, new.user, new.password.get_secret_value())
    ends = login_end(context, new.user, new.expires_at)
    login = Login(new.user, account, password_hash, secret, context.now(), verifier, ends)
    login = replace(login, turnaround=new.turnaround)
    login = with_certificates(context, login, added=new.certificates)
    check_provable(login)
    return await _view_changed(context, login, await store_login(context, None, login))


def check_user(context: AdminContext, user: str) -> None:
    """Raise AdminError for a user name that is bad or taken."""
    if not USER.match(user):
        remedy = "use 1 to 128 letters, digits and . _ @ + -, beginning with a letter or digit"
        raise AdminError(ErrorKind.INVALID, f"login {user!r}: not a user name", remedy)
    if user in context.directory.now.logins:
        raise user_taken(user)


async def list_logins(context: AdminContext, account: str, after: str = "") -> Iterator[LoginView]:
    """Return an account's logins after a user name, by user name.

    Raises AdminError at once if there is no such account.
    """
    permit(context.principal, AdminAction.LOGIN_LIST)
    find_account(context, account)
    uses = await context.store.records.login_uses()
    logins = context.directory.now.logins_of(account)
    return (_view(context, login, uses.get(login.user)) for login in logins if login.user > after)


async def show_login(context: AdminContext, account: str, user: str) -> LoginView:
    """Return a login. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.LOGIN_LIST)
    find_login(context, account, user)
    uses = await context.store.records.login_uses()
    return _view(context, find_login(context, account, user), uses.get(user))


async def change_login(
    context: AdminContext, account: str, user: str, change: LoginChange
) -> ChangedLogin:
    """Change the given fields. Raises AdminError.

    A new password keeps the CRAM-MD5 setting, unless that is given too. It ends a rotation, unless
    the change begins one.
    """
    permit(context.principal, AdminAction.LOGIN_CHANGE)
    found = login = find_login(context, account, user)
    _check_rotation(context, login, change)
    if change.expires_at is not None:
        login = replace(login, valid_until=login_end(context, user, change.expires_at))
    if change.turnaround is not None:
        login = replace(login, turnaround=change.turnaround, turnaround_at=None)
    if change.end_rotation:
        login = replace(login, prior=None)
    if change.password is not None and change.rotate:
        login = await _rotated(context, login, change, checked_password(change.password))
    elif change.password is not None:
        login = await with_password(
            context, login, checked_password(change.password), cram_md5=change.cram_md5
        )
    else:
        login = with_cram_md5(context, login, wanted=change.cram_md5)
    login = _with_certificates(context, login, change)
    if find_login(context, account, user) != found:  # hashing takes time
        error = f"login {user}: somebody changed it meanwhile"
        raise AdminError(ErrorKind.CONFLICT, error, "look at it, and try again if necessary")
    return await _view_changed(context, login, await store_login(context, found, login))


def _with_certificates(context: AdminContext, login: Login, change: LoginChange) -> Login:
    """Return a login with the certificates that a change wants. Raises AdminError."""
    if change.drop_password and change.password is not None:
        error = f"login {login.user}: a new password, and no password"
        raise AdminError(ErrorKind.USAGE, error, "give one of them")
    login = with_certificates(
        context,
        login,
        all_of=change.certificates,
        added=change.add_certificates,
        dropped=change.drop_certificates,
    )
    login = without_password(login) if change.drop_password else login
    check_provable(login)
    return login


async def _rotated(
    context: AdminContext, login: Login, change: LoginChange, password: str
) -> Login:
    """Return a login that begins a rotation. Raises AdminError if the password is the present."""
    if not login.has_password:
        error = f"login {login.user}: has no password to keep beside the new one"
        raise AdminError(ErrorKind.USAGE, error, "give the new password without --rotate")
    if await hashed_in_turn(password_matches, login.password_hash, password):
        error = f"login {login.user}: the new password is the present one"
        raise AdminError(ErrorKind.INVALID, error, "choose another, or leave --password-stdin out")
    until = context.now() + OLD_VALID_SECONDS
    if change.old_valid_until is not None:
        until = change.old_valid_until.timestamp()
    return await hashed_in_turn(rotated, context.vault, login, password, until)


def _check_rotation(context: AdminContext, login: Login, change: LoginChange) -> None:
    """Raise AdminError if what a change says of a rotation makes no sense for a login."""
    thing = f"login {login.user}"
    if change.old_valid_until is not None:
        _future(context, f"{thing}: the end of the old password", change.old_valid_until)
    if change.rotate and (change.password is None or change.cram_md5 is not None):
        error = f"{thing}: a rotation takes a new password, and keeps the CRAM-MD5 setting"
        raise AdminError(ErrorKind.USAGE, error, "give a password, and no setting of CRAM-MD5")
    if change.old_valid_until is not None and not change.rotate:
        error = f"{thing}: an end of the old password without a rotation"
        raise AdminError(ErrorKind.USAGE, error, "give --rotate too")
    prior = login.prior_at(context.now())
    if change.rotate and prior is not None and not change.end_rotation:
        until = moment(prior.valid_until).isoformat(timespec="seconds")
        error = f"{thing}: a rotation is under way; the old password is good until {until}"
        remedy = f"end it with `restante login set {login.account} {login.user} --end-rotation`"
        raise AdminError(ErrorKind.CONFLICT, error, remedy)


def login_end(
    context: AdminContext, user: str, wanted: datetime | Literal["never"] | None
) -> float | None:
    """Return when a login expires. Raises AdminError for a time that is past."""
    if wanted is None or isinstance(wanted, str):
        return None
    return _future(context, f"login {user}: the time of its expiry", wanted)


def _future(context: AdminContext, thing: str, wanted: datetime) -> float:
    if wanted.timestamp() <= context.now():
        remedy = "give a later time, or remove the login to end it now"
        raise AdminError(ErrorKind.INVALID, f"{thing} is past", remedy)
    return wanted.timestamp()


async def remove_login(context: AdminContext, account: str, user: str, reason: str) -> None:
    """Remove it. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.LOGIN_REMOVE)
    removed = changes_between(find_login(context, account, user), None)
    recorded = with_changes(
        entry(context, AuditAction.LOGIN_REMOVED, user, account, checked_reason(reason)), removed
    )
    await context.store.records.remove_login(user, recorded)
    await changed(context, recorded)


async def store_login(
    context: AdminContext, present: Login | None, login: Login
) -> Sequence[Change]:
    """Store a login that differs from the present one, and return the changes.

    None: there is no present one. Another password ends a rotation, unless it begins one.
    """
    if present is not None and login.password_hash != present.password_hash:
        is_new = login.prior != present.prior
        login = login if is_new else replace(login, prior=None)
    if login.prior is not None and login.sealed_secret is None:  # CRAM-MD5 was forbidden
        login = replace(login, prior=replace(login.prior, sealed_secret=None))
    login = held_back(context, present, login)
    action = AuditAction.LOGIN_ADDED if present is None else AuditAction.LOGIN_CHANGED
    if changes := changes_between(present, login):
        recorded = with_changes(entry(context, action, login.user, login.account), changes)
        try:
            await context.store.records.put_login(login, recorded, before=present or ABSENT)
        except Overtaken:
            refusal = await overtaken(context, f"login {login.user}")
            taken = AddedMeanwhile(user_taken(login.user))
            raise (taken if present is None else refusal) from None
        except Conflict:
            raise AddedMeanwhile(user_taken(login.user)) from None
        await changed(context, recorded)
        announce_right(context, present, login, changes)
    return changes


async def _view_changed(
    context: AdminContext, login: Login, changes: Sequence[Change]
) -> ChangedLogin:
    uses = await context.store.records.login_uses()
    present = context.directory.now.logins.get(login.user, login)
    view = _view(context, present, uses.get(login.user))
    return ChangedLogin(**dict(view), changes=change_views(changes))


def _moment_or_none(at: float | None) -> datetime | None:
    return None if at is None else moment(at)


def find_login(context: AdminContext, account: str, user: str) -> Login:
    """Return the login of that name. Raises AdminError."""
    login = context.directory.now.logins.get(user)
    if login is None or login.account != account or not context.principal.sees(account):
        seen = context.directory.now.logins_of(account) if context.principal.sees(account) else ()
        meant = did_you_mean(user, (one.user for one in seen))
        remedy = f"{meant} `restante login list {account}` shows those there are".lstrip()
        raise AdminError(ErrorKind.NOT_FOUND, f"login {user}: {none_of_that_name(account)}", remedy)
    return login


def user_taken(user: str) -> AdminError:
    """Make the error about a user name that another login has."""
    remedy = "choose another user name: they are unique over all accounts"
    return AdminError(ErrorKind.EXISTS, f"login {user}: the user name is taken", remedy)


def _view(context: AdminContext, login: Login, use: LoginUse | None) -> LoginView:
    now = context.now()
    prior = login.prior_at(now)
    return LoginView(
        user=login.user,
        account=login.account,
        cram_md5=login.sealed_secret is not None,
        scram=login.can_use_scram,
        turnaround=login.turnaround,
        turnaround_at=None if login.may_turn(now) else _moment_or_none(login.turnaround_at),
        has_password=login.has_password,
        certificates=certificate_views(login),
        created_at=moment(login.created_at),
        expires_at=_moment_or_none(login.valid_until),
        has_expired=login.has_expired(now),
        old_password_valid_until=None if prior is None else moment(prior.valid_until),
        last_used_at=None if use is None else moment(use.at),
        last_used_from=None if use is None else use.address,
        last_used_mechanism=None if use is None else use.mechanism,
    )
