"""How mail comes into the store on PostgreSQL."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from restante.mail.message import ContentFile, MessageNumbers, NewMessage
from restante.store.figure_store import NO_USAGE
from restante.store.hold_refusals import NO_QUOTAS, QuotasByDomain, over_quota, refused_of
from restante.store.postgres import mail_statements, node_queries, sqlstate, usage_queries
from restante.store.postgres.chunk_spool import ChunkSpool, content_id, discard_content
from restante.store.postgres.content_chunks import copy_content
from restante.store.postgres.database_session import OutcomeUnknown, PostgresRow
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.object_spool import ObjectSpool
from restante.store.postgres.postgres_core import PostgresCore, take_note
from restante.store.postgres.postgres_transaction import PostgresTransaction, usages_of_rows
from restante.store.postgres.quota_closeness import close_quotas
from restante.store.reception_store import ContentSpool
from restante.store.store_errors import Conflict, StoreError, StoreUnreachable
from restante.store.stored_form.rows import message_row

LOOK_PATIENCE: Final = 2.0  # seconds, after those of a commit without an answer
_NO_CONTENT: Final = "content of a message was removed before it was held"


class PostgresReception:
    """A `ReceptionStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages."""
        return self._core.mirror.numbers

    async def hold(
        self, messages: Sequence[NewMessage], quotas: QuotasByDomain = NO_QUOTAS
    ) -> Mapping[int, StoreError]:
        """Hold these, except for removed domains and full quotas. Their numbers need not grow."""
        if self._core.node.risk:
            raise StoreUnreachable(self._core.node.risk)
        mirror = self._core.mirror
        close = quotas and close_quotas(messages, quotas, mirror.usage, mirror.usage_of_account)
        if not close:
            return await self._hold_at_once(messages)
        bounded, others = _parted(messages, close)
        refused = await self._hold_at_once(others)  # if this fails, nothing is held
        try:
            change = partial(self._hold_within, messages=bounded, quotas=close)
            refused |= await self._core.write(change, SessionKind.HOLDING)
        except StoreError as error:
            refused |= {one.number: _conflict_of(error) for one in bounded}
        return refused

    async def _hold_within(
        self,
        transaction: PostgresTransaction,
        messages: Sequence[NewMessage],
        quotas: QuotasByDomain,
    ) -> dict[int, StoreError]:
        """Hold messages as far as quotas allow it, while no other process holds any beside."""
        accounts = sorted({quota.account for quota in quotas.values()})
        domain_ids = sorted({message.domain_id for message in messages})
        await transaction.fetch(usage_queries.LOCK_ACCOUNTS, accounts)
        hosted = {key for (key,) in await transaction.fetch(usage_queries.LOCK_DOMAINS, domain_ids)}
        usages = usages_of_rows(await transaction.fetch(usage_queries.OF_DOMAINS, domain_ids))
        sums = usages_of_rows(await transaction.fetch(usage_queries.OF_ACCOUNTS, accounts))
        refused = refused_of(messages, hosted.__contains__)
        left = [message for message in messages if message.number not in refused]
        refused |= over_quota(
            left,
            quotas,
            lambda domain_id: usages.get(domain_id, NO_USAGE),
            lambda account: sums.get(account, NO_USAGE),
        )
        left = [message for message in left if message.number not in refused]
        if left:
            domain_ids = sorted({message.domain_id for message in left})
            rows = await transaction.fetch(mail_statements.HOLD, *self._values(left, domain_ids))
            if _lacks_content(rows):
                raise StoreError(_NO_CONTENT)
            count(transaction, left)
        return refused

    async def _hold_at_once(self, messages: Sequence[NewMessage]) -> dict[int, StoreError]:
        """Hold these by one statement, except for removed domains."""
        refused: dict[int, StoreError] = {}
        while messages:
            hosted = await self._hold(messages)
            gone = refused_of(messages, hosted.__contains__)
            if not gone:
                break
            refused |= gone
            messages = [message for message in messages if message.number not in gone]
        return refused

    async def _hold(self, messages: Sequence[NewMessage]) -> set[int]:
        """Hold all if all their domains are hosted, or none; return the domains that are."""
        domain_ids = sorted({message.domain_id for message in messages})

        def moved(transaction: PostgresTransaction, rows: list[PostgresRow]) -> None:
            if len(rows) == len(domain_ids) and not _lacks_content(rows):
                count(transaction, messages)

        try:
            rows = await self._core.write_at_once(
                mail_statements.HOLD, self._values(messages, domain_ids), SessionKind.HOLDING, moved
            )
        except (StoreUnreachable, OutcomeUnknown):
            if not await self._were_held(messages):
                raise
            return set(domain_ids)
        except StoreError as error:
            raise _conflict_of(error) from error.__cause__
        if len(rows) == len(domain_ids) and _lacks_content(rows):
            raise StoreError(_NO_CONTENT)
        return {domain_id for domain_id, _ in rows}

    async def _were_held(self, messages: Sequence[NewMessage]) -> bool:
        """Tell whether messages are held after all; False if that is not known soon.

        Without a standby, the look waits as long as the commit did. The client has its answer
        before, and the look goes on, for the figures.
        """
        looking = self._core.begin(self._core.write(partial(_are_held, messages=messages)))
        done, _ = await asyncio.wait({looking}, timeout=LOOK_PATIENCE)
        if not done:
            looking.add_done_callback(take_note)
            return False
        return looking.result()

    def _values(self, messages: Sequence[NewMessage], domain_ids: Sequence[int]) -> list[object]:
        """Return the values of mail_statements.HOLD."""
        columns: list[object] = list(
            map(list, zip(*(_row(message) for message in messages), strict=True))
        )
        contents = [content_id(one.file) for one in messages if one.file is not None]
        return [*columns, domain_ids, self._core.node.key.id, contents]

    def open_spool(self) -> ContentSpool:
        """Begin large content."""
        objects = self._core.objects
        return ChunkSpool(self._core) if objects is None else ObjectSpool(self._core, objects)

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second name: its chunks are copied inside the database."""
        return await copy_content(self._core, file)

    def discard(self, file: ContentFile) -> None:
        """Remove a duplicate that no message has got."""
        discard_content(self._core, content_id(file))


def _conflict_of(error: StoreError) -> StoreError:
    """Return the error of a number that is taken, if it was one."""
    if error.__cause__ is not None and sqlstate.is_taken(error.__cause__):
        return Conflict("a message number is taken")
    return error


def _parted(
    messages: Sequence[NewMessage], quotas: QuotasByDomain
) -> tuple[list[NewMessage], list[NewMessage]]:
    """Part the mails that a quota concerns from the others; a mail stays whole."""
    mails = {one.first or one.number for one in messages if one.domain_id in quotas}
    bounded = [one for one in messages if (one.first or one.number) in mails]
    return bounded, [one for one in messages if (one.first or one.number) not in mails]


def _lacks_content(rows: list[PostgresRow]) -> bool:
    """Tell from the rows of mail_statements.HOLD whether some content is not there."""
    return any(not is_spooled for _, is_spooled in rows)


def _row(message: NewMessage) -> tuple[object, ...]:
    """Spell a message with the number of its content in place of a file's name."""
    row = message_row(message)
    file = message.file
    return (*row[:7], None if file is None else content_id(file), *row[8:])


async def _are_held(transaction: PostgresTransaction, messages: Sequence[NewMessage]) -> bool:
    """Tell whether messages are held after all: the session was lost before the answer came.

    A commit of this process can be visible before a standby has it. So this transaction writes too,
    the row of the process: after its commit, all that was before it in the log is as durable.
    """
    numbers = [message.number for message in messages]
    if not await transaction.has(node_queries.TOUCH, *transaction.node):
        raise StoreError("another process has the slot of this one in the database")
    [(found,)] = await transaction.fetch(mail_statements.COUNT_PRESENT, numbers)
    if found != len(numbers):
        return False
    count(transaction, messages)
    return True


def count(transaction: PostgresTransaction, messages: Sequence[NewMessage]) -> None:
    """Note the figures of messages that were held."""
    by_domain = defaultdict[int, list[int]](list)
    for message in messages:
        by_domain[message.domain_id].append(message.size)
    for domain_id, sizes in by_domain.items():
        transaction.note_written(domain_id, len(sizes), sum(sizes))
    transaction.last_number = max(message.number for message in messages)
