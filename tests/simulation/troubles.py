"""The faults of a story, and their times: crashes, restarts, reloads, failing stores, and so on."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from restante.admin.admin_error import AdminError
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.store.store_errors import StoreError
from tests.simulation.books import Books
from tests.simulation.faulty_store import Disk
from tests.simulation.plan import Plan
from tests.simulation.primaries import Primary
from tests.simulation.server_machine import ServerMachine
from tests.simulation.trace import Trace

_CRASH_SITES: Final = ("hold", "hold", "settle", "settle", "open_drain", "close_drain", "record")
Trouble = Callable[[], Awaitable[None]]


class Troubles:
    """Chooses the time of each fault. `run` lets them come; those of the server one by one."""

    def __init__(
        self,
        plan: Plan,
        server: ServerMachine,
        primaries: dict[str, list[Primary]],
        books: Books,
        trace: Trace,
    ) -> None:
        """`primaries` are those of each domain: the present one, and where it may move to."""
        self._plan = plan
        self._server = server
        self._disk: Disk = server.disk
        self._primaries = primaries
        self._books = books
        self._trace = trace
        self._dice = Random(f"troubles {plan.seed}")
        self._turn = asyncio.Lock()  # of what needs the server up, or takes it down
        self._disk.on_crash = self._crash

    async def run(self) -> None:
        """Bring all of them, within the duration of the story."""
        plan = self._plan
        kinds: list[tuple[int, Trouble]] = [
            (plan.crashes, self._crash_some_time),
            (plan.stops, self._restart),
            (plan.reloads, self._reload),
            (plan.store_troubles, self._fail_store),
            (plan.moves, self._move),
            (len([one for one in plan.domains if one.misfortune]), self._send_primary_away),
        ]
        async with asyncio.TaskGroup() as tasks:
            for count, trouble in kinds:
                for _ in range(count):
                    at = self._dice.uniform(2.0, plan.duration)
                    tasks.create_task(self._later(at, trouble))

    async def _later(self, at: float, trouble: Trouble) -> None:
        await asyncio.sleep(at)
        await trouble()

    def _crash(self) -> None:
        self._server.crash()
        asyncio.get_running_loop().call_later(self._dice.uniform(1.0, 5.0), self._server.start_soon)

    async def _crash_some_time(self) -> None:
        async with self._turn:
            if self._dice.random() < 0.6:
                self._disk.crash_at = (self._dice.choice(_CRASH_SITES), self._dice.random() < 0.5)
            elif self._server.is_up:
                self._crash()

    async def _restart(self) -> None:
        async with self._turn:
            if self._server.is_up:
                await self._server.stop()
                self._server.start_soon()

    async def _reload(self) -> None:
        async with self._turn:
            if self._server.is_up:
                self._server.reload(self._dice.choice((60, 90, 200)))

    async def _fail_store(self) -> None:
        way = self._dice.choice(("full", "away", "broken"))
        seconds = self._dice.uniform(2.0, 25.0)
        now = asyncio.get_running_loop().time()
        self._books.store_troubles.append((now, now + seconds))
        self._trace.note("disk", f"{way} for {seconds:.0f} s")
        if way == "broken":
            self._disk.is_broken = True
            return
        self._disk.failure = StoreError
        if way == "full":
            self._disk.fills_up()
        await asyncio.sleep(seconds)
        self._disk.failure = None
        self._trace.note("disk", "works again")

    async def _send_primary_away(self) -> None:
        unlucky = [domain.name for domain in self._plan.domains if domain.misfortune]
        primary = self._primaries[self._dice.choice(unlucky)][0]
        primary.go()
        await asyncio.sleep(self._dice.uniform(3.0, 40.0))
        primary.come()

    async def _move(self) -> None:
        """Let an operator give a domain another destination."""
        name = self._dice.choice(
            [domain.name for domain in self._plan.domains if not domain.is_calm]
        )
        async with self._turn:
            if not self._server.is_up:
                return
            new = self._primaries[name][1]
            work = change_domain(
                self._server.office, name, DomainChange(destination=f"{new.address}:25")
            )
            assert self._server.machine is not None
            task = asyncio.get_running_loop().create_task(
                work, context=self._server.machine.context
            )
            try:
                await task
            except (AdminError, StoreError) as error:
                self._trace.note("operator", f"{name} was not moved: {error}")
                return
        self._primaries[name].reverse()
        old = self._primaries[name][1]
        self._books.moves.append((asyncio.get_running_loop().time(), old.machine.name))
        self._trace.note("operator", f"{name} was moved to {new.address}")
