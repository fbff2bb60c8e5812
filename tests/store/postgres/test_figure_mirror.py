"""The figures in memory: exact in any order of the answers to commits."""

from itertools import permutations

from restante.store.drain_book import DrainRecord
from restante.store.figure_store import NO_USAGE, DomainUsage
from restante.store.handover_store import Drain
from restante.store.postgres import PostgresStore
from restante.store.postgres.cluster_node import ClusterNode
from restante.store.postgres.figure_mirror import FigureMirror
from restante.store.postgres.node_numbers import NodeNumbers
from restante.store.postgres.postgres_transaction import (
    NodeKey,
    PostgresTransaction,
    VersionedDrain,
)
from tests.contract.making import NOTED, delivered, hold, hosted, opened


def mirror() -> FigureMirror:
    """Two domains of an account."""
    made = FigureMirror(NodeNumbers(1), NodeNumbers(1))
    made.take_domains({1: "alpha", 2: "alpha"})
    return made


def done(**fields: object) -> PostgresTransaction:
    """A transaction that was committed."""
    return PostgresTransaction(None, NodeKey(1, 1), **fields)  # type: ignore[arg-type]


def state(version: int, number: int | None) -> VersionedDrain:
    """A drain of domain 1; None: it is over."""
    record = None if number is None else DrainRecord(Drain(1, number, 0.0, 0.0))
    return VersionedDrain(version, record)


def test_usage_is_the_sum_of_all_processes() -> None:
    figures = mirror()
    figures.take_others({1: DomainUsage(5, 50)})
    figures.take(done(moves={1: DomainUsage(2, 20, 1), 2: DomainUsage(1, 1)}))
    assert figures.usages() == {1: DomainUsage(7, 70, 1), 2: DomainUsage(1, 1)}
    assert figures.usage_of_account("alpha") == DomainUsage(8, 71, 1)
    figures.take_others({})
    assert figures.usage_of_account("alpha") == DomainUsage(3, 21, 1)


def test_a_domain_that_is_removed_leaves_nothing() -> None:
    figures = mirror()
    figures.take(done(moves={1: DomainUsage(2, 20)}))
    figures.take(done(accounts={1: ""}))
    assert (figures.usage(1), figures.usages()) == (NO_USAGE, {})
    assert figures.usage_of_account("alpha") == NO_USAGE


def test_a_domain_takes_its_mail_to_another_account() -> None:
    figures = mirror()
    figures.take(done(moves={1: DomainUsage(2, 20)}))
    figures.take(done(accounts={1: "beta"}))
    assert figures.usage_of_account("beta") == DomainUsage(2, 20)
    assert figures.usage_of_account("alpha") == NO_USAGE


def test_the_newest_state_of_a_drain_counts_whatever_is_heard_first() -> None:
    states = [state(1, 1), state(2, 2), state(3, None), state(4, 4)]
    for order in permutations(states):
        figures = mirror()
        for one in order:
            figures.take(done(drains={1: one}))
        assert figures.open_drains()[1].drain.number == 4
    figures.take(done(drains={1: state(5, None)}))
    assert not figures.is_draining(1)


def test_the_highest_number_that_was_held_is_passed_over() -> None:
    figures = mirror()
    figures.take(done(last_number=900))
    figures.take(done(last_number=3))
    assert figures.numbers.last == 900


async def test_what_other_processes_do_is_known_after_a_heartbeat(
    store: PostgresStore, other: PostgresStore
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 1, 2)
    drain = await opened(store, domain_id)
    await follow(other)
    assert other.figures.usage(domain_id) == store.figures.usage(domain_id)
    assert other.figures.usage_of_account("alpha") == store.figures.usage_of_account("alpha")
    assert other.handover.open_drains() == [drain]
    await store.handover.settle(drain, [delivered(1), delivered(2)])
    await store.handover.close_drain(drain)
    await store.records.remove_domain(domain_id, NOTED)
    await follow(other)
    assert other.figures.usages() == {}
    assert not other.handover.is_draining(domain_id)


async def follow(store: PostgresStore) -> None:
    """Do the work of the next heartbeat."""
    node: ClusterNode = store.core.node
    assert node._timer is not None
    callback = node._timer._callback  # type: ignore[attr-defined]
    node._timer.cancel()
    callback()
    await node.next_beat()
