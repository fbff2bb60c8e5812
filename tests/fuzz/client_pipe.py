"""A provider and a local server, both hostile, and the pipe of the client kit between them.

The rule: each side gets the other's octets in order, and all of them while it is there. The session
ends. The counting changes nothing, keeps little, and never counts more messages than the local
server has taken.
"""

import select
from collections.abc import Iterator
from typing import Any, Final, cast
from unittest.mock import patch

from restante_client.octet_pipe import BUFFER, OctetPipe, PipeLimits, PipeStalled
from restante_client.turn_tally import MAX_WAITING, TurnTally
from tests.fuzz.choices import Choices, pieces, read_input

_GREETING: Final = b"220 local\r\n"
_MOST_LINE: Final = 600
_READ: Final = 65_536
_LONG: Final = 300_000  # octets: more than the buffer
_ENDS: Final = ("closes", "resets", "stays")


def check(data: bytes) -> None:
    """Run one input. The stream's halves belong to the two sides. Raises what breaks the rule."""
    settings, octets, stream = read_input(data, 4)
    place = len(stream) * settings.below(256) // 255
    choices = Choices(octets)
    is_long = settings.below(8) == 7  # so that buffers fill
    said = stream[:place] + b"x" * (_LONG if is_long else 0)
    provider = _Side(said, settings.one_of(_ENDS), choices, is_quick=is_long)
    local = _Side(stream[place:], settings.one_of(_ENDS), choices, is_quick=is_long)
    tally = TurnTally()
    pipe = OctetPipe(
        cast(Any, provider),
        cast(Any, local),
        PipeLimits(60.0, 600.0),
        tally.take_commands,
        tally.take_replies,
    )
    ended = ""
    clock = _Clock()
    with (
        patch.object(select, "select", clock.select),
        patch("restante_client.octet_pipe.time", clock),
    ):
        try:
            pipe.run(b"", _GREETING)
        except (PipeStalled, OSError) as error:
            ended = str(error)
    assert len(pipe._to_local) <= BUFFER + _READ
    assert len(pipe._to_provider) <= BUFFER + _READ
    assert provider.said.startswith(bytes(local.heard))
    assert (_GREETING + local.said).startswith(bytes(provider.heard))
    if not ended and local.is_read_out and provider.takes:
        assert bytes(provider.heard) == _GREETING + local.said
    _check_tally(tally, local.said)


def _check_tally(tally: TurnTally, replies: bytes) -> None:
    assert len(tally._command) <= _MOST_LINE
    assert len(tally._reply) <= _MOST_LINE
    assert len(tally._waiting) <= MAX_WAITING + 1
    lines = replies.split(b"\n")
    assert tally.delivered <= sum(line[:1] == b"2" for line in lines)
    assert tally.deferred <= sum(line[:1] == b"4" for line in lines)
    assert tally.delivered + tally.deferred + tally.refused <= len(lines)
    assert tally.first_refusal.isprintable()


class _Clock:
    """Time passes only where the pipe waits."""

    def __init__(self) -> None:
        self._now = 0.0
        self._turns = 0

    def monotonic(self) -> float:
        self._turns += 1
        assert self._turns < 1_000_000, "it never ends"
        return self._now

    def select(self, readers: list[Any], writers: list[Any], _: object, seconds: float) -> None:
        assert seconds >= 0
        is_waiting_for_nothing = not any(side.wakes for side in (*readers, *writers))
        for side in (*readers, *writers):
            side.wake()
        self._now += seconds if is_waiting_for_nothing else 0.001


class _Side:
    """A socket that reads and writes as much as it likes, and then ends in some way."""

    def __init__(self, said: bytes, end: str, choices: Choices, *, is_quick: bool = False) -> None:
        self.said = said
        self.heard = bytearray()
        self.takes = True  # all that is written
        self._spoken: Iterator[bytes] = iter([said]) if is_quick else pieces(said, choices)
        self._end = end
        self._choices = choices
        self._least = 4096 if is_quick else 1  # octets that a write takes
        self._rest = b""
        self._is_out = False
        self._is_idle = False

    @property
    def is_read_out(self) -> bool:
        return self._is_out

    @property
    def wakes(self) -> bool:
        return self._is_idle

    def wake(self) -> None:
        self._is_idle = False

    def recv(self, most: int) -> bytes:
        assert most <= _READ
        if self._choices.below(4) == 3 and not self._is_idle:
            self._is_idle = True
            raise BlockingIOError
        if not self._rest:
            self._rest = next(self._spoken, b"")
        if not self._rest:
            self._is_out = True
            if self._end == "stays":
                raise BlockingIOError
            if self._end == "resets":
                raise ConnectionResetError(104, "Connection reset by peer")
        piece, self._rest = self._rest[:most], self._rest[most:]
        return piece

    def send(self, octets: bytes) -> int:
        if self._is_out and self._end == "resets":
            self.takes = False
            raise BrokenPipeError(32, "Broken pipe")
        if self._choices.below(8) == 7 and not self._is_idle:
            self._is_idle = True
            raise BlockingIOError
        some = octets[: self._least + self._choices.below(255) * 400]
        self.heard += some
        return len(some)

    def setblocking(self, _: bool) -> None:
        pass

    def setsockopt(self, *_: object) -> None:
        pass

    def shutdown(self, _: int) -> None:
        pass

    def close(self) -> None:
        pass

    def detach(self) -> int:
        return -1
