"""The faults of a story, and their times: crashes, restarts, reloads, failing stores, and so on."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from restante.admin.admin_error import AdminError
from restante.admin.domain_change import DomainChange
from restante.admin.domains import change_domain
from restante.admin.hold_again import MessagesToHoldAgain
from restante.admin.queue_release import release_messages
from restante.mail.message import message_name
from restante.queue.recipient_status import RecipientStatus
from restante.store.store_errors import StoreError
from tests.simulation.books import Books, Move
from tests.simulation.faulty_store import Disk, StoredMail
from tests.simulation.plan import Plan
from tests.simulation.primaries import Primary
from tests.simulation.server_machine import ServerMachine
from tests.simulation.trace import Trace

_CRASH_SITES: Final = ("hold", "hold", "settle", "settle", "open_drain", "close_drain", "record")
_SUSPENDED: Final = DomainChange.model_validate({"hold": "suspended", "reason": "maintenance"})
_RESUMED: Final = DomainChange.model_validate({"hold": "until-asked"})
_MOST_NAMED: Final = 3  # messages
_RELEASE_SECONDS: Final = 60.0  # a server that crashes meanwhile does not answer
_TRIES: Final = 300  # a second apart, to end a suspension
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
        self._turn = asyncio.Lock()  # of troubles that need the server up, or take it down
        self._suspended: set[str] = set()  # each domain once: one would end another's suspension
        self._disk.on_crash = self._crash
        self._books.on_grant = self._granted
        self._crashes_at_drains = 1 if plan.crashes else 0

    async def run(self) -> None:
        """Bring all of them, within the duration of the story."""
        plan = self._plan
        kinds: list[tuple[int, Trouble]] = [
            (plan.crashes, self._crash_some_time),
            (plan.stops, self._restart),
            (plan.reloads, self._reload),
            (plan.store_troubles, self._fail_store),
            (plan.moves, self._move),
            (plan.suspensions, self._suspend),
            (plan.named_releases, self._release_some),
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

    def _granted(self, domain: str) -> None:
        """Crash once in the middle of a drain of the calm account: it must go on by itself."""
        is_calm = any(one.name == domain and one.is_calm for one in self._plan.domains)
        if is_calm and self._crashes_at_drains and self._dice.random() < 0.5:
            self._crashes_at_drains -= 1
            asyncio.get_running_loop().call_later(self._dice.uniform(0.0, 0.2), self._crash)

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
                self._server.reload(self._dice.choice((60, 90)), self._dice.choice((3, 20, 1000)))

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
        name, loop = self._unlucky(), asyncio.get_running_loop()
        new, requested = self._primaries[name][1], loop.time()
        if not await self._change(name, DomainChange(destination=f"{new.address}:25")):
            return
        self._primaries[name].reverse()
        old = self._primaries[name][1]
        self._books.moves.append(Move(requested, loop.time(), old.machine.name))

    async def _suspend(self) -> None:
        """Let an operator suspend a domain for some time.

        If the server crashes before it answers, the domain may be suspended anyway.
        """
        name, loop = self._unlucky(), asyncio.get_running_loop()
        if name in self._suspended:
            return
        self._suspended.add(name)
        if await self._change(name, _SUSPENDED):
            begin, seconds = loop.time(), self._dice.uniform(20.0, 50.0)
            await asyncio.sleep(seconds)
            self._books.suspensions.append((name, begin, loop.time()))
        for _ in range(_TRIES):
            if await self._change(name, _RESUMED):
                return
            await asyncio.sleep(1.0)

    async def _release_some(self) -> None:
        """Let an operator release messages of a domain by their names."""
        domain, machine = self._dice.choice(self._plan.domains), self._server.machine
        held = self._held_messages(domain.name)
        if not held or machine is None or not self._server.is_up:
            return
        some = self._dice.sample(held, min(len(held), self._dice.randint(1, _MOST_NAMED)))
        chosen = [message_name(one.queued.number) for one in some]
        self._books.name(domain.name, [one.name for one in some])
        named = MessagesToHoldAgain(names=tuple(chosen), reason="wanted now")
        work = release_messages(self._server.admin, named)
        task = asyncio.get_running_loop().create_task(work, context=machine.context)
        await asyncio.wait([task], timeout=_RELEASE_SECONDS)
        if not task.done():
            task.cancel()
            answer = "no answer"
        else:
            error = task.exception()
            if error is not None and not isinstance(error, (AdminError, StoreError)):
                raise error
            answer = str(error or "done")
        self._trace.note("operator", f"release {' '.join(chosen)} of {domain.name}: {answer}")

    def _held_messages(self, domain: str) -> list[StoredMail]:
        """Return the messages of a domain with a recipient that is held."""
        return [
            stored
            for stored in self._disk.mail()
            if any(
                one.status is RecipientStatus.HELD and one.forward_path.endswith(f"@{domain}")
                for one in stored.queued.recipients
            )
        ]

    def _unlucky(self) -> str:
        return self._dice.choice([one.name for one in self._plan.domains if not one.is_calm])

    async def _change(self, name: str, change: DomainChange) -> bool:
        """Change a domain as an operator; tell whether that was done."""
        async with self._turn:
            machine = self._server.machine
            if not self._server.is_up or machine is None:
                return False
            work = change_domain(self._server.admin, name, change)
            task = asyncio.get_running_loop().create_task(work, context=machine.context)
            fields = change.model_dump(exclude_none=True, exclude_defaults=True)
            try:
                await task
            except (AdminError, StoreError) as error:
                self._trace.note("operator", f"{name} was not changed, {fields}: {error}")
                return False
        self._trace.note("operator", f"{name} was changed, {fields}")
        return True
