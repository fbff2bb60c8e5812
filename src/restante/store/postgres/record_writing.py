"""Changes of the operator's records. Each function is called inside a transaction.

A row that a decision depends on is locked until the commit, in the order account, then others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Final

from restante.phrases import CHANGED_MEANWHILE, EXISTS, REMOVED_MEANWHILE
from restante.queue.drain_word import DrainEnd
from restante.store.postgres import (
    drain_changes,
    drain_statements,
    key_statements,
    record_statements,
    sqlstate,
    usage_queries,
)
from restante.store.postgres.audit_writing import record
from restante.store.postgres.directory_reading import locked_record
from restante.store.postgres.postgres_transaction import PostgresTransaction, VersionedDrain
from restante.store.record_store import ABSENT, CHANGES_KEPT, Absent, is_as_before
from restante.store.store_errors import Conflict, Overtaken
from restante.store.stored_form.record_rows import account_row, domain_row, login_row
from restante.tenancy.audit import AuditEntry
from restante.tenancy.model import Account, HostedDomain, Login, LoginUse
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.recipients import Recipient, RecipientSource

_OVER: Final = 1 << 62  # a version above all


async def note_change(
    transaction: PostgresTransaction, kind: RecordKind, key: str, audit: AuditEntry | None
) -> None:
    """Number a change of a record, and append its entry, if it has one, to the trail."""
    transaction.has_new_records = True
    [(number,)] = await transaction.fetch(record_statements.MOVE_CHANGE_NUMBER)
    await transaction.fetch(record_statements.KEEP_CHANGE, number, kind, key)
    await transaction.fetch(record_statements.DROP_OLD_CHANGES, number - CHANGES_KEPT)
    await transaction.notify(record_statements.TELL_CHANGE)
    if audit is not None:
        await record(transaction, [audit])


async def check_before(
    transaction: PostgresTransaction, kind: RecordKind, key: str, before: object
) -> None:
    """Raise Overtaken unless the record is as it was before a change."""
    if before is ABSENT:  # there is no row to lock, so wait for all changes of records
        await transaction.fetch(record_statements.LOCK_CHANGE_NUMBER)
    if not is_as_before(await locked_record(transaction, kind, key), before):
        raise Overtaken(f"{kind} {key} {CHANGED_MEANWHILE}")


async def check_account(transaction: PostgresTransaction, name: str) -> None:
    """Raise Conflict where there is no such account."""
    if not await transaction.has(record_statements.HAS_ACCOUNT, name):
        raise Conflict(f"account {name} no longer exists")


async def add(
    transaction: PostgresTransaction, statement: str, row: Sequence[object], name: str
) -> None:
    """Add a row. Raises Conflict if another process has added it since it was looked for."""
    try:
        await transaction.fetch(statement, *row)
    except Exception as error:
        if sqlstate.is_taken(error):
            raise Conflict(f"{name} {EXISTS}") from error
        raise


# --- accounts and logins


async def put_account(
    transaction: PostgresTransaction,
    account: Account,
    audit: AuditEntry,
    before: Account | Absent | None,
) -> None:
    """Add or replace an account."""
    await check_before(transaction, RecordKind.ACCOUNT, account.name, before)
    row = account_row(account)
    if await transaction.has(record_statements.LOCK_ACCOUNT, account.name):
        await transaction.fetch(record_statements.PUT_ACCOUNT, *row)
    else:
        await add(transaction, record_statements.ADD_ACCOUNT, row, f"account {account.name}")
    await note_change(transaction, RecordKind.ACCOUNT, account.name, audit)


async def remove_account(transaction: PostgresTransaction, name: str, audit: AuditEntry) -> None:
    """Remove an account that has only tokens and portal users, and these too."""
    is_there = await transaction.has(record_statements.LOCK_ACCOUNT, name)
    if await transaction.has(record_statements.ACCOUNT_IN_USE, name):
        raise Conflict(f"account {name} has logins, domains or channels")
    if not is_there:
        return
    for (token_id,) in await transaction.fetch(record_statements.TOKENS_OF_ACCOUNT, name):
        await remove_token(transaction, token_id)
    for (email,) in await transaction.fetch(record_statements.USERS_OF_ACCOUNT, name):
        await remove_user(transaction, email, None)
    await transaction.fetch(record_statements.REMOVE_ACCOUNT, name)
    await note_change(transaction, RecordKind.ACCOUNT, name, audit)


async def put_login(
    transaction: PostgresTransaction,
    login: Login,
    audit: AuditEntry,
    before: Login | Absent | None,
) -> None:
    """Add or replace a login of an account."""
    await check_before(transaction, RecordKind.LOGIN, login.user, before)
    await check_account(transaction, login.account)
    present = await transaction.fetch(record_statements.ACCOUNT_OF_LOGIN, login.user)
    if present and present[0][0] != login.account:
        raise Conflict(f"user name {login.user} is taken")
    row = login_row(login)
    if present:
        await transaction.fetch(record_statements.PUT_LOGIN, *row)
    else:
        await add(transaction, record_statements.ADD_LOGIN, row, f"login {login.user}")
    await note_change(transaction, RecordKind.LOGIN, login.user, audit)


async def forget_prior_password(
    transaction: PostgresTransaction, user: str, valid_until: float, audit: AuditEntry
) -> None:
    """Forget the password before a rotation, if it is still that one."""
    if await transaction.has(record_statements.END_ROTATION, user, valid_until):
        await note_change(transaction, RecordKind.LOGIN, user, audit)


async def remove_login(transaction: PostgresTransaction, user: str, audit: AuditEntry) -> None:
    """Remove a login if it is there."""
    if await transaction.has(record_statements.REMOVE_LOGIN, user):
        await transaction.fetch(record_statements.REMOVE_LOGIN_USE, user)
        await note_change(transaction, RecordKind.LOGIN, user, audit)


async def record_login_uses(transaction: PostgresTransaction, uses: Mapping[str, LoginUse]) -> None:
    """Keep when and how logins were last authenticated."""
    for user, use in sorted(uses.items()):
        await transaction.fetch(record_statements.KEEP_LOGIN_USE, user, *astuple(use))


async def remove_token(transaction: PostgresTransaction, token_id: str) -> None:
    """Remove a token if it is there."""
    if await transaction.has(record_statements.REMOVE_TOKEN, token_id):
        await transaction.fetch(record_statements.REMOVE_TOKEN_USE, token_id)
        await note_change(transaction, RecordKind.TOKEN, token_id, None)


async def remove_user(
    transaction: PostgresTransaction, email: str, audit: AuditEntry | None
) -> None:
    """Remove a portal user, with its sessions, if it is there."""
    if await transaction.has(record_statements.REMOVE_USER, email):
        await transaction.fetch(record_statements.END_SESSIONS_OF_USER, email)
        await note_change(transaction, RecordKind.PORTAL_USER, email, audit)


# --- domains


async def put_domain(
    transaction: PostgresTransaction,
    domain: HostedDomain,
    audit: AuditEntry,
    before: HostedDomain | None = None,
) -> HostedDomain:
    """Add a domain, or replace the one that has both this name and this id."""
    await check_before(transaction, RecordKind.DOMAIN, str(domain.id), before)
    await check_account(transaction, domain.account)
    present = await transaction.fetch(record_statements.ID_OF_DOMAIN, domain.name)
    if [number for (number,) in present] != ([domain.id] if domain.id else []):
        raise Conflict(f"domain {domain.name} {EXISTS}, or {REMOVED_MEANWHILE}")
    row = domain_row(domain)
    if domain.id:
        await transaction.fetch(record_statements.CHANGE_DOMAIN, *row, domain.id)
        stored = domain
    else:
        [(number,)] = await transaction.fetch(record_statements.ADD_DOMAIN, *row)
        stored = replace(domain, id=number)
    transaction.accounts[stored.id] = stored.account
    await note_change(transaction, RecordKind.DOMAIN, str(stored.id), audit)
    return stored


async def remove_domain(
    transaction: PostgresTransaction, domain_id: int, audit: AuditEntry
) -> None:
    """Remove a domain that holds nothing, with its drain.

    Its row is locked first: no mail can be held for it then.
    """
    if not await transaction.has(record_statements.LOCK_DOMAIN, domain_id):
        return
    [(messages,)] = await transaction.fetch(usage_queries.MESSAGES, domain_id)
    if messages:
        raise Conflict(f"domain {domain_id} holds mail")
    for _, release in await transaction.fetch(drain_statements.LOCK_OPEN, domain_id):
        await drain_changes.end_release(transaction, domain_id, release, audit.at, DrainEnd.STOPPED)
    for statement in (
        record_statements.REMOVE_DOMAIN,
        usage_queries.REMOVE,
        drain_statements.REMOVE,
        drain_statements.REMOVE_PAST,
        record_statements.REMOVE_MARKS,
        record_statements.REMOVE_RECIPIENTS,
        key_statements.REMOVE,
    ):
        await transaction.fetch(statement, domain_id)
    transaction.accounts[domain_id] = ""
    transaction.drains[domain_id] = VersionedDrain(_OVER, None)
    await note_change(transaction, RecordKind.DOMAIN, str(domain_id), audit)


async def change_list(
    transaction: PostgresTransaction,
    domain_id: int,
    added: Sequence[str],
    dropped: Sequence[str],
    audit: AuditEntry,
) -> None:
    """Change a domain's list of recipients."""
    await transaction.check_hosted(domain_id)
    if dropped:
        await transaction.fetch(record_statements.REMOVE_FROM_LIST, domain_id, dropped)
    listed = [Recipient(name, RecipientSource.LIST, is_there=True, at=audit.at) for name in added]
    await keep_recipients(transaction, domain_id, listed)
    await note_change(transaction, RecordKind.RECIPIENTS, str(domain_id), audit)


async def learn(
    transaction: PostgresTransaction, domain_id: int, facts: Sequence[Recipient]
) -> None:
    """Keep the statements of a destination about mailboxes."""
    await transaction.check_hosted(domain_id)
    await keep_recipients(transaction, domain_id, facts)


async def keep_recipients(
    transaction: PostgresTransaction, domain_id: int, recipients: Sequence[Recipient]
) -> None:
    """Add recipients or replace them."""
    if recipients:
        rows = [(one.name, one.source, int(one.is_there), one.at) for one in recipients]
        columns = map(list, zip(*rows, strict=True))
        await transaction.fetch(record_statements.KEEP_RECIPIENTS, domain_id, *columns)
