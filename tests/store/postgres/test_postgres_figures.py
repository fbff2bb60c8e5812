"""Figures of other processes are there at once where a decision depends on them."""

import pytest

from restante.store.postgres import PostgresStore
from tests.contract.making import NOTED, hold, hosted

pytestmark = pytest.mark.usefixtures("runner")


async def test_mail_that_another_process_took_is_counted_at_once(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    await other.figures.catch_up([domain_id])
    await hold(store, domain_id, 1, 2)
    other.core.mirror.take_changed_domains({domain_id: "alpha"})  # as the next poll does
    assert other.figures.usage(domain_id).held == 0
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 2


async def test_mail_that_is_gone_is_not_counted_any_more(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    other.core.mirror.take_changed_domains({domain_id: "alpha"})
    await hold(store, domain_id, 1)
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 1
    await store.queue.delete([1], NOTED)
    await other.figures.catch_up([domain_id])
    assert other.figures.usage(domain_id).held == 0
