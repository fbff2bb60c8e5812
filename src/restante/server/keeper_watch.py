"""Has the keepers of records begin, once a record waits for one.

Where somebody uses the API of this process, they have begun already. So this looks for records of
an earlier start, and for those of other servers.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from restante.background.clocks import Wait, wait_at_most
from restante.background.rounds import Rounds
from restante.network.late_module import ProgramReplaced
from restante.telemetry.event_bus import Log
from restante.telemetry.events import ProgramUpgraded
from restante.telemetry.work_word import WorkWord

LOOK_SECONDS: Final = 60.0


class BegunWhenNeeded(Protocol):
    """The parts that have the keepers."""

    @property
    def is_built(self) -> bool:
        """Whether the keepers have begun."""

    async def parts(self) -> object:
        """Have them begin. Raises CodeNotLoaded."""


class KeeperWatch:
    """The one task that does so."""

    def __init__(
        self,
        admin: BegunWhenNeeded,
        is_needed: Callable[[], Awaitable[bool]],
        log: Log,
        wait: Wait = wait_at_most,
    ) -> None:
        """`is_needed` may raise StoreError."""
        self._admin = admin
        self._is_needed = is_needed
        self._log = log
        self._rounds = Rounds(log, WorkWord.BEGIN_KEEPERS, wait)

    async def run(self) -> None:
        """Look until the keepers have begun, or cannot begin any more."""
        await self._rounds.run_rounds(self._look)

    async def _look(self) -> float:
        if self._admin.is_built:
            self._rounds.close()
        elif await self._is_needed():
            await self._begin()
            self._rounds.close()
        return LOOK_SECONDS

    async def _begin(self) -> None:
        try:
            await self._admin.parts()
        except ProgramReplaced as replaced:
            self._log.publish(ProgramUpgraded(doing=WorkWord.BEGIN_KEEPERS, reason=str(replaced)))
