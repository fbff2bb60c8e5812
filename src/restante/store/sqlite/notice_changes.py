"""Changes of channels and notices in the tables.

Each function is the body of one `SqliteChange`, as in mail_changes.
"""

from collections.abc import Sequence
from dataclasses import replace

from restante.phrases import EXISTS, REMOVED_MEANWHILE
from restante.store.sqlite import notice_queries
from restante.store.sqlite.past_notice_table import remove_past
from restante.store.sqlite.record_changes import check_account, check_before, note_change
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.store_errors import Conflict
from restante.store.stored_form.notice_rows import channel_row, notice_row, quiet_row
from restante.tenancy.audit import AuditEntry
from restante.tenancy.notice import Channel, NewNotice, QuietTopic, Topic
from restante.tenancy.numbered_change import RecordKind


def put_channel(
    transaction: WriteTransaction, channel: Channel, audit: AuditEntry, before: Channel | None
) -> Channel:
    """Add a channel, or replace the one that has both this name and this id."""
    check_before(transaction, RecordKind.CHANNEL, str(channel.id), before)
    if channel.account:
        check_account(transaction, channel.account)
    present = transaction.execute(notice_queries.ID_OF_CHANNEL, (channel.account, channel.name))
    if present != ([(channel.id,)] if channel.id else []):
        raise Conflict(f"channel {channel.name} {EXISTS}, or {REMOVED_MEANWHILE}")
    stored = (
        _change_channel(transaction, channel, audit.at)
        if channel.id
        else _add_channel(transaction, channel)
    )
    note_change(transaction, RecordKind.CHANNEL, str(stored.id), audit)
    return stored


def hasten_notices(transaction: WriteTransaction, at: float, beyond: float) -> None:
    """Have notices tried at `at` that wait until after `beyond`."""
    transaction.execute(notice_queries.HASTEN_ALL_NOTICES, (at, beyond))


def _add_channel(transaction: WriteTransaction, channel: Channel) -> Channel:
    transaction.execute(notice_queries.ADD_CHANNEL, channel_row(channel))
    return replace(channel, id=transaction.connection.last_insert_rowid())


def _change_channel(transaction: WriteTransaction, channel: Channel, at: float) -> Channel:
    transaction.execute(notice_queries.CHANGE_CHANNEL, (*channel_row(channel), channel.id))
    transaction.execute(notice_queries.HASTEN_NOTICES, {"channel": channel.id, "at": at})
    return channel


def delete_channel(transaction: WriteTransaction, channel_id: int, audit: AuditEntry) -> None:
    """Remove a channel if it is there, with its waiting notices."""
    if transaction.execute(notice_queries.HAS_CHANNEL, (channel_id,)):
        transaction.execute(notice_queries.REMOVE_CHANNEL, (channel_id,))
        transaction.execute(notice_queries.REMOVE_NOTICES_OF_CHANNEL, (channel_id,))
        remove_past(transaction, channel_id)
        note_change(transaction, RecordKind.CHANNEL, str(channel_id), audit)


def keep_notices(
    transaction: WriteTransaction,
    notices: Sequence[NewNotice],
    quiets: Sequence[QuietTopic],
    over: Sequence[Topic],
    limit: int,
) -> int:
    """Add notices, and remember what was told; return how many of the oldest had to go."""
    for topic in over:
        transaction.execute(notice_queries.REMOVE_QUIET, topic)
    for quiet in quiets:
        transaction.execute(notice_queries.KEEP_QUIET, quiet_row(quiet))
    named = dict.fromkeys(new.channel_id for new in notices)
    there = [
        number for number in named if transaction.execute(notice_queries.HAS_CHANNEL, (number,))
    ]
    for new in notices:
        if new.channel_id in there:
            transaction.execute(notice_queries.KEEP_NOTICE, notice_row(new))
    return sum(_remove_oldest(transaction, number, limit) for number in there)


def _remove_oldest(transaction: WriteTransaction, channel_id: int, limit: int) -> int:
    return len(
        transaction.execute(
            notice_queries.REMOVE_OLDEST_NOTICES, {"channel": channel_id, "limit": limit}
        )
    )
