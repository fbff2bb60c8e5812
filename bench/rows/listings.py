"""Memory with many domains, each with a message: after the start, and after listings of them.

A listing is each of the commands and questions that name or count the domains. Repeated listings
may not let the memory grow. The figure is the resident memory of the server's process.
"""

from collections.abc import Callable
from typing import Final

from bench.measure import resident
from bench.results import Sample
from bench.rows.memory import at_rest
from bench.rows.row import Extent, Row
from bench.servers.park import Park
from bench.servers.restante import RestanteServer
from bench.table import MEBIBYTE

SIZE: Final = 4096
OFTEN: Final = 10
LISTINGS: Final[tuple[Callable[[RestanteServer], object], ...]] = (
    lambda server: server.command("domain", "list"),
    lambda server: server.command("domain", "list", "--json"),
    lambda server: server.command("queue", "list", "--limit", "10000"),
    lambda server: server.command("status"),
    lambda server: server.command("top", "--once"),
    lambda server: server.metrics(),
)


class ListingsRow(Row):
    """Everything is listed never, once, or often, by a server of its own each time."""

    name = "memory-listings"
    unit = "MiB"

    def __init__(self, park: Park, domains: int, *, often: int = OFTEN) -> None:
        self.title = f"memory with {domains:,} domains, a message in each"
        self.subjects = ("after the start", "all listed once", f"all listed {often} times")
        self.ratios = ((self.subjects[2], self.subjects[1]),)
        self.note = "domain list, queue list, status, top and metrics"
        self._park = park
        self._domains = domains
        self._times = dict(zip(self.subjects, (0, 1, often), strict=True))

    def run(self, subject: str, *, is_first: bool) -> Sample:  # noqa: ARG002  each round is like the first
        """List, and look at the memory afterwards."""
        server = self._park.restante
        with (
            server.by_new_interpreters(),
            server.running_filled(self._domains, SIZE, domains=self._domains),
        ):
            for _ in range(self._times[subject]):
                for listing in LISTINGS:
                    listing(server)
            at_rest(server.pid)
            return Sample(resident(server.pid) / MEBIBYTE)


def listings_rows(park: Park, extent: Extent) -> list[Row]:
    """Return it: none in the quick run."""
    return [] if extent is Extent.QUICK else [ListingsRow(park, 10_000)]
