"""Reports that wait, and the mail hosts of the Internet, all on one port of loopback."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from restante.mail.delivery_report import NewReport, ReportAction
from restante.mail.envelope import Envelope
from restante.network.resolver import MxRecord
from restante.reports.report_sender import ReportSender
from restante.reports.report_settings import ReportSettings
from restante.store.queue_store import MessageBounce
from restante.store.store_errors import StoreError
from restante.telemetry.events import (
    Event,
)
from restante.tenancy.model import Account
from tests.delivery.scripted_primary import ScriptedPrimary
from tests.delivery.world import World, until
from tests.wire import NOW, audit

SENDER = "s@a.example"


MX = "mx1.a.example"


ANNA = "anna@b.example"


@dataclass
class Post:
    """Mail hosts of the Internet, all on one port, and the reports that go there."""

    world: World
    settings: ReportSettings
    reports: ReportSender
    host: ScriptedPrimary
    stored: int = 0
    failures: list[StoreError] = field(default_factory=list)

    async def store_for(self, account: str, reverse_path: str) -> None:
        """Store a report about another account's mail."""
        await self.world.store.records.put_account(Account(account, NOW), audit())
        await self.world.host(26, "beta.example", account=account)
        await self.store(reverse_path, about="beta.example")

    async def store(self, *reverse_paths: str, about: str = "b.example") -> None:
        """Store a report for each."""
        domain = self.world.directory.now.domains[about]
        for path in reverse_paths:
            self.stored += 1
            await self.world.hold_asking(domain, Envelope(path, (ANNA,)))
            content = b"Subject: report %d\r\n\r\n.\r\n" % self.stored
            made = NewReport(
                self.world.held,
                domain.id,
                ReportAction.FAILED,
                (ANNA,),
                path,
                content,
                self.world.now,
            )
            assert await self.world.store.queue.bounce(
                [MessageBounce(self.world.held, (ANNA,), made)], audit()
            )

    async def go_on_until(self, condition: Callable[[], bool]) -> None:
        """Run until something is so, then end in good order."""
        running = asyncio.ensure_future(self.reports.run())
        await until(lambda: condition() or running.done())
        self.reports.close()
        await running

    def lines(self, event: type[Event]) -> list[dict[str, Any]]:
        return self.world.log.of(event)

    def count(self, *events: type[Event]) -> int:
        return sum(len(self.lines(event)) for event in events)


def play(
    act: Callable[[Post], Coroutine[Any, Any, None]],
    host: ScriptedPrimary | None = None,
    **settings: Any,
) -> Post:
    """Run a scene. a.example has one MX, at which `host` listens."""
    world = World()
    host = host or ScriptedPrimary()
    found: list[Post] = []

    async def main() -> None:
        async with host:
            await world.host(25)
            world.names.mx = {"a.example": [MxRecord(10, MX)]}
            world.names.table = {MX: ["127.0.0.1"]}
            given = ReportSettings(port=host.port, **{"private_addresses": True, **settings})
            reports = world.new_reports(given)
            found.append(Post(world, given, reports, host))
            await act(found[0])

    asyncio.run(main())
    return found[0]
