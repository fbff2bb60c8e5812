"""Small reads: a connection's protocol gets the same octets and events, in smaller pieces."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from restante.network.small_reads import PIECE, SmallReads


class Recorder(asyncio.Protocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def data_received(self, data: bytes) -> None:
        self.told.append(data)

    def eof_received(self) -> bool:
        self.told.append("eof")
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.told.append(exc)

    def pause_writing(self) -> None:
        self.told.append("paused")

    def resume_writing(self) -> None:
        self.told.append("resumed")


def receive(protocol: SmallReads, data: bytes) -> None:
    """Read as an event loop does."""
    while data:
        buffer = protocol.get_buffer(-1)
        piece, data = data[: len(buffer)], data[len(buffer) :]
        buffer[: len(piece)] = piece
        protocol.buffer_updated(len(piece))


@given(st.lists(st.binary(min_size=1)))
def test_octets_of_two_connections_are_never_mixed(pieces: list[bytes]) -> None:
    """They share one buffer."""
    one, other = Recorder(), Recorder()
    for piece in pieces:
        receive(SmallReads(one), piece)
        receive(SmallReads(other), piece[::-1])
    assert one.told == pieces
    assert other.told == [piece[::-1] for piece in pieces]


def test_large_data_comes_in_pieces() -> None:
    recorder = Recorder()
    receive(SmallReads(recorder), b"x" * (2 * PIECE + 1))
    assert recorder.told == [b"x" * PIECE, b"x" * PIECE, b"x"]


def test_every_other_event_is_passed_on() -> None:
    recorder, error = Recorder(), ConnectionResetError()
    protocol = SmallReads(recorder)
    protocol.pause_writing()
    protocol.resume_writing()
    assert protocol.eof_received() is True
    protocol.connection_lost(error)
    assert recorder.told == ["paused", "resumed", "eof", error]
