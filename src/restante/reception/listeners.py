"""The listeners of the server, and how a reload adds and removes them.

A listener is identified by its service and its address as configured, never by its position in the
file. A change is all or nothing. Every new address is bound and listening before an old one is
closed. If one cannot be bound, the open listeners stay open.

- A service that changes on one address takes over the socket, so it needs no privilege.
- An address that overlaps a removed one (`0.0.0.0:25` after `127.0.0.1:25`) can be bound only after
  the old one is closed. The system checks privileges before overlap, so `EADDRINUSE` proves that
  closing the old one is safe.
- Without the privilege for an address (a port below 1024), that address waits for a restart. Every
  removal then waits too: otherwise a moved listener would be missing until then.

Sessions outlive the listener that they came through, and are swept until they end.
"""

import errno
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, Protocol

from restante.network.addresses import split_host_port
from restante.phrases import remedy_for_address
from restante.reception.doorkeeper import Doorkeeper
from restante.reception.listener import Listener, bind


class ListenerSettings(Protocol):
    """The settings of any listener."""

    @property
    def tls(self) -> SSLContext | None:
        """The context of its TLS; None: it has none."""


class AnyListener(Protocol):
    """A listener of any service, as `Listeners` needs it."""

    service: str
    settings: Any  # ListenerSettings; replaced whole
    address: tuple[str, int]

    @property
    def address_text(self) -> str:
        """`host:port` as bound."""

    @property
    def sessions(self) -> int:
        """Sessions open now."""

    async def open(self) -> None:
        """Begin to accept connections. Raises OSError."""

    def sweep(self) -> None:
        """End the sessions that have taken too long."""

    def share_socket(self) -> socket.socket:
        """Return another descriptor of the bound socket, for the replacing listener."""

    def stop_accepting(self, *, is_last: bool = False) -> None:
        """Accept no more; sessions go on. With `is_last`, no other listener has the socket."""

    def close(self) -> None:
        """Accept no more; end the sessions that await no reply, the others after their reply."""

    def abort(self) -> None:
        """Cut the sessions that are still open."""


MakeListener = Callable[[str, socket.socket, Any], AnyListener]  # service, bound socket, settings


@dataclass(frozen=True, slots=True)
class ListenerAddress:
    """The identity of a listener."""

    service: str
    address: str  # host:port as configured; port 0 means any
    nth: int = 0  # among equal ones, which only port 0 allows

    @property
    def text(self) -> str:
        """`service host:port`."""
        return f"{self.service} {self.address}"


def listener_addresses(listed: Iterable[tuple[str, str]]) -> list[ListenerAddress]:
    """Return the places of services and addresses, in their order."""
    seen: Counter[tuple[str, str]] = Counter()
    found = []
    for service, address in listed:
        found.append(ListenerAddress(service, address, seen[service, address]))
        seen[service, address] += 1
    return found


class CannotListen(Exception):  # noqa: N818
    """An address cannot be bound. The text names thing, cause and remedy."""

    def __init__(self, place: ListenerAddress, error: OSError) -> None:
        remedy = remedy_for_address(error, "[[listen]]")
        super().__init__(f"{place.address}: {error.strerror or error}; {remedy}")


class Listeners:
    """The open listeners in configured order, and those that only finish their sessions."""

    def __init__(
        self,
        door: Doorkeeper,
        clock: Callable[[], float],
        makers: Mapping[str, MakeListener] | None = None,
        *,
        is_shared: bool = False,
    ) -> None:
        """`clock` is monotonic, in seconds. `makers` are of the services other than SMTP.

        With `is_shared`, other processes listen at the same addresses.
        """
        self._door = door
        self._clock = clock
        self._makers = makers or {}
        self._is_shared = is_shared
        self._open: dict[ListenerAddress, AnyListener] = {}
        self._leaving: list[AnyListener] = []
        self._is_closed = False

    def __iter__(self) -> Iterator[AnyListener]:
        """Iterate over the open listeners."""
        return iter(list(self._open.values()))

    @property
    def places(self) -> list[ListenerAddress]:
        """The places of the open listeners."""
        return list(self._open)

    def sessions(self) -> Counter[str]:
        """Count the open sessions by service, including those of closed listeners."""
        sessions: Counter[str] = Counter()
        for listener in (*self._open.values(), *self._leaving):
            sessions[listener.service] += listener.sessions
        return sessions

    def _bind(self, address: str) -> socket.socket:
        return bind(address, is_shared=self._is_shared)

    async def begin(
        self,
        bound: Sequence[tuple[ListenerAddress, socket.socket]],
        settings: Callable[[ListenerAddress], ListenerSettings],
        *,
        in_order: Sequence[ListenerAddress] = (),
    ) -> None:
        """Listen on sockets that were bound before the privileges were dropped. Raises OSError.

        Others may be open already. `in_order` has all places in their configured order.
        """
        fresh = {place: self._make(place, each, settings(place)) for place, each in bound}
        have = self._open | fresh
        ordered = [place for place in in_order if place in have]
        self._open = {place: have[place] for place in dict.fromkeys((*ordered, *have))}
        for listener in fresh.values():
            await listener.open()

    async def change(
        self,
        wanted: Sequence[ListenerAddress],
        settings: Callable[[ListenerAddress], ListenerSettings],
    ) -> None:
        """Open and close listeners as wanted, and give every open one its new settings.

        `settings` is called for each wanted place and each open one. If an address needs a missing
        privilege, it is not open afterwards, and unwanted listeners stay open. Raises CannotListen:
        then nothing has changed.
        """
        change = _Change(
            dict(self._open),
            wanted,
            lambda place, bound: self._make(place, bound, settings(place)),
            self._bind,
        )
        try:
            change.bind()
            await change.open()
        except CannotListen:
            await self._take_back(change)
            raise
        if self._is_closed:  # the server began to stop meanwhile
            await self._take_back(change)
            return
        self._leaving += change.settle()
        self._open = change.result()
        for place, listener in self._open.items():
            listener.settings = settings(place)

    async def _take_back(self, change: "_Change") -> None:
        self._leaving += change.abandoned()
        if self._is_closed:
            return
        for place, old in change.paused.items():
            try:
                again = self._make(place, self._bind(place.address), old.settings)
                await again.open()
            except OSError:
                self._open.pop(place, None)
            else:
                self._open[place] = again

    def _make(self, place: ListenerAddress, bound: socket.socket, settings: Any) -> AnyListener:
        if maker := self._makers.get(place.service):
            return maker(place.service, bound, settings)
        return Listener(place.service, bound, settings, self._door, self._clock)

    def sweep(self) -> None:
        """End the sessions that have taken too long. Call every SWEEP_SECONDS."""
        self._leaving = [listener for listener in self._leaving if listener.sessions]
        for listener in (*self._open.values(), *self._leaving):
            listener.sweep()

    def close(self) -> None:
        """Accept no more; end the sessions that await no reply, the others after their reply."""
        self._is_closed = True
        for listener in (*self._open.values(), *self._leaving):
            listener.close()

    def abort(self) -> None:
        """Cut the sessions that are still open."""
        for listener in (*self._open.values(), *self._leaving):
            listener.abort()


@dataclass(slots=True)
class _Change:
    """One change of the listeners, until it is settled or taken back."""

    old: dict[ListenerAddress, AnyListener]
    wanted: Sequence[ListenerAddress]
    make: Callable[[ListenerAddress, socket.socket], AnyListener]
    bind_one: Callable[[str], socket.socket]
    fresh: dict[ListenerAddress, AnyListener] = field(default_factory=dict)
    replaced: set[ListenerAddress] = field(default_factory=set)  # their socket was taken over
    paused: dict[ListenerAddress, AnyListener] = field(
        default_factory=dict
    )  # closed, because a new one overlaps
    is_denied: bool = False  # some address needs privileges that were dropped

    @property
    def removed(self) -> list[ListenerAddress]:
        """The open places that are no longer wanted."""
        return [place for place in self.old if place not in self.wanted]

    def bind(self) -> None:
        """Bind the new places. Raises CannotListen."""
        added = [place for place in self.wanted if place not in self.old]
        overlapping = [
            place for place in added if not self._take_over(place) and not self._bind_one(place)
        ]
        if overlapping and not self.is_denied:
            self._make_way(overlapping)

    def _take_over(self, place: ListenerAddress) -> bool:
        heirs = (
            old for old in self.removed if old.address == place.address and old not in self.replaced
        )
        donor = next(heirs, None)
        if donor is None:
            return False
        self.replaced.add(donor)
        self.fresh[place] = self.make(place, self.old[donor].share_socket())
        return True

    def _bind_one(self, place: ListenerAddress) -> bool:
        """Bind one; return False if a listener that will be closed occupies it."""
        try:
            self.fresh[place] = self.make(place, self.bind_one(place.address))
        except PermissionError:
            self.is_denied = True
        except OSError as error:
            if error.errno == errno.EADDRINUSE and self._in_the_way(place):
                return False
            raise CannotListen(place, error) from None
        return True

    def _in_the_way(self, place: ListenerAddress) -> list[ListenerAddress]:
        port = split_host_port(place.address)[1]
        return [
            old
            for old in self.removed
            if old not in self.replaced and split_host_port(old.address)[1] == port
        ]

    def _make_way(self, overlapping: Sequence[ListenerAddress]) -> None:
        for place in overlapping:
            for old in self._in_the_way(place):
                if old not in self.paused:
                    self.paused[old] = self.old[old]
                    self.old[old].stop_accepting()
            try:
                self.fresh[place] = self.make(place, self.bind_one(place.address))
            except OSError as error:
                raise CannotListen(place, error) from None

    async def open(self) -> None:
        """Accept connections at the new places. Raises CannotListen."""
        for place, listener in self.fresh.items():
            try:
                await listener.open()
            except OSError as error:
                raise CannotListen(place, error) from None

    def _goes(self, place: ListenerAddress) -> bool:
        is_kept = place in self.wanted or (self.is_denied and place not in self.replaced)
        return not is_kept

    def settle(self) -> list[AnyListener]:
        """Close the unwanted listeners and return them: their sessions continue."""
        leaving = {place: listener for place, listener in self.old.items() if self._goes(place)}
        for place, listener in leaving.items():
            listener.stop_accepting(is_last=place not in self.replaced)
        return list(leaving.values())

    def result(self) -> dict[ListenerAddress, AnyListener]:
        """Return the open listeners: in the wanted order, then those that must stay."""
        staying = {place: listener for place, listener in self.old.items() if not self._goes(place)}
        have = {**staying, **self.fresh}
        ordered = {place: have[place] for place in self.wanted if place in have}
        return {
            **ordered,
            **{place: listener for place, listener in staying.items() if place not in ordered},
        }

    def abandoned(self) -> list[AnyListener]:
        """Close the new listeners; return them and those closed to make way, for their sessions."""
        gone = [*self.fresh.values(), *self.paused.values()]
        for listener in gone:
            listener.stop_accepting()
        return gone
