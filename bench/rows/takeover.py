"""Taking over: from SIGKILL of a server in the middle of a drain to the first message from another.

Two servers share a database. The destination takes 10 ms for each message and notes the server that
brought it. The server that drains gets SIGKILL. When the other one has brought a message, the first
is started again. Then the other one gets SIGKILL, and so on.
"""

import asyncio
import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from bench.results import Sample
from bench.rows.row import Extent, Row
from bench.servers.park import Park
from bench.servers.server import Lost
from bench.servers.shared_restante import SharedPair
from tests.acceptance.peers.eventually import eventually
from tests.cluster.live_owners import Taken
from tests.cluster.recording_sink import RecordingSink

SIZE: Final = 1024
BETWEEN: Final = 100  # messages that come from a server before it is killed
FOR_EACH: Final = 2000  # messages held for each takeover: the drain is never near its end
PATIENCE: Final = 60.0  # seconds
_Seen = TypeVar("_Seen")


class TakeoverRow(Row):
    """Some takeovers in each round, of which the median and the worst are told."""

    name = "takeover"
    title = "takeover of a drain"
    unit = "s"
    ratios = ()

    def __init__(self, park: Park, takeovers: int) -> None:
        self._median, self._worst = f"median of {takeovers}", f"worst of {takeovers}"
        self.subjects = (self._median, self._worst)
        self.note = "from SIGKILL of one of two servers to the first message from the other"
        self._park = park
        self._takeovers = takeovers
        self._found: dict[str, float] = {}  # of this round, until they are told

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """Tell one figure of this round's takeovers. The first call of a round makes them."""
        if not self._found:
            took = takeovers(self._park.pair, self._park.destination_port, self._takeovers)
            self._found = {self._median: statistics.median(took), self._worst: max(took)}
        return Sample(self._found.pop(subject))


def takeovers(pair: SharedPair, port: int, count: int) -> list[float]:
    """Kill the server that drains, so many times; return the seconds until the other one drains."""
    messages = count * FOR_EACH
    held = pair.held().messages
    with pair.running_filled(messages, SIZE):
        taken, took = asyncio.run(_killed_and_seen(pair, port, count))
    there = taken + pair.held().messages
    if there < held + messages:
        raise Lost(f"{held + messages} messages were held; only {there} came or are held")
    return took


async def _killed_and_seen(pair: SharedPair, port: int, count: int) -> tuple[int, list[float]]:
    took = []
    async with RecordingSink(port) as sink:
        await asyncio.to_thread(pair.ask_for_mail)
        for _ in range(count):
            await _see(partial(_are_there, sink, len(sink.taken) + BETWEEN), "the drain to go on")
            owner = sink.taken[-1].node
            killed, known = time.monotonic(), len(sink.taken)
            await asyncio.to_thread(pair.kill, owner)
            [found, *_] = await _see(partial(_of_another, sink, known, owner), "the other server")
            took.append(found.at - killed)
            await asyncio.to_thread(pair.start, owner)
        for name in pair.names:
            await asyncio.to_thread(pair.kill, name)
        return len({one.token for one in sink.taken}), took  # copies of one count once


def _are_there(sink: RecordingSink, messages: int) -> bool:
    return len(sink.taken) >= messages


def _of_another(sink: RecordingSink, known: int, owner: str) -> list[Taken]:
    return [one for one in sink.taken[known:] if one.node != owner]


async def _see(condition: Callable[[], _Seen], what: str) -> _Seen:
    return await asyncio.to_thread(eventually, condition, what=what, timeout=PATIENCE)


def takeover_rows(park: Park, extent: Extent) -> list[Row]:
    """Return the one row."""
    return [TakeoverRow(park, 2 if extent is Extent.QUICK else 5)]
