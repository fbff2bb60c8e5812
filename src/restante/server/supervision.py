"""When workers are started, told, and started again. Pure: times are arguments.

    WAITING ── its time has come ──► STARTING ── ready ──► SERVING
       ▲                                │                     │
       └────────── ended by a fault ────┴─────────────────────┘
                                        └── retired, or refused its configuration ──► OUT

The first worker starts alone: it makes the tables, and shows whether a start can succeed at all.
The start fails with its exit code. Once a worker has served, the others start. One that ends is
started again: at once after the first fault, and then after pauses that grow to LONGEST_PAUSE. A
worker that has served for STEADY has no faults behind it.

An exit code of 0 without a signal means that an operator retired the worker. Some codes mean that a
start would meet the same again (PERMANENT). Such a worker is not started again, and the others go
on. When none is left, the whole ends with that code.

A worker that serves gives a sign of life every few seconds. The supervisor looks each
LOOK_SECONDS. A worker without a sign at ABORT_AT looks in a row is assumed to hang. It is aborted,
which logs where it hangs, and killed at the next look. Looks are counted and not seconds, so a
machine that was suspended does not lose its workers.

A worker that starts gives no signs. It is assumed to hang if it does not serve after START_LOOKS.
With 100,000 domains, a start took less than a minute on a busy machine.

A worker starts with the configuration of the first start. If a reload was asked for since then, it
is told to reload when it is ready. So it is as the others are.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

FIRST_PAUSE: Final = 0.1  # seconds
LONGEST_PAUSE: Final = 30.0
STEADY: Final = 60.0
STOP_PATIENCE: Final = 50.0  # seconds; a worker ends by itself after 45
LOOK_SECONDS: Final = 30.0  # between two looks for signs of life
ABORT_AT: Final = 4  # looks without a sign
START_LOOKS: Final = 20  # in a start: ten minutes
PERMANENT: Final = frozenset({64, 65, 77, 78})  # sysexits: usage, data, rights, configuration
_FAILED: Final = 75  # EX_TEMPFAIL: for a fault without an exit code
_MOST_DOUBLINGS: Final = 10


class WorkerPhase(Enum):
    """The state of a worker."""

    WAITING = auto()
    STARTING = auto()
    SERVING = auto()
    OUT = auto()  # it will not run again


class WorkerOrder(Enum):
    """An act on a worker."""

    START = auto()
    RELOAD = auto()
    STOP = auto()
    ABORT = auto()  # it hangs
    KILL = auto()


Step = tuple[int, WorkerOrder]  # the number of a worker, from 1

_RUNNING: Final = frozenset({WorkerPhase.STARTING, WorkerPhase.SERVING})


@dataclass(slots=True)
class _Worker:
    number: int
    phase: WorkerPhase = WorkerPhase.WAITING
    due_at: float | None = None  # while it waits; None: for the first worker
    served_since: float = 0.0
    faults: int = 0
    reloads: int = 0  # that it has been asked for, or has made by starting
    silent_looks: int = 0

    @property
    def looks_until_abort(self) -> int:
        """At how many looks without a sign it is aborted."""
        return ABORT_AT if self.phase is WorkerPhase.SERVING else START_LOOKS


class WorkerSupervision:
    """The decisions about a number of workers."""

    def __init__(self, workers: int, now: float) -> None:
        """`now` is monotonic, in seconds, as in all methods."""
        self._workers = {number: _Worker(number) for number in range(1, workers + 1)}
        self._workers[1].due_at = now
        self._has_served = False
        self._reloads = 0
        self._stop_at: float | None = None  # when those that still run are killed
        self._look_at = now + LOOK_SECONDS
        self._code = 0

    def phase(self, number: int) -> WorkerPhase:
        """Return what a worker does."""
        return self._workers[number].phase

    @property
    def exit_code(self) -> int | None:
        """The exit code of the whole, once no worker runs or will run."""
        is_over = all(one.phase is WorkerPhase.OUT for one in self._workers.values())
        return self._code if is_over else None

    def ready(self, number: int, now: float) -> list[Step]:
        """Take note that a worker serves."""
        worker = self._workers[number]
        worker.phase, worker.served_since, worker.silent_looks = WorkerPhase.SERVING, now, 0
        if not self._has_served:
            self._has_served = True
            for other in self._workers.values():
                if other.phase is WorkerPhase.WAITING:
                    other.due_at = now
        if worker.reloads == self._reloads:
            return []
        worker.reloads = self._reloads
        return [(number, WorkerOrder.RELOAD)]

    def lives(self, number: int) -> None:
        """Take note of a sign of life. In a start, it does not count."""
        worker = self._workers[number]
        if worker.phase is WorkerPhase.SERVING:
            worker.silent_looks = 0

    def hangs(self, number: int) -> bool:
        """Whether a worker that runs has given no sign of life for too long."""
        worker = self._workers[number]
        return worker.phase in _RUNNING and worker.silent_looks >= worker.looks_until_abort

    def ended(self, number: int, code: int, now: float) -> float | None:
        """Take note of the end of a worker; return the seconds until it starts again, if it does.

        `code` is negative for a signal.
        """
        worker = self._workers[number]
        was_steady = worker.phase is WorkerPhase.SERVING and now - worker.served_since >= STEADY
        worker.phase, worker.due_at = WorkerPhase.OUT, None
        is_final = self._stop_at is not None or not self._has_served
        if is_final or code == 0 or code in PERMANENT:
            self._code = self._code or (_FAILED if code < 0 else code)
            if not self._has_served:
                self._give_up()
            return None
        worker.faults = 1 if was_steady else worker.faults + 1
        doublings = min(worker.faults - 1, _MOST_DOUBLINGS)
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**doublings)
        worker.phase, worker.due_at = WorkerPhase.WAITING, now + pause
        return pause

    def reload(self) -> list[Step]:
        """Have all workers read the configuration again."""
        self._reloads += 1
        serving = [one for one in self._workers.values() if one.phase is WorkerPhase.SERVING]
        for worker in serving:
            worker.reloads = self._reloads
        return [(worker.number, WorkerOrder.RELOAD) for worker in serving]

    def stop(self, now: float) -> list[Step]:
        """End all workers; start none."""
        if self._stop_at is None:
            self._stop_at = now + STOP_PATIENCE
        self._give_up()
        return self._to_running(WorkerOrder.STOP)

    def due(self, now: float) -> list[Step]:
        """Return what has to be done now."""
        if self._stop_at is not None and now >= self._stop_at:
            return self._to_running(WorkerOrder.KILL)
        steps = []
        for worker in self._workers.values():
            if worker.due_at is not None and worker.due_at <= now:
                worker.phase, worker.due_at = WorkerPhase.STARTING, None
                worker.reloads = worker.silent_looks = 0
                steps.append((worker.number, WorkerOrder.START))
        if self._stop_at is None and now >= self._look_at:
            self._look_at = now + LOOK_SECONDS
            steps += self._look()
        return steps

    def next_at(self) -> float | None:
        """Return when `due` has to be asked next; None: after an event."""
        times = [one.due_at for one in self._workers.values() if one.due_at is not None]
        if self._stop_at is None:
            times.append(self._look_at)
        elif self._to_running(WorkerOrder.KILL):
            times.append(self._stop_at)
        return min(times, default=None)

    def _look(self) -> list[Step]:
        """Count another look; return what to do about workers that hang."""
        steps = []
        for worker in self._workers.values():
            if worker.phase in _RUNNING:
                worker.silent_looks += 1
                if self.hangs(worker.number):
                    is_first = worker.silent_looks == worker.looks_until_abort
                    order = WorkerOrder.ABORT if is_first else WorkerOrder.KILL
                    steps.append((worker.number, order))
        return steps

    def _give_up(self) -> None:
        """Start none that waits."""
        for worker in self._workers.values():
            if worker.phase is WorkerPhase.WAITING:
                worker.phase, worker.due_at = WorkerPhase.OUT, None

    def _to_running(self, order: WorkerOrder) -> list[Step]:
        return [
            (worker.number, order) for worker in self._workers.values() if worker.phase in _RUNNING
        ]
