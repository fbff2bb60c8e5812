"""Opening a store on PostgreSQL: the version of the server, the tables, a slot, and the figures."""

from contextlib import suppress
from functools import partial
from typing import Final

import asyncpg

from restante.phrases import cause_of
from restante.store.content_store import OnDamage
from restante.store.database_access import DatabaseAccess
from restante.store.moving.move_mark import check_mark
from restante.store.postgres import (
    drain_statements,
    node_queries,
    sqlstate,
    usage_queries,
)
from restante.store.postgres.cluster_node import ClusterNode, join_cluster, risk_of
from restante.store.postgres.cluster_reading import ClusterReading
from restante.store.postgres.database_session import DatabaseSession, open_granted
from restante.store.postgres.drain_changes import drain_state
from restante.store.postgres.figure_mirror import FigureMirror
from restante.store.postgres.host_choice import HostOrder
from restante.store.postgres.lane_set import LaneSet, SessionKind
from restante.store.postgres.move_mark_row import mark_of
from restante.store.postgres.node_numbers import NodeNumbers
from restante.store.postgres.object_opening import open_objects
from restante.store.postgres.postgres_core import PostgresCore
from restante.store.postgres.postgres_schema import SCHEMA
from restante.store.postgres.postgres_transaction import usages_of_rows
from restante.store.postgres.schema_upgrade import SCHEMA_FOUND, check_schema
from restante.store.store_errors import ContentUnreachable, StoreUnreachable, StoreUnusable

OLDEST_SERVER: Final = 15
CANNOT_OPEN: Final = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ValueError,
)
_SERVER: Final = """
    SELECT current_setting('server_version_num')::integer / 10000,
        current_setting('server_encoding'), to_regclass('restante_schema') IS NOT NULL
"""


async def open_core(
    url: str, access: DatabaseAccess, on_damage: OnDamage, *, is_server: bool = False
) -> PostgresCore:
    """Open the store in a database. Raises StoreUnusable, which says why and what to do.

    A server asks its object store whether it is the right one; a command only where it needs it.
    """
    hosts = HostOrder(url)
    lanes = LaneSet(partial(open_granted, url, access, hosts=hosts), hosts)
    try:
        core = await _opened(url, lanes, access, on_damage)
    except StoreUnreachable as error:
        await lanes.close()
        raise StoreUnusable(str(error)) from error
    except CANNOT_OPEN as error:
        await lanes.close()
        raise StoreUnusable(f"the database cannot be opened: {cause_of(error)}") from error
    except BaseException:
        await lanes.close()
        raise
    if core.objects is not None and is_server:
        try:
            with suppress(ContentUnreachable):  # it may come back, and other mail need not wait
                await core.objects.compare_marks()
        except BaseException:
            await core.close()
            raise
    return core


async def _opened(
    url: str, lanes: LaneSet, access: DatabaseAccess, on_damage: OnDamage
) -> PostgresCore:
    await _find_host(url, lanes, access)
    async with lanes[SessionKind.READING].session() as session:
        check_mark(await mark_of(session), url)
        await prepare_tables(session)
    node = await join_cluster(lanes, access)
    try:  # a move marks the store and then looks for nodes: one of both sees the other
        async with lanes[SessionKind.READING].session() as session:
            check_mark(await mark_of(session), url)
            objects = await open_objects(session, access.objects)
    except BaseException:
        await node.close()
        raise
    async with lanes[SessionKind.READING].session() as session:
        mirror = await _mirror(session, node)
    core = PostgresCore(lanes, node, mirror, on_damage, objects)
    node.begin(ClusterReading(core).read_changes)
    return core


async def _find_host(url: str, lanes: LaneSet, access: DatabaseAccess) -> None:
    """Prefer a host whose commits have an answer, before anything is written."""
    for others in reversed(range(len(HostOrder(url).urls))):
        async with lanes[SessionKind.READING].session() as session:
            try:
                risk = await risk_of(session, access.recovery_point)
            except StoreUnreachable:
                lanes.leave_host(session)
                if not others:
                    raise
                continue
            if risk:
                raise StoreUnusable(risk)
            return


async def prepare_tables(session: DatabaseSession) -> None:
    """Check the server and the tables; make these in an empty database."""
    [(version, encoding, has_tables)] = await session.fetch(_SERVER)
    if version < OLDEST_SERVER:
        raise StoreUnusable(f"PostgreSQL {version} is too old: {OLDEST_SERVER} or newer is needed")
    if encoding != "UTF8":
        raise StoreUnusable(
            f"the database has the encoding {encoding}: make it with `ENCODING 'UTF8'`"
        )
    if not has_tables:
        await _make_tables(session)
    check_schema(*(await session.fetch(SCHEMA_FOUND))[0])


async def _make_tables(session: DatabaseSession) -> None:
    """Make the tables, unless another process is faster."""
    try:
        await session.script(SCHEMA)
    except asyncpg.PostgresError as error:
        if not (sqlstate.is_taken(error) or isinstance(error, asyncpg.DuplicateTableError)):
            raise


async def _mirror(session: DatabaseSession, node: ClusterNode) -> FigureMirror:
    """Read the figures, as at one moment."""
    slot = node.key.id
    async with session.transaction("ISOLATION LEVEL REPEATABLE READ READ ONLY"):
        with session.patient():
            [(last,)] = await session.fetch(node_queries.LAST_NUMBER)
            [(last_content,)] = await session.fetch(node_queries.LAST_CONTENT)
            accounts = await session.fetch(usage_queries.ACCOUNTS)
            own = await session.fetch(usage_queries.OWN, slot)
            others = await session.fetch(usage_queries.OF_OTHERS, slot)
            drains = await session.fetch(drain_statements.OPEN_DRAINS)
    # The database would end a transaction in which this took long.
    mirror = FigureMirror(NodeNumbers(slot, last), NodeNumbers(slot, last_content))
    mirror.take_domains(dict(map(tuple, accounts)))
    mirror.take_own(usages_of_rows(own))
    mirror.take_others(usages_of_rows(others))
    mirror.take_drains(dict(map(drain_state, drains)))
    return mirror
