"""Where a delivery connection's wire comes from: dialed, or released by the server side.

Both give a wire without an owner. The connection adopts it, in the same way.
"""

import asyncio
import os
from collections.abc import Sequence
from typing import Protocol

from restante.delivery.route import Endpoint, leads_home
from restante.network.wire import Wire
from restante.phrases import cause_of
from restante.smtp.protocol_errors import PeerBroke


class NotReached(OSError):  # noqa: N818
    """No connection was made. The text says why."""


class ReachedItself(PeerBroke):
    """The connection leads to a listener of this server. It was closed, and nothing was said."""


class ConnectionSource(Protocol):
    """Gives one wire."""

    @property
    def is_dialing(self) -> bool:
        """Whether a connection is being made now."""

    async def open(self) -> Wire:
        """Return a wire that has no owner: adopt it before you wait for anything else.

        Raises NotReached if there is none, and ReachedItself if nothing may be said over it.
        """

    def give_up(self) -> None:
        """Want no wire any more."""


class DialedWire:
    """Makes a connection to an endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        seconds: float,
        own_addresses: Sequence[tuple[str, int]],
        opening: bytes = b"",
    ) -> None:
        self._opening = opening
        self._endpoint = endpoint
        self._own_addresses = own_addresses
        self._limit = asyncio.timeout(seconds)
        self.is_dialing = False

    async def open(self) -> Wire:
        """Connect. Raises NotReached or ReachedItself."""
        loop = asyncio.get_running_loop()
        try:
            async with self._limit:
                self.is_dialing = True
                _, wire = await loop.create_connection(
                    Wire, str(self._endpoint.address), self._endpoint.port
                )
        except TimeoutError:
            raise NotReached("connecting timed out") from None
        except OSError as error:
            raise NotReached(_cause(error)) from error
        finally:
            self.is_dialing = False
        own = wire.own_address
        if own is not None and leads_home(self._endpoint, own, self._own_addresses):
            wire.abort()
            raise ReachedItself(f"the destination is this server itself ({self._endpoint.text})")
        if self._opening:
            wire.write(self._opening)
        return wire

    def give_up(self) -> None:
        """Wait no longer for a connection that is being made."""
        if self.is_dialing:
            self._limit.reschedule(asyncio.get_running_loop().time())


class ReleasedWire:
    """Has a wire that its server session has released: its peer was authorized there."""

    is_dialing = False

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def open(self) -> Wire:
        """Return the wire, with all that has happened to it meanwhile."""
        return self._wire

    def give_up(self) -> None:
        """Close the wire, which nobody would close otherwise."""
        self._wire.abort()


def _cause(error: OSError) -> str:
    """Return the system's text: that of asyncio has a tuple in it."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else cause_of(error)  # below 0: of a name


def dial(
    endpoint: Endpoint,
    seconds: float,
    own_addresses: Sequence[tuple[str, int]] = (),
    *,
    opening: bytes = b"",
) -> DialedWire:
    """Make a connection within so many seconds, but not to one of our own listeners.

    `opening` are its first octets (`client_passing.opening_octets`).
    """
    return DialedWire(endpoint, seconds, own_addresses, opening)


def adopt(wire: Wire) -> ReleasedWire:
    """Use a connection that a peer has made to us and that its session has released."""
    return ReleasedWire(wire)
