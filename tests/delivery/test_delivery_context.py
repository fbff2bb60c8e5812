"""The services that all drains share follow the settings of the last reload."""

import asyncio

from restante.delivery.delivery_context import DeliveryContext
from tests.delivery.world import World, until


def test_the_limits_of_turns_are_those_of_the_last_reload() -> None:
    async def take_turn(context: DeliveryContext, account: str, done: asyncio.Event) -> None:
        async with context.slots.slot(account):
            taken.append(account)
            await done.wait()

    taken: list[str] = []

    async def main() -> None:
        world, done = World(), asyncio.Event()
        world.set(drains_limit=1)
        context = world.new_context()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(take_turn(context, "alpha", done))
            tasks.create_task(take_turn(context, "beta", done))
            for _ in range(10):
                await asyncio.sleep(0)
            assert taken == ["alpha"]
            world.set(drains_limit=2)
            context.slots.limits_changed()
            await until(lambda: taken == ["alpha", "beta"])
            done.set()

    asyncio.run(main())
