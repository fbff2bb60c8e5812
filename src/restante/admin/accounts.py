"""Accounts: the customers of the platform."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

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
from restante.admin.permissions import AdminAction, permit
from restante.admin.policy_change import Amount, changed_quota
from restante.admin.repeated_add import refuse_difference
from restante.admin.request_bounds import LineText
from restante.mail.quantity import counted
from restante.phrases import EXISTS, did_you_mean
from restante.store.record_store import ABSENT
from restante.store.store_errors import Conflict, Overtaken
from restante.tenancy.api_token import TokenState
from restante.tenancy.audit import AuditAction
from restante.tenancy.history_detail import HistoryDetail
from restante.tenancy.model import Account
from restante.tenancy.record_change import Change, changes_between
from restante.tenancy.token_chain import state_of

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
MAX_NOTE_LENGTH = 500  # characters


class NewAccount(BaseModel):
    """The fields of a new account."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: LineText
    note: LineText = ""
    empty_reply: Literal[250, 251] = 251
    quota: Amount | None = None  # octets, for all its domains together
    quota_messages: Amount | None = None
    report_details: bool = False  # whether reports of success and delay quote its primary
    history: HistoryDetail = HistoryDetail.FULL  # how much is kept of mail that left
    change_lock: bool = False  # it may not change where its mail goes, nor open turnarounds


class AccountChange(BaseModel):
    """The fields to change; None leaves one unchanged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    note: LineText | None = None
    empty_reply: Literal[250, 251] | None = None
    quota: Amount | None = None  # 0 removes it
    quota_messages: Amount | None = None
    report_details: bool | None = None
    history: HistoryDetail | None = None
    change_lock: bool | None = None


class AccountView(BaseModel):
    """An account as it is shown."""

    name: str
    note: str
    empty_reply: int
    domains: int
    logins: int
    notice_channels: int
    tokens: int  # of the API, that are accepted now
    created_at: datetime
    quota: int | None  # octets
    quota_messages: int | None
    messages: int  # in the store, for all its domains, including refused ones
    octets: int
    report_details: bool
    history: HistoryDetail
    change_lock: bool


class ChangedAccount(AccountView):
    """An account after a change, and the changes: none if nothing differed."""

    changes: list[ChangeView]


async def add_account(context: AdminContext, new: NewAccount) -> ChangedAccount:
    """Add an account, unless it is there with the given values.

    Raises AdminError if the name is bad, or taken with other values.
    """
    permit(context.principal, AdminAction.ACCOUNT_ADD)
    return await add_or_find(context, lambda: _added(context, new))


async def _added(context: AdminContext, new: NewAccount) -> ChangedAccount:
    fields = AccountChange(**new.model_dump(exclude={"name"}, exclude_unset=True))
    if (present := context.directory.now.accounts.get(new.name)) is not None:
        differing = changes_between(present, checked_account(present, fields))
        refuse_difference(f"account {new.name}", differing, _by_set(new.name))
        return ChangedAccount(**dict(_view(context, present)), changes=[])
    account = checked_account(Account(new.name, context.now()), fields)
    changes = await store_account(context, None, account)
    return ChangedAccount(**dict(_view(context, account)), changes=change_views(changes))


def _exists(name: str) -> AdminError:
    return AdminError(ErrorKind.EXISTS, f"account {name}: {EXISTS}", _by_set(name))


def _by_set(name: str) -> str:
    return f"change it by `restante account set {name}`"


def list_accounts(context: AdminContext, after: str = "") -> Iterator[AccountView]:
    """Yield the accounts after a name, by name; each view is made at its turn."""
    permit(context.principal, AdminAction.ACCOUNT_LIST)
    directory = context.directory.now
    wanted = sorted(name for name in directory.accounts if name > after)
    seen = filter(context.principal.sees, wanted)
    return (_view(context, directory.accounts[name]) for name in seen)


def show_account(context: AdminContext, name: str) -> AccountView:
    """Return an account. Raises AdminError if it does not exist."""
    permit(context.principal, AdminAction.ACCOUNT_SHOW)
    return _view(context, find_account(context, name))


async def change_account(context: AdminContext, name: str, change: AccountChange) -> ChangedAccount:
    """Change the given fields. Raises AdminError."""
    permit(context.principal, AdminAction.ACCOUNT_CHANGE)
    present = find_account(context, name)
    account = checked_account(present, change)
    changes = await store_account(context, present, account)
    return ChangedAccount(**dict(_view(context, account)), changes=change_views(changes))


def checked_account(account: Account, change: AccountChange) -> Account:
    """Return an account with the given fields. Raises AdminError."""
    if not NAME.match(account.name):
        remedy = "use 1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit"
        raise AdminError(
            ErrorKind.INVALID, f"account {account.name!r}: not a name for an account", remedy
        )
    if change.note is not None:
        account = replace(account, note=_checked_note(change.note))
    if change.empty_reply is not None:
        account = replace(account, empty_reply=change.empty_reply)
    if change.report_details is not None:
        account = replace(account, report_details=change.report_details)
    if change.history is not None:
        account = replace(account, history=change.history)
    if change.change_lock is not None:
        account = replace(account, change_lock=change.change_lock)
    quota = changed_quota(account.quota, change.quota, change.quota_messages)
    return replace(account, quota=quota)


async def store_account(
    context: AdminContext, present: Account | None, account: Account
) -> Sequence[Change]:
    """Store an account that differs from the present one, and return the changes.

    None: there is no present one.
    """
    changes = changes_between(present, account)
    if changes:
        action = AuditAction.ACCOUNT_ADDED if present is None else AuditAction.ACCOUNT_CHANGED
        recorded = with_changes(entry(context, action, account.name, account.name), changes)
        try:
            await context.store.records.put_account(account, recorded, before=present or ABSENT)
        except Overtaken:
            refusal = await overtaken(context, f"account {account.name}")
            if present is None:
                raise AddedMeanwhile(_exists(account.name)) from None
            raise refusal from None
        await changed(context, recorded)
    return changes


async def remove_account(context: AdminContext, name: str, reason: str) -> None:
    """Remove an account without logins, domains and channels, and its tokens.

    Raises AdminError.
    """
    permit(context.principal, AdminAction.ACCOUNT_REMOVE)
    view = show_account(context, name)
    removed = changes_between(find_account(context, name), None)
    recorded = with_changes(
        entry(context, AuditAction.ACCOUNT_REMOVED, name, name, checked_reason(reason)), removed
    )
    if view.domains or view.logins or view.notice_channels:
        raise _in_use(name, view)
    try:
        await context.store.records.remove_account(name, recorded)
    except Conflict:  # something was added since our check
        raise _in_use(name, show_account(context, name)) from None
    await changed(context, recorded)


def find_account(context: AdminContext, name: str) -> Account:
    """Return the account of that name. Raises AdminError."""
    account = context.directory.now.accounts.get(name)
    if account is None or not context.principal.sees(name):
        seen = filter(context.principal.sees, context.directory.now.accounts)
        remedy = f"{did_you_mean(name, seen)} `restante account list` shows all".lstrip()
        raise AdminError(ErrorKind.NOT_FOUND, f"account {name}: does not exist", remedy)
    return account


def _in_use(name: str, view: AccountView) -> AdminError:
    error = (
        f"account {name}: has {counted(view.domains, 'domain')}, {counted(view.logins, 'login')}"
        f" and {counted(view.notice_channels, 'notice channel')}"
    )
    return AdminError(ErrorKind.CONFLICT, error, "remove them first")


def _checked_note(note: str) -> str:
    if len(note) > MAX_NOTE_LENGTH or not note.isprintable():
        remedy = f"write one line of at most {MAX_NOTE_LENGTH} characters"
        raise AdminError(ErrorKind.INVALID, "note: too long, or of more than one line", remedy)
    return note


def _view(context: AdminContext, account: Account) -> AccountView:
    directory = context.directory.now
    usage = context.store.figures.usage_of_account(account.name)
    return AccountView(
        name=account.name,
        note=account.note if context.principal.sees("") else "",  # the operator's own words
        empty_reply=account.empty_reply,
        report_details=account.report_details,
        change_lock=account.change_lock,
        history=account.history,
        domains=sum(1 for _ in directory.domains_of(account.name)),
        logins=sum(1 for _ in directory.logins_of(account.name)),
        notice_channels=len(directory.channels_of(account.name)),
        tokens=sum(
            state_of(one, directory, context.now()) is TokenState.ACTIVE
            for one in directory.tokens_of(account.name)
        ),
        created_at=moment(account.created_at),
        quota=account.quota.octets,
        quota_messages=account.quota.messages,
        messages=usage.messages,
        octets=usage.octets,
    )
