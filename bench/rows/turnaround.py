"""Turnarounds (RFC 2645): Exim asks by ATRN, and takes all mail over its one connection.

The clock runs from the start of `exim -atrn` to its end. The customer syncs each message into its
spool. Two rows show the CPU time of each end; the second one has that of the customer.

The first turnaround of a login sends one message after the other, and the later ones send ahead of
replies. *Restante to Exim* is a later one: one message of another domain is fetched beforehand.

*smtp-source to Exim* shows the speed at which this Exim takes mail on one connection from a sender
that stores nothing. Exim as a provider is slow, so it gets fewer messages. It works without TLS
only (servers/exim_odmr.py).
"""

import os
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from bench.load.load import Load
from bench.measure import CpuGroup, Meter
from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.exim_odmr import FORERUN, LOGIN, EximProvider, TakingExim, in_clear
from bench.servers.park import Park

SIZE: Final = 4096
RESTANTE, FIRST = "Restante to Exim", "Restante to Exim, the first"
EXIM, SOURCE = "Exim to Exim, no TLS", "smtp-source to Exim, no TLS"
FILLING_SESSIONS: Final = 20


@dataclass(frozen=True, slots=True)
class TurnaroundCost:
    """One turnaround of so many messages."""

    messages: int
    seconds: float
    cpu_provider: float | None  # seconds; None: it cannot be counted
    cpu_customer: float
    memory: float | None  # octets of the provider


class Turnarounds:
    """Makes turnarounds. Each is told to both rows."""

    def __init__(self, park: Park, messages: dict[str, int]) -> None:
        """`messages` by subject."""
        self.messages = messages
        self.made = 0  # turnarounds until now
        self._park = park
        self._ways: dict[str, Callable[[int], TurnaroundCost]] = {
            RESTANTE: partial(self._by_restante, is_first=False),
            FIRST: partial(self._by_restante, is_first=True),
            EXIM: self._by_exim,
            SOURCE: self._by_source,
        }
        self._untold: defaultdict[tuple[str, str], list[TurnaroundCost]] = defaultdict(list)

    def next_for(self, row: str, subject: str, rows: tuple[str, ...]) -> TurnaroundCost:
        """Return the first turnaround that this row was not told yet; make one if there is none."""
        untold = self._untold[row, subject]
        if not untold:
            cost = self._ways[subject](self.messages[subject])
            self.made += 1
            for each in rows:
                self._untold[each, subject].append(cost)
        return untold.pop(0)

    def _by_restante(self, messages: int, *, is_first: bool) -> TurnaroundCost:
        restante = self._park.restante
        with restante.running_filled(messages, SIZE), TakingExim() as exim:
            server, login = restante.allow_turnarounds()
            exim.configure(server, login)
            if not is_first:
                restante.holds_one(FORERUN)
                exim.take_all(server, 1, FORERUN)
            os.sync()
            with Meter(*restante.leaders) as meter:
                taken = exim.take_all(server, messages)
            assert restante.held().messages == 0, restante.held()
        return TurnaroundCost(messages, taken.seconds, meter.cpu, taken.cpu, meter.memory)

    def _by_exim(self, messages: int) -> TurnaroundCost:
        load = Load(messages, SIZE, min(FILLING_SESSIONS, messages), is_kept=True)
        with EximProvider() as provider, TakingExim() as exim, provider.holding(load) as process:
            server = in_clear(provider.port, self._authority)
            exim.configure(server, LOGIN)
            exim.forget_tls()
            os.sync()
            with Meter(process.pid) as meter, CpuGroup(process.pid) as group:
                taken = exim.take_all(server, messages)
                cpu = group.cpu_seconds()
            assert provider.queue_length == 0, provider.queue_length
        return TurnaroundCost(messages, taken.seconds, cpu, taken.cpu, meter.memory)

    def _by_source(self, messages: int) -> TurnaroundCost:
        load = Load(messages, SIZE, 1, is_kept=True)
        with TakingExim() as exim:
            exim.configure(in_clear(exim.port, self._authority), LOGIN)
            with exim.listening() as process, Meter(process.pid) as meter:
                seconds = load.send(exim.port)
            assert exim.queue_length == messages, exim.queue_length
        return TurnaroundCost(messages, seconds, None, meter.cpu, None)

    @property
    def _authority(self) -> Path:
        return self._park.restante.keys.certificate


class TurnaroundRow(Row):
    """The messages each second, and the CPU time of the provider."""

    name = "turnaround"
    title = "turnaround into Exim"
    ratios = tuple((RESTANTE, peer) for peer in (FIRST, EXIM, SOURCE))

    def __init__(self, turnarounds: Turnarounds) -> None:
        self.subjects = tuple(turnarounds.messages)
        self.note = "messages: " + ", ".join(
            f"{subject} {count:,}" for subject, count in turnarounds.messages.items()
        )
        self._turnarounds = turnarounds

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Let the customer ask, and take all."""
        cost = self._turnarounds.next_for(self.name, subject, ROWS)
        cpu = None if cost.cpu_provider is None else cost.cpu_provider / cost.messages * 1000
        return Sample(cost.messages / cost.seconds, cpu, cost.memory)


class CustomerRow(Row):
    """The CPU time of the customer in the same turnarounds."""

    name = "turnaround-customer"
    title = "CPU time of Exim as the customer"
    unit = "s/1,000"
    ratios = tuple((RESTANTE, peer) for peer in (FIRST, EXIM, SOURCE))
    note = "for 1,000 messages of the same turnarounds"

    def __init__(self, turnarounds: Turnarounds) -> None:
        self.subjects = tuple(turnarounds.messages)
        self._turnarounds = turnarounds

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  as above
        """Tell the CPU time of a turnaround."""
        cost = self._turnarounds.next_for(self.name, subject, ROWS)
        return Sample(cost.cpu_customer / cost.messages * 1000)


ROWS: Final = (TurnaroundRow.name, CustomerRow.name)


def turnaround_rows(park: Park, extent: Extent) -> list[Row]:
    """Return both."""
    few = {RESTANTE: 1000, FIRST: 1000, EXIM: 50, SOURCE: 500}
    many = {RESTANTE: 10_000, FIRST: 10_000, EXIM: 500, SOURCE: 3000}
    turnarounds = Turnarounds(park, few if extent is Extent.QUICK else many)
    return [TurnaroundRow(turnarounds), CustomerRow(turnarounds)]
