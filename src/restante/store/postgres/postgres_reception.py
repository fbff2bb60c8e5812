"""How mail comes into the store on PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

from restante.mail.message import ContentFile, MessageNumbers, NewMessage
from restante.store.hold_refusals import refused_of
from restante.store.postgres import mail_statements, node_queries, sqlstate
from restante.store.postgres.chunk_spool import ChunkSpool, content_id
from restante.store.postgres.content_chunks import copy_content
from restante.store.postgres.database_session import OutcomeUnknown, PostgresRow
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import Conflict, StoreError, StoreUnreachable
from restante.store.stored_form.rows import message_row


class PostgresReception:
    """A `ReceptionStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core

    def numbers(self) -> MessageNumbers:
        """Return the numbers for new messages."""
        return self._core.mirror.numbers

    async def hold(self, messages: Sequence[NewMessage]) -> Mapping[int, StoreError]:
        """Hold these, except for removed domains. Their numbers need not grow."""
        if self._core.node.risk:
            raise StoreUnreachable(self._core.node.risk)
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
            if not await self._core.write(partial(_are_held, messages=messages)):
                raise
            return set(domain_ids)
        except StoreError as error:
            if error.__cause__ is not None and sqlstate.is_taken(error.__cause__):
                raise Conflict("a message number is taken") from error
            raise
        if len(rows) == len(domain_ids) and _lacks_content(rows):
            raise StoreError("content of a message was removed before it was held")
        return {domain_id for domain_id, _ in rows}

    def _values(self, messages: Sequence[NewMessage], domain_ids: Sequence[int]) -> list[object]:
        """Return the values of mail_statements.HOLD."""
        columns: list[object] = list(
            map(list, zip(*(_row(message) for message in messages), strict=True))
        )
        contents = [content_id(one.file) for one in messages if one.file is not None]
        return [*columns, domain_ids, self._core.node.key.id, contents]

    def open_spool(self) -> ChunkSpool:
        """Begin large content."""
        return ChunkSpool(self._core)

    async def duplicate(self, file: ContentFile) -> ContentFile:
        """Give the same content a second name: its chunks are copied inside the database."""
        return await copy_content(self._core, file)


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
