"""Changes of tokens, portal users and channels. Each function is called inside a transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from restante.phrases import EXISTS, REMOVED_MEANWHILE
from restante.store.postgres import notice_statements, record_statements
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.postgres.record_writing import (
    add,
    check_account,
    check_before,
    note_change,
    remove_token,
)
from restante.store.record_store import check_known
from restante.store.store_errors import Conflict
from restante.store.stored_form.notice_rows import channel_row
from restante.store.stored_form.portal_user_rows import portal_user_row
from restante.store.stored_form.token_rows import token_row
from restante.tenancy.api_token import ApiToken
from restante.tenancy.audit import AuditEntry
from restante.tenancy.notice import Channel
from restante.tenancy.numbered_change import RecordKind
from restante.tenancy.portal_user import PortalUser


async def put_token(
    transaction: PostgresTransaction,
    token: ApiToken,
    audit: AuditEntry,
    known: Collection[str] | None = None,
) -> None:
    """Add or replace a token. Its account must have no tokens but the known ones."""
    if known is not None:  # another server may add one now: wait for all changes of records
        await transaction.fetch(record_statements.LOCK_CHANGE_NUMBER)
        rows = await transaction.fetch(record_statements.TOKENS_OF_ACCOUNT, token.account)
        check_known((one for (one,) in rows), known)
    if token.account:
        await check_account(transaction, token.account)
    present = await transaction.fetch(record_statements.ACCOUNT_OF_TOKEN, token.id)
    if present and present[0][0] != token.account:
        raise Conflict(f"token {token.id} is taken")
    row = token_row(token)
    if present:
        await transaction.fetch(record_statements.PUT_TOKEN, *row)
    else:
        await add(transaction, record_statements.ADD_TOKEN, row, f"token {token.id}")
    await note_change(transaction, RecordKind.TOKEN, token.id, audit)


async def remove_tokens(transaction: PostgresTransaction, ids: Sequence[str]) -> None:
    """Remove tokens that are over."""
    for token_id in ids:
        await remove_token(transaction, token_id)


async def record_token_uses(transaction: PostgresTransaction, uses: Mapping[str, float]) -> None:
    """Keep the times of last uses."""
    for token_id, at in sorted(uses.items()):
        await transaction.fetch(record_statements.KEEP_TOKEN_USE, token_id, at)


async def put_user(transaction: PostgresTransaction, user: PortalUser, audit: AuditEntry) -> None:
    """Add or replace a portal user, on top of the revision before."""
    if user.account:
        await check_account(transaction, user.account)
    present = await transaction.fetch(record_statements.USER_PRESENT, user.email)
    before = user.revision - 1
    if [tuple(row) for row in present] != ([(user.account, before)] if before else []):
        raise Conflict(f"portal user {user.email} was changed meanwhile")
    row = portal_user_row(user)
    if present:
        await transaction.fetch(record_statements.PUT_USER, *row)
    else:
        await add(transaction, record_statements.ADD_USER, row, f"portal user {user.email}")
    await transaction.fetch(record_statements.END_OTHER_STAMPS, user.email, user.stamp)
    await note_change(transaction, RecordKind.PORTAL_USER, user.email, audit)


async def put_channel(
    transaction: PostgresTransaction, channel: Channel, audit: AuditEntry, before: Channel | None
) -> Channel:
    """Add a channel, or replace the one that has both this name and this id."""
    await check_before(transaction, RecordKind.CHANNEL, str(channel.id), before)
    if channel.account:
        await check_account(transaction, channel.account)
    place = (channel.account, channel.name)
    present = await transaction.fetch(record_statements.ID_OF_CHANNEL, *place)
    if [number for (number,) in present] != ([channel.id] if channel.id else []):
        raise Conflict(f"channel {channel.name} {EXISTS}, or {REMOVED_MEANWHILE}")
    row = channel_row(channel)
    if channel.id:
        await transaction.fetch(record_statements.CHANGE_CHANNEL, *row, channel.id)
        await transaction.fetch(notice_statements.HASTEN_CHANNEL, audit.at, channel.id)
        stored = channel
    else:
        [(number,)] = await transaction.fetch(record_statements.ADD_CHANNEL, *row)
        stored = replace(channel, id=number)
    await note_change(transaction, RecordKind.CHANNEL, str(stored.id), audit)
    return stored


async def remove_channel(
    transaction: PostgresTransaction, channel_id: int, audit: AuditEntry
) -> None:
    """Remove a channel if it is there, with its notices."""
    if await transaction.has(record_statements.REMOVE_CHANNEL, channel_id):
        await transaction.fetch(notice_statements.REMOVE_OF_CHANNEL, channel_id)
        await transaction.fetch(notice_statements.REMOVE_PAST_OF_CHANNEL, channel_id)
        await note_change(transaction, RecordKind.CHANNEL, str(channel_id), audit)
