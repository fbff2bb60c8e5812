"""Measure work that should not depend on the amount of held mail: ETRN, start-up, listings.

Stores are filled through Restante's own interface. The store of 1,000,000 messages is made once,
and each run gets a copy. The destination replies 421 to MAIL, so no mail leaves. The times are
those that a primary or an operator sees: from ETRN to MAIL, from start until ready, and of a whole
command.
"""

import socket
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bench.domains import HOST
from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.park import RESTANTE, SHARED_ALONE, Park
from bench.servers.restante import RestanteServer
from bench.servers.shared_restante import SharedRestante
from tests.acceptance.peers.eventually import eventually

SIZE: Final = 4096
REQUESTS: Final = 7
MOST: Final = 3_000_000  # messages, in rows of their own: they need 35 GB and a quarter of an hour
MOST_SUFFIX: Final = "-3m"  # of the names of these rows
PATIENCE: Final = 60.0  # seconds

EHLO_REPLY: Final = b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
BUSY: Final = b"421 4.3.2 Not now\r\n"


@dataclass(frozen=True, slots=True)
class Filling:
    """How much is held, and where."""

    messages: int
    domains: int = 1
    server: str = RESTANTE

    @property
    def text(self) -> str:
        """Return the name in the table."""
        domains = "1 domain" if self.domains == 1 else f"{self.domains:,} domains"
        place = "" if self.server == RESTANTE else ", PostgreSQL"
        return f"{self.messages:,} held in {domains}{place}"


class BusySink:
    """A destination that replies 421 to MAIL, and keeps the time of the first MAIL."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server((HOST, port), backlog=64)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.heard: list[float] = []  # monotonic seconds

    def close(self) -> None:
        """Listen no more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(PATIENCE)
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        connection.sendall(b"220 sink.example ESMTP\r\n")
        while said := connection.recv(65536):
            if b"MAIL FROM" in said:
                self.heard.append(time.monotonic())
                connection.sendall(BUSY)
                return
            connection.sendall(EHLO_REPLY if said.startswith(b"EHLO") else b"250 2.0.0 Ok\r\n")


class HeldRow(Row):
    """One thing that is done beside much held mail, or little."""

    def __init__(
        self,
        park: Park,
        what: tuple[str, str, str],
        take: "Take",
        fillings: list[Filling],
    ) -> None:
        """`what`: name, title, unit."""
        self.name, self.title, self.unit = what
        self.subjects = [filling.text for filling in fillings]
        least = {filling.server: filling.text for filling in reversed(fillings)}
        self.ratios = [
            (filling.text, least[filling.server])
            for filling in fillings
            if filling.text != least[filling.server]
        ]
        self._park = park
        self._take = take
        self._fillings = dict(zip(self.subjects, fillings, strict=True))

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Do it beside so much, and see that all of it is still there."""
        filling = self._fillings[subject]
        server = held_server(self._park, filling)
        with server.lent_filled(filling.messages, SIZE, domains=filling.domains):
            begin = time.monotonic()
            with server.started_by(server.start_again):
                value = self._take(server, self._park.destination_port, begin)
                server.check_held(filling.messages, SIZE)
        return Sample(value)


HeldServer = RestanteServer | SharedRestante
Take = Callable[[HeldServer, int, float], float]
"""Measures a time, in milliseconds, of a server that has just become ready.

Gets the port of its destination, and its start time.
"""


def held_server(park: Park, filling: Filling) -> HeldServer:
    """Return the server that holds the mail."""
    return park.restante if filling.server == RESTANTE else park.shared[filling.server]


def first_mail(server: HeldServer, destination_port: int, _: float) -> float:
    """Take the time from ETRN to the first MAIL at the destination."""
    sink = BusySink(destination_port)
    try:
        return statistics.median(_first_mail(server, sink) for _ in range(REQUESTS))
    finally:
        sink.close()


def _first_mail(server: HeldServer, sink: BusySink) -> float:
    sink.heard.clear()
    begin = server.ask_for_mail()
    eventually(lambda: sink.heard, what="MAIL at the destination", timeout=PATIENCE)
    eventually(lambda: not server.status()["drains"], what="the drain to end", timeout=PATIENCE)
    return (sink.heard[0] - begin) * 1000


def start_up(_: HeldServer, __: int, begin: float) -> float:
    """Take the time until the server said that it was ready."""
    return (time.monotonic() - begin) * 1000


def command(*words: str) -> Take:
    """Return what takes the time of a command of `restante`."""

    def take(server: HeldServer, _: int, __: float) -> float:
        begin = time.monotonic()
        server.command(*words)
        return (time.monotonic() - begin) * 1000

    return take


WHATS: Final = [
    (("first-mail", "ETRN to first MAIL", "ms"), first_mail),
    (("start-up", "start-up", "ms"), start_up),
    (
        ("queue-list", "restante queue list (the first thousand)", "ms"),
        command("queue", "list", "--json"),
    ),
    (("status", "restante status", "ms"), command("status", "--json")),
]


def held_rows(park: Park, extent: Extent) -> list[Row]:
    """Return them: in the quick run, the first MAIL only, with a hundred thousand at most."""
    if extent is Extent.QUICK:
        few = [Filling(1000), Filling(100_000)]
        shared = [Filling(1000, server=SHARED_ALONE), Filling(20_000, server=SHARED_ALONE)]
        return [HeldRow(park, *WHATS[0], [*few, *shared])]
    fillings = [Filling(1000), Filling(100_000), Filling(1_000_000), Filling(1_000_000, 10_000)]
    shared = [Filling(1000, server=SHARED_ALONE), Filling(1_000_000, server=SHARED_ALONE)]
    rows: list[Row] = [HeldRow(park, what, take, [*fillings, *shared]) for what, take in WHATS]
    if extent is Extent.EVERY:
        most = [Filling(1000), Filling(MOST)]
        for (name, title, unit), take in WHATS:
            rows.append(HeldRow(park, (name + MOST_SUFFIX, title, unit), take, most))
    return rows
