"""Held mail as it is read: for a drain, or one message; damaged messages are set apart."""

import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

from restante.mail.message import HeldMessage
from restante.store.postgres import held_mail_changes, mail_statements
from restante.store.postgres.database_session import DatabaseSession, PostgresRow
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.store_errors import StoreError
from restante.store.stored_form.rows import (
    DOMAIN_ID,
    NUMBER,
    DamagedRow,
    first_deferral,
    held_message,
    row_place,
)

_MOST_AT_ONCE: Final = 64  # rows in one answer: a few mebibytes at most, as a rule


class UnfitMessage(NamedTuple):
    """A message that cannot be handed out."""

    number: int
    text: str
    domain_id: int


class MessagesFound(NamedTuple):
    """Messages that were read, and those passed over on the way to them."""

    messages: list[HeldMessage]
    damaged: list[UnfitMessage]


async def held(
    session: DatabaseSession,
    domain_id: int,
    after: int,
    limit: int,
    max_octets: int,
    *,
    with_origins: bool = False,
    mark: int = 0,
) -> MessagesFound:
    """Read a drain's next messages, past damaged ones."""
    found = MessagesFound([], [])
    octets = 0
    question = mail_statements.HELD_MESSAGES
    if with_origins:
        question = mail_statements.HELD_MESSAGES_WITH_ORIGINS
    while True:
        wanted = min(limit - len(found.messages), _MOST_AT_ONCE)
        rows = await session.fetch(question, domain_id, after, wanted, first_deferral(mark))
        for row in rows:
            octets += take(row, found, mark)
            if found.messages and octets >= max_octets:
                return found
        if len(rows) < wanted or len(found.messages) >= limit:
            return found
        after = row_place(tuple(rows[-1]), mark)


def take(row: PostgresRow, found: MessagesFound, mark: int = 0) -> int:
    """Read a row's message; return the octets that it takes."""
    try:
        message = held_message(tuple(row), mark=mark)
    except DamagedRow as damage:
        found.damaged.append(UnfitMessage(row[NUMBER], str(damage), row[DOMAIN_ID]))
        return 0
    found.messages.append(message)
    return len(message.head)


async def one_message(session: DatabaseSession, number: int) -> HeldMessage | UnfitMessage | None:
    """Read one message with all its recipients."""
    rows = await session.fetch(mail_statements.ONE_MESSAGE, number)
    if not rows:
        return None
    domain_id = rows[0][DOMAIN_ID]
    refused = await session.fetch(mail_statements.REFUSED_PATHS, domain_id, number)
    try:
        return held_message(tuple(rows[0]), [path for (path,) in refused])
    except DamagedRow as damage:
        return UnfitMessage(number, str(damage), domain_id)


async def park(core: PostgresCore, damaged: Sequence[UnfitMessage]) -> None:
    """Mark the recipients of damaged messages, and report it; failures are retried later."""
    for one in damaged:
        change = partial(
            held_mail_changes.park_damaged, number=one.number, text=one.text, at=time.time()
        )
        is_first = True
        with suppress(StoreError):
            is_first = await core.write(change)
        if is_first:
            core.on_damage(one.number, one.text, one.domain_id)
