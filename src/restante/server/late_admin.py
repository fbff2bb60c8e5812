"""The parts that act for people and on records: loaded and built at their first need.

A client of the control socket needs them, a listener of HTTP, and records that wait for a keeper
(`keeper_watch`). Their tasks run from then on.
"""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from restante.server.built_parts import MailParts
from restante.server.late_code import LateCode
from restante.store.scrubber import Scrubber
from restante.telemetry.loop_lag import LoopLag
from restante.web.request_counts import RequestCounts

if TYPE_CHECKING:
    from restante.server.admin_parts import AdminParts

_MODULE: Final = "restante.server.build_admin"


@dataclass(frozen=True, slots=True)
class AdminGround:
    """The parts that they are built on."""

    mail: MailParts
    scrubber: Scrubber
    loop_lag: LoopLag
    web_requests: RequestCounts  # of the `web` listeners


class LateAdmin:
    """The parts, once somebody has asked for them. Belongs to the event loop."""

    def __init__(self, late: LateCode, ground: AdminGround) -> None:
        self._late = late
        self._ground = ground
        self._parts: AdminParts | None = None
        self._building = asyncio.Lock()
        self._built = asyncio.Event()

    @property
    def is_built(self) -> bool:
        """Whether somebody has needed them."""
        return self._built.is_set()

    async def parts(self) -> "AdminParts":
        """Return them, loaded and built by the first call. Raises CodeNotLoaded."""
        async with self._building:
            if self._parts is None:
                await self._late.load(_MODULE)
                from restante.server.build_admin import build_admin  # noqa: PLC0415  heavy

                self._parts = build_admin(self._ground)
                self._built.set()
            return self._parts

    async def run(self) -> None:
        """Run their tasks from their first need on, until cancelled."""
        await self._built.wait()
        from restante.server.build_admin import work_of  # noqa: PLC0415  loaded

        async with asyncio.TaskGroup() as tasks:
            for work in work_of(await self.parts(), self._ground.mail.ground.setup.log):
                tasks.create_task(work)

    def close(self) -> None:
        """End the followers of events: they would keep the control socket open."""
        if self._parts is not None:
            self._parts.feed.close()
