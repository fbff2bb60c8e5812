"""The servers under test.

Each is made when it is first needed, runs only while it is measured, and is removed at the end.
"""

from contextlib import ExitStack
from functools import cached_property
from typing import Self

from bench.servers.exim import EximServer
from bench.servers.floor import FloorServer
from bench.servers.postfix import PostfixServer
from bench.servers.restante import RestanteServer
from bench.servers.server import Server
from bench.servers.shared_restante import SharedPair, SharedRestante, durable_cluster
from tests.acceptance.peers.ports import free_port
from tests.postgres_cluster import PostgresCluster

RESTANTE, UNSEALED, POSTFIX, POSTFIX_HOLDS, EXIM, FLOOR = (
    "Restante",
    "Restante, not sealing",
    "Postfix",
    "Postfix HOLD",
    "Exim",
    "floor",
)


SHARED_ALONE = "Restante on PostgreSQL"
SHARED = {SHARED_ALONE: 1} | {f"{SHARED_ALONE}, {count} workers": count for count in (2, 3, 4)}


class Park:
    """All of them, by name."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.destination_port = free_port()  # where all hand over to
        self.other_port = free_port()  # where Restante hands over the other account's mail to

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def __getitem__(self, name: str) -> Server:
        """Return a server by the name it has in the table."""
        if name in SHARED:
            return self.shared[name]
        place = {
            RESTANTE: "restante",
            UNSEALED: "unsealed",
            POSTFIX: "postfix",
            POSTFIX_HOLDS: "postfix_holds",
            EXIM: "exim",
            FLOOR: "floor",
        }[name]
        server: Server = getattr(self, place)
        return server

    @cached_property
    def restante(self) -> RestanteServer:
        """Restante."""
        server = RestanteServer(RESTANTE, self.destination_port, self.other_port)
        self._stack.callback(server.close)
        return server

    @cached_property
    def unsealed(self) -> RestanteServer:
        """Restante that stores content in clear."""
        server = RestanteServer(UNSEALED, self.destination_port, self.other_port, seals=False)
        self._stack.callback(server.close)
        return server

    @cached_property
    def shared(self) -> dict[str, SharedRestante]:
        """Restante on PostgreSQL, by the number of workers. All have one database server."""
        made = {}
        for name, workers in SHARED.items():
            server = SharedRestante(name, workers, self.destination_port, self._cluster)
            made[name] = server
            self._stack.callback(server.close)
        return made

    @cached_property
    def pair(self) -> SharedPair:
        """Two servers on one database."""
        pair = SharedPair(self._cluster, self.destination_port, connections=2)
        self._stack.callback(pair.close)
        return pair

    @cached_property
    def _cluster(self) -> PostgresCluster:
        return self._stack.enter_context(durable_cluster())

    @cached_property
    def postfix(self) -> PostfixServer:
        """Postfix that defers what it takes, until ETRN."""
        server = PostfixServer(
            POSTFIX, destination_port=self.destination_port, keys=self.restante.keys
        )
        self._stack.callback(server.close)
        return server

    @cached_property
    def postfix_holds(self) -> PostfixServer:
        """Postfix that leaves accepted mail in its queue."""
        server = PostfixServer(POSTFIX_HOLDS, holds=True, keys=self.restante.keys)
        self._stack.callback(server.close)
        return server

    @cached_property
    def exim(self) -> EximServer:
        """Exim that leaves accepted mail in its queue."""
        server = EximServer(self.restante.keys)
        self._stack.callback(server.close)
        return server

    @cached_property
    def floor(self) -> FloorServer:
        """The sink that stores nothing, as a server."""
        server = FloorServer()
        self._stack.callback(server.close)
        return server
