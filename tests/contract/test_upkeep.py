"""Looking after a store: its condition, its room, its scrub."""

from restante.mail.message import ContentFile
from restante.store.figure_store import SetApart
from restante.store.interface import Store
from tests.contract.making import all_held, hold, hosted, message, sealing_octets, spooled


async def test_a_new_store_is_well_and_was_looked_at_whole(store: Store) -> None:
    assert (store.upkeep.failure, store.upkeep.absence, store.upkeep.is_proven) == ("", "", True)


async def test_the_room_that_is_left_is_known_or_not_limited(store: Store) -> None:
    free = store.upkeep.free_octets()
    assert free is None or free > 0


async def test_a_sound_store_is_walked_to_its_end_and_nothing_changes(
    store: Store, implementation: str
) -> None:
    domain_id = await hosted(store)
    await hold(store, domain_id, *range(1, 100))
    before = await all_held(store, domain_id)
    slices = [part async for part in store.upkeep.scrub()]
    assert sum(part.messages for part in slices) == 99
    more = 99 * sealing_octets(store) if implementation == "sqlite" else 0  # as stored
    assert sum(part.octets for part in slices) == store.figures.usage(domain_id).octets + more
    assert sum(part.damaged + part.files for part in slices) == 0
    assert await all_held(store, domain_id) == before


async def test_a_scrub_looks_at_everything_and_parks_what_is_damaged(store: Store) -> None:
    domain_id = await hosted(store)
    file = await spooled(store, bytes(1 << 16))
    await store.reception.hold(
        [message(1, domain_id), message(2, domain_id, file=ContentFile(file.name, file.size, 1))]
    )
    assert await store.figures.set_apart() == {}
    slices = [part async for part in store.upkeep.scrub()]
    assert (sum(part.messages for part in slices), sum(part.damaged for part in slices)) == (2, 1)
    assert await store.figures.set_apart() == {domain_id: SetApart(damaged=1, unheld=1)}
    assert [one.number for one in await all_held(store, domain_id)] == [1]
