"""How much accounts used the server, by month."""

from restante.queue.monthly_use import AccountUse, MonthlyUse, UseMonth
from restante.store.interface import Store
from restante.store.use_store import UseBatch

ALL = (0, 999912)


def used(month: int, account: str = "alpha", added_at: int = 100, *amounts: float) -> MonthlyUse:
    return MonthlyUse(
        UseMonth(account, added_at, month), AccountUse(*map(int, amounts[:3]), *amounts[3:])
    )


async def test_an_empty_store_has_no_uses(store: Store) -> None:
    await store.uses.add_uses([])
    assert await store.uses.uses(None, ALL, None, 10) == []
    assert await store.uses.trim_uses(999912, 10) == 0


async def test_uses_of_a_month_add_up(store: Store) -> None:
    await store.uses.add_uses([used(202611, "alpha", 100, 1, 2, 3, 4.5)])
    await store.uses.add_uses([used(202611, "alpha", 100, 10, 20, 30, 0.25)])
    [one] = await store.uses.uses("alpha", ALL, None, 10)
    assert one == used(202611, "alpha", 100, 11, 22, 33, 4.75)


async def test_a_batch_is_added_once(store: Store) -> None:
    uses = [used(202611, "alpha", 100, 1, 2, 3, 4.5), used(202611, "beta")]
    for key in (b"one", b"one", b"two", b"one"):
        await store.uses.add_uses(uses, UseBatch(key, 5e9))
    [alpha, _] = await store.uses.uses(None, ALL, None, 10)
    assert alpha == used(202611, "alpha", 100, 2, 4, 6, 9.0)


async def test_they_are_listed_by_account_addition_and_month(store: Store) -> None:
    uses = [
        used(202610, "alpha"),
        used(202611, "alpha"),
        used(202609, "alpha", 200),
        used(202611, "beta", 50),
    ]
    await store.uses.add_uses(uses[::-1])
    assert await store.uses.uses(None, ALL, None, 10) == uses
    assert await store.uses.uses(None, ALL, None, 2) == uses[:2]
    assert await store.uses.uses(None, ALL, uses[1].of, 10) == uses[2:]


async def test_an_account_and_months_are_cut_out(store: Store) -> None:
    alpha = [used(202609), used(202610), used(202611)]
    await store.uses.add_uses([*alpha, used(202610, "alphabet"), used(202610, "alp")])
    assert await store.uses.uses("alpha", ALL, None, 10) == alpha
    assert await store.uses.uses("alpha", (202610, 202610), None, 10) == [alpha[1]]
    assert await store.uses.uses("alpha", ALL, UseMonth("alpha", 100, 202610), 10) == [alpha[2]]
    assert await store.uses.uses("alpha", ALL, UseMonth("beta", 1, 1), 10) == []
    assert len(await store.uses.uses(None, (202610, 202610), None, 10)) == 3


async def test_old_uses_are_removed_in_slices(store: Store) -> None:
    await store.uses.add_uses([used(month) for month in (202401, 202402, 202403)])
    assert await store.uses.trim_uses(202403, 1) == 1
    assert await store.uses.trim_uses(202403, 9) == 1
    assert await store.uses.uses(None, ALL, None, 10) == [used(202403)]
