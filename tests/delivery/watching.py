"""A world with a watcher, whose clock moves only when the watcher waits."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from restante.background.clocks import Clocks
from restante.delivery.delivery_settings import DeliverySettings
from restante.delivery.destination_watch import DestinationProbes
from restante.delivery.presence_journal import PresenceJournal
from restante.delivery.presence_settings import PresenceSettings
from restante.delivery.watcher import UnaskedDrains, Watcher
from restante.store.duty_locks import DutyLocks
from restante.tenancy.model import Destination, HostedDomain
from restante.tenancy.policy import Policy, ProbePolicy
from tests.delivery.world import World
from tests.wire import audit

SETTINGS = DeliverySettings(probe_pause=10.0, longest_probe_pause=100.0)


PORT = 2500


class Enough(Exception):  # noqa: N818
    """The time of the test is over."""


@dataclass
class Scene:
    """A world with a watcher. The ports in `up` answer. A drain empties its domain if `takes`."""

    world: World = field(default_factory=World)
    up: set[int] = field(default_factory=set)
    takes: bool = True
    probed: list[tuple[float, int]] = field(default_factory=list)  # when, and which port
    begun: list[tuple[float, str]] = field(default_factory=list)  # when, and whose drain
    draining: set[int] = field(default_factory=set)  # here
    elsewhere: set[int] = field(default_factory=set)  # drained by other servers
    acts: dict[float, Callable[[], Awaitable[None]]] = field(
        default_factory=dict
    )  # acts of the test, by their time
    error: Exception | None = None  # of the next start
    presence: PresenceSettings = field(default_factory=PresenceSettings)
    greeted: list[tuple[float, int]] = field(default_factory=list)  # as `probed`, by greeting alone
    busy: set[str] = field(default_factory=set)  # destinations that drains are connected to

    def __post_init__(self) -> None:
        self.began = self.world.monotonic

    @property
    def clock(self) -> float:
        return round(self.world.monotonic - self.began, 3)

    async def host(self, name: str, port: int = PORT, **policy: Any) -> HostedDomain:
        return await self.world.host(
            port, name, policy=Policy(**{"probe": ProbePolicy.OFF} | policy)
        )

    async def mail(self, domain: HostedDomain) -> None:
        """A message comes."""
        await self.world.hold(domain)
        self.watcher.mail_came(domain)

    async def probe(self, destination: Destination) -> str:
        self.probed.append((self.clock, destination.port))
        return "" if destination.port in self.up else "connection refused"

    async def greet(self, destination: Destination) -> str:
        self.greeted.append((self.clock, destination.port))
        return "" if destination.port in self.up else "connection refused"

    async def start(self, domain: HostedDomain) -> None:
        self.begun.append((self.clock, domain.name))
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        if self.takes:
            numbers = [
                message.number
                for message in await self.world.store.handover.held(domain.id, 0, 1000, 1 << 30)
            ]
            await self.world.store.queue.delete(numbers, audit())
        self.watcher.drain_ended(domain.id)

    async def watch(self, seconds: float) -> None:
        """Let the watcher work for so long."""
        async with asyncio.TaskGroup() as tasks:
            self._until = self.world.monotonic + seconds
            self.watcher = Watcher(
                figures=self.world.store.figures,
                duties=DutyLocks(),
                directory=self.world.directory,
                drains=UnaskedDrains(
                    self.start,
                    is_draining=lambda domain_id: domain_id in self.draining | self.elsewhere,
                    runs_here=self.draining.__contains__,
                ),
                probes=DestinationProbes(
                    self.probe,
                    self.greet,
                    lambda: self.busy,
                    lambda: SETTINGS,
                    lambda: self.presence,
                    PresenceJournal(self.world.store.presence, self.world.log, tasks.create_task),
                ),
                log=self.world.log,
                clocks=Clocks(
                    now=lambda: self.world.now,
                    monotonic=lambda: self.world.monotonic,
                    wait=self.wait,
                    jitter=lambda: 0.5,
                ),
                spawn=tasks.create_task,
            )
            with pytest.raises(Enough):
                await self.watcher.run()

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        """Let the present work end. Then time jumps to the next act, or over the pause."""
        for _ in range(10):
            await asyncio.sleep(0)
        if woken.is_set():
            return
        assert seconds > 0, "it would turn without an end"
        now = self.world.monotonic
        acts = [at for at in self.acts if now <= self.began + at <= now + seconds]
        then = min([now + seconds, self._until, *(self.began + at for at in acts)])
        self.world.now += then - now
        if acts and then == self.began + min(acts):
            await self.acts.pop(min(acts))()
        if then >= self._until:
            raise Enough
