"""A campaign: turnarounds into Exim are cut at random on both sides, and the books are compared.

    python -m tests.acceptance.crash.turn_campaign MESSAGES CUTS [SEED]

Each cut kills the server or the customer while mail is on its way. Then the server starts again,
and Exim asks again. At the end, every message must be in Exim's spool. A message can be there twice
only if its outcome was not yet recorded at a cut: at most UNSETTLED_PER_CONNECTION for each.
"""

# ruff: noqa: T201  it is a program too, and tells what happens

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from restante.delivery.drain_attempt import UNSETTLED_PER_CONNECTION
from tests.acceptance.installation import Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.odmr_programs import EximCustomer
from tests.acceptance.peers.senders import smtp_source_sends
from tests.acceptance.peers.server import Server

DOMAIN: Final = "first.example"
AWAY: Final = "127.0.0.1:9"
OCTETS: Final = 4096
ENVELOPE: Final = re.compile(rf"^(\d+reader@{re.escape(DOMAIN)})$", re.MULTILINE)
TURN_SECONDS: Final = 300.0


@dataclass(frozen=True)
class TurnFindings:
    """The results of a campaign."""

    sent: int
    lost: int
    invented: int
    copies: int
    cuts: int  # that met a turnaround

    @property
    def is_fine(self) -> bool:
        """Tell whether nothing was lost, and no cut made too many copies."""
        is_whole = self.lost == self.invented == 0
        return is_whole and self.copies <= UNSETTLED_PER_CONNECTION * self.cuts


class TurnCampaign:
    """A server with mail, and Exim as the customer that takes it."""

    def __init__(self, restante: Installation, exim: EximCustomer, seed: int) -> None:
        self._restante = restante
        self._exim = exim
        self._random = random.Random(seed)
        self._cuts = 0

    def run(self, messages: int, cuts: int) -> TurnFindings:
        """Hold the messages, cut turnarounds, and let the last one end."""
        login = self._restante.hosts(DOMAIN, AWAY, "--turnaround", "allow")
        self._restante.do("login", "set", "alpha", login.user, "--turnaround")
        self._restante.start()
        self._exim.configure(self._server, login)
        self._send(messages)
        for number in range(cuts):
            self._turn(cut_server=number % 2 == 0, most=messages // cuts)
        while self._restante.held(DOMAIN):
            self._turn(cut_server=None, most=1)
        return self._findings(messages)

    @property
    def _server(self) -> Server:
        return self._restante.odmr

    def _send(self, messages: int) -> None:
        sent = smtp_source_sends(
            self._restante.mx,
            "-N",  # a number in front of each recipient
            reverse_path="me@sender.example",
            forward_path=f"reader@{DOMAIN}",
            count=messages,
            sessions=10,
            size=OCTETS,
            keeps_connections=True,
        )
        assert sent.returncode == 0, sent.stdout
        assert self._restante.held(DOMAIN) == messages

    def _turn(self, *, cut_server: bool | None, most: int) -> None:
        """Run one turnaround; cut it after at most so many messages, unless it may end."""
        before = len(self._exim.queued())
        goal = before + self._random.randint(1, most)
        turn = self._exim.start_turn(self._server, DOMAIN)
        if cut_server is None:
            turn.wait(TURN_SECONDS)
            return

        def is_time() -> bool:
            return turn.poll() is not None or len(self._exim.queued()) >= goal

        eventually(is_time, what="a turnaround under way", timeout=TURN_SECONDS)
        self._cuts += turn.poll() is None
        if cut_server:
            self._restante.kill()
        end_group(turn)
        if cut_server:
            self._restante.start()

    def _findings(self, messages: int) -> TurnFindings:
        taken = Counter(
            match
            for file in self._exim.queued()
            for match in set(ENVELOPE.findall(file.read_text()))
        )
        sent = {f"{number}reader@{DOMAIN}" for number in range(1, messages + 1)}
        return TurnFindings(
            sent=messages,
            lost=len(sent - taken.keys()),
            invented=len(taken.keys() - sent),
            copies=sum(taken.values()) - len(taken),
            cuts=self._cuts,
        )


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children at once."""
    with suppress(ProcessLookupError):  # it has ended
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run_turn_campaign(messages: int, cuts: int, seed: int) -> TurnFindings:
    """Run one on an installation of its own."""
    settings = ("queue_only", "smtp_accept_max_per_connection = 0")
    with Installation() as restante, EximCustomer([DOMAIN], *settings) as exim:
        return TurnCampaign(restante, exim, seed).run(messages, cuts)


def main(words: list[str]) -> int:
    """Run one as a program."""
    messages, cuts, *seed = map(int, words)
    chosen = seed[0] if seed else random.randrange(1_000_000)
    started = time.monotonic()
    print(f"seed {chosen}")
    findings = run_turn_campaign(messages, cuts, chosen)
    print(findings, f"{time.monotonic() - started:.0f} s")
    return 0 if findings.is_fine else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
