"""Handing over: from ETRN to the last message at the destination, near and far.

Restante's store is filled beforehand through its own interface, Postfix's queue by smtp-source.
Then the bench waits until all of Postfix's mail is deferred, because its ETRN moves nothing else.
Postfix runs with its defaults: 20 connections, reused as its cache decides. Rows that distance
makes slow get fewer messages; otherwise a run would take an hour. All messages have 4 KiB, except
where a subject says otherwise.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.load.load import Load
from bench.measure import Meter
from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.park import POSTFIX, RESTANTE, SHARED_ALONE, UNSEALED, Park
from bench.servers.server import Lost
from bench.sinks.destination import ChunkingSink, Destination, Distant, StockPostfix, StockSink
from bench.syncs import counting_syncs
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port

SIZE: Final = 4096
PATIENCE: Final = 60.0  # seconds in which no message comes
FILLING_SESSIONS: Final = 20

CHUNKING, PIPELINING, STOCK = "CHUNKING sink", "smtp-sink", "Postfix"

DESTINATIONS: Final[dict[str, Callable[[int], Destination]]] = {
    CHUNKING: ChunkingSink,
    PIPELINING: StockSink,
    STOCK: StockPostfix,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """The server, its destination, and the number of messages."""

    server: str
    destination: str
    messages: int
    octets: int = SIZE  # of each

    @property
    def text(self) -> str:
        """Return the name in the table."""
        return f"{self.server} to {self.destination}"


class DrainRow(Row):
    """Drains over one distance."""

    def __init__(
        self,
        park: Park,
        round_trip: int,
        subjects: list[Subject],
        *,
        is_long: bool = False,
        counts_syncs: bool = False,
    ) -> None:
        """`is_long`: so much is held that how a drain begins does not count."""
        self.name = f"drain-{round_trip}ms" + "-long" * is_long
        self.title = ("long " * is_long) + (
            f"drain, {round_trip} ms round trip" if round_trip else "drain on this machine"
        )
        self.subjects = [subject.text for subject in subjects]
        self.ratios = [
            (ours.text, theirs.text)
            for ours in subjects
            for theirs in subjects
            if ours.server != POSTFIX
            and theirs.server == POSTFIX
            and _are_like(ours.destination, theirs.destination)
        ]
        self.note = "messages: " + ", ".join(
            f"{subject.text} {subject.messages:,}" for subject in subjects
        )
        self._subjects = {subject.text: subject for subject in subjects}
        self._park = park
        self._round_trip = round_trip
        self._counts_syncs = counts_syncs  # which takes another drain of each subject

    def run(self, subject: str, *, is_first: bool) -> Sample:
        """Fill, ask, and wait until all has come."""
        what = self._subjects[subject]
        server = self._park[what.server]
        is_counted = is_first and self._counts_syncs and what.server != SHARED_ALONE
        syncs = self._count_syncs(what) if is_counted else None
        with self._holding(what), self._destination(what) as destination:
            os.sync()
            with Meter(*server.leaders) as meter:
                begin = server.ask_for_mail()
                seconds = wait_for(destination, what.messages) - begin
            check_all_came(destination, what.messages, what.octets)
            eventually(
                lambda: server.held().messages == 0,
                what=f"{server.name} to hold nothing",
                timeout=60,
            )
        return Sample(
            what.messages / seconds, meter.cpu / what.messages * 1000, meter.memory, syncs
        )

    def _count_syncs(self, what: Subject) -> float | None:
        server = self._park[what.server]
        with (
            self._holding(what),
            self._destination(what) as destination,
            counting_syncs(server.pid) as syncs,
        ):
            server.ask_for_mail()
            wait_for(destination, what.messages)
        return None if syncs.count is None else syncs.count / what.messages

    @contextmanager
    def _holding(self, what: Subject) -> Iterator[None]:
        """Run the server with the mail in its keeping."""
        if what.server == SHARED_ALONE:
            with self._park.shared[SHARED_ALONE].running_filled(what.messages, what.octets):
                yield
            return
        if what.server != POSTFIX:
            restante = self._park.unsealed if what.server == UNSEALED else self._park.restante
            with restante.running_filled(what.messages, what.octets):
                yield
            return
        postfix = self._park.postfix
        with postfix.running():
            Load(what.messages, SIZE, FILLING_SESSIONS, is_kept=True).send(postfix.port)
            postfix.settle()
            postfix.check_held(what.messages, SIZE)
            yield

    @contextmanager
    def _destination(self, what: Subject) -> Iterator[Destination]:
        """Run the destination, at its distance, where the mail goes."""
        port = self._park.destination_port
        if self._round_trip:
            destination: Destination = Distant(
                DESTINATIONS[what.destination](free_port()), port, self._round_trip
            )
        else:
            destination = DESTINATIONS[what.destination](port)
        try:
            destination.start()
            yield destination
        finally:
            destination.close()


def _are_like(ours: str, theirs: str) -> bool:
    """Return whether both or neither is a sink: Postfix delivers alike to either sink."""
    return (ours == STOCK) == (theirs == STOCK)


def wait_for(destination: Destination, messages: int) -> float:
    """Return the moment at which the last message had come. Raises Lost where some never come."""
    known, deadline = 0, time.monotonic() + PATIENCE
    while (count := destination.count()) < messages:
        if count > known:
            known, deadline = count, time.monotonic() + PATIENCE
        elif time.monotonic() > deadline:
            raise Lost(
                f"{count} of {messages} messages have come, and no more for {PATIENCE:.0f} s"
            )
        time.sleep(destination.look_every)
    return time.monotonic()


def check_all_came(destination: Destination, messages: int, octets_each: int = SIZE) -> None:
    """Check that all held mail arrived. Raises Lost."""
    octets = destination.octets()
    if destination.count() != messages or (octets is not None and octets < messages * octets_each):
        raise Lost(
            f"{messages} messages were held; {destination.count()} came, with {octets} octets"
        )


def drain_rows(park: Park, extent: Extent) -> list[Row]:
    """Return a row for each distance."""
    if extent is Extent.QUICK:
        near = [
            Subject(RESTANTE, CHUNKING, 4000),
            Subject(RESTANTE, PIPELINING, 4000),
            Subject(SHARED_ALONE, PIPELINING, 4000),
        ]
        far = [Subject(RESTANTE, CHUNKING, 4000), Subject(RESTANTE, PIPELINING, 300)]
        postfix = Subject(POSTFIX, PIPELINING, 2000), Subject(POSTFIX, PIPELINING, 300)
        return [DrainRow(park, 0, [*near, postfix[0]]), DrainRow(park, 100, [*far, postfix[1]])]
    every = [
        DrainRow(park, distance, _every(distance), counts_syncs=not distance)
        for distance in (0, 20, 100)
    ]
    long = [Subject(RESTANTE, CHUNKING, 100_000)]
    return [*every, *(DrainRow(park, distance, long, is_long=True) for distance in (0, 100))]


def _every(round_trip: int) -> list[Subject]:
    """Return all pairs. Postfix gets fewer messages over a distance: they would take an hour."""
    some = {0: 5000, 20: 3000, 100: 1500}[round_trip]
    return [
        Subject(RESTANTE, CHUNKING, 10_000),
        Subject(RESTANTE, PIPELINING, 10_000),
        Subject(SHARED_ALONE, CHUNKING, 10_000),
        Subject(SHARED_ALONE, PIPELINING, 10_000),
        Subject(POSTFIX, PIPELINING, some),
        Subject(RESTANTE, STOCK, 10_000),
        Subject(POSTFIX, STOCK, some),
    ]
