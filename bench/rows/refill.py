"""A store that once held much, beside a new one: how fast it takes mail, and its size on disk.

The mail of a filled store is drained, and the store then gives pages back to the file system. Each
run takes the same load into a copy of it, or into a new store.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bench.load.load import Load
from bench.measure import Meter
from bench.results import Sample
from bench.rows.drain import CHUNKING, DESTINATIONS, check_all_came, wait_for
from bench.rows.first_mail import MOST, MOST_SUFFIX
from bench.rows.row import Extent, Row
from bench.servers.park import Park
from restante.store.sqlite.free_space import KEPT_OCTETS
from tests.acceptance.peers.eventually import eventually

SIZE: Final = 4096
NEW: Final = "a new store"
_PATIENCE: Final = 600.0  # seconds
_SHORTER: Final = 8  # times, at least: the log, the history and some free pages stay


class RefillRow(Row):
    """Takes one load into either store."""

    title = "accept 4 KiB, 20 sessions, kept connections, into a store"

    def __init__(self, park: Park, held: int, messages: int, *, suffix: str = "") -> None:
        """`suffix` is that of the name."""
        self.name = f"refill{suffix}"
        self._emptied = f"a store that once held {held:,}"
        self.subjects = (NEW, self._emptied)
        self.ratios = ((self._emptied, NEW),)
        self.note = f"{messages:,} messages"
        self._park = park
        self._held = held
        self._load = Load(messages, SIZE, 20, is_kept=True)

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Send the load, and see that the server holds all of it."""
        server, load = self._park.restante, self._load
        with self._running(subject):
            with Meter(server.pid) as meter:
                seconds = load.send(server.port)
                server.settle()
            server.check_held(load.messages, SIZE)
        return Sample(load.messages / seconds, meter.cpu / load.messages * 1000, meter.memory)

    @contextmanager
    def _running(self, subject: str) -> Iterator[None]:
        server = self._park.restante
        if subject == NEW:
            with server.running():
                yield
            return
        with server.running_emptied(self._held, SIZE, self.empty):
            yield

    def empty(self) -> None:
        """Have all mail drained, and wait until the store gives no more pages back."""
        server = self._park.restante
        short = server.disk_octets() // _SHORTER
        sink = DESTINATIONS[CHUNKING](self._park.destination_port)
        sink.start()
        try:
            server.ask_for_mail()
            wait_for(sink, self._held)
            check_all_came(sink, self._held, SIZE)
        finally:
            sink.close()
        eventually(lambda: not server.held().messages, what="nothing held", timeout=_PATIENCE)
        if short > KEPT_OCTETS:  # otherwise the store gives nothing back
            eventually(lambda: server.disk_octets() < short, what="free pages", timeout=_PATIENCE)


class HeldOctetsRow(Row):
    """The disk of a filled store, and of the same when all its mail has left."""

    title = "disk for mail of 4 KiB"
    unit = "octets for each"
    ratios = ()

    def __init__(self, park: Park, twin: RefillRow, held: int, *, suffix: str = "") -> None:
        """`twin` empties the store. `suffix` is that of the name."""
        self.name = f"held-octets{suffix}"
        self._filled, self._emptied = f"{held:,} held", f"{held:,} held, then drained"
        self.subjects = (self._filled, self._emptied)
        self._park = park
        self._twin = twin
        self._held = held

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Look."""
        server = self._park.restante
        if subject == self._filled:
            with server.lent_filled(self._held, SIZE):
                octets = server.disk_octets()
        else:
            octets = server.disk_octets(server.emptied(self._held, SIZE, self._twin.empty))
        return Sample(octets / (self._held * SIZE))


def refill_rows(park: Park, extent: Extent) -> list[Row]:
    """Return them: none in the quick run, and MOST only among all combinations."""
    if extent is Extent.QUICK:
        return []
    amounts = {"": 1_000_000} | ({MOST_SUFFIX: MOST} if extent is Extent.EVERY else {})
    rows: list[Row] = []
    for suffix, held in amounts.items():
        row = RefillRow(park, held, 100_000, suffix=suffix)
        rows += [row, HeldOctetsRow(park, row, held, suffix=suffix)]
    return rows
