"""The turnarounds of an account at two servers on one database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from restante.delivery.account_turnarounds import IDLE_SECONDS
from restante.delivery.cannot_start import TurnaroundBusy
from restante.delivery.client_turnaround import ClientTurnaround
from restante.delivery.dispatcher import Dispatcher
from restante.queue.recipient_status import RecipientStatus
from restante.store.postgres import PostgresStore
from restante.tenancy.model import Account
from tests.contract_shared.conftest import second
from tests.delivery.scripted_primary import SILENCE, Script, ScriptedPrimary
from tests.delivery.turning import LOGIN, Turning
from tests.delivery.world import World, until
from tests.wire import NOW, audit


def turning_at(store: PostgresStore) -> Turning:
    given: Any = store  # a world is mostly one in memory
    return Turning(World(store=given))


@asynccontextmanager
async def server(turning: Turning, *others: PostgresStore) -> AsyncIterator[Dispatcher]:
    """A dispatcher. A pause is a second, after which its store and others know all changes."""

    async def beat() -> None:
        await second(turning.world.store, *others)  # type: ignore[arg-type]

    await turning.world.directory.refresh()
    turning.world.on_pause = beat
    async with turning.world.dispatcher() as dispatcher:
        yield dispatcher


async def test_the_next_turnaround_goes_on_at_another_server(
    one: PostgresStore, other: PostgresStore
) -> None:
    here, there = turning_at(one), turning_at(other)
    await one.records.put_account(Account("alpha", NOW), audit())
    first, last = await here.hosts("b.example", 12), await here.hosts("c.example", 1)
    deferring = ScriptedPrimary({"CONTENT": "451 4.7.1 sender verify"})
    async with server(here) as dispatcher, deferring as client:
        await here.whole(dispatcher, client, first, last)
        assert client.taken == []
    await second(one, other)
    async with server(there) as dispatcher, ScriptedPrimary() as client:
        await there.whole(dispatcher, client, first, last)
        contents = [message.content for message in client.taken]
        assert contents[:3] == [b"13\r\n", b"11\r\n", b"12\r\n"]
    assert await there.world.waiting(RecipientStatus.HELD) == []


@pytest.mark.parametrize("is_idle", [True, False])
async def test_an_idle_turnaround_ends_for_one_at_another_server_and_no_other_does(
    one: PostgresStore,
    other: PostgresStore,
    is_idle: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, there = turning_at(one), turning_at(other)
    await one.records.put_account(Account("alpha", NOW), audit())
    domain = await here.hosts(count=1)
    script: Script = {"MAIL": SILENCE}
    async with (
        server(here) as owner,
        server(there, one) as asked,
        ScriptedPrimary(script) as dead,
        ScriptedPrimary() as client,
    ):
        stale = await here.begun(owner, dead, domain)
        await until(lambda: bool(dead.commands) and dead.commands[-1].startswith("MAIL"))
        await second(one, other)
        seconds = IDLE_SECONDS if is_idle else IDLE_SECONDS - 1
        monkeypatch.setattr(ClientTurnaround, "seconds_still", property(lambda _: seconds))

        async def beat() -> None:
            await owner.look_for_drains()  # as it does once a second
            await asyncio.sleep(0.01)
            await second(one, other)

        there.world.on_pause = beat
        if is_idle:
            await there.whole(asked, client, domain)
            assert len(client.taken) == 1
        else:
            with pytest.raises(TurnaroundBusy):
                await there.granted(asked, domain)
            assert not stale.over.is_set()
            stale.abort("the test is over")
        assert stale.login == LOGIN
        await stale.over.wait()
        await until(lambda: not owner.runs_here(domain.id))
