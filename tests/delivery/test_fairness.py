"""One account's slow destinations do not keep another's mail waiting."""

import asyncio
from typing import Final

from restante.delivery.delivery_settings import DeliverySettings
from restante.telemetry.events import DrainFinished
from restante.tenancy.model import Account
from tests.delivery.scripted_primary import SILENCE, ScriptedPrimary
from tests.delivery.world import World, until
from tests.wire import NOW, audit

DOMAINS: Final = 30


def test_a_good_destination_gets_its_mail_while_many_bad_ones_hold_theirs_up() -> None:
    """Thirty domains of one account at a silent server, asked for before one of another account."""

    async def main() -> None:
        world = World(settings=DeliverySettings(drains_limit=6, account_drains_limit=4))
        async with ScriptedPrimary({"GREETING": SILENCE}) as silent, ScriptedPrimary() as good:
            slow = [
                await world.host(silent.port, f"d{number}.example") for number in range(DOMAINS)
            ]
            await world.store.records.put_account(Account("beta", NOW), audit())
            quick = await world.host(good.port, "quick.example", account="beta")
            for domain in [*slow, quick]:
                await world.hold(domain, 20)
            async with world.dispatcher() as dispatcher:
                for domain in [*slow, quick]:
                    await dispatcher.start(domain, "test")
                await until(lambda: bool(world.log.of(DrainFinished)))
                assert world.log.of(DrainFinished)[0]["delivered"] == len(good.taken) == 20
                assert len(list(dispatcher.drains())) == DOMAINS
                assert silent.most_open <= 4

    asyncio.run(main())
