"""Once in a while: end idle sessions, log what was cut off, look at the disk and at the store."""

from collections.abc import Callable

from restante.background.rounds import Rounds
from restante.reception.descriptor_limit import is_exhausted
from restante.reception.listener import SWEEP_SECONDS
from restante.server.built_parts import ReceptionParts
from restante.server.store_watch import StoreWatch
from restante.server.task_spawner import CallbackDefects
from restante.telemetry.event_bus import Log
from restante.telemetry.events import (
    AcceptsFailed,
    ConnectionsShed,
    RoomBack,
    RoomShort,
)
from restante.telemetry.work_word import WorkWord


class ServerSweep:
    """Looks after what no other part sees to by itself."""

    def __init__(
        self,
        reception: ReceptionParts,
        store_watch: StoreWatch,
        *,
        defects: CallbackDefects,
        log: Log,
        fence: Callable[[], None],
    ) -> None:
        """`fence` stops drains whose lease is about to end."""
        self._reception = reception
        self._store_watch = store_watch
        self._defects = defects
        self._log = log
        self._fence = fence
        self._rounds = Rounds(log, WorkWord.SWEEP, after_failure=SWEEP_SECONDS)

    async def run(self) -> None:
        """Sweep until cancelled."""
        await self._rounds.run_rounds(self._sweep)

    async def _sweep(self) -> float:
        self._fence()  # first: a defect below must not keep it from stopping drains
        self._reception.listeners.sweep()
        self._tell_of_sessions()
        self._tell_of_accepts()
        self.look_for_room()
        self._store_watch.look()
        return SWEEP_SECONDS

    def look_for_room(self) -> None:
        """Log when the disk becomes short of room, and when it has room again."""
        disk_space = self._reception.disk_space
        free = disk_space.look()
        if free is not None:
            event = RoomShort if disk_space.is_short else RoomBack
            self._log.publish(event(free_octets=free, disk_reserve=disk_space.reserve))

    def _tell_of_sessions(self) -> None:
        door = self._reception.door
        for cause, count in door.take_shed().items():
            self._log.publish(ConnectionsShed(count=count, cause=cause, sessions=door.sessions))

    def _tell_of_accepts(self) -> None:
        """Log failed accepts. uvloop reports none: it closes the connections it cannot take."""
        if self._defects.take_accept_failed() or is_exhausted():
            self._log.publish(AcceptsFailed(sessions=self._reception.door.sessions))
