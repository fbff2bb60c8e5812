"""Several servers on one store, in one process: a model of leases, to prove the dispatchers by."""

import asyncio
import inspect
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from typing import Any

from restante.delivery.delivery_context import DeliveryContext
from restante.delivery.dispatcher import Dispatcher
from restante.delivery.domain_drain import DrainStopCause
from restante.queue.drain_word import DrainWay
from restante.store.handover_store import Drain, JoinedDrain
from restante.store.memory import MemoryStore
from restante.store.store_errors import StoreUnreachable
from tests.delivery.world import World

LEASE_SECONDS = 5.0


class Cluster:
    """The store that servers share, and the owner of each drain."""

    def __init__(self) -> None:
        self.world = World(store=MemoryStore())
        self.owners: dict[int, Server] = {}  # of drains, by domain id
        self.takeovers = 0


class Server:
    """One of them: a dispatcher whose store knows whose call it is."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.is_cut_off = False  # as by SIGKILL, or a broken link
        self.heard_at = cluster.world.monotonic  # the time of its last call of the store
        self.dispatcher: Dispatcher

    @property
    def lease_left(self) -> float:
        """Seconds until another may take over."""
        return self.heard_at + LEASE_SECONDS - self.cluster.world.monotonic

    async def begin(self) -> "Server":
        """Let it run."""
        started = asyncio.Event()
        self._main = asyncio.ensure_future(self._run(started))
        await started.wait()
        return self

    async def _run(self, started: asyncio.Event) -> None:
        with suppress(asyncio.CancelledError):
            async with asyncio.TaskGroup() as tasks:
                self.dispatcher = Dispatcher(self._context(), tasks, grace=0.0)
                started.set()
                await asyncio.Event().wait()

    def _context(self) -> DeliveryContext:
        context = self.cluster.world.new_context()
        handover: Any = _ServersHandover(self)
        return replace(context, store=replace(context.store, handover=handover))

    async def second(self) -> None:
        """Do what it does once a second."""
        if not self.is_cut_off:
            self.heard_at = self.cluster.world.monotonic
        self.dispatcher.fence()
        with suppress(StoreUnreachable):
            await self.dispatcher.look_for_drains()

    async def kill(self) -> None:
        """End it at once: nothing that it still does reaches the store."""
        self.is_cut_off = True
        for drain in self.dispatcher._drains.values():
            drain.stop(DrainStopCause("killed", stays_recorded=True), 0.0)
        self._main.cancel()
        await asyncio.wait([self._main])

    async def stop(self) -> None:
        """End it in order."""
        await self.dispatcher.stop_all()
        await self.kill()


class _ServersHandover:
    """The port of the shared store, as one server calls it."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._cluster = server.cluster
        self._store = server.cluster.world.store.handover

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def call(*arguments: Any, **named: Any) -> Any:
            self._check()
            return await value(*arguments, **named)

        return call

    def _check(self) -> None:
        if self._server.is_cut_off:
            raise StoreUnreachable("connection lost")

    def lease_left(self) -> float:
        return self._server.lease_left

    async def open_drain(
        self,
        domain_id: int,
        requested_at: float,
        deadline: float,
        release: int = 0,
        requested_by: str = "",
        *,
        way: DrainWay = DrainWay.DESTINATION,
    ) -> Drain | JoinedDrain:
        self._check()
        opened = await self._store.open_drain(
            domain_id, requested_at, deadline, release, requested_by, way=way
        )
        if isinstance(opened, Drain):
            self._cluster.owners[domain_id] = self._server
        return opened

    async def claimable_drains(self, running: Collection[Drain]) -> list[Drain]:
        self._check()
        own = {(drain.domain_id, drain.number) for drain in running}
        return [
            drain
            for drain in self._store.open_drains()
            if (owner := self._cluster.owners.get(drain.domain_id)) is None
            or owner.lease_left <= 0
            or (owner is self._server and (drain.domain_id, drain.number) not in own)
        ]

    async def give_back(self, drains: Collection[Drain]) -> None:
        self._check()
        for drain in drains:
            if self._cluster.owners.get(drain.domain_id) is self._server:
                del self._cluster.owners[drain.domain_id]

    async def take_over(self, drain: Drain) -> Drain | None:
        self._check()
        taken = await self._store.take_over(drain)
        if taken is not None:
            self._cluster.owners[drain.domain_id] = self._server
            self._cluster.takeovers += 1
        return taken
