"""Three servers on a primary with two standbys, each by links of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Final

import asyncpg

from tests.acceptance.installation import Installation
from tests.acceptance.peers.eventually import eventually
from tests.acceptance.peers.ports import free_port
from tests.cluster.database_link import HOST, DatabaseLink
from tests.cluster.database_trio import DatabaseTrio
from tests.cluster.fault_plan import SERVERS
from tests.postgres_cluster import ROLE

CONNECTIONS: Final = 2  # of one drain
DOMAINS: Final = tuple(f"d{number}.example" for number in range(4))
_RECOUNT: Final = """
    SELECT domain_id, sum(messages), sum(octets) FROM (
        SELECT domain_id, messages, octets FROM usage
        UNION ALL SELECT domain_id, -1, -size FROM message
    ) AS both_ways GROUP BY domain_id HAVING sum(messages) <> 0 OR sum(octets) <> 0
"""


class ClusterSite:
    """The databases, and the servers. These start when their links are there."""

    def __init__(self, stack: ExitStack) -> None:
        self.trio = DatabaseTrio(stack)
        self._database = asyncio.run(self.trio.primary.create())
        self.links = [
            [DatabaseLink(one.place / ".s.PGSQL.5432", free_port()) for one in self.trio.members]
            for _ in range(SERVERS)
        ]
        self.servers = [
            stack.enter_context(Installation(database=self._url(links), rpo="zero"))
            for links in self.links
        ]
        for number, server in enumerate(self.servers):
            text = server.config.read_text()
            server.config.write_text(text.replace("mx2.example.net", name_of(number)))

    def _url(self, links: Sequence[DatabaseLink]) -> str:
        hosts = ",".join(f"{HOST}:{link.port}" for link in links)
        return f"postgresql://{ROLE}@{hosts}/{self._database}?sslmode=disable"

    @asynccontextmanager
    async def linked(self) -> AsyncIterator[None]:
        """Have the links, and then the servers, for the block."""
        async with AsyncExitStack() as stack:
            for link in (one for links in self.links for one in links):
                await stack.enter_async_context(link)
            for server in self.servers:
                await asyncio.to_thread(server.start)
            yield
            for server in self.servers:
                await asyncio.to_thread(server.stop)

    def host(self, port: int) -> None:
        """Host the domains, with a destination at this port, and wait until all servers know."""
        for domain in DOMAINS:
            options = ("--connections", str(CONNECTIONS))
            self.servers[0].hosts(domain, f"{HOST}:{port}", *options)
        for server in self.servers:
            eventually(partial(_knows, server, DOMAINS[-1]), what="the domains at each server")

    async def drift(self) -> int:
        """Count the domains whose figures are not those of a recount."""
        connection = await asyncpg.connect(self.trio.primary.url(self._database))
        try:
            return len(await connection.fetch(_RECOUNT))
        finally:
            await connection.close()


def name_of(number: int) -> str:
    """Return the name of a server."""
    return f"mx{number}.example.net"


def _knows(server: Installation, domain: str) -> bool:
    return domain in server.do("domain", "list")


@contextmanager
def cluster_site() -> Iterator[ClusterSite]:
    """Have a site for the block."""
    with ExitStack() as stack:
        yield ClusterSite(stack)
