"""The change of a login that an entry of a configuration wants."""

from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final, Literal

from restante.admin.admin_context import AdminContext
from restante.admin.admin_error import AdminError, ErrorKind
from restante.admin.apply_steps import ApplyOptions, ApplyStage, ApplyStep, ApplyVerb, check_same
from restante.admin.auditing import moment
from restante.admin.compared_secrets import judge_secret
from restante.admin.configuration_entries import LoginEntry
from restante.admin.login_certificates import check_provable, with_certificates
from restante.admin.login_passwords import checked_password, is_password_of
from restante.admin.logins import (
    LoginChange,
    NewLogin,
    add_generated_login,
    add_login,
    change_login,
    check_user,
    login_end,
    store_login,
    user_taken,
)
from restante.admin.password_work import hashed_in_turn
from restante.admin.permissions import AdminAction, permit
from restante.admin.sealed_credentials import open_credentials
from restante.tenancy.model import Login
from restante.tenancy.record_change import NOTHING, SECRET, Change, changes_between
from restante.tenancy.sealed_secrets import SealBroken, login_owner

_REPLACED: Final = "replaced"


async def plan_login(
    context: AdminContext, entry: LoginEntry, options: ApplyOptions, *, is_leaving_another: bool
) -> ApplyStep | None:
    """Return the step for an entry; None if nothing differs. Raises AdminError.

    `is_leaving_another`: the account that has this user name now loses it before. The caller has
    checked that the account of the entry is there, or will be.
    """
    present = context.directory.now.logins.get(entry.user)
    if present is not None and present.account != entry.account:
        if not is_leaving_another:
            raise user_taken(entry.user)
        present = None
    if entry.password is not None and entry.sealed is not None:
        error = f"login {entry.user}: has both password and sealed"
        raise AdminError(ErrorKind.USAGE, error, "write one of them")
    if present is not None and (entry.password is not None or entry.sealed is not None):
        permit(context.principal, AdminAction.LOGIN_CHANGE)  # it must not try passwords either
    ends = _wanted_end(context, entry, present, options)
    if entry.sealed is not None:
        return _sealed_step(context, entry, present, entry.sealed, ends, options=options)
    if present is None:
        return _new_step(context, entry)
    return await _change_step(context, entry, present, ends, options)


def _wanted_end(
    context: AdminContext, entry: LoginEntry, present: Login | None, options: ApplyOptions
) -> float | None:
    """Return when the login is to expire. Raises AdminError for a past time that is a new one."""
    at_present = present.valid_until if present is not None else None
    if entry.expires_at is None:
        return None if options.is_pruning else at_present
    if not isinstance(entry.expires_at, str):
        wanted = entry.expires_at.timestamp()
        if wanted == at_present or entry.sealed is not None:  # as it was exported
            return wanted
    return login_end(context, entry.user, entry.expires_at)


def _wanted_turnaround(entry: LoginEntry, present: Login, options: ApplyOptions) -> bool:
    """Return whether a login is to have the right."""
    if entry.turnaround is None:
        return present.turnaround and not options.is_pruning
    return entry.turnaround


def _wanted_certificates(
    context: AdminContext, entry: LoginEntry, present: Login, options: ApplyOptions
) -> Login:
    """Return a login with the certificates that an entry wants. Raises AdminError."""
    if entry.certificates is None and not options.is_pruning:
        return present
    return with_certificates(context, present, all_of=entry.certificates or ())


def _new_step(context: AdminContext, entry: LoginEntry) -> ApplyStep:
    permit(context.principal, AdminAction.LOGIN_ADD)
    if entry.user not in context.directory.now.logins:  # otherwise the name is a good one
        check_user(context, entry.user)
    if entry.password is None and entry.certificates:
        return _certified_step(context, entry)
    cram_md5 = entry.cram_md5 is not False
    changes = [
        Change("user", NOTHING, entry.user),
        Change("account", NOTHING, entry.account),
        Change("password", NOTHING, SECRET),
        Change("cram_md5", NOTHING, _yes(is_so=cram_md5)),
    ]
    turnaround = bool(entry.turnaround)
    if turnaround:
        changes.append(Change("turnaround", NOTHING, _yes(is_so=True)))
    if entry.password is None:
        work: Any = partial(
            add_generated_login,
            context,
            entry.account,
            entry.user,
            cram_md5=cram_md5,
            expires_at=entry.expires_at,
            turnaround=turnaround,
        )
        changes[2] = Change("password", NOTHING, "generated")
    else:
        checked_password(entry.password)
        certificates = entry.certificates or ()
        bare = Login(entry.user, entry.account, "", None, 0.0)
        changes += changes_between(bare, with_certificates(context, bare, all_of=certificates))
        work = partial(_add, context, entry.account, _new_login(entry))
    return _step(entry, ApplyVerb.ADD, changes, work)


def _new_login(entry: LoginEntry) -> NewLogin:
    return NewLogin(
        user=entry.user,
        password=entry.password,
        cram_md5=entry.cram_md5 is not False,
        expires_at=entry.expires_at,
        turnaround=bool(entry.turnaround),
        certificates=entry.certificates or (),
    )


def _certified_step(context: AdminContext, entry: LoginEntry) -> ApplyStep:
    """Return the step for a new login that only its certificates prove."""
    certificates = entry.certificates or ()
    bare = Login(entry.user, entry.account, "", None, 0.0, turnaround=bool(entry.turnaround))
    wanted = with_certificates(context, bare, all_of=certificates)
    work = partial(_add, context, entry.account, _new_login(entry))
    return _step(entry, ApplyVerb.ADD, changes_between(None, wanted), work)


async def _change_step(
    context: AdminContext,
    entry: LoginEntry,
    present: Login,
    ends: float | None,
    options: ApplyOptions,
) -> ApplyStep | None:
    changes, password = [], entry.password
    if password is not None and await _is_known(context, present, checked_password(password)):
        needs_seal = entry.cram_md5 is True and present.sealed_secret is None
        password = password if needs_seal else None
    elif password is not None:
        changes.append(Change("password", SECRET, _REPLACED))
    has_cram_md5 = present.sealed_secret is not None
    if entry.cram_md5 not in (None, has_cram_md5):
        changes.append(Change("cram_md5", _yes(is_so=has_cram_md5), _yes(is_so=not has_cram_md5)))
        if entry.cram_md5 and password is None:
            remedy = "write its password too, for CRAM-MD5 needs it"
            error = f"login {entry.user}: its password is kept as a hash only"
            raise AdminError(ErrorKind.USAGE, error, remedy)
    wanted = _wanted_turnaround(entry, present, options)
    if wanted != present.turnaround:
        changes += changes_between(present, replace(present, turnaround=wanted))
    certified = _wanted_certificates(context, entry, present, options)
    check_provable(certified)
    changes += changes_between(present, certified)
    of_end = changes_between(present, replace(present, valid_until=ends))
    changes += of_end
    if not changes:
        return None
    permit(context.principal, AdminAction.LOGIN_CHANGE)
    expires_at: datetime | Literal["never"] | None = None
    if of_end:
        expires_at = "never" if ends is None else moment(ends)
    change = LoginChange(
        password=password,
        cram_md5=entry.cram_md5,
        expires_at=expires_at,
        turnaround=wanted,
        certificates=[one.pem for one in certified.certificates],
    )
    work = partial(_change, context, entry.account, entry.user, change)
    return _step(entry, ApplyVerb.CHANGE, changes, work)


async def _is_known(context: AdminContext, login: Login, password: str) -> bool:
    """Return whether it is the login's password. Raises AdminError after too many wrong ones."""
    is_same = await _is_same(context, login, password)
    judge_secret(context, f"login {login.user}", is_same=is_same)
    return is_same


async def _is_same(context: AdminContext, login: Login, password: str) -> bool:
    """Return whether it is the login's password: at once where that is kept, sealed."""
    if login.sealed_secret is not None:
        try:
            return context.vault.open(login.sealed_secret, login_owner(login.user)) == password
        except SealBroken:
            return False
    return await hashed_in_turn(is_password_of, context, login, password)


def _sealed_step(
    context: AdminContext,
    entry: LoginEntry,
    present: Login | None,
    text: str,
    ends: float | None,
    *,
    options: ApplyOptions,
) -> ApplyStep | None:
    kept = open_credentials(context.vault, entry.user, text)
    if entry.cram_md5 is False:
        kept = replace(kept, sealed_secret=None)
    elif entry.cram_md5 and kept.sealed_secret is None:
        error = f"login {entry.user}: sealed has no password for CRAM-MD5"
        raise AdminError(ErrorKind.USAGE, error, "write its password, or leave out cram_md5")
    if present is None and entry.user not in context.directory.now.logins:
        check_user(context, entry.user)
    base = present or Login(entry.user, entry.account, "", None, context.now())
    # An old password whose time is over is no difference.
    has_rotation = kept.prior is not None or base.prior_at(context.now()) is not None
    wanted = replace(
        base,
        password_hash=kept.password_hash,
        sealed_secret=kept.sealed_secret,
        sealed_verifier=kept.sealed_verifier,
        valid_until=ends,
        prior=kept.prior if has_rotation else base.prior,
        turnaround=_wanted_turnaround(entry, base, options),
        certificates=_wanted_certificates(context, entry, base, options).certificates,
    )
    check_provable(wanted)
    changes = changes_between(present, wanted)
    if not changes:
        return None
    permit(
        context.principal,
        AdminAction.LOGIN_ADD if present is None else AdminAction.LOGIN_CHANGE,
    )
    verb = ApplyVerb.ADD if present is None else ApplyVerb.CHANGE
    return _step(entry, verb, changes, partial(_store, context, present, wanted))


async def _add(context: AdminContext, account: str, new: NewLogin) -> None:
    await add_login(context, account, new)


async def _change(context: AdminContext, account: str, user: str, change: LoginChange) -> None:
    await change_login(context, account, user, change)


async def _store(context: AdminContext, present: Login | None, wanted: Login) -> None:
    check_same(f"login {wanted.user}", present, context.directory.now.logins.get(wanted.user))
    await store_login(context, present, wanted)


def _step(entry: LoginEntry, verb: ApplyVerb, changes: Any, work: Any) -> ApplyStep:
    return ApplyStep(ApplyStage.LOGINS, verb, "login", entry.user, entry.account, changes, work)


def _yes(*, is_so: bool) -> str:
    return "yes" if is_so else "no"
