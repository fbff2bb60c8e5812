"""Pass octets both ways between a provider, over TLS, and the local server, in clear.

Octets are passed on as they come, not line by line. Each direction keeps at most BUFFER octets: a
side that reads slowly slows the other down. The session ends when neither side says anything for
some time, and at the latest after the time for all of it.

The end: the local server closes after it has answered QUIT. Its last octets are sent. Then TLS and
TCP are closed for writing, and the rest of the provider's octets is read for a moment. Closing at
once would make the system discard our last octets. If the provider closes first, the local server
is told by a closed direction, and may still answer for a while.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from contextlib import suppress
from typing import Callable, NamedTuple  # Python 3.8 has no other Callable at run time

BUFFER = 262_144  # octets, for each direction
_READ_OCTETS = 65_536
_LINGER_SECONDS = 5.0
_LAST_WORDS_SECONDS = 60.0  # for the local server after the provider has closed
_MAX_LINGER = 1_048_576  # octets read and dropped at the end

Watch = Callable[[bytes], None]


class PipeStalled(Exception):  # noqa: N818
    """The session took too long; the text says how."""


class PipeLimits(NamedTuple):
    """Times in seconds."""

    idle: float  # without an octet of either side
    whole: float  # for the session


class OctetPipe:
    """Both connections, and the octets on their way between them."""

    def __init__(
        self,
        provider: socket.socket,
        local: socket.socket,
        limits: PipeLimits,
        watch_provider: Watch,
        watch_local: Watch,
    ) -> None:
        """The watchers see all octets of each side, in order."""
        self._provider = provider
        self._local = local
        self._limits = limits
        self._watch_provider = watch_provider
        self._watch_local = watch_local
        self._to_local = bytearray()
        self._to_provider = bytearray()
        self._provider_ended = False
        self._local_ended = False

    def run(self, from_provider: bytes = b"", from_local: bytes = b"") -> None:
        """Pass octets on until the session ends; first those that have been read already.

        Raises PipeStalled, or OSError for a connection that broke.
        """
        self._take_from_provider(from_provider)
        self._take_from_local(from_local)
        for side in (self._provider, self._local):
            side.setblocking(False)
            with suppress(OSError):  # not of TCP
                # Otherwise a small write waits for the receipt of the last, up to 40 ms.
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        last = time.monotonic()
        end = last + self._limits.whole
        while not self._is_over():
            if time.monotonic() > end:
                raise PipeStalled(f"the session took more than {self._limits.whole:g} seconds")
            if self._pass_on():
                last = time.monotonic()
                continue
            left = last + self._patience() - time.monotonic()
            if left <= 0:
                if self._provider_ended:
                    return
                idle = self._limits.idle
                raise PipeStalled(f"neither side said anything for {idle:g} seconds")
            self._wait(min(left, max(end - time.monotonic(), 0)))
        self._end()

    def _is_over(self) -> bool:
        return self._local_ended and not self._to_provider

    def _patience(self) -> float:
        if self._provider_ended:
            return min(_LAST_WORDS_SECONDS, self._limits.idle)
        return self._limits.idle

    def _pass_on(self) -> bool:
        """Read and write what is possible now; tell whether anything moved."""
        moved = False
        # All records that are there, so that one write passes them on: a provider may send a record
        # for each line.
        while not self._provider_ended and len(self._to_local) < BUFFER:
            octets = self._read(self._provider)
            if octets is None:
                break
            moved = True
            self._take_from_provider(octets)
            self._provider_ended = not octets
        if not self._local_ended and len(self._to_provider) < BUFFER:
            octets = self._read(self._local)
            if octets is not None:
                moved = True
                self._take_from_local(octets)
                self._local_ended = not octets
        moved |= self._write(self._local, self._to_local)
        moved |= self._write(self._provider, self._to_provider)
        if self._provider_ended and not self._to_local:
            with suppress(OSError):  # it may be closed already
                self._local.shutdown(socket.SHUT_WR)
        return moved

    def _take_from_provider(self, octets: bytes) -> None:
        self._to_local += octets
        self._watch_provider(octets)

    def _take_from_local(self, octets: bytes) -> None:
        self._to_provider += octets
        self._watch_local(octets)

    def _read(self, side: socket.socket) -> bytes | None:
        """Return what a side sent, b"" at its end, or None if nothing is there."""
        try:
            return side.recv(_READ_OCTETS)
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except (ConnectionError, ssl.SSLError):
            if side is self._local or self._local_ended:
                return b""
            raise

    def _write(self, side: socket.socket, octets: bytearray) -> bool:
        if not octets:
            return False
        try:
            sent = side.send(octets[:_READ_OCTETS])
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except ConnectionError:
            if side is self._local:  # it closed; its earlier octets are still to be read
                octets.clear()
                return True
            raise
        del octets[:sent]
        return sent > 0

    def _wait(self, seconds: float) -> None:
        """Wait until a side can be read or written."""
        readers: list[socket.socket] = []
        if not self._provider_ended and len(self._to_local) < BUFFER:
            readers.append(self._provider)
        if not self._local_ended and len(self._to_provider) < BUFFER:
            readers.append(self._local)
        writers = [self._local] if self._to_local else []
        writers += [self._provider] if self._to_provider else []
        select.select(readers, writers, [], seconds)

    def _end(self) -> None:
        """Close for writing, and read the rest for a moment. The octets no longer matter."""
        self._local.close()
        if isinstance(self._provider, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                self._provider.unwrap()  # sends the end of TLS; its answer would be in the rest
        with suppress(OSError, ValueError):
            _linger(self._provider)


def _linger(connection: socket.socket) -> None:
    plain = socket.socket(fileno=connection.detach())
    with plain:
        plain.shutdown(socket.SHUT_WR)
        end = time.monotonic() + _LINGER_SECONDS
        dropped = 0
        while dropped < _MAX_LINGER:
            left = end - time.monotonic()
            if left <= 0:
                return
            plain.settimeout(left)
            octets = plain.recv(_READ_OCTETS)
            if not octets:
                return
            dropped += len(octets)
