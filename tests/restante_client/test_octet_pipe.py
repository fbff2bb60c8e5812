"""Octets both ways: bounded, in order, and with an end that loses none."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

import pytest

from restante_client.octet_pipe import BUFFER, OctetPipe, PipeLimits, PipeStalled


class Sides:
    """A pipe between two pairs of sockets: the far ends are the provider and the local server."""

    def __init__(self, idle: float = 5.0, whole: float = 60.0) -> None:
        self.provider, near_provider = socket.socketpair()
        self.local, near_local = socket.socketpair()
        self.seen: dict[str, int] = {"provider": 0, "local": 0}
        self.failure: BaseException | None = None
        self._near = [near_provider, near_local]
        self.pipe = OctetPipe(
            near_provider,
            near_local,
            PipeLimits(idle, whole),
            self._watch("provider"),
            self._watch("local"),
        )
        for end in (self.provider, self.local):
            end.settimeout(60)
        self.thread = threading.Thread(target=self._run)

    def _watch(self, side: str) -> Callable[[bytes], None]:
        def count(octets: bytes) -> None:
            self.seen[side] += len(octets)

        return count

    def _run(self) -> None:
        try:
            self.pipe.run(b"early", b"220 local\r\n")
        except (OSError, PipeStalled) as error:
            self.failure = error
        finally:
            for end in self._near:
                end.close()

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.provider.close()
        self.local.close()
        self.thread.join()


def everything(connection: socket.socket) -> bytes:
    found = b""
    while octets := connection.recv(65_536):
        found += octets
    return found


def send_and_close(connection: socket.socket, octets: bytes) -> None:
    connection.sendall(octets)
    connection.close()


def send_endlessly(connection: socket.socket) -> None:
    while True:
        connection.send(b"x" * 65_536)


def test_what_was_read_before_comes_first() -> None:
    with Sides() as sides:
        assert sides.local.recv(100) == b"early"
        assert sides.provider.recv(100) == b"220 local\r\n"


def test_the_last_words_of_the_local_server_arrive_before_the_end() -> None:
    with Sides() as sides:
        last = b"x" * 3_000_000 + b"221 bye\r\n"
        sending = threading.Thread(target=send_and_close, args=(sides.local, last))
        sending.start()
        assert everything(sides.provider) == b"220 local\r\n" + last
        sending.join()
    assert sides.failure is None
    assert sides.seen["local"] == 3_000_020


def test_a_provider_that_closed_still_hears_the_local_server() -> None:
    with Sides() as sides:
        sides.provider.sendall(b"DATA")
        sides.provider.shutdown(socket.SHUT_WR)
        assert everything(sides.local) == b"earlyDATA"
        sides.local.sendall(b"250 late\r\n")
        sides.local.close()
        assert everything(sides.provider) == b"220 local\r\n250 late\r\n"
    assert sides.failure is None


def test_a_side_that_does_not_read_stops_the_other() -> None:
    with Sides() as sides:
        sides.provider.settimeout(0.3)
        with pytest.raises(TimeoutError):
            send_endlessly(sides.provider)
        assert len(sides.pipe._to_local) <= BUFFER + 65_536
        sides.local.recv(1_000_000)
        sides.provider.settimeout(60)
        sides.provider.send(b"x" * 200_000)  # TimeoutError if the pipe did not go on


def test_silence_ends_the_session() -> None:
    with Sides(idle=0.2) as sides:
        sides.thread.join()
    assert isinstance(sides.failure, PipeStalled)


def test_a_provider_that_drips_is_left_in_the_end() -> None:
    with Sides(whole=0.5) as sides:
        with suppress(OSError):
            while sides.thread.is_alive():
                sides.provider.sendall(b"NOOP\r\n")
                sides.local.recv(100)
        sides.thread.join()
    assert str(sides.failure) == "the session took more than 0.5 seconds"


def test_a_provider_that_vanished_is_told() -> None:
    with Sides() as sides:
        sides.provider.close()
        assert everything(sides.local) == b"early"
        sides.local.close()
        sides.thread.join()
    assert sides.failure is None or isinstance(sides.failure, ConnectionError)


def test_small_writes_do_not_wait_for_each_other() -> None:
    """Otherwise a provider that sends a record for each line gets 30 messages a second across."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        near = [socket.create_connection(listener.getsockname()) for _ in range(2)]
        far = [listener.accept()[0] for _ in near]
        pipe = OctetPipe(near[0], near[1], PipeLimits(5, 60), lambda _: None, lambda _: None)
        thread = threading.Thread(target=pipe.run, args=(b"", b"220 local\r\n"))
        thread.start()
        far[0].settimeout(60)
        assert far[0].recv(100) == b"220 local\r\n"
        options = [end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for end in near]
        for end in (far[1], far[0]):
            end.close()
        thread.join()
        near[1].close()
    assert all(options)
