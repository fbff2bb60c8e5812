"""The filled database has the program's own tables and indexes, and its figures are right."""

import asyncio

import asyncpg
import pytest

from bench.scale import filling, measures
from bench.scale.processor_use import ProcessorUse, Spent, UseBetween, between
from bench.scale.serving import COMMANDS, serve
from restante.store.postgres import open_postgres
from tests.postgres_cluster import ALONE, PostgresCluster

MESSAGES, DOMAINS = 4000, 20
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
RECOUNT = """
    SELECT count(*) FROM (
        SELECT domain_id, messages, octets, refused FROM usage
        UNION ALL SELECT domain_id, -1, -size, -(held_paths = '')::integer FROM message
    ) AS both_ways (domain_id, messages, octets, refused)
    GROUP BY domain_id
    HAVING sum(messages) <> 0 OR sum(octets) <> 0 OR sum(refused) <> 0
"""


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small slices."""
    monkeypatch.setattr(filling, "SLICE", 700)
    monkeypatch.setattr(filling, "ENTRIES", 50)


@pytest.mark.usefixtures("few")
async def test_a_filled_database_is_as_the_program_would_have_it(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    indexes = await connection.fetch(INDEXES)
    await filling.prepare(postgres_url)
    assert [done async for done in filling.fill(postgres_url, MESSAGES, DOMAINS)]
    assert await connection.fetch(INDEXES) == indexes
    assert await connection.fetch(RECOUNT) == []
    await connection.close()
    store = await open_postgres(postgres_url, ALONE)
    usages = store.figures.usages()
    assert len(usages) == DOMAINS + 1
    assert store.figures.usage_of_all().messages == MESSAGES + 1
    assert store.figures.usage_of_all().refused == MESSAGES // filling.REFUSED_EVERY
    parked = await store.figures.set_apart()
    assert sum(one.uncertain for one in parked.values()) == MESSAGES // filling.UNCERTAIN_EVERY
    found = await store.handover.held(measures.largest_domain(store), 0, 10, 10_000)
    assert len(found) == 10
    await store.close()


@pytest.mark.usefixtures("few")
async def test_everything_can_be_measured(
    postgres_url: str, postgres_cluster: PostgresCluster
) -> None:
    await filling.prepare(postgres_url)
    async for _ in filling.fill(postgres_url, MESSAGES, DOMAINS):
        pass
    store = await open_postgres(postgres_url, ALONE)
    timings = measures.Timings(use=ProcessorUse(postgres_cluster.process_id))
    await measures.first_pages(timings, "warm", store, seed=1)
    await measures.figures(timings, store)
    await measures.sweep(timings, store)
    await measures.reception(timings, store)
    await measures.handover(timings, store)
    await measures.open_drains(timings, store, [5, 10])
    await measures.deletion(timings, store, 500, 60.0, 2)
    await store.close()
    rows = {name: values for name, *values in timings.rows()}
    assert rows["held, first page, warm"][0] == DOMAINS + 1
    assert rows["drains, asked, 10 open"][0] == 5
    assert timings.facts["messages deleted"] >= 500
    assert timings.facts["drains, given back and found"] == 10


def test_the_use_of_processors_is_that_of_both_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.getpid", lambda: 1)
    before = {1: Spent(0, 0), 2: Spent(1_000_000_000, 0)}
    after = {1: Spent(500_000_000, 0), 2: Spent(3_000_000_000, 250_000_000), 3: Spent(0, 0)}
    assert between(before, after) == UseBetween(own=0.5, database=2.0, waiting=0.25)


def test_a_percentile_is_one_of_the_values() -> None:
    assert measures.percentile([3.0, 1.0, 2.0], 0.99) == 3.0
    assert measures.percentile([float(one) for one in range(200)], 0.5) == 100.0


@pytest.mark.usefixtures("few")
def test_a_whole_server_can_be_asked(postgres_url: str, runner: asyncio.Runner) -> None:
    async def fill() -> None:
        await filling.prepare(postgres_url)
        async for _ in filling.fill(postgres_url, MESSAGES, DOMAINS):
            pass

    runner.run(fill())
    timings = measures.Timings()
    serve(postgres_url, timings)
    assert timings.facts["serve: memory, MiB"] > 10
    assert all(f"serve: restante {' '.join(words)}, s" in timings.facts for words in COMMANDS)
