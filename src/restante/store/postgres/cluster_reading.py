"""Reads the changes of other processes once a second, and tells them those of this one.

Each process tells in bulletins which domains' figures and drains it has changed: at most one a
second, numbered without gaps, written after the changes. A reader reads those of these domains. It
reads those of all domains when a process is new to it or has ended, or a bulletin is missing. A
process that was killed may have changed some after its last bulletin. So a second without changes
costs the same with ten open drains as with a hundred thousand.

A process that is alone writes no bulletins. So a process whose lease lapsed reads all, too: others
may have taken it for ended, and have told it nothing.

The nodes and the bulletins are read before the figures. So a change that is missed here is in a
later bulletin.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from restante.store.figure_store import NO_USAGE
from restante.store.postgres import (
    drain_statements,
    node_queries,
    record_statements,
    usage_queries,
)
from restante.store.postgres.database_session import PostgresRow
from restante.store.postgres.drain_changes import drain_state
from restante.store.postgres.lane_set import SessionKind
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_transaction import (
    NodeKey,
    PostgresTransaction,
    usages_of_rows,
)
from restante.tenancy.numbered_change import RecordKind

BULLETINS_KEPT: Final = 600  # a reader that is further behind reads all figures
_TRIMMED_AT_ONCE: Final = 64
_ROUNDS_ALONE: Final = 5  # rounds whose changes are kept: another process may begin meanwhile


class ClusterReading:
    """How far this process has read the changes of others, and told its own."""

    def __init__(self, core: PostgresCore) -> None:
        self._core = core
        self._change_number = -1
        self._read_up_to: dict[NodeKey, int] = {}  # the last bulletin of each that lives
        self._lapses = 0  # of the own lease, before all was read
        self._told = 0  # bulletins
        self._untold: deque[set[int]] = deque(maxlen=_ROUNDS_ALONE)  # domain ids, by round

    async def read_changes(self) -> None:
        """Tell the figures that were moved here, and take over those of others."""
        core = self._core
        await core.look_again()
        self._untold.append(core.mirror.take_moved())
        rows = await core.fetch(node_queries.LIVING, core.node.key.id)
        living = {NodeKey(*row) for row in rows}
        core.node.others = len(living)
        if living:
            await self._tell()
        if living or self._read_up_to:
            await self._read(living)

    async def _tell(self) -> None:
        """Write a bulletin, if there is something to tell."""
        domain_ids = sorted(set().union(*self._untold))
        if not domain_ids:
            return
        number = self._told + 1

        async def change(transaction: PostgresTransaction) -> None:
            await transaction.fetch(node_queries.TELL, *transaction.node, number, domain_ids)
            if number % _TRIMMED_AT_ONCE == 1:
                place = (*transaction.node, number - BULLETINS_KEPT)
                await transaction.fetch(node_queries.FORGET_BULLETINS, *place)

        await self._core.write(change, SessionKind.WORK)
        self._told = number
        self._untold.clear()

    async def _read(self, living: set[NodeKey]) -> None:
        core, slot = self._core, self._core.node.key.id
        lapses = core.node.lapses
        known = {key: self._read_up_to.get(key, 0) for key in living}
        bulletins = await core.fetch(
            node_queries.BULLETINS,
            [key.id for key in known],
            [key.epoch for key in known],
            list(known.values()),
        )
        moved, read_up_to, has_all = _of_bulletins(bulletins, known)
        await self._read_domains()
        if not has_all or self._read_up_to.keys() != living or self._lapses != lapses:
            core.mirror.take_others(usages_of_rows(await core.fetch(usage_queries.OF_OTHERS, slot)))
            await self._read_drains(drain_statements.KNOWN_DRAINS, core.mirror.open_drains())
        elif moved:
            rows = await core.fetch(usage_queries.OF_OTHERS_IN, slot, sorted(moved))
            core.mirror.take_changed_others(dict.fromkeys(moved, NO_USAGE) | usages_of_rows(rows))
            await self._read_drains(drain_statements.CHANGED_DRAINS, moved)
        self._read_up_to = read_up_to  # at the end: after a failure all of it is read again
        self._lapses = lapses

    async def _read_drains(self, statement: str, domain_ids: Iterable[int]) -> None:
        drains = await self._core.fetch(statement, sorted(domain_ids))
        self._core.mirror.take_drains(dict(map(drain_state, drains)))

    async def _read_domains(self) -> None:
        """Take over the accounts of domains that were changed."""
        core, since = self._core, self._change_number
        [(number,)] = await core.fetch(record_statements.CHANGE_NUMBER)
        if number == since:
            return
        changes = await core.fetch(record_statements.CHANGES_SINCE, since)
        if since < 0 or len(changes) < number - since:
            rows = await core.fetch(usage_queries.ACCOUNTS)
            core.mirror.take_domains(dict(map(tuple, rows)))
        else:
            ids = {int(key) for _, kind, key in changes if kind == RecordKind.DOMAIN}
            rows = await core.fetch(usage_queries.ACCOUNTS_OF, sorted(ids)) if ids else []
            core.mirror.take_changed_domains(dict.fromkeys(ids, "") | dict(map(tuple, rows)))
        self._change_number = number


def _of_bulletins(
    rows: Iterable[PostgresRow], known: Mapping[NodeKey, int]
) -> tuple[set[int], dict[NodeKey, int], bool]:
    """Return the domains of bulletins, the last of each process, and whether none is missing."""
    moved: set[int] = set()
    read_up_to = dict(known)
    has_all = True
    for node, epoch, number, domain_ids in rows:
        key = NodeKey(node, epoch)
        has_all = has_all and number == read_up_to[key] + 1
        read_up_to[key] = number
        moved.update(domain_ids)
    return moved, read_up_to, has_all
