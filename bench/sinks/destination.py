"""The destinations of drained mail: the extensions of each kind, and the mail that has arrived.

Each listens on a port that it is given; `Distant` puts a distance before one.
"""

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from bench.background import Background, BareSink
from bench.domains import HOST
from bench.servers.postfix import PostfixServer
from tests.acceptance.peers.sink import SmtpSink

TAIL: Final = 400  # octets; several of smtp-sink's counts


class Destination(ABC):
    """A server that is handed mail."""

    port: int
    look_every = 0.005  # seconds; each look takes time from the programs that are measured

    @abstractmethod
    def start(self) -> None:
        """Start it, with nothing there yet."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it."""

    def close(self) -> None:
        """Remove everything."""
        self.stop()

    @abstractmethod
    def count(self) -> int:
        """Return how many messages have come."""

    def octets(self) -> int | None:
        """Return the octets of their content, None where nobody knows."""
        return None


class ChunkingSink(Destination):
    """The bench's own, with CHUNKING and PIPELINING."""

    def __init__(self, port: int, domains: int = 0) -> None:
        self.port = port
        self._sink = BareSink(port, domains)

    def start(self) -> None:
        """Start it."""
        self._sink.begin()

    def stop(self) -> None:
        """Stop it."""
        self._sink.stop()

    def close(self) -> None:
        """Remove everything."""
        self._sink.close()

    def count(self) -> int:
        """Read its counter."""
        return self._sink.count()

    def octets(self) -> int:
        """Read its counter."""
        return self._sink.octets()

    def by_domain(self) -> list[int]:
        """Return the messages of each domain that is counted apart."""
        return self._sink.by_domain()


class StockSink(Destination):
    """smtp-sink(1): PIPELINING, and no CHUNKING."""

    def __init__(self, port: int, *options: str) -> None:
        self.port = port
        self._sink = _TailedSink(*options, port=port)

    def start(self) -> None:
        """Start it."""
        self._sink.start()

    def stop(self) -> None:
        """Stop it."""
        self._sink.stop()

    def close(self) -> None:
        """Remove everything."""
        self._sink.__exit__()

    def count(self) -> int:
        """Read the last count it has printed."""
        return self._sink.count()


class _TailedSink(SmtpSink):
    """The tests' sink prints a count for each message. Reading all of them would be a load too."""

    def count(self) -> int:
        with Path(self._log).open("rb") as log:
            end = log.seek(0, 2)
            log.seek(max(0, end - TAIL))
            said = re.findall(rb"mesg=(\d+)\s", log.read())
        return int(said[-1]) if said else 0


class StockPostfix(Destination):
    """Postfix as a primary that keeps its mail queued, with CHUNKING, PIPELINING and syncs."""

    look_every = 0.05

    def __init__(self, port: int) -> None:
        self.port = port
        self._server = PostfixServer("Postfix as destination", holds=True, port=port)

    def start(self) -> None:
        """Start it."""
        self._server.start()

    def stop(self) -> None:
        """Stop it."""
        self._server.stop()

    def close(self) -> None:
        """Remove everything."""
        self._server.close()

    def count(self) -> int:
        """Count the files in its queue."""
        return self._server.held_now()


class Distant(Destination):
    """A destination that is `round_trip` milliseconds away."""

    def __init__(self, destination: Destination, port: int, round_trip: int) -> None:
        """`port` is where it is connected to; the destination itself is on another."""
        self.port = port
        self.look_every = destination.look_every
        self._destination = destination
        self._round_trip = round_trip
        self._proxy = Background("delay_proxy.py", port)

    def start(self) -> None:
        """Start both."""
        self._destination.start()
        self._proxy.start(HOST, str(self.port), str(self._destination.port), str(self._round_trip))

    def stop(self) -> None:
        """Stop both."""
        self._proxy.stop()
        self._destination.stop()

    def close(self) -> None:
        """Remove everything."""
        self._proxy.close()
        self._destination.close()

    def count(self) -> int:
        """Ask the destination."""
        return self._destination.count()

    def octets(self) -> int | None:
        """Ask the destination."""
        return self._destination.octets()
