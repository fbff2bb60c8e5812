"""A campaign: turnarounds into Exim are cut at random, and the books are compared.

    python -m tests.acceptance.crash.turn_campaign MESSAGES CUTS [SEED]

With RESTANTE_TEST_STORE=postgres the server has its mail in PostgreSQL. Each cut is of one kind,
while mail is on its way:

    server      the server is killed (SIGKILL), and starts again; Exim sees the end of the stream
    customer    Exim is killed with all its processes
    link        the connection is cut in the middle of the octets, and both programs stay

Before each cut, Exim fetches one message of another domain to the end. So the server knows that it
may send mail ahead of replies, and the cut meets a window of messages. Then Exim asks again. In the
end, every message must be in Exim's spool. It can be there twice only
if its outcome was not yet known or not yet recorded at a cut. So each cut may make as many copies
as a connection may have unsettled: UNSETTLED_PER_CONNECTION. After each cut, the messages in the
spool and those that are still held are counted. Together they are all messages that were sent, and
the copies that were made or will be made.
"""

# ruff: noqa: T201  it is a program too, and tells what happens

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Final

from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from tests.acceptance.crash.turn_link import TurnLink
from tests.acceptance.installation import Installation, found
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.odmr_programs import EximCustomer
from tests.acceptance.peers.senders import smtp_source_sends
from tests.acceptance.peers.server import Server

DOMAIN: Final = "first.example"
FORERUN: Final = "forerun.example"  # fetched whole, before each cut
AWAY: Final = "127.0.0.1:9"
OCTETS: Final = 4096
ENVELOPE: Final = re.compile(rf"^(\d+reader\d+@{re.escape(DOMAIN)})$", re.MULTILINE)
TURN_SECONDS: Final = 300.0
START_SECONDS: Final = 120.0  # of the server, on a machine with other work
KINDS: Final = ("server", "customer", "link")


@dataclass(frozen=True)
class TurnFindings:
    """The results of a campaign."""

    sent: int
    lost: int
    invented: int
    copies: int
    most_copies: int  # of one cut
    cuts: Counter[str]  # that met a turnaround, by kind
    ahead: int  # turnarounds that a server which lives on saw broken with mail ahead of replies

    @property
    def is_fine(self) -> bool:
        """Tell whether nothing was lost, and no cut made too many copies."""
        is_whole = self.lost == self.invented == 0
        return is_whole and self.most_copies <= UNSETTLED_PER_CONNECTION


class TurnCampaign:
    """A server with mail, and Exim as the customer that takes it."""

    def __init__(
        self, restante: Installation, exim: EximCustomer, link: TurnLink, seed: int
    ) -> None:
        self._restante = restante
        self._exim = exim
        self._link = link
        self._random = random.Random(seed)
        self._sent: set[str] = set()  # the recipients of the messages, which tell them apart
        self._learned = 0  # messages of the other domain that have come
        self._copies = 0  # that were made or will be made
        self._most_copies = 0
        self._cuts: Counter[str] = Counter()

    def run(self, messages: int, cuts: int) -> TurnFindings:
        """Hold the messages, cut turnarounds, and let the last one end."""
        login = self._restante.hosts(DOMAIN, AWAY, "--turnaround", "allow")
        self._restante.hosts(FORERUN, AWAY, "--turnaround", "allow")
        self._restante.do("login", "set", "alpha", login.user, "--turnaround")
        self._restante.start()
        self._exim.configure(self._server, login)
        self._hold(messages)
        for number in range(cuts):
            kind = KINDS[number % len(KINDS)]
            while not self._meets(kind, most=messages // cuts):
                print(f"no turnaround was there to cut ({kind})")
                if not self._restante.held(DOMAIN):  # it was too fast, and has taken all
                    self._hold(messages)
        while self._restante.held(DOMAIN):
            self._exim.start_turn(self._server, DOMAIN).wait(TURN_SECONDS)
        return self._findings()

    @property
    def _server(self) -> Server:
        return replace(self._restante.odmr, port=self._link.port)

    def _hold(self, messages: int) -> None:
        """Send messages to recipients that had none yet, while nothing else is held."""
        name = f"reader{len(self._sent)}"
        self._send(messages, f"{name}@{DOMAIN}")
        assert self._restante.held(DOMAIN) == messages
        self._sent |= {f"{number}{name}@{DOMAIN}" for number in range(1, messages + 1)}

    def _send(self, messages: int, forward_path: str) -> None:
        sent = smtp_source_sends(
            self._restante.mx,
            "-N",  # a number in front of each recipient
            reverse_path="me@sender.example",
            forward_path=forward_path,
            count=messages,
            sessions=min(messages, 10),
            size=OCTETS,
            keeps_connections=True,
        )
        assert sent.returncode == 0, sent.stdout

    def _learn(self) -> None:
        """Complete a turnaround, which ends with the probe for CHUNKING."""
        self._send(1, f"reader@{FORERUN}")
        before = self._exim.queue_length
        assert self._exim.start_turn(self._server, FORERUN).wait(TURN_SECONDS) == 0
        self._learned += self._exim.queue_length - before

    def _meets(self, kind: str, most: int) -> bool:
        """Cut a turnaround after at most so many messages; return whether one was there."""
        self._learn()
        goal = self._exim.queue_length + self._random.randint(1, most)
        turn = self._exim.start_turn(self._server, DOMAIN)

        def is_time() -> bool:
            return turn.poll() is not None or self._exim.queue_length >= goal

        eventually(is_time, what="a turnaround under way", timeout=TURN_SECONDS)
        time.sleep(self._random.random() / 20)  # not always just behind a message
        has_met = turn.poll() is None
        if has_met:
            has_met = self._cut(kind, turn)
        end_group(turn)
        eventually(self._is_over, what="the end of a turnaround", timeout=TURN_SECONDS)
        if has_met:
            self._cuts[kind] += 1
            self._count_copies()
        return has_met

    def _cut(self, kind: str, turn: subprocess.Popen[bytes]) -> bool:
        """Cut a turnaround; return whether that was possible."""
        if kind == "server":
            self._restante.kill()
            turn.wait(TURN_SECONDS)
            self._restante.start()
        elif kind == "customer":
            end_group(turn)
        else:
            cuts = self._link.cuts
            octets = self._random.randint(1, 3 * OCTETS)
            self._link.cut_after(octets, by_reset=self._random.random() < 0.5)
            turn.wait(TURN_SECONDS)
            return self._link.cuts > cuts
        return True

    def _is_over(self) -> bool:
        return not self._restante.shown("drain", "list")

    def _count_copies(self) -> None:
        """Count the copies of the last cut. A negative number is that of lost messages."""
        taken = self._exim.queue_length - self._learned
        copies = taken + self._restante.held(DOMAIN) - len(self._sent)
        assert copies >= self._copies, f"{self._copies - copies} messages are nowhere"
        self._most_copies = max(self._most_copies, copies - self._copies)
        self._copies = copies

    def _findings(self) -> TurnFindings:
        taken = Counter(
            match
            for file in self._exim.queued()
            for match in set(ENVELOPE.findall(file.read_text()))
        )
        return TurnFindings(
            sent=len(self._sent),
            lost=len(self._sent - taken.keys()),
            invented=len(taken.keys() - self._sent),
            copies=sum(taken.values()) - len(taken),
            most_copies=self._most_copies,
            cuts=self._cuts,
            ahead=len(self._restante.events("delivery-attempt", manner="ahead", end="broken")),
        )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children at once."""
    with suppress(ProcessLookupError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_turn_campaign(messages: int, cuts: int, seed: int) -> TurnFindings:
    """Run one on an installation of its own."""
    settings = ("queue_only", "smtp_accept_max_per_connection = 0")
    with ExitStack() as stack:
        restante = stack.enter_context(Installation())
        restante.patience = START_SECONDS
        exim = stack.enter_context(EximCustomer([DOMAIN, FORERUN], *settings))
        link = stack.enter_context(TurnLink(restante.odmr_port))
        return TurnCampaign(restante, exim, link, seed).run(messages, cuts)


@contextmanager
def chosen_store() -> Iterator[None]:
    """Have installations on PostgreSQL with RESTANTE_TEST_STORE=postgres."""
    if os.environ.get("RESTANTE_TEST_STORE", "sqlite") == "sqlite":
        yield
        return
    from tests.postgres_cluster import PostgresCluster  # noqa: PLC0415  an extra

    cluster = PostgresCluster()
    try:
        template = asyncio.run(cluster.create())
        found(cluster.url(template))
        Installation.new_database = lambda: cluster.url(asyncio.run(cluster.create(template)))
        yield
    finally:
        Installation.new_database = None
        cluster.stop()


def main(words: list[str]) -> int:
    """Run one as a program."""
    messages, cuts, *seed = map(int, words)
    chosen = seed[0] if seed else random.randrange(1_000_000)
    started = time.monotonic()
    print(f"seed {chosen}")
    with chosen_store():
        findings = run_turn_campaign(messages, cuts, chosen)
    print(findings, f"{time.monotonic() - started:.0f} s")
    return 0 if findings.is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
