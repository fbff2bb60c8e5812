"""A destination that speaks SMTP well, except for one moment of the dialogue: its trap.

    with HostileDestination(b"PIPELINING", [Trap(Place.MAIL, says(b"HTTP/1.1 400\r\n\r\n"))]) as it:
        …                       # our side connects, and meets the trap
        it.repair()             # from now on all is well, at the same address and port

A connection is a thread that reads and replies step by step, so the code reads like the dialogue.
An act sends any octets: nothing here requires SMTP.
"""

from __future__ import annotations

import contextlib
import enum
import re
import select
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Self

PATIENCE: Final = 60.0  # seconds, after which even a connection that nobody ends is left
MOST: Final = 64 * 1024 * 1024  # octets that a flood is ready to send
DRIP: Final = 0.2  # seconds between two octets
PIECE: Final = 65536
END_MARK: Final = b"\r\n.\r\n"
_BDAT: Final = re.compile(rb"BDAT ([0-9]+)( LAST)?\Z", re.IGNORECASE)


class Place(enum.Enum):
    """A moment of the dialogue at which a reply is due, or not."""

    GREETING = "greeting"
    EHLO = "EHLO"
    PROBE = "probe"  # to a chunk without a recipient
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "content"  # the reply to it
    IN_CONTENT = "in content"  # some of it was read, and no reply is due
    AFTER = "after a message"  # between two transactions: no reply is due
    QUIT = "QUIT"


@dataclass(frozen=True, slots=True)
class Trap:
    """The act at a place, once `after` messages were taken over this connection (None: always)."""

    place: Place
    act: Act
    after: int | None = None


class HostileDestination:
    """Listens on a port of its own while the `with` lasts."""

    def __init__(
        self, offer: bytes, traps: Sequence[Trap] = (), address: str = "127.0.0.1"
    ) -> None:
        """`offer`: keywords for the reply to EHLO, with spaces between them."""
        self.address = address
        self.offer = offer.split()
        self.traps = traps
        self.connections = 0  # ever made
        self.taken: list[bytes] = []  # contents that came whole, whatever was then said
        self._listener = socket.create_server((address, 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._talks: list[Talk] = []

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._threads[0].join()
        self._listener.close()
        for talk in self._talks:
            talk.end()
        for thread in self._threads[1:]:
            thread.join()

    def repair(self) -> None:
        """Behave well on every connection from now on, and forget the mail taken before."""
        self.set_traps(())

    def set_traps(self, traps: Sequence[Trap]) -> None:
        """Have these traps on every connection from now on, and forget all that was before."""
        self.traps = traps
        self.taken = []
        self.connections = 0

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # we were asked to end
                return
            self.connections += 1
            talk = Talk(connection, self)
            thread = threading.Thread(target=talk.run)
            self._talks.append(talk)
            self._threads.append(thread)
            thread.start()


class Talk:
    """One connection."""

    def __init__(self, connection: socket.socket, destination: HostileDestination) -> None:
        connection.settimeout(PATIENCE)
        self.socket = connection
        self._destination = destination
        self._traps = destination.traps
        self._unread = b""
        self._chunks = b""
        self._has_recipient = False
        self._messages = 0  # taken over this connection

    def run(self) -> None:
        """Answer until one side has had enough."""
        with self.socket:
            try:
                self._reply(Place.GREETING, b"220 hostile.example ESMTP\r\n")
                while self._obey(self._line()):
                    pass
            except (OSError, EOFError):
                return

    def end(self) -> None:
        """End it from outside, if it has not ended."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    # For acts

    def say(self, octets: bytes) -> None:
        """Send octets."""
        self.socket.sendall(octets)

    def hang_up(self) -> None:
        """End the connection here."""
        raise EOFError

    def read_on(self) -> None:
        """Read and answer nothing until the other side has left."""
        while self._receive():
            pass

    def wait_until_alone(self) -> None:
        """Read nothing more until the other side has left."""
        poll = select.poll()
        poll.register(self.socket, select.POLLRDHUP)
        poll.poll(PATIENCE * 1000)

    # The dialogue

    def _reply(self, place: Place, good: bytes) -> None:
        for trap in self._traps:
            if trap.place is place and trap.after in (None, self._messages):
                trap.act(self, good)
                return
        if good:
            self.say(good)

    def _obey(self, line: bytes) -> bool:
        verb = line[:4].upper()
        match verb:
            case b"EHLO" | b"HELO":
                self._reply(Place.EHLO, self._hello())
            case b"MAIL":
                self._has_recipient = False
                self._reply(Place.MAIL, b"250 2.1.0 OK\r\n")
            case b"RCPT":
                self._has_recipient = True
                self._reply(Place.RCPT, b"250 2.1.5 OK\r\n")
            case b"DATA":
                self._reply(Place.DATA, b"354 go on\r\n")
                self._take(self._content(), waits=True)
            case b"BDAT":
                self._take_chunk(line)
            case b"QUIT":
                self._reply(Place.QUIT, b"221 bye\r\n")
            case _:
                self.say(b"250 2.0.0 OK\r\n")
        return verb != b"QUIT"

    def _hello(self) -> bytes:
        lines = [b"hostile.example", *self._destination.offer]
        return b"".join(b"250-%s\r\n" % line for line in lines) + b"250 8BITMIME\r\n"

    def _content(self) -> bytes:
        """Read content after DATA, to its end."""
        self._unread = b"\r\n" + self._unread
        self._read_content(lambda: END_MARK in self._unread)
        content, _, self._unread = self._unread.partition(END_MARK)
        return (content[2:] + b"\r\n").replace(b"\r\n..", b"\r\n.")

    def _read_content(self, is_whole: Callable[[], bool]) -> None:
        is_begun = False
        while not is_whole():
            self._more()
            if not is_begun and len(self._unread) > PIECE:
                is_begun = True
                self._reply(Place.IN_CONTENT, b"")

    def _take_chunk(self, line: bytes) -> None:
        bdat = _BDAT.match(line)
        assert bdat, line
        octets = int(bdat[1])
        self._read_content(lambda: len(self._unread) >= octets)
        chunk, self._unread = self._unread[:octets], self._unread[octets:]
        if not self._has_recipient:  # so ends the probe of a client that means to run ahead
            self._reply(Place.PROBE, b"503 5.5.1 RCPT first\r\n")
        elif bdat[2]:
            content, self._chunks = self._chunks + chunk, b""
            self._take(content)
        else:
            self._chunks += chunk
            self.say(b"250 2.0.0 OK\r\n")

    def _take(self, content: bytes, *, waits: bool = False) -> None:
        """Take content; before the trap behind it, wait for the next command, always the same."""
        self._has_recipient = False
        self._destination.taken.append(content)
        self._reply(Place.CONTENT, b"250 2.0.0 taken\r\n")
        self._messages += 1
        if waits and not self._unread and any(one.place is Place.AFTER for one in self._traps):
            self._more()
        self._reply(Place.AFTER, b"")

    def _line(self) -> bytes:
        while b"\r\n" not in self._unread:
            self._more()
        line, _, self._unread = self._unread.partition(b"\r\n")
        return line

    def _more(self) -> None:
        received = self._receive()
        if not received:
            raise EOFError
        self._unread += received

    def _receive(self) -> bytes:
        return self.socket.recv(PIECE)


# An act at a place: given the connection, and the reply of a good server there.
Act = Callable[[Talk, bytes], None]


def says(octets: bytes) -> Act:
    """Say these octets instead of the reply."""
    return lambda talk, _: talk.say(octets)


def adds(octets: bytes) -> Act:
    """Say the reply and these octets, at once."""
    return lambda talk, good: talk.say(good + octets)


def changes(old: bytes, new: bytes) -> Act:
    """Say the reply with something in it replaced."""
    return lambda talk, good: talk.say(good.replace(old, new))


def begins_and_hangs_up(talk: Talk, good: bytes) -> None:
    """Say a part of the reply, and no more."""
    talk.say(good[:7])
    talk.hang_up()


def hangs_up(talk: Talk, _: bytes) -> None:
    """Say nothing more."""
    talk.hang_up()


def is_late(talk: Talk, good: bytes) -> None:
    """Say the reply when nobody waits for it any more."""
    talk.read_on()
    talk.say(good)


def stops_reading(talk: Talk, _: bytes) -> None:
    """Let the other side fill what buffers there are."""
    talk.wait_until_alone()


def drips(talk: Talk, good: bytes) -> None:
    """Say a line that never ends, an octet at a time."""
    talk.say(good[:4])
    talk.socket.settimeout(DRIP)
    for _ in range(int(PATIENCE / DRIP)):
        talk.say(b"x")
        try:
            if not talk._receive():
                return
        except TimeoutError:
            continue


def floods(unit: bytes) -> Act:
    """Say this over and over, for as long as somebody listens."""
    piece = unit * (PIECE // len(unit))

    def flood(talk: Talk, _: bytes) -> None:
        for _piece in range(MOST // len(piece)):
            talk.say(piece)

    return flood
