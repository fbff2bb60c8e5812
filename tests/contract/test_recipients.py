"""Recipients of domains: listed, learned, and gone with their domain."""

import pytest

from restante.store.errors import Conflict
from restante.store.interface import Store
from restante.tenancy.recipients import Recipient, Source
from tests.contract.making import NOTED, hosted


def listed(*names: str, at: float = 1.5) -> list[Recipient]:
    return [Recipient(name, Source.LIST, is_there=True, at=at) for name in names]


async def test_a_list_is_added_to_and_taken_from(store: Store) -> None:
    domain_id = await hosted(store)
    before = len(await store.audit())
    await store.change_list(domain_id, listed("bert", "ünï", "sales-*"), [], NOTED)
    await store.change_list(domain_id, listed("carl"), ["bert", "nobody"], NOTED)
    assert await store.recipients(domain_id) == listed("carl", "sales-*", "ünï")
    assert len(await store.audit()) == before + 2


async def test_what_is_learned_stands_beside_the_list_and_is_replaced(store: Store) -> None:
    domain_id = await hosted(store)
    await store.change_list(domain_id, listed("anna"), [], NOTED)
    await store.learn(domain_id, [Recipient("anna", Source.DRAIN, is_there=False, at=2.0)])
    await store.learn(domain_id, [Recipient("anna", Source.DRAIN, is_there=True, at=3.0)])
    await store.change_list(domain_id, [], ["anna"], NOTED)
    assert await store.recipients(domain_id) == [Recipient("anna", Source.DRAIN, is_there=True, at=3.0)]


async def test_they_go_with_their_domain(store: Store) -> None:
    alpha, beta = await hosted(store), await hosted(store, "beta.example")
    await store.change_list(alpha, listed("anna"), [], NOTED)
    await store.change_list(beta, listed("bert"), [], NOTED)
    await store.remove_domain(alpha, NOTED)
    assert (await store.recipients(alpha), await store.recipients(beta)) == ([], listed("bert"))
    for change in (store.change_list(alpha, listed("x"), [], NOTED), store.learn(alpha, listed("x"))):
        with pytest.raises(Conflict):
            await change


async def test_a_hundred_thousand_are_changed_at_once(store: Store) -> None:
    domain_id = await hosted(store)
    many = listed(*(f"user-{number:06}" for number in range(100_000)))
    await store.change_list(domain_id, many, [], NOTED)
    assert await store.recipients(domain_id) == many
