"""One turnaround for each account, with room of its own."""

import asyncio
from dataclasses import replace

import pytest

from restante.delivery.account_turnarounds import IDLE_SECONDS
from restante.delivery.cannot_start import CannotStart, TurnaroundBusy
from restante.store.store_errors import StoreError
from restante.tenancy.model import Account
from tests.delivery.scripted_primary import SILENCE, Script, ScriptedPrimary
from tests.delivery.turning import ADDRESS, ALLOWED, LOGIN, Turning, ended, wire_to
from tests.delivery.world import until
from tests.wire import NOW, audit


def test_a_second_one_is_refused_while_the_first_is_alive() -> None:
    async def main() -> None:
        turning = Turning()
        async with turning.world.dispatcher() as dispatcher:
            domain = await turning.hosts(count=1)
            first = await turning.granted(dispatcher, domain)
            with pytest.raises(TurnaroundBusy):
                await turning.granted(dispatcher, domain)
            first.call_off("over")
            await ended(dispatcher, [domain])
            second = await turning.granted(dispatcher, domain)
            second.call_off("over")

    asyncio.run(main())


def test_one_that_has_been_still_for_a_minute_is_ended_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A client that has restarted does not wait for our time limits."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        script: Script = {"MAIL": SILENCE}
        async with (
            ScriptedPrimary(script) as dead,
            ScriptedPrimary() as client,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=1)
            first = await turning.begun(dispatcher, dead, domain)
            await until(lambda: bool(dead.commands) and dead.commands[-1].startswith("MAIL"))
            with pytest.raises(TurnaroundBusy):
                await turning.granted(dispatcher, domain)
            still = type(first).seconds_still
            monkeypatch.setattr(type(first), "seconds_still", property(lambda _: IDLE_SECONDS))

            async def over() -> None:
                await first.over.wait()

            world.on_pause = over
            second = await turning.granted(dispatcher, domain)
            monkeypatch.setattr(type(first), "seconds_still", still)
            assert first.over.is_set()
            world.on_pause = None
            second.begin(await wire_to(client))
            await second.over.wait()
            assert len(client.taken) == 1

    asyncio.run(main())


@pytest.mark.parametrize("account", ["alpha", "beta"])
def test_drains_of_any_account_take_no_room_from_a_turnaround(account: str) -> None:
    """Not even if all slots are taken, and others wait for theirs."""

    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.set(drains_limit=1)
        async with (
            ScriptedPrimary({"GREETING": SILENCE}) as primary,
            ScriptedPrimary() as client,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=1)
            await world.store.records.put_account(Account("beta", NOW), audit())
            for name in ("y.example", "z.example"):
                other = await world.host(primary.port, name, account=account)
                await world.hold(other, 1)
                await dispatcher.start(other, "test")
            await until(lambda: primary.connections == 1)
            await turning.whole(dispatcher, client, domain)
            assert len(client.taken) == 1

    asyncio.run(main())


def test_as_many_accounts_as_drains_take_mail_at_once() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        world.set(drains_limit=1)
        async with (
            ScriptedPrimary({"GREETING": SILENCE}) as primary,
            world.dispatcher() as dispatcher,
        ):
            domain = await turning.hosts(count=1)
            await world.store.records.put_account(Account("beta", NOW), audit())
            other = await world.host(primary.port, "z.example", account="beta", policy=ALLOWED)
            await world.hold(other, 1)
            await dispatcher.start(other, "test")
            await until(lambda: primary.connections == 1)
            first = await turning.granted(dispatcher, domain)
            login = replace(LOGIN, user="beta-mail", account="beta")
            with pytest.raises(CannotStart, match="as many turnarounds as are allowed"):
                await dispatcher.turn([other], login, ADDRESS, 0)
            assert primary.connections == 1  # the drain still runs
            assert dispatcher.runs_here(other.id)
            first.call_off("over")
            second = await dispatcher.turn([other], login, ADDRESS, 0)
            second.call_off("over")

    asyncio.run(main())


def test_a_lease_that_cannot_be_had_ends_all_of_it() -> None:
    async def main() -> None:
        turning = Turning()
        world = turning.world
        async with world.dispatcher() as dispatcher:
            first, second = await turning.hosts("b.example", 1), await turning.hosts("c.example", 1)
            real = world.store.handover.open_drain

            async def failing(domain_id: int, *given: object, **more: object) -> object:
                if domain_id == second.id:
                    raise StoreError("the disk is full")
                return await real(domain_id, *given, **more)  # type: ignore[arg-type]

            world.intercept("open_drain", failing)
            with pytest.raises(StoreError):
                await turning.granted(dispatcher, first, second)
            await ended(dispatcher, [first])
            assert world.store.handover.open_drains() == []
            world.intercept("open_drain", real)
            again = await turning.granted(dispatcher, first, second)
            again.call_off("over")

    asyncio.run(main())
