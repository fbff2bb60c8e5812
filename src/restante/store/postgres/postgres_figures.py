"""How much the store on PostgreSQL holds.

The oldest held mail of all domains is asked often, by the status and the metrics. Among 10⁸
messages its pages are spread over the whole table, and even in memory a hundred thousand seeks take
seconds. So the answer of a domain is kept in `oldest_mail` until mail of that domain was removed,
refused, or held again.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Final

from restante.shielded_task import shielded
from restante.store.figure_store import NO_USAGE, DomainUsage, SetApart, with_deferred
from restante.store.postgres import mail_statements, usage_queries
from restante.store.postgres.database_session import PostgresRow
from restante.store.postgres.postgres_core import PostgresCore, take_note
from restante.store.postgres.postgres_transaction import PostgresTransaction
from restante.store.store_errors import StoreError

ASKED_AT_ONCE: Final = 500  # domains: some pages each, which can all be on the disk


class PostgresFigures:
    """A `FigureStore`."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._seeking: asyncio.Task[dict[int, float]] | None = None  # of all domains

    def usage(self, domain_id: int) -> DomainUsage:
        """Return what a domain holds, as of the last commit."""
        return self._core.mirror.usage(domain_id)

    def usages(self) -> Mapping[int, DomainUsage]:
        """Return what each domain holds, by domain id."""
        return self._core.mirror.usages()

    def usage_of_account(self, account: str) -> DomainUsage:
        """Return what all domains of an account hold together, as of the last commit."""
        return self._core.mirror.usage_of_account(account)

    def usage_of_all(self) -> DomainUsage:
        """Return what all domains hold together, as of the last commit."""
        return self._core.mirror.usage_of_all()

    async def catch_up(self, domain_ids: Sequence[int]) -> None:
        """Read the figures of other processes for these domains."""
        slot = self._core.node.key.id
        if new := self._core.mirror.unknown_of(domain_ids):  # another server has just added them
            accounts = await self._core.fetch(usage_queries.ACCOUNTS_OF, new)
            self._core.mirror.take_changed_domains(dict(map(tuple, accounts)))
        rows = await self._core.fetch(usage_queries.OF_OTHERS_IN, slot, domain_ids)
        found = {domain_id: DomainUsage(*figures) for domain_id, *figures in rows}
        self._core.mirror.take_changed_others(dict.fromkeys(domain_ids, NO_USAGE) | found)

    async def oldest(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, float]:
        """Return, by domain id, when the oldest held message was received."""
        if domain_ids is not None:
            return _oldest_of(await self._core.fetch(mail_statements.OLDEST_MESSAGES, domain_ids))
        if self._seeking is None or self._seeking.done():
            self._seeking = self._core.begin(self._oldest_of_all())
            self._seeking.add_done_callback(take_note)
        return await shielded(self._seeking)

    async def _oldest_of_all(self) -> dict[int, float]:
        """Seek what is not known. The work goes on if nobody waits for it any more."""
        known = await self._core.fetch(usage_queries.OLDEST_KNOWN)
        found = {domain_id: at for domain_id, at in known if at is not None}
        unknown = [domain_id for domain_id, at in known if at is None]
        for start in range(0, len(unknown), ASKED_AT_ONCE):
            some = unknown[start : start + ASKED_AT_ONCE]
            asked = await self._core.fetch(mail_statements.OLDEST_MESSAGES, some)
            found |= _oldest_of(asked)
            with suppress(StoreError):  # it is asked again the next time
                await self._core.write(partial(_keep_oldest, asked=asked))
        return found

    async def set_apart(self, domain_ids: Sequence[int] | None = None) -> Mapping[int, SetApart]:
        """Return how many messages are uncertain, damaged or deferred by a policy."""
        of_some = domain_ids is not None
        given = [domain_ids] if of_some else []
        rows = await self._core.fetch(mail_statements.count_set_apart(of_some=of_some), *given)
        deferred_by_policy = await self._core.fetch(
            mail_statements.count_deferred(of_some=of_some), *given
        )
        apart = {domain_id: SetApart(*counts) for domain_id, *counts in rows}
        return with_deferred(apart, deferred_by_policy)


def _oldest_of(asked: Sequence[PostgresRow]) -> dict[int, float]:
    return {domain_id: received_at for domain_id, received_at, _ in asked}


async def _keep_oldest(transaction: PostgresTransaction, asked: Sequence[PostgresRow]) -> None:
    if asked:
        columns = map(list, zip(*asked, strict=True))
        await transaction.fetch(usage_queries.KEEP_OLDEST, *columns)
