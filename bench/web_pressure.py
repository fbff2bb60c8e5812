"""Measure mail while strangers press on the web: passwords are guessed, and bodies come slowly.

    .venv/bin/python -m bench.web_pressure [--rounds 10] [--seconds 5] [--rates 10 100]

Clients on kept connections send a fixed rate of 4 KiB messages. They note how long each took, from
MAIL to the reply to its content. Spells of three kinds take turns: without pressure, with the same
pressure on a stand-in (the control), and with pressure on Restante. The stand-in is a web server of
its own, which answers each guess at once. So the control has the cost of making the pressure on the
same processors. The difference between the last two is the work of Restante.

Under pressure each guess comes on a connection of its own, at a fixed rate. Addresses and users
differ from guess to guess. Each slow client sends one octet of a body each second.
The strangers and the stand-in run when nobody else wants a processor, as in reality they have
machines of their own. Mail and server run before all other work of this machine. Needs root.
`--publish` writes the tables into docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import os
import socket
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final

from bench.domains import ROOT
from bench.machine import describe
from bench.priority import be_last, put_first
from bench.publish import publish_pressure
from tests.acceptance.installation import HOST, Installation
from tests.acceptance.peers.ports import free_port

DOMAIN: Final = "held.example"
AWAY: Final = "127.0.0.1:9"
CLIENTS: Final = 4
RATE: Final = 100  # messages a second, of all clients
ADDRESSES: Final = 200  # of the guessers
SLOW_CLIENTS: Final = 32
WARMING: Final = 1.0  # seconds from the begin of pressure to the begin of a spell
NOBODY: Final = 0  # the port where no pressure goes
CONTENT: Final = b"Subject: one of many\r\n\r\n" + (b"y" * 76 + b"\r\n") * 52 + b".\r\n"
SETTINGS: Final = """
[reception]
session_seconds = 86400
"""
GUESS: Final = "email=user{number}%40held.example&password=a+wrong+password&code=000000"
HEAD: Final = (
    "POST /sign-in HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\nConnection: close\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
)
ANSWER: Final = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@dataclass
class Spells:
    """The results of the spells of one kind."""

    name: str
    p50: list[float] = field(default_factory=list)  # seconds, of each spell
    p95: list[float] = field(default_factory=list)
    mail: int = 0
    guesses: Counter[str] = field(default_factory=Counter)  # by the status of their answers

    def add(self, waits: list[float], guesses: Counter[str]) -> None:
        """Add a spell."""
        points = statistics.quantiles(waits, n=20)
        self.mail += len(waits)
        self.p50.append(points[9])
        self.p95.append(points[-1])
        self.guesses += guesses

    def __str__(self) -> str:
        statuses = ", ".join(
            f"{count:,} {status}" for status, count in sorted(self.guesses.items())
        )
        middle, last = statistics.median(self.p50), statistics.median(self.p95)
        return (
            f"| {self.name} | {self.mail:,} | {middle * 1000:.2f} | {last * 1000:.2f} |"
            f" {max(self.p95) * 1000:.2f} | {statuses or 'none'} |"
        )


# The mail


def _talk(session: socket.socket, *lines: bytes) -> None:
    for line in lines:
        session.sendall(line)
        answer = session.recv(4096)
        assert answer[:1] in b"23", answer


def send_mail(port: int, seconds: float, number: int) -> list[float]:
    """Send at the rate of one client, and return how long each message took."""
    waits: list[float] = []
    step = CLIENTS / RATE
    with socket.create_connection((HOST, port), timeout=60) as session:
        session.recv(4096)
        _talk(session, b"EHLO client.example\r\n")
        due = time.monotonic() + step * number / CLIENTS
        end = due + seconds
        while due < end:
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.monotonic()
            _talk(
                session,
                b"MAIL FROM:<a@sender.example>\r\n",
                b"RCPT TO:<b@held.example>\r\n",
                b"DATA\r\n",
                CONTENT,
            )
            waits.append(time.monotonic() - began)
            due += step
    return waits


def spell(port: int, seconds: float) -> list[float]:
    """Have all clients send for some seconds, and return their waits."""
    with multiprocessing.Pool(CLIENTS) as clients:
        found = clients.starmap(send_mail, [(port, seconds, number) for number in range(CLIENTS)])
    return [one for waits in found for one in waits]


# The strangers


async def guess(port: int, number: int, statuses: Counter[str]) -> None:
    """Guess a password of one user, and count the status of the answer."""
    body = GUESS.format(number=number)
    address = f"198.51.100.{number % ADDRESSES + 1}"
    try:
        reader, writer = await asyncio.open_connection(HOST, port, local_addr=(address, 0))
        try:
            writer.write((HEAD.format(length=len(body)) + body).encode())
            answer = await reader.read(12)
            statuses[answer[9:12].decode() or "closed"] += 1
            await reader.read()
        finally:
            writer.close()
    except OSError:
        statuses["closed"] += 1
    except asyncio.CancelledError:
        statuses["unanswered"] += 1


async def guess_all(port: int, rate: float, statuses: Counter[str]) -> None:
    """Begin guesses at a rate, whether or not the others are answered."""
    loop = asyncio.get_running_loop()
    due, number = loop.time(), 0
    async with asyncio.TaskGroup() as tasks:
        while True:
            await asyncio.sleep(due - loop.time())
            tasks.create_task(guess(port, number, statuses))
            due, number = due + 1 / rate, number + 1


async def trickle(address: str, port: int) -> None:
    """Send a body one octet a second, and begin again when the server has had enough."""
    head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    while True:
        try:
            _, writer = await asyncio.open_connection(HOST, port, local_addr=(address, 0))
            try:
                writer.write(head)
                while True:
                    await asyncio.sleep(1.0)
                    writer.write(b"x")
                    await writer.drain()
            finally:
                writer.close()
        except OSError:
            await asyncio.sleep(0.5)


async def stand_in(port: int) -> None:
    """Answer each guess at once, and read slow bodies."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"100000" in head:
                await reader.read()
            else:
                await reader.readuntil(b"000000")
                writer.write(ANSWER)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(serve, HOST, port) as server:
        await server.serve_forever()


def stand(port: int) -> None:
    """Be the stand-in."""
    be_last()
    asyncio.run(stand_in(port))


def press(orders: Connection, rate: float) -> None:
    """Be all strangers: press on each port that comes, until the next comes."""
    be_last()

    async def press_on(port: int, statuses: Counter[str]) -> None:
        async with asyncio.TaskGroup() as tasks:
            if rate:
                tasks.create_task(guess_all(port, rate, statuses))
            for number in range(SLOW_CLIENTS):
                tasks.create_task(trickle(f"127.0.4.{number + 1}", port))

    async def follow() -> None:
        while (port := orders.recv()) is not None:
            statuses: Counter[str] = Counter()
            task = asyncio.create_task(press_on(port, statuses))
            await asyncio.get_running_loop().run_in_executor(None, orders.recv)
            task.cancel()
            await asyncio.wait([task])
            orders.send(statuses)

    asyncio.run(follow())


# The table


class Bench:
    """One server, the stand-in, and the strangers."""

    def __init__(self, mx_port: int, web_port: int, rate: float) -> None:
        self._mx_port = mx_port
        stand_in_port = free_port(HOST)
        self.kinds = (
            (Spells("none"), NOBODY),
            (Spells("on the stand-in"), stand_in_port),
            (Spells("on Restante"), web_port),
        )
        self._orders, theirs = multiprocessing.Pipe()
        for target, given in ((stand, (stand_in_port,)), (press, (theirs, rate))):
            multiprocessing.Process(target=target, args=given, daemon=True).start()

    def measure(self, which: int, seconds: float) -> None:
        """Measure a spell of one kind."""
        spells, port = self.kinds[which]
        statuses: Counter[str] = Counter()
        if port != NOBODY:
            self._orders.send(port)
            time.sleep(WARMING)
        waits = spell(self._mx_port, seconds)
        if port != NOBODY:
            self._orders.send(None)
            statuses = self._orders.recv()
        spells.add(waits, statuses)


def run(rounds: int, seconds: float, rate: float) -> tuple[Spells, ...]:
    """Return what was found with each kind of pressure."""
    with Installation(more=SETTINGS) as restante:
        restante.hosts(DOMAIN, AWAY)
        restante.start()
        put_first(os.getpid(), restante.pid)
        bench = Bench(restante.mx_port, restante.web_port, rate)
        spell(restante.mx_port, 1.0)
        for number in range(rounds):
            for place in range(3):
                bench.measure((number + place) % 3, seconds)
    return tuple(spells for spells, _ in bench.kinds)


def change(before: list[float], after: list[float]) -> str:
    """Return the median of the changes from spell to spell, with the quartiles of the rounds."""
    changes = [there / here - 1 for here, there in zip(before, after, strict=True)]
    if len(changes) < 2:
        return f"{changes[0]:+.0%}"
    first, middle, third = statistics.quantiles(changes, n=4)
    return f"{middle:+.0%} ({first:+.0%} to {third:+.0%})"


def as_markdown(rate: float, found: tuple[Spells, ...]) -> str:
    """Return the table of one rate, and the changes of p95 and p50."""
    none, control, pressed = found
    lines = [
        f"With {rate:g} guesses begun a second:",
        "",
        "| pressure | messages | p50 of mail, ms | p95, ms | worst p95, ms | guesses, by answer |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
        *(str(one) for one in found),
        "",
        f"From the control to Restante, p95 changes by {change(control.p95, pressed.p95)}, and p50",
        f"by {change(control.p50, pressed.p50)}. From none to the control, p95 changes by",
        f"{change(none.p95, control.p95)}.",
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--rates", type=float, nargs="+", default=[10.0, 100.0], help="guesses a second"
    )
    parser.add_argument(
        "--publish", action="store_true", help="write the table into docs/benchmarks.md"
    )
    given = parser.parse_args()
    machine = describe(ROOT)
    table = "\n\n".join(
        as_markdown(rate, run(given.rounds, given.seconds, rate)) for rate in given.rates
    )
    print(table)
    if given.publish:
        facts = {name: machine[name] for name in ("date", "processor", "Python", "Restante")}
        publish_pressure(f"python -m bench.web_pressure {' '.join(sys.argv[1:])}", facts, table)


if __name__ == "__main__":
    main()
