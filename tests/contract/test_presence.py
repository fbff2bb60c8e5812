"""The presence of destinations: the changes that were seen, for each account by itself."""

from restante.queue.presence import DestinationState, PresenceChange
from restante.store.interface import Store

HOST = "mail.example:25"


def up(at: float, account: str = "alpha", destination: str = HOST) -> PresenceChange:
    return PresenceChange(account, destination, at, DestinationState.UP)


def away(at: float, account: str = "alpha", destination: str = HOST) -> PresenceChange:
    return PresenceChange(account, destination, at, DestinationState.AWAY, "connection refused")


def unknown(at: float) -> PresenceChange:
    return PresenceChange("alpha", HOST, at, DestinationState.UNKNOWN, "not probed any more")


async def changes(
    store: Store, account: str = "alpha", before: int | None = None, limit: int = 100
) -> list[PresenceChange]:
    found = await store.presence.presence_changes(account, HOST, before=before, limit=limit)
    return [change for _, change in found]


async def test_an_empty_store_has_seen_nothing(store: Store) -> None:
    assert await store.presence.latest_presence() == []
    assert await changes(store) == []
    assert await store.presence.trim_presence(1e9, 10) == 0


async def test_changes_are_returned_newest_first(store: Store) -> None:
    await store.presence.record_presence([up(1.0), away(2.0)])
    await store.presence.record_presence([up(3.5)])
    assert await changes(store) == [up(3.5), away(2.0), up(1.0)]


async def test_they_are_read_by_pages(store: Store) -> None:
    await store.presence.record_presence([up(1.0), away(2.0), up(3.0)])
    page = await store.presence.presence_changes("alpha", HOST, before=None, limit=2)
    assert [change.at for _, change in page] == [3.0, 2.0]
    assert await changes(store, before=page[-1][0], limit=2) == [up(1.0)]


async def test_accounts_and_destinations_are_apart(store: Store) -> None:
    other = up(2.0, destination="other.example:25")
    await store.presence.record_presence([up(1.0), other, away(3.0, "beta")])
    assert await changes(store) == [up(1.0)]
    assert await changes(store, "beta") == [away(3.0, "beta")]
    assert await changes(store, "gamma") == []


async def test_the_latest_of_each_is_known(store: Store) -> None:
    other = up(1.0, destination="other.example:25")
    await store.presence.record_presence([up(1.0), other, away(2.0, "beta"), away(3.0)])
    latest = await store.presence.latest_presence()
    assert sorted(latest, key=lambda one: one.at) == [other, away(2.0, "beta"), away(3.0)]


async def test_old_changes_are_removed_and_the_present_state_stays(store: Store) -> None:
    await store.presence.record_presence([up(1.0), away(2.0), up(3.0), away(3.0, "beta")])
    assert await store.presence.trim_presence(10.0, 100) == 2
    assert await changes(store) == [up(3.0)]
    assert await changes(store, "beta") == [away(3.0, "beta")]
    assert await store.presence.trim_presence(10.0, 100) == 0


async def test_a_destination_that_is_not_probed_any_more_is_forgotten(store: Store) -> None:
    await store.presence.record_presence([up(1.0), unknown(2.0)])
    assert await store.presence.trim_presence(2.0, 100) == 1
    assert await store.presence.trim_presence(2.1, 100) == 1
    assert await store.presence.latest_presence() == []


async def test_no_more_are_removed_than_allowed(store: Store) -> None:
    await store.presence.record_presence([up(float(at)) for at in range(5)])
    assert await store.presence.trim_presence(10.0, 3) == 3
    assert await store.presence.trim_presence(10.0, 3) == 1


async def test_the_changes_of_removed_accounts_are_forgotten(store: Store) -> None:
    await store.presence.record_presence([up(1.0), away(2.0, "beta"), up(3.0, "beta")])
    assert await store.presence.forget_presence(["alpha"], 1) == 1
    assert await store.presence.forget_presence(["alpha"], 9) == 1
    assert await store.presence.latest_presence() == [up(1.0)]
    assert await store.presence.forget_presence([], 9) == 1


async def test_a_reason_may_have_any_text(store: Store) -> None:
    odd = PresenceChange("alpha", HOST, 1.0, DestinationState.AWAY, "550 \x00 caf\u00e9 \ud800")
    await store.presence.record_presence([odd])
    [found] = await changes(store)
    assert found.reason.startswith("550 ")
