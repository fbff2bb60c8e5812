"""The mail of each domain where its table is behind: new mail is counted at the next opening.

Each story ends in a crash. A new start must know the same figures as the old one, and as a recount.
"""

from contextlib import closing
from pathlib import Path

import pytest

from restante.store.figure_store import DomainUsage
from restante.store.sqlite import (
    SqliteStore,
    engine,
    ledger_queries,
    mail_queries,
    open_sqlite,
    writer,
)
from restante.store.sqlite.sqlite_care import SqliteCare
from restante.store.sqlite.write_transaction import WriteTransaction
from tests.contract.making import (
    CONTENT,
    NOTED,
    delivered,
    hold,
    hosted,
    last_number,
    opened,
    refused,
)
from tests.store.sqlite.test_opening import crashed
from tests.store.watched_disk import WatchedDisk

ALPHA, BETA = "alpha.example", "beta.example"


def of(messages: int, refused: int = 0) -> DomainUsage:
    return DomainUsage(messages, messages * len(CONTENT), refused)


def behind(store: SqliteStore) -> set[int]:
    """The domains whose row of the table lacks mail."""
    return set(store.core.writer._ledger._behind)


async def check_crash(store: SqliteStore, directory: Path) -> None:
    """Check that the figures before and after a crash are the same."""
    assert (
        SqliteCare(directory).check(lambda _done, _of: None).findings == []
    )  # while it is in use, and behind
    again = await open_sqlite(await crashed(store, directory))
    assert again.figures.usages() == store.figures.usages()
    assert again.figures.usage_of_account("alpha") == store.figures.usage_of_account("alpha")
    assert last_number(again) == last_number(store)
    assert await again.figures.oldest() == await store.figures.oldest()
    await again.close()
    assert SqliteCare(directory.with_name("crashed")).check(lambda _done, _of: None).findings == []


async def test_mail_that_only_came_is_counted(store: SqliteStore, directory: Path) -> None:
    alpha, beta = await hosted(store, ALPHA), await hosted(store, BETA)
    await hold(store, alpha, 1)
    await hold(store, beta, 2, 3)
    assert behind(store) == {alpha, beta}
    assert store.figures.usages() == {alpha: of(1), beta: of(2)}
    assert set(await store.figures.oldest()) == {alpha, beta}
    await check_crash(store, directory)


async def test_whatever_is_written_between_it_is_counted_once(
    store: SqliteStore, directory: Path
) -> None:
    alpha, beta = await hosted(store, ALPHA), await hosted(store, BETA)
    await hold(store, alpha, 1, 2)
    await hold(store, beta, 3)
    drain = await opened(store, alpha, 0.0, 60.0)
    assert behind(store) == set(), "one transaction that writes figures writes all"
    await hold(store, beta, 4)
    await hold(store, alpha, 5)
    await store.handover.settle(drain, [delivered(1), refused(2)])
    await hold(store, beta, 6)
    assert behind(store) == {beta}
    assert store.figures.usages() == {alpha: of(2, refused=1), beta: of(3)}
    await check_crash(store, directory)


async def test_mail_of_one_domain_is_counted_though_another_had_newer(
    store: SqliteStore, directory: Path
) -> None:
    """The table is complete up to the newest number it has; nothing older may be missing."""
    alpha, beta = await hosted(store, ALPHA), await hosted(store, BETA)
    await hold(store, alpha, 1)
    await hold(store, beta, 2)
    await store.queue.delete([2], NOTED)
    await check_crash(store, directory)
    assert store.figures.usage(alpha) == of(1)


async def test_a_domain_that_is_gone_takes_no_mail_of_others_along(
    store: SqliteStore, directory: Path
) -> None:
    alpha, beta = await hosted(store, ALPHA), await hosted(store, BETA)
    await hold(store, alpha, 1)
    await hold(store, beta, 2)
    await store.queue.delete([2], NOTED)
    await hold(store, alpha, 3)
    await store.records.remove_domain(beta, NOTED)
    await hold(store, alpha, 4)
    assert store.figures.usages() == {alpha: of(3)}
    await check_crash(store, directory)


async def test_a_rollback_forgets_nothing_that_was_behind(
    store: SqliteStore, directory: Path
) -> None:
    alpha, beta = await hosted(store, ALPHA), await hosted(store, BETA)
    await hold(store, alpha, 1)

    def fail(transaction: WriteTransaction) -> None:
        transaction.execute(mail_queries.REMOVE_MESSAGES, ("[1]",))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await store.core.writer.submit(fail)
    assert behind(store) == {alpha}
    await hold(store, beta, 2)
    await store.audit.record([NOTED])
    await hold(store, beta, 3)
    assert store.figures.usages() == {alpha: of(1), beta: of(2)}
    await check_crash(store, directory)


async def test_a_start_has_little_to_count(
    store: SqliteStore, directory: Path, disk: WatchedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than came since a checkpoint, however long only mail came."""
    alpha = await hosted(store, ALPHA)
    monkeypatch.setattr(writer, "CHECKPOINT_OCTETS", 20 * engine.PAGE_SIZE)
    uncounted = []
    with closing(engine.open_reader(directory / "restante.db", disk.name)) as reader:
        for number in range(1, 101):
            await hold(store, alpha, number)
            uncounted.append(sum(row[1] for row in engine.fetch(reader, ledger_queries.UNCOUNTED)))
    assert 0 < max(uncounted) < 20


async def test_a_store_that_is_closed_is_not_behind(store: SqliteStore, directory: Path) -> None:
    alpha = await hosted(store, ALPHA)
    await hold(store, alpha, 1)
    await store.close()
    again = await open_sqlite(directory)
    assert behind(again) == set()
    assert again.figures.usages() == {alpha: of(1)}
    await again.close()
