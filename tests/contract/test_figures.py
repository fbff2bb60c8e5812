"""How much is held, and since when."""

from dataclasses import replace

from restante.store.figure_store import NO_USAGE, DomainUsage, SetApart
from restante.store.interface import Store
from tests.contract.making import (
    ANNA,
    BERT,
    CONTENT,
    NOTED,
    account,
    delivered,
    domain,
    hold,
    hosted,
    message,
    opened,
    refused,
    uncertain,
)


async def test_the_oldest_held_message_of_each_domain_is_known(store: Store) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    gamma = await hosted(store, "gamma.example")
    await hosted(store, "empty.example")
    await hold(store, alpha, 10, 11)
    await hold(store, beta, 12, 13)
    await hold(store, gamma, 14)
    await store.handover.settle(await opened(store, beta, 0.0, 60.0), [refused(12)])
    await store.handover.settle(await opened(store, gamma, 0.0, 60.0), [delivered(14)])
    assert await store.figures.oldest() == {alpha: 10.0, beta: 13.0}
    assert await store.figures.oldest([beta, gamma, 999]) == {beta: 13.0}
    assert await store.figures.oldest([]) == {}


async def test_the_oldest_message_changes_with_each_that_leaves_and_with_none_that_comes(
    store: Store,
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 10, 11, 12, 13)
    drain = await opened(store, domain_id, 0.0, 60.0)
    seen = [await store.figures.oldest()]
    await hold(store, domain_id, 14)
    seen.append(await store.figures.oldest())
    await store.handover.settle(drain, [refused(10), delivered(12)])
    seen.append(await store.figures.oldest())
    await store.queue.delete([10], NOTED)
    seen.append(await store.figures.oldest())
    await store.handover.settle(drain, [delivered(11)])
    seen.append(await store.figures.oldest())
    await store.handover.settle(drain, [delivered(13), delivered(14)])
    assert [found[domain_id] for found in seen] == [10.0, 10.0, 11.0, 11.0, 13.0]
    assert await store.figures.oldest() == {}


async def test_refused_mail_that_is_held_again_is_the_oldest_again(store: Store) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, 10, 11)
    drain = await opened(store, domain_id, 0.0, 60.0)
    await store.handover.settle(drain, [refused(10), refused(11)])
    assert (await store.figures.oldest(), await store.figures.oldest([domain_id])) == ({}, {})
    await hold(store, domain_id, 12)
    assert await store.figures.oldest() == {domain_id: 12.0}
    await store.queue.release_refused([11], NOTED)
    assert await store.figures.oldest() == {domain_id: 11.0}


SIZE = len(CONTENT)


async def test_a_domain_without_mail_holds_nothing_and_one_that_is_not_there_neither(
    store: Store,
) -> None:
    domain_id = await hosted(store)
    await store.figures.catch_up([domain_id, 999])
    assert [store.figures.usage(number) for number in (domain_id, 999)] == [NO_USAGE, NO_USAGE]
    assert store.figures.usages() == {}
    assert store.figures.usage_of_account("alpha") == NO_USAGE
    assert (await store.figures.oldest(), await store.figures.set_apart()) == ({}, {})


async def test_each_outcome_moves_the_figures_by_what_it_changes(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold(
        [message(1, domain_id, ANNA, BERT), message(2, domain_id), message(3, domain_id)]
    )
    seen = [store.figures.usage(domain_id)]
    drain = await opened(store, domain_id)
    for outcome in (refused(1, ANNA), refused(1, BERT), delivered(2), refused(3)):
        await store.handover.settle(drain, [outcome])
        seen.append(store.figures.usage(domain_id))
    await store.queue.delete([1], NOTED)
    seen.append(store.figures.usage(domain_id))
    assert seen == [
        DomainUsage(3, 3 * SIZE),
        DomainUsage(3, 3 * SIZE),
        DomainUsage(3, 3 * SIZE, refused=1),
        DomainUsage(2, 2 * SIZE, refused=1),
        DomainUsage(2, 2 * SIZE, refused=2),
        DomainUsage(1, SIZE, refused=1),
    ]
    assert store.figures.usage(domain_id).held == 0


async def test_an_account_holds_what_its_domains_hold_and_a_domain_moves_with_its_mail(
    store: Store,
) -> None:
    alpha, beta = await hosted(store, "alpha.example"), await hosted(store, "beta.example")
    await store.records.put_account(account("other"), NOTED)
    await hold(store, alpha, 1, 2)
    await hold(store, beta, 3)
    assert store.figures.usage_of_account("alpha") == DomainUsage(3, 3 * SIZE)
    assert store.figures.usage_of_all() == DomainUsage(3, 3 * SIZE)
    moved = replace(domain("beta.example", of="other"), id=beta)
    await store.records.put_domain(moved, NOTED)
    assert store.figures.usage_of_account("alpha") == DomainUsage(2, 2 * SIZE)
    assert store.figures.usage_of_account("other") == DomainUsage(1, SIZE)
    assert store.figures.usage_of_all() == DomainUsage(3, 3 * SIZE)
    await store.queue.delete([1, 2], NOTED)
    assert store.figures.usage_of_all() == DomainUsage(1, SIZE)
    assert store.figures.usages() == {beta: DomainUsage(1, SIZE)}


async def test_uncertain_mail_is_set_apart_until_a_person_ends_it(store: Store) -> None:
    domain_id = await hosted(store)
    await store.reception.hold([message(1, domain_id), message(2, domain_id, ANNA, BERT)])
    drain = await opened(store, domain_id)
    await store.handover.settle(drain, [uncertain(1), uncertain(2, ANNA)])
    assert await store.figures.set_apart() == {domain_id: SetApart(uncertain=2, unheld=1)}
    assert await store.figures.set_apart([999]) == {}
    assert await store.figures.set_apart([999, domain_id]) == await store.figures.set_apart()
    await store.queue.delete([1, 2], NOTED)
    assert await store.figures.set_apart() == {}
