"""The parts that all drains share follow the settings of the last reload, and remember."""

import asyncio

from restante.delivery.dispatcher import Dispatcher
from tests.delivery.world import World, until


def test_the_limits_of_slots_are_those_of_the_last_reload() -> None:
    async def take_slot(dispatcher: Dispatcher, account: str, done: asyncio.Event) -> None:
        async with dispatcher._slots.slot(account):
            taken.append(account)
            await done.wait()

    taken: list[str] = []

    async def main() -> None:
        world, done = World(), asyncio.Event()
        world.set(drains_limit=1)
        async with asyncio.TaskGroup() as tasks:
            dispatcher = Dispatcher(world.new_context(), tasks)
            tasks.create_task(take_slot(dispatcher, "alpha", done))
            tasks.create_task(take_slot(dispatcher, "beta", done))
            for _ in range(10):
                await asyncio.sleep(0)
            assert taken == ["alpha"]
            world.set(drains_limit=2)
            dispatcher.settings_changed()
            await until(lambda: taken == ["alpha", "beta"])
            done.set()

    asyncio.run(main())


def test_destinations_that_have_taken_mail_are_known_from_the_start() -> None:
    experience = World(takers=("b.example:25",)).new_context().memory.experience
    assert experience.has_taken_mail("b.example:25")
    assert not experience.has_taken_mail("c.example:25")


def test_the_settings_are_those_of_the_last_reload() -> None:
    world = World()
    context = world.new_context()
    world.set(patience=77.0)
    assert context.settings.patience == 77.0
