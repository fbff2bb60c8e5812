"""Notices that were sent or given up, in their table."""

import json
from collections.abc import Sequence
from typing import Final

import apsw

from restante.store.notice_store import PAST_KEPT
from restante.store.sqlite import notice_queries
from restante.store.sqlite.engine import fetch
from restante.store.sqlite.write_transaction import WriteTransaction
from restante.store.stored_form.notice_rows import past_notice_of_row, past_notice_row
from restante.tenancy.notice import PastNotice

_KEEP: Final = """
    INSERT INTO past_notice (channel_id, key, facts, held_back, ended_at, is_sent, failures, reply)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_REMOVE_OLDEST: Final = """
    DELETE FROM past_notice WHERE channel_id = ?1 AND number <= (
        SELECT number FROM past_notice WHERE channel_id = ?1 ORDER BY number DESC LIMIT 1 OFFSET ?2
    )
"""
_REMOVE_ALL: Final = "DELETE FROM past_notice WHERE channel_id = ?"
_LIST: Final = """
    SELECT number, channel_id, key, facts, held_back, ended_at, is_sent, failures, reply
    FROM past_notice
    WHERE (?1 IS NULL OR channel_id IN (SELECT value FROM json_each(?1)))
        AND (?2 IS NULL OR number < ?2)
    ORDER BY number DESC LIMIT ?3
"""


def keep_past(transaction: WriteTransaction, past: Sequence[PastNotice]) -> None:
    """Keep past notices of channels that exist, the newest of each channel."""
    for one in past:
        if transaction.execute(notice_queries.HAS_CHANNEL, (one.channel_id,)):
            transaction.execute(_KEEP, past_notice_row(one))
            transaction.execute(_REMOVE_OLDEST, (one.channel_id, PAST_KEPT))


def remove_past(transaction: WriteTransaction, channel_id: int) -> None:
    """Remove the past notices of a channel."""
    transaction.execute(_REMOVE_ALL, (channel_id,))


def past_notices(
    connection: apsw.Connection,
    channel_ids: Sequence[int] | None,
    before: int | None,
    limit: int,
) -> list[PastNotice]:
    """Return past notices, newest first."""
    wanted = None if channel_ids is None else json.dumps(list(channel_ids))
    return [past_notice_of_row(row) for row in fetch(connection, _LIST, (wanted, before, limit))]
