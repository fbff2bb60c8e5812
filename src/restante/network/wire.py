"""One connection's octets, for both sides of SMTP: a transport, TLS over it, and an owner.

Theory of operation. The wire is the transport's protocol from the first octet to the last. Its
owner is the session that it serves, and gets plaintext. TLS begins in mid-connection, in either
role, without a change of protocol: the wire puts a TlsLayer between the two.

A wire can be without an owner. One that we dial has none at first, and `adopt` gives it to the
session that delivers over it. Octets, an end, or a failure that come before are kept, and the owner
gets them first. So nothing is lost, and nothing goes to the wrong session.

The owner can change. A connection that our server side accepted can be turned around and become one
that we deliver over (RFC 2645). `release` leaves the old owner and stops reading. Then the wire is
adopted as if it had been dialed.

Before a turn, ask `has_unread`: octets that were sent early must not be read by the new owner.
Limitation: octets still on their way, or in an incomplete TLS record, are not seen. They can only
pass for the greeting that the new owner waits for first, never for a reply to its commands.

No timer belongs to a wire, except to one that is closed with a time limit and has unsent octets.
"""

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from collections.abc import Callable, Iterator
from typing import Final, Protocol, cast

from restante.network.addresses import peer_address
from restante.network.small_reads import SmallReads
from restante.network.tls import TlsFailed, TlsLayer
from restante.tenancy.model import IpAddress

_RECORD_OCTETS: Final = 8191  # of a line, in one record: fetchmail has a buffer of 8,192

CheckPeer = Callable[[TlsLayer], None]  # after the handshake; raises TlsFailed


def line_records(data: bytes) -> Iterator[bytes]:
    """Cut octets into records with one line each, or with a part of a long one."""
    for line in _lines(data):
        for start in range(0, len(line), _RECORD_OCTETS):
            yield line[start : start + _RECORD_OCTETS]


def _lines(data: bytes) -> Iterator[bytes]:
    first = 0
    while first < len(data):
        end = data.find(b"\n", first) + 1 or len(data)
        yield data[first:end]
        first = end


def _any_peer(_: TlsLayer) -> None:
    """Accept the peer as the handshake did."""


def _nothing() -> None:
    """Do nothing."""


class WireOwner(Protocol):
    """The session that a wire serves. All octets are plaintext."""

    def opened(self, wire: "Wire") -> None:
        """Begin: octets come from this wire from now on."""

    def data_received(self, data: bytes) -> None:
        """Take octets."""

    def secured(self) -> None:
        """Go on under TLS: the handshake is over, and the peer was accepted."""

    def tls_failed(self, failure: TlsFailed) -> None:
        """End: the wire is of no more use. The alert was sent."""

    def eof_received(self) -> None:
        """Note that the peer sends no more; the wire stays open until it is closed."""

    def connection_lost(self, exc: Exception | None) -> None:
        """End: the connection is closed."""

    def pause_writing(self) -> None:
        """Write little: the peer does not take what was written."""

    def resume_writing(self) -> None:
        """Write on."""


class _Unclaimed:
    """The owner of a wire without one: keeps all that happens for the next owner."""

    __slots__ = ("_events",)

    def __init__(self) -> None:
        self._events: list[Callable[[WireOwner], None]] = []

    def opened(self, wire: "Wire") -> None:
        """Nothing to begin."""

    def data_received(self, data: bytes) -> None:
        self._keep(lambda owner: owner.data_received(data))

    def secured(self) -> None:
        self._keep(lambda owner: owner.secured())

    def tls_failed(self, failure: TlsFailed) -> None:
        self._keep(lambda owner: owner.tls_failed(failure))

    def eof_received(self) -> None:
        self._keep(lambda owner: owner.eof_received())

    def connection_lost(self, exc: Exception | None) -> None:
        self._keep(lambda owner: owner.connection_lost(exc))

    def pause_writing(self) -> None:
        """The wire knows it and tells the next owner."""

    def resume_writing(self) -> None:
        """The same."""

    def replay(self, owner: WireOwner) -> None:
        """Give the owner all that happened, in order."""
        for event in self._events:
            event(owner)

    def _keep(self, event: Callable[[WireOwner], None]) -> None:
        self._events.append(event)


class _Nobody(_Unclaimed):
    """The owner of a wire that is closed: nothing happens to it any more."""

    __slots__ = ()

    def _keep(self, event: Callable[[WireOwner], None]) -> None:
        """Forget it."""


_NOBODY: Final = _Nobody()


class Wire(asyncio.Protocol):
    """A connection's transport and TLS, and the octets for its owner."""

    __slots__ = (
        "_check_peer",
        "_cut_timer",
        "_on_lost",
        "_owner",
        "_reads_less",
        "_sends_lines",
        "_tls",
        "_transport",
        "is_reading",
        "is_secure",
        "is_shaking_hands",
        "is_write_full",
    )

    def __init__(self, owner: WireOwner | None = None) -> None:
        """Without an owner, all that happens is kept until one adopts the wire."""
        self._owner: WireOwner = _Unclaimed() if owner is None else owner
        self._transport: asyncio.Transport  # from `connection_made` on
        self._tls: TlsLayer | None = None
        self._check_peer: CheckPeer = _any_peer
        self._on_lost: Callable[[], None] = _nothing
        self._cut_timer: asyncio.TimerHandle | None = None
        self._reads_less = False
        self._sends_lines = False
        self.is_reading = True
        self.is_shaking_hands = False  # TLS was begun and is not established yet
        self.is_secure = False  # the handshake is over, and the peer was accepted
        self.is_write_full = False  # the peer does not take what was written

    # Facts

    @property
    def peer(self) -> IpAddress:
        """The peer's address."""
        return peer_address(self._transport.get_extra_info("peername")[0])

    @property
    def peer_port(self) -> int:
        """The peer's port."""
        port: int = self._transport.get_extra_info("peername")[1]
        return port

    @property
    def own_address(self) -> IpAddress | None:
        """Our address on this connection; None where the system does not tell."""
        name = self._transport.get_extra_info("sockname")
        return peer_address(name[0]) if name else None

    @property
    def is_ended(self) -> bool:
        """Whether the peer has announced, under TLS, that it will send no more."""
        return self._tls is not None and self._tls.is_closed_by_peer

    @property
    def tls_version(self) -> str:
        """`TLSv1.3` and so on; "" without TLS."""
        return self._tls.version if self._tls is not None and self.is_secure else ""

    @property
    def tls_cipher(self) -> str:
        """The name of the cipher suite, "" without TLS."""
        return self._tls.cipher if self._tls is not None and self.is_secure else ""

    @property
    def peer_key(self) -> str:
        """The hex SHA-256 of the peer's public key, "" without TLS."""
        return self._tls.peer_key_sha256() if self._tls is not None else ""

    @property
    def peer_certificate(self) -> bytes:
        """The peer's certificate in DER, b"" without TLS or without one."""
        return self._tls.peer_certificate() if self._tls is not None else b""

    @property
    def is_closing(self) -> bool:
        """Whether it is closed, or will be once everything is sent."""
        return self._transport.is_closing()

    @property
    def unsent(self) -> int:
        """Octets that wait to be sent."""
        return self._transport.get_write_buffer_size()

    def extra_info(self, name: str) -> object:
        """Return what the transport knows of itself; None where it does not."""
        info: object = self._transport.get_extra_info(name)
        return info

    @property
    def has_unread(self) -> bool:
        """Whether octets of the peer have arrived that no owner has seen."""
        if self._tls is not None and self._tls.has_unread:
            return True
        found = self._transport.get_extra_info("socket")
        if found is None or found.fileno() < 0:
            return False
        (octets,) = struct.unpack("i", fcntl.ioctl(found.fileno(), termios.FIONREAD, bytes(4)))
        return bool(octets)

    # Called by the owner

    def begin_tls(self, tls: TlsLayer, check_peer: CheckPeer = _any_peer) -> None:
        """Put TLS over the transport, in the layer's role. `secured` or `tls_failed` follows."""
        self._tls, self._check_peer = tls, check_peer
        self.is_shaking_hands, self.is_secure = True, False
        self._send_ciphertext(tls)

    def write(self, data: bytes) -> None:
        """Send. Raises TlsFailed."""
        if self._tls is None:
            self._transport.write(data)
            return
        for record in line_records(data) if self._sends_lines else (data,):
            self._tls.send(record)
        self._send_ciphertext(self._tls)

    def send_line_by_line(self) -> None:
        """Put each line into its own TLS record from now on.

        fetchmail waits on the socket and then reads one line. Other lines in the same record stay
        in its TLS library, where nothing wakes it for them.
        """
        self._sends_lines = True

    def pause_reading(self) -> None:
        """Read nothing for now."""
        if self.is_reading and not self._transport.is_closing():
            self.is_reading = False
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self.is_reading and not self._transport.is_closing():
            self.is_reading = True
            self._transport.resume_reading()

    def read_less(self) -> None:
        """Read in smaller pieces from now on; uvloop checks the protocol when reading begins."""
        if self._reads_less or self._transport.is_closing():
            return
        self._reads_less = True
        if self.is_reading:
            self._transport.pause_reading()
        self._transport.set_protocol(SmallReads(self))
        if self.is_reading:
            self._transport.resume_reading()

    def close(self, within: float | None = None) -> None:
        """Send all that waits and TLS's goodbye, then close; cut it after so many seconds."""
        if self._tls is not None:
            self._tls.close()
            self._send_ciphertext(self._tls)
        self._transport.close()
        if within is not None and self._transport.get_write_buffer_size():
            loop = asyncio.get_running_loop()
            self._cut_timer = loop.call_later(within, self._transport.abort)

    def abort(self) -> None:
        """Close at once; unsent octets are dropped."""
        self._transport.abort()

    # The change of owner

    def release(self, on_lost: Callable[[], None] = _nothing) -> None:
        """Leave the owner: nothing is read until another one adopts this.

        `on_lost` is called once the connection is closed, after the last owner was told.
        """
        self.pause_reading()
        self._owner, self._on_lost = _Unclaimed(), on_lost

    def adopt(self, owner: WireOwner) -> None:
        """Give a wire without an owner to its new one, with all that has happened meanwhile."""
        unclaimed = self._owner
        assert type(unclaimed) is _Unclaimed, "the wire has an owner, or is closed"
        self._owner = owner
        owner.opened(self)
        if self.is_write_full:
            owner.pause_writing()
        unclaimed.replay(owner)
        if not self._transport.is_closing():
            self.resume_reading()

    # Called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        # uvloop's transport is not a subclass of it
        self._transport = cast(asyncio.Transport, transport)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        """Give octets to the owner, through TLS if there is any."""
        if self._sends_lines:
            self._acknowledge()
        if self._tls is None:
            self._owner.data_received(data)
        else:
            self._decrypt(self._tls, data)

    def _acknowledge(self) -> None:
        """Acknowledge octets at once.

        Such a peer sends each line apart, and its system holds the next one until the last was
        acknowledged (Nagle's algorithm). Ours would wait 40 ms for octets to send with it.
        """
        found = self._transport.get_extra_info("socket")
        if found is not None and not self._transport.is_closing():
            with contextlib.suppress(OSError):
                found.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def eof_received(self) -> bool:
        """Tell the owner. Our side stays open: an answer may be due."""
        self._owner.eof_received()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, and forget it."""
        if self._cut_timer is not None:
            self._cut_timer.cancel()
        owner, on_lost = self._owner, self._on_lost
        if not isinstance(owner, _Unclaimed):
            self._owner = _NOBODY  # no reference cycle for the garbage collector
        self._on_lost = _nothing
        owner.connection_lost(exc)
        on_lost()

    def pause_writing(self) -> None:
        """Tell the owner that the peer is slow."""
        self.is_write_full = True
        self._owner.pause_writing()

    def resume_writing(self) -> None:
        """Tell it that the peer takes more."""
        self.is_write_full = False
        self._owner.resume_writing()

    # TLS

    def _decrypt(self, tls: TlsLayer, ciphertext: bytes) -> None:
        was_ended, was_secure = tls.is_closed_by_peer, self.is_secure
        try:
            plaintext = tls.receive(ciphertext)
            if tls.is_established and not was_secure:
                self._check_peer(tls)
                self.is_shaking_hands, self.is_secure = False, True
        except TlsFailed as failure:
            self._send_ciphertext(tls)  # the alert
            self._owner.tls_failed(failure)
            return
        if self.is_secure and not was_secure:
            self._owner.secured()
        if plaintext:
            self._owner.data_received(plaintext)
        self._send_ciphertext(tls)  # of the handshake; if the owner wrote, it has gone
        if tls.is_closed_by_peer and not was_ended:
            self._owner.eof_received()

    def _send_ciphertext(self, tls: TlsLayer) -> None:
        if ciphertext := tls.take_outgoing():
            self._transport.write(ciphertext)
