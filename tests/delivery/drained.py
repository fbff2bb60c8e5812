"""Drains of held mail to a scripted primary, over real sockets on loopback."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from restante.queue.recipient_status import RecipientStatus
from restante.tenancy.model import HostedDomain
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World

Scene = Callable[[World, ScriptedPrimary, HostedDomain], Awaitable[None]]


Run = Callable[[Coroutine[Any, Any, None]], None]


def play(
    world: World, primary: ScriptedPrimary, scene: Scene, run: Run = asyncio.run, **destination: Any
) -> None:
    async def main() -> None:
        async with primary:
            domain = await world.host(primary.port, **destination)
            await scene(world, primary, domain)

    run(main())


def drained(
    count: int, primary: ScriptedPrimary, world: World | None = None, **destination: Any
) -> World:
    """Hold so many messages and drain them."""
    world = world or World()

    async def scene(world: World, _: ScriptedPrimary, domain: HostedDomain) -> None:
        await world.hold(domain, count)
        await world.drain(domain)

    play(world, primary, scene, **destination)
    return world


def numbers(primary: ScriptedPrimary) -> list[int]:
    return [int(taken.content) for taken in primary.taken]


def still_held(world: World) -> list[int]:
    return asyncio.run(world.waiting(RecipientStatus.HELD))
