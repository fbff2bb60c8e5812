"""A campaign: the server is killed under load again and again, and the books are compared.

    python -m tests.acceptance.crash.campaign KILLS [SEED]        `make crash N=1000`

Each life is of one kind:

    reception      mail comes in over many connections; the server is killed
    drain          held mail is handed over; the server is killed
    both           both at once; the server is killed
    destination    held mail is handed over; the destination is killed, comes back, then the server
    named          no drain is left and mail came in; some of it is released by name; the server is
                   killed, and no other mail may have left

In some campaigns the second domain's destination is told the client of its mail by the PROXY
protocol. It must be the one that the mail came from.

The number of copies that one kill may cause is asserted. The destination can have taken a message
that is still held only if it was on its way, or its outcome was not yet recorded. There
are at most UNSETTLED_PER_CONNECTION of these for each connection.
"""

# ruff: noqa: T201  it is a program too, and tells what happens

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import socket
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from tests.acceptance.crash.books import ALPHA, BETA, Books, Findings, Key, compare, copies, unnamed
from tests.acceptance.crash.destination import Destination
from tests.acceptance.crash.holdings import Held, Reader
from tests.acceptance.crash.senders import LOOK, Senders
from tests.acceptance.crash.victim import CONNECTIONS, Victim

DOMAINS: Final = 2
WINDOW: Final = UNSETTLED_PER_CONNECTION * CONNECTIONS * DOMAINS  # copies that one kill may make
KINDS: Final = {"reception": 8, "drain": 5, "both": 5, "destination": 3, "named": 2}  # how often
BACKLOG: Final = 60  # messages that must be held for a drain to be worth cutting
MOST_NAMED: Final = 20  # messages of a domain that a release names at most
NAMED_SECONDS: Final = 10.0  # for some of these, of which others may be on their way
CLIENTS: Final = tuple(f"203.0.113.{nth}" for nth in range(1, 9))  # of `tests.on_loopback`
TURN: Final = 0.2  # seconds of new mail between two requests
TURNS: Final = 20  # at most, for a point of the delivery


@dataclass(slots=True)
class Row:
    """One line of the table: the results of the lives of one kind."""

    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    invented: int = 0
    spoiled: int = 0
    copies: int = 0
    most_copies: int = 0  # of one kill
    taken: int = 0


@dataclass(slots=True)
class Table:
    """The results of a campaign."""

    seed: int
    rows: dict[str, Row] = field(default_factory=dict)

    def row(self, kind: str) -> Row:
        """Return a kind's line."""
        return self.rows.setdefault(kind, Row())

    @property
    def kills(self) -> int:
        """How many there were."""
        return sum(row.kills for row in self.rows.values())

    @property
    def most_copies(self) -> int:
        """How many one kill made, at most."""
        return max((row.most_copies for row in self.rows.values()), default=0)

    def __str__(self) -> str:
        names = (
            "kills",
            "acknowledged",
            "taken",
            "lost",
            "invented",
            "spoiled",
            "copies",
            "most_copies",
        )
        titles = ("life", *(name.replace("_", " ") for name in names))
        lines = [
            (kind, *(str(getattr(row, name)) for name in names)) for kind, row in self.rows.items()
        ]
        sums = [sum(getattr(row, name) for row in self.rows.values()) for name in names[:-1]]
        lines.append(("all", *map(str, sums), str(self.most_copies)))
        widths = [
            max(len(line[place]) for line in (titles, *lines)) for place in range(len(titles))
        ]
        return "\n".join(
            "  ".join(f"{text:>{width}}" for text, width in zip(line, widths, strict=True))
            for line in (titles, *lines)
        )


def can_bind(address: str) -> bool:
    """Tell whether this machine has an address."""
    with socket.socket() as any_socket:
        try:
            any_socket.bind((address, 0))
        except OSError:
            return False
    return True


class Campaign:
    """One installation, one destination, and any number of lives."""

    def __init__(self, seed: int, *, has_chunking: bool = True) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.clients = CLIENTS if self.random.random() < 0.5 and can_bind(CLIENTS[0]) else ()
        self.books = Books(seed)
        self.victim = Victim()
        self.destination = Destination(self.books, has_chunking=has_chunking)
        self.reader = Reader(self.victim.store, self.books, self.victim.key_file)
        self.table = Table(seed)
        self.held = Held()
        self._acknowledged = 0

    def __enter__(self) -> Self:
        self.victim.__enter__()
        self.destination.__enter__()
        self.victim.host_at(self.destination, is_told=bool(self.clients))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(f"the campaign's seed is {self.seed}")
        self.destination.__exit__(kind, error, trace)
        self.victim.__exit__(kind, error, trace)

    # Lives

    def live(self) -> Findings:
        """Live a life of some kind, and compare."""
        kind = self.random.choices(list(KINDS), list(KINDS.values()))[0]
        if kind != "reception" and len(self.held.keys) < BACKLOG:
            kind = "reception"
        if kind == "named":
            return self.live_named()
        before = Counter(self.destination.taken)
        self.victim.start()
        kills = 1
        match kind:
            case "reception":
                self._receive_until(self.random.uniform(0.02, 0.5))
            case "drain":
                self._drain_until_cut()
            case "both":
                self.victim.release()
                self._receive_until(self.random.uniform(0.02, 0.5))
            case _:
                kills += self._cut_the_destination()
                self._receive_until(self.random.uniform(0.02, 0.4))
        return self.account(kind, before, kills)

    def live_named(self) -> Findings:
        """Release some messages by name when no drain is left, be killed, and compare.

        Two lives: mail comes in during the first.
        """
        before = Counter(self.destination.taken)
        self.victim.start()
        assert not self.victim.dies_before_drains_end(), "nothing kills it"
        self._receive_until(self.random.uniform(0.2, 0.5), least=MOST_NAMED)
        findings = self.account("reception", before)
        if not findings.are_sound:
            return findings
        before = Counter(self.destination.taken)
        named = self._some_of_each_domain()
        self.victim.start()
        self.victim.release_named(named)
        self._wait_for(self.random.randint(1, len(named)), NAMED_SECONDS)
        self.victim.kill()
        findings = self.account("named", before)
        findings.spoiled.extend(unnamed(self.destination.taken, before, named.values()))
        return findings

    def _some_of_each_domain(self) -> dict[int, Key]:
        """Choose held messages by their numbers, as many as a release may name."""
        numbers = list(self.held.numbers)
        self.random.shuffle(numbers)
        chosen: dict[int, Key] = {}
        for domain in (ALPHA, BETA):
            of = [number for number in numbers if self.held.numbers[number].domain == domain]
            some = of[: self.random.randint(1, MOST_NAMED)]
            chosen |= {number: self.held.numbers[number] for number in some}
        return chosen

    def _receive_until(self, seconds: float, *, least: int = 0) -> None:
        """Take mail for so long, and at least so many messages, and kill."""
        asyncio.run(self._load(seconds, least))

    async def _load(self, seconds: float, least: int) -> None:
        senders = self._new_senders()

        async def cut() -> None:
            await asyncio.sleep(seconds)
            while senders.acknowledged < least:  # noqa: ASYNC110  the senders have no event for it
                await asyncio.sleep(LOOK)
            self.victim.kill()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(senders.run())
            tasks.create_task(cut())

    def _drain_until_cut(self) -> None:
        self.victim.release()
        self._wait_for_some()
        self.victim.kill()

    def _wait_for_some(self) -> None:
        """Return somewhere in the middle of a drain."""
        share = self.random.random() * len(self.held.keys)
        self._wait_for(share, self.random.uniform(0.05, 1.0))
        time.sleep(self.random.uniform(0, 0.01))

    def _wait_for(self, count: float, seconds: float) -> None:
        """Return when the destination has taken so many messages more, or after so long."""
        already, deadline = self.destination.look(), time.monotonic() + seconds
        while self.destination.look() - already < count and time.monotonic() < deadline:
            time.sleep(0.002)

    def _cut_the_destination(self) -> int:
        """Kill the destination once, and have it back."""
        self.victim.release()
        self._wait_for_some()
        self.destination.kill()
        self.destination.start()
        return 1

    def live_until(self, point: str, nth: int, *, is_asked: bool) -> Findings:
        """Run under load until `point` is passed for the nth time, and compare the books."""
        before = Counter(self.destination.taken)
        self.victim.start_with(point, nth)
        if is_asked:
            self._drain_by_turns()
        else:
            asyncio.run(self._new_senders().run())
        self.victim.wait_until_dead()
        return self.account(point, before)

    def _drain_by_turns(self) -> None:
        """Ask for all mail, send more for a while, and let the drains end, until the server dies.

        A drain does not end while much mail arrives. A request that joins a drain of an earlier
        life records none.
        """
        for _ in range(TURNS):
            self.victim.release()
            asyncio.run(self._send_for(TURN))
            if self.victim.dies_before_drains_end():
                return

    async def _send_for(self, seconds: float) -> None:
        """Send for so long, or until the server has exited."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._new_senders().run()

    def _new_senders(self) -> Senders:
        return Senders(
            self.victim.mx_port, self.books, self.random.getrandbits(32), clients=self.clients
        )

    def fill(self) -> None:
        """See to it that there is something to hand over."""
        while len(self.held.keys) < BACKLOG:
            before = Counter(self.destination.taken)
            self.victim.start()
            self._receive_until(0.5)
            self.account("reception", before)

    # Accounts

    def account(self, kind: str, before: Counter[Key], kills: int = 1) -> Findings:
        """Compare, after a kill. `before` is what the destination had taken when the life began."""
        self.books.close_life()
        self.destination.look()
        self.held = self.reader.look()
        findings = self._compare(kind)
        row = self.table.row(kind)
        row.kills += kills
        row.most_copies = max(row.most_copies, self._doubtful(before))
        row.copies += copies(self.destination.taken) - copies(before)
        row.taken += self.destination.taken.total() - before.total()
        return findings

    def _compare(self, kind: str) -> Findings:
        spoiled = self.held.spoiled + self.destination.spoiled
        spoiled += [f"{self.held.copies} messages are held twice"] if self.held.copies else []
        findings = compare(self.books, self.held.keys, self.destination.taken, spoiled)
        row = self.table.row(kind)
        row.acknowledged += len(self.books.acknowledged) - self._acknowledged
        self._acknowledged = len(self.books.acknowledged)
        row.lost += len(findings.lost)
        row.invented += len(findings.invented)
        row.spoiled += len(findings.spoiled)
        return findings

    def _doubtful(self, before: Counter[Key]) -> int:
        """Count the messages taken in this life that are still held: they will be sent again."""
        taken = self.destination.taken
        return sum(taken[key] > before[key] for key in self.held.keys)

    def finish(self) -> Findings:
        """Hand over all remaining mail, stop in good order, and compare again, thoroughly."""
        before = Counter(self.destination.taken)
        self.victim.start()
        assert self.victim.held_by_its_word() <= len(
            self.held.keys
        )  # drains that were cut go on by themselves
        self.victim.release()
        self.victim.wait_until_empty()
        self.victim.stop()
        self.books.close_life()
        self.destination.look()
        self.held = self.reader.look(is_thorough=True)
        row = self.table.row("the last drain")
        row.copies += copies(self.destination.taken) - copies(before)
        row.taken += self.destination.taken.total() - before.total()
        return self._compare("the last drain")


def main(kills: int, seed: int) -> int:
    """Run a campaign and print its table; 1 if anything is wrong."""
    began = time.monotonic()
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # it warns of writes to ended processes
    print(f"seed {seed}", flush=True)
    with Campaign(seed) as campaign:
        print(f"clients told to one destination: {bool(campaign.clients)}", flush=True)
        is_sound = True
        shown = 0
        while campaign.table.kills < kills and is_sound:
            is_sound = _is_sound(campaign, campaign.live())
            if campaign.table.kills >= shown + 50:
                shown = campaign.table.kills
                print(f"{shown} kills, {len(campaign.books.acknowledged)} acknowledged", flush=True)
        is_sound = _is_sound(campaign, campaign.finish()) and is_sound
        print(campaign.table)
        print(f"copies one kill may make: {WINDOW}; {time.monotonic() - began:.0f} s")
    return 0 if is_sound else 1


def _is_sound(campaign: Campaign, findings: Findings) -> bool:
    most = campaign.table.most_copies
    if findings.are_sound and not campaign.books.surprises and most <= WINDOW:
        return True
    print(
        findings,
        campaign.books.surprises[:10],
        f"most copies of one kill: {most}",
        sep="\n",
        flush=True,
    )
    print(campaign.victim.log_tail())
    return False


if __name__ == "__main__":
    sys.exit(
        main(
            int(sys.argv[1]),
            int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().getrandbits(32),
        )
    )
