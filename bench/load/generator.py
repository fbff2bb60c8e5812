"""Send mail as fast as the server accepts it, or at a set pace.

smtp-source(1) lacks TLS, pipelining, BDAT and latencies, so we have our own generator.

    python -m bench.load.generator '{"port": …, "sessions": …, …}'        (the fields of Order)

It is a process of its own, on uvloop. When done it prints, as JSON, the seconds it took and the
number of accepted messages. It also prints the least time, in milliseconds, that the slowest
twentieth waited for their 250. That time begins at MAIL, or when the message was due if a pace is
set. A message that is not accepted ends the program with an error.
"""

import asyncio
import json
import ssl
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import uvloop

from bench.content import content
from bench.domains import HOST, SENDER


@dataclass(frozen=True, slots=True)
class Order:
    """What to send."""

    port: int
    to: str
    size: int
    sessions: int
    messages: int = 0  # 0: until standard input ends
    pace: float = 0.0  # messages a second, over all sessions; 0: as fast as they are taken
    is_kept: bool = False  # connections are, from message to message
    has_tls: bool = False  # by STARTTLS
    is_pipelined: bool = False
    has_chunks: bool = False  # BDAT, and pipelined
    source: str = HOST


Step = (
    tuple[bytes, int] | float | None
)  # what to say, and how many replies to wait for; when to go on; or:
BEGIN_TLS: Final = None


class Work:
    """The messages that are left to send, shared by all sessions."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.latencies: list[float] = []  # milliseconds, a message each
        self._left = order.messages or sys.maxsize
        self._next_turn = time.monotonic()
        text = content(order.size)
        opening = f"MAIL FROM:<{SENDER}>\r\n".encode(), f"RCPT TO:<{order.to}>\r\n".encode()
        self.message = _steps(order, opening, text)

    @property
    def has_more(self) -> bool:
        """Whether there is a message left to send."""
        return self._left > 0

    def stop(self) -> None:
        """Begin no further message."""
        self._left = 0

    def take(self) -> float:
        """Take on a message, and return when it is due (monotonic seconds)."""
        self._left -= 1
        if not self.order.pace:
            return time.monotonic()
        self._next_turn += 1 / self.order.pace
        return self._next_turn


def _steps(order: Order, opening: tuple[bytes, bytes], text: bytes) -> list[Step]:
    """Return how one message is said."""
    if order.has_chunks:
        return [(b"".join(opening) + b"BDAT %d LAST\r\n" % len(text) + text, 3)]
    ending = (text + b".\r\n", 1)
    if order.is_pipelined:
        return [(b"".join(opening) + b"DATA\r\n", 3), ending]
    return [(opening[0], 1), (opening[1], 1), (b"DATA\r\n", 1), ending]


class Session(asyncio.Protocol):
    """One connection: the conversation says what comes next, and the replies move it on."""

    def __init__(self, work: Work, context: ssl.SSLContext) -> None:
        self._work = work
        self._context = context
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()
        self._conversation = self._converse()
        self._awaited = 0  # replies
        self._rest = b""

    def _converse(self) -> Iterator[Step]:
        work, order = self._work, self._work.order
        yield b"", 1
        yield b"EHLO sender.example\r\n", 1
        if order.has_tls:
            yield b"STARTTLS\r\n", 1
            yield BEGIN_TLS
            yield b"EHLO sender.example\r\n", 1
        while work.has_more:
            due = work.take()
            if order.pace:
                yield due
            yield from work.message
            work.latencies.append(
                (time.monotonic() - due) * 1000
            )  # a message that had to wait its turn counts so
            if not order.is_kept:
                break
        yield b"QUIT\r\n", 1

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._go_on()

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\r\n")
        self._rest = lines.pop()
        for line in lines:
            if line[3:4] == b"-":
                continue
            if line[:1] not in b"23":
                self._fail(f"not taken: {line!r}")
                return
            self._awaited -= 1
        if self._awaited == 0:
            self._go_on()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._fail(f"the server has closed the connection: {exc}")

    def _go_on(self) -> None:
        try:
            step = next(self._conversation)
        except StopIteration:
            self.done.set_result(None)
            self._transport.close()
            return
        match step:
            case (said, replies):
                self._awaited = replies
                self._transport.write(said)
            case float(due):
                self._loop.call_later(max(0.0, due - time.monotonic()), self._go_on)
            case _:
                self._tls = self._loop.create_task(self._start_tls())

    async def _start_tls(self) -> None:
        transport = await self._loop.start_tls(self._transport, self, self._context)
        assert transport is not None
        self._transport = transport
        self._go_on()

    def _fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(reason))
        self._transport.abort()


async def _keep_sending(work: Work, context: ssl.SSLContext) -> None:
    """Be one session: open one connection after another until all messages are sent."""
    order, loop = work.order, asyncio.get_running_loop()
    source = (
        None if order.source == HOST else (order.source, 0)
    )  # bound for a reason only: it costs a port
    while work.has_more:
        _, session = await loop.create_connection(
            lambda: Session(work, context), HOST, order.port, local_addr=source
        )
        await session.done


async def send(order: Order) -> Work:
    """Send all of it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    work = Work(order)
    if not order.messages:
        asyncio.get_running_loop().add_reader(sys.stdin, work.stop)
    await asyncio.gather(*(_keep_sending(work, context) for _ in range(order.sessions)))
    return work


def percentile(values: list[float], share: int) -> float:
    """Return the value below which so many percent of them lie."""
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def main() -> None:
    """Send, and print the result."""
    begin = time.perf_counter()
    work = uvloop.run(send(Order(**json.loads(sys.argv[1]))))
    seconds = time.perf_counter() - begin
    slow = percentile(work.latencies, 95)
    print(json.dumps({"seconds": seconds, "messages": len(work.latencies), "slow": slow}))


if __name__ == "__main__":
    main()
