"""Recipients of domains: listed, learned, and gone with their domain."""

import pytest

from restante.store.interface import Store
from restante.store.live_directory import LiveDirectory
from restante.store.live_recipients import LiveRecipients, list_digest, recipient_pages
from restante.store.store_errors import Conflict
from restante.tenancy.recipients import Recipient, RecipientSource
from tests.contract.making import NOTED, hosted


def listed(*names: str) -> list[Recipient]:
    return [Recipient(name, RecipientSource.LIST, is_there=True, at=NOTED.at) for name in names]


async def recipients(store: Store, domain_id: int) -> list[Recipient]:
    """Read all of them, by pages."""
    return [one async for page in recipient_pages(store.recipients, domain_id) for one in page]


async def test_a_list_is_added_to_and_taken_from(store: Store) -> None:
    domain_id = await hosted(store)
    before = len(await store.audit.audit())
    await store.recipients.change_list(domain_id, ["bert", "ünï", "sales-*"], [], NOTED)
    await store.recipients.change_list(domain_id, ["carl"], ["bert", "nobody"], NOTED)
    assert await recipients(store, domain_id) == listed("carl", "sales-*", "ünï")
    assert len(await store.audit.audit()) == before + 2


async def test_learned_recipients_stand_beside_the_list_and_are_replaced(store: Store) -> None:
    domain_id = await hosted(store)
    await store.recipients.change_list(domain_id, ["anna"], [], NOTED)
    await store.recipients.learn(
        domain_id, [Recipient("anna", RecipientSource.DRAIN, is_there=False, at=2.0)]
    )
    await store.recipients.learn(
        domain_id, [Recipient("anna", RecipientSource.DRAIN, is_there=True, at=3.0)]
    )
    await store.recipients.change_list(domain_id, [], ["anna"], NOTED)
    assert await recipients(store, domain_id) == [
        Recipient("anna", RecipientSource.DRAIN, is_there=True, at=3.0)
    ]


async def test_they_go_with_their_domain(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    await store.recipients.change_list(alpha, ["anna"], [], NOTED)
    await store.recipients.change_list(beta, ["bert"], [], NOTED)
    await store.records.remove_domain(alpha, NOTED)
    assert (await recipients(store, alpha), await recipients(store, beta)) == ([], listed("bert"))
    for change in (
        store.recipients.change_list(alpha, ["x"], [], NOTED),
        store.recipients.learn(alpha, listed("x")),
    ):
        with pytest.raises(Conflict):
            await change


async def test_a_hundred_thousand_are_changed_at_once(store: Store) -> None:
    domain_id = await hosted(store)
    many = [f"user-{number:06}" for number in range(100_000)]
    await store.recipients.change_list(domain_id, many, [], NOTED)
    assert await recipients(store, domain_id) == listed(*many)
    await store.recipients.change_list(domain_id, ["user-x"], many[1:], NOTED)
    assert await recipients(store, domain_id) == listed(many[0], "user-x")


async def test_they_come_by_source_and_name_from_where_one_left_off(store: Store) -> None:
    domain_id = await hosted(store)
    await hosted(store, "beta.example")
    learned = [
        Recipient(name, RecipientSource.DRAIN, is_there=True, at=2.0) for name in ("anna", "carl")
    ]
    await store.recipients.change_list(domain_id, ["anna", "bert", "ünï"], [], NOTED)
    await store.recipients.learn(domain_id, learned)
    found = [*learned, *listed("anna", "bert", "ünï")]
    for start, after in enumerate([None, *found]):
        for limit in (1, 2, 9):
            assert (
                await store.recipients.recipients(domain_id, after, limit)
                == found[start : start + limit]
            )


async def test_the_digest_of_a_list_is_that_of_its_names(store: Store) -> None:
    domain_id = await hosted(store)
    directory = LiveDirectory(store.records)
    await directory.refresh()
    live = LiveRecipients(store.recipients, directory)
    names = ["bert", "Zoe", "ünï", "sales-*", *(f"u{number}" for number in range(1500))]
    await store.recipients.change_list(domain_id, names, [], NOTED)
    await store.recipients.learn(
        domain_id, [Recipient("carl", RecipientSource.DRAIN, is_there=True, at=2.0)]
    )
    assert await live.digest(domain_id) == list_digest(names[::-1])
    await store.recipients.change_list(domain_id, [], ["bert"], NOTED)
    await directory.refresh()
    assert await live.digest(domain_id) == list_digest(set(names) - {"bert"})
