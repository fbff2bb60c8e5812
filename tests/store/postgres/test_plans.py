"""The plans of hot statements: no scan of a table, whatever it holds."""

import asyncio
import re
from typing import Any

import pytest

from restante.store.postgres import (
    PostgresStore,
    drain_statements,
    mail_statements,
    report_statements,
    usage_queries,
)
from restante.store.postgres.lane_set import SessionKind

FILL = """
    INSERT INTO message SELECT n, n % 100, n, 10, 0, 'a@b.c', 'd@e.f', NULL, NULL, 0, NULL,
        '\\x00', '<' || n || '@m>', NULL FROM generate_series(1, 20000) AS n;
    INSERT INTO last_reply SELECT n % 100, n, 'd@e.f', n % 3, '550 no', n
        FROM generate_series(1, 20000, 7) AS n;
    INSERT INTO usage SELECT n, 1, 10, 100, 0 FROM generate_series(0, 5000) AS n;
    INSERT INTO chunk SELECT n, 0, '\\x00' FROM generate_series(1, 5000) AS n;
    INSERT INTO drain SELECT n, 1, 1, 1, 1, 0, 0, 0, '', 0, '', n % 100 = 0
        FROM generate_series(0, 5000) AS n;
    INSERT INTO release_drain SELECT n, n, n FROM generate_series(1, 5000) AS n;
    INSERT INTO report (about, domain_id, action, reverse_path, flags, made_at, next_attempt_at,
        failures, reply, content)
        SELECT n, 1, 'failed', 'a@b.c', 0, n, n, 0, '', '\\x00' FROM generate_series(1, 5000) AS n;
    INSERT INTO account VALUES ('alpha', 0, 0, '', '', 0, 'full', 0);
    INSERT INTO domain (name, account, destination, authorized_hosts, created_at, policy)
        SELECT 'd' || n, 'alpha', '', '', 0, '' FROM generate_series(1, 5000) AS n;
"""
TABLES = "message, last_reply, usage, chunk, drain, release_drain, report, domain"

MODES = ("force_custom_plan", "force_generic_plan")

STATEMENTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "held": (mail_statements.HELD_MESSAGES, (1, 0, 64, 3)),
    "settled": (
        mail_statements.SETTLE_WHOLE,
        (1, 1, [101, 201], ["d@e.f"] * 2, 1, 0.0, [101, 201], ["d@e.f"] * 2, [""] * 2),
    ),
    "standing": (mail_statements.STANDING, (1, [101, 201])),
    "removed": (mail_statements.REMOVE, ([101, 201],)),
    "one message": (mail_statements.ONE_MESSAGE, (101,)),
    "lease": (mail_statements.LEASE, (1, 1)),
    "usage": (usage_queries.HELD, (1,)),
    "hosted": (usage_queries.HOSTED, ([1, 2],)),
    "expired": (mail_statements.EXPIRED_HELD, (1, 5.0, 10, 0, 1000)),
    "refused and expired": (mail_statements.EXPIRED_REFUSED, (1, 5.0, 10, 0)),
    "open drains": (drain_statements.OPEN_DRAINS, ()),
    "claimable": (drain_statements.CLAIMABLE, (1, 1, True, [1, 2], [1, 1])),
    "asked": (drain_statements.ASKED, ([1, 2], [1, 1])),
    "asked for what": (drain_statements.OF_DOMAINS, ([1, 2],)),
    "changed drains": (drain_statements.CHANGED_DRAINS, ([1, 2],)),
    "next report": (report_statements.NEXT_AT, ()),
    "oldest": (mail_statements.OLDEST_MESSAGES, ([1, 2],)),
    "set apart of domains": (mail_statements.count_set_apart(of_some=True), ([1, 2],)),
    "late": (report_statements.LATE, (5.0, 10)),
}


@pytest.fixture
def filled(store: PostgresStore, runner: asyncio.Runner) -> PostgresStore:
    """A store with much in it."""

    async def fill() -> None:
        async with store.core._lanes[SessionKind.WORK].session() as session:
            await session.script(FILL)
            for table in TABLES.split(", "):
                await session.fetch(f"ANALYZE {table}")

    runner.run(fill())
    return store


@pytest.mark.parametrize("name", STATEMENTS)
async def test_a_hot_statement_walks_along_indexes(filled: PostgresStore, name: str) -> None:
    """Also with the plan that is kept for all values."""
    for mode in MODES:
        plan = await plan_of(filled, name, mode)
        scanned = re.findall(r"Seq Scan on (\w+)", plan)
        assert not set(scanned) & set(TABLES.split(", ")), f"{mode}:\n{plan}"


async def test_mail_that_cannot_be_due_yet_is_not_read(filled: PostgresStore) -> None:
    """A sweep would read all held mail each hour."""
    for mode in MODES:
        plan = await plan_of(filled, "expired", mode)
        assert re.search(r"message_held.*\n.*Cond: .*domain_id = .*number <= ", plan), plan
        assert re.search(r"message_aged.*\n.*Cond: .*domain_id = .*received_at < ", plan), plan


async def test_no_message_is_read_to_count_those_set_apart(filled: PostgresStore) -> None:
    plan = await plan_of(filled, "set apart of domains", MODES[0])
    assert "Index Only Scan using message_unheld on message" in plan, plan


async def test_old_mail_has_the_order_of_its_index(filled: PostgresStore) -> None:
    """If it had to be sorted, a plan for large domains would read all their mail in that order."""
    for mode in MODES:
        plan = await plan_of(filled, "expired", mode)
        assert re.search(r"Limit.*\n *->  Nested.*\n *->  Index Scan using message_aged", plan), (
            plan
        )


@pytest.mark.parametrize("domains", [100, 1])
async def test_a_drain_reads_no_more_mail_than_it_takes(
    filled: PostgresStore, domains: int
) -> None:
    """Each window would otherwise read all mail of the domain, to sort it or to find suspect mail.

    With all mail in one domain, the index by number alone is as tempting.
    """
    async with filled.core._lanes[SessionKind.WORK].session() as session:
        await session.fetch("UPDATE message SET domain_id = domain_id % $1 + 1", domains)
        await session.fetch("VACUUM (ANALYZE) message")
    for mode in MODES:
        plan = await plan_of(filled, "held", mode)
        for index in ("message_suspect", "message_deferred"):
            assert re.search(rf"Limit.*\n *->  Index Scan using {index} on message", plan), plan
        assert re.search(r"Limit.*\n *->  Index Scan using message_(held|pkey) on message", plan), (
            plan
        )
        assert "Bitmap" not in plan, plan


async def plan_of(store: PostgresStore, name: str, mode: str) -> str:
    """Return the plan of a statement."""
    statement, values = STATEMENTS[name]

    async def explained(session: Any) -> str:
        await session.fetch("SELECT set_config('plan_cache_mode', $1, false)", mode)
        rows = await session.fetch(f"EXPLAIN {statement}", *values)
        return "\n".join(line for (line,) in rows)

    return await store.core.read(explained)
