"""Whether one account's flood, or its slow destination, is felt by another.

A flood is 100 sessions that send to the other account's domain as fast as they can. Meanwhile some
mail arrives at an easy pace, and the row shows how long its slower messages wait for their 250. Or
a drain runs, and the row shows its rate. All share the machine, so every flood costs something; the
question is how much.
"""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from bench.domains import ACCOUNT, OTHER, domain, mailbox
from bench.load.generator import Order
from bench.load.load import answer_of, begin_generating, generate
from bench.results import Sample
from bench.rows.drain import check_all_came, wait_for
from bench.rows.row import Extent, Row
from bench.servers.park import POSTFIX, RESTANTE, Park
from bench.sinks.destination import ChunkingSink, Distant
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port

SIZE: Final = 4096
FLOOD_SESSIONS: Final = 100
UNDER_WAY: Final = 1.5  # seconds until a flood is
EASY_PACE: Final = 50.0  # messages a second
EASY_SESSIONS: Final = 5
EASY_SECONDS: Final = 5.0

MAIL: Final = 5000  # messages to be drained
SLOW_ROUND_TRIP: Final = 1000  # milliseconds

ALONE, FLOOD, SLOW = "alone", "beside another's flood", "beside another's slow destination"


class Flood:
    """The number of messages that a flood has sent, once it is over."""

    messages = 0


@contextmanager
def flood(port: int) -> Iterator[Flood]:
    """Flood the other account during the block."""
    order = Order(
        port=port,
        to=mailbox(OTHER),
        size=SIZE,
        sessions=FLOOD_SESSIONS,
        is_kept=True,
        is_pipelined=True,
        source="127.0.0.2",
    )
    flooding, sent = begin_generating(order), Flood()
    try:
        time.sleep(UNDER_WAY)
        yield sent
    finally:
        sent.messages = answer_of(flooding)["messages"]


class FairAcceptRow(Row):
    """How long arriving mail waits for its 250."""

    name = "fair-accept"
    title = f"wait for 250 at {EASY_PACE:.0f} messages/s, 95th percentile"
    unit = "ms"

    def __init__(self, park: Park, servers: list[str]) -> None:
        self.subjects = [f"{server}, {how}" for server in servers for how in (ALONE, FLOOD)]
        self.ratios = list(zip(self.subjects[1::2], self.subjects[::2], strict=True))
        self._park = park

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Send at an easy pace, beside a flood or not."""
        name, _, how = subject.partition(", ")
        server = self._park[name]
        easy = Order(
            port=server.port,
            to=mailbox(domain()),
            size=SIZE,
            sessions=EASY_SESSIONS,
            messages=int(EASY_PACE * EASY_SECONDS),
            pace=EASY_PACE,
            is_kept=True,
        )
        with server.running():
            if how == ALONE:
                answer, flooded = generate(easy), 0
            else:
                with flood(server.port) as sent:
                    answer = generate(easy)
                flooded = sent.messages
            server.settle()
            server.check_held(easy.messages + flooded, SIZE)
        return Sample(answer["slow"])


class FairDrainRow(Row):
    """How fast one account's mail is handed over."""

    name = "fair-drain"
    title = "drain of one account"

    def __init__(self, park: Park) -> None:
        self.subjects = [ALONE, FLOOD, SLOW]
        self.ratios = [(FLOOD, ALONE), (SLOW, ALONE)]
        self._park = park

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Drain, beside whatever it is."""
        server, others = self._park.restante, MAIL if subject == SLOW else 0
        sink = ChunkingSink(self._park.destination_port)
        with server.running_filled(MAIL, SIZE, others=others), ExitStack() as stack:
            stack.callback(sink.close)
            sink.start()
            os.sync()
            if subject == SLOW:
                stack.enter_context(self._slow_drain())
            elif subject == FLOOD:
                stack.enter_context(flood(server.port))
            seconds = -server.ask_for_mail() + wait_for(sink, MAIL)
            check_all_came(sink, MAIL)
        return Sample(MAIL / seconds)

    @contextmanager
    def _slow_drain(self) -> Iterator[None]:
        """Meanwhile have the other account's mail delivered to a destination that is far away."""
        far = Distant(ChunkingSink(free_port()), self._park.other_port, SLOW_ROUND_TRIP)
        far.start()
        try:
            self._park.restante.ask_for_mail(OTHER)
            eventually(lambda: far.count() > 0, what="the slow drain to be under way", timeout=60)
            yield
            assert far.count() < MAIL, "the slow drain was over before the measurement"
        finally:
            far.close()


class FairShareRow(Row):
    """How evenly many domains are drained that were asked for at once."""

    name = "fair-share"
    domains = 20
    each = 1500
    title = f"{domains} domains drained at once: the slowest, when the first is done"
    unit = "% done"

    def __init__(self, park: Park) -> None:
        self.subjects = [RESTANTE]
        self.ratios = []
        self._park = park

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  there is but one way
        """Ask for all of an account's domains."""
        messages = self.domains * self.each
        sink = ChunkingSink(self._park.destination_port, self.domains)
        with self._park.restante.running_filled(messages, SIZE, domains=self.domains):
            try:
                sink.start()
                self._park.restante.ask_for_mail(f"#{ACCOUNT}")
                done = self._slowest(sink)
                wait_for(sink, messages)
                check_all_came(sink, messages)
            finally:
                sink.close()
        return Sample(done)

    def _slowest(self, sink: ChunkingSink) -> float:
        """Wait for all mail of one domain. Return the percentage that the slowest domain has."""
        counts = sink.by_domain()
        while max(counts) < self.each:
            time.sleep(sink.look_every)
            counts = sink.by_domain()
        return min(counts) / self.each * 100


def fairness_rows(park: Park, extent: Extent) -> list[Row]:
    """Return them: none in the quick run."""
    if extent is Extent.QUICK:
        return []
    return [FairAcceptRow(park, [RESTANTE, POSTFIX]), FairDrainRow(park), FairShareRow(park)]
