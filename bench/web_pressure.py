"""Measure mail while strangers press on the web: passwords are guessed, and bodies come slowly.

    .venv/bin/python -m bench.web_pressure [--rounds 4] [--seconds 5]  (as root)

Clients on kept connections send a fixed rate of 4 KiB messages. They note how long each took, from
MAIL to the reply to its content. Spells without pressure and with it take turns. Under pressure,
each guesser posts a password for another user, again and again, and each slow client sends one
octet of a body each second. These come from other addresses than the mail. They run at the lowest
priority, as in reality they have machines of their own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Final

import httpx

from tests.acceptance.installation import HOST, Installation

DOMAIN: Final = "held.example"
AWAY: Final = "127.0.0.1:9"
CLIENTS: Final = 4
RATE: Final = 100  # messages a second, of all clients
GUESSERS: Final = 8
SLOW_CLIENTS: Final = 32
CONTENT: Final = b"Subject: one of many\r\n\r\n" + (b"y" * 76 + b"\r\n") * 52 + b".\r\n"
SETTINGS: Final = """
[reception]
session_seconds = 86400
"""


@dataclass
class Spells:
    """The results of the spells of one kind."""

    name: str
    p95: list[float] = field(default_factory=list)  # seconds, of each spell
    mail: int = 0
    guesses: int = 0

    def __str__(self) -> str:
        return (
            f"| {self.name} | {self.mail:,} | {statistics.median(self.p95) * 1000:.1f} |"
            f" {max(self.p95) * 1000:.1f} | {self.guesses:,} |"
        )


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


def guess(address: str, port: int, end: Event, number: int) -> int:
    """Guess passwords of one user after the other until the end; return how many were answered."""
    count = 0
    transport = httpx.HTTPTransport(local_address=address)
    form = {"password": "a wrong password", "code": "000000"}
    with httpx.Client(transport=transport, base_url=f"http://{HOST}:{port}", timeout=30) as web:
        while not end.is_set():
            email = f"user{number}-{count}@held.example"
            try:
                web.post(
                    "/sign-in",
                    data={**form, "email": email},
                    headers={"Sec-Fetch-Site": "same-origin"},
                )
            except httpx.TransportError:  # there are limits of connections, and of time
                end.wait(0.05)
                continue
            count += 1
    return count


def trickle(address: str, port: int, end: Event) -> None:
    """Send a body one octet a second, and begin again when the server has had enough."""
    head = b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
    while not end.is_set():
        try:
            with socket.create_connection((HOST, port), 30, (address, 0)) as session:
                session.sendall(head)
                while not end.wait(1.0):
                    session.sendall(b"x")
        except OSError:
            end.wait(0.5)


def press(
    port: int, begin: Event, end: Event, over: Event, counts: multiprocessing.Queue[int]
) -> None:
    """Be all strangers, spell after spell, in a process of the lowest priority."""
    os.nice(19)
    while True:
        begin.wait()
        if over.is_set():
            return
        with ThreadPoolExecutor(GUESSERS + SLOW_CLIENTS) as threads:
            guessed = [
                threads.submit(guess, f"127.0.3.{number + 1}", port, end, number)
                for number in range(GUESSERS)
            ]
            for number in range(SLOW_CLIENTS):
                threads.submit(trickle, f"127.0.4.{number + 1}", port, end)
        counts.put(sum(one.result() for one in guessed))


def spell(port: int, seconds: float) -> list[float]:
    """Have all clients send for some seconds, and return their waits."""
    with multiprocessing.Pool(CLIENTS) as clients:
        found = clients.starmap(send_mail, [(port, seconds, number) for number in range(CLIENTS)])
    return [one for waits in found for one in waits]


def run(rounds: int, seconds: float) -> tuple[Spells, Spells]:
    """Return what was found without pressure and with it."""
    quiet, pressed = Spells("none"), Spells("guesses and slow bodies")
    begin, end, over = (multiprocessing.Event() for _ in range(3))
    counts: multiprocessing.Queue[int] = multiprocessing.Queue()
    with Installation(more=SETTINGS) as restante:
        restante.hosts(DOMAIN, AWAY)
        restante.start()
        strangers = multiprocessing.Process(
            target=press, args=(restante.web_port, begin, end, over, counts), daemon=True
        )
        strangers.start()
        spell(restante.mx_port, 1.0)
        for _ in range(rounds):
            _measure(quiet, spell(restante.mx_port, seconds))
            end.clear()
            begin.set()
            time.sleep(0.5)
            _measure(pressed, spell(restante.mx_port, seconds))
            begin.clear()
            end.set()
            pressed.guesses += counts.get()
        over.set()
        begin.set()
        strangers.join()
    return quiet, pressed


def _measure(spells: Spells, waits: list[float]) -> None:
    spells.mail += len(waits)
    spells.p95.append(statistics.quantiles(waits, n=20)[-1])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    quiet, pressed = run(given.rounds, given.seconds)
    print("| pressure on the web | messages | p95 of mail, ms: median | worst | guesses |")
    print("| --- | ---: | ---: | ---: | ---: |")
    print(quiet)
    print(pressed)
    change = statistics.median(pressed.p95) / statistics.median(quiet.p95) - 1
    print(f"The median of p95 moved by {change:+.0%}.")


if __name__ == "__main__":
    main()
